// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder_file.c - what is behind a name, and has its writer finished, as far as the file system
 * tells?
 */
#include "watch/folder/folder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/**
 * file_settled() - Was the file left alone for a while?
 * @st:   From stat()
 * @usec: How long, in microseconds
 *
 * Return: true if it was, and for times in the future (a clock that was set back)
 */
bool file_settled(const struct stat *st, uint64_t usec)
{
	struct timespec now;
	int64_t age;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age = (now.tv_sec - st->st_ctim.tv_sec) * (int64_t)USEC_PER_SEC +
	      (now.tv_nsec - st->st_ctim.tv_nsec) / 1000;
	return age < 0 || (uint64_t)age >= usec;
}

/**
 * file_stat() - What is behind a name?
 * @dir:  Descriptor of the folder
 * @name: Name
 * @ret:  Of a link, of what it points to, or of itself when that is not to be had; untouched when
 *        nothing is
 *
 * Return: false if the folder has no such name
 */
bool file_stat(int dir, const char *name, struct stat *ret)
{
	if (fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) < 0)
		return errno != ENOENT;
	if (S_ISLNK(ret->st_mode))
		(void)fstatat(dir, name, ret, 0);
	return true;
}

/**
 * file_complete_at_birth() - Is a new name a link or a second name of a file?
 * @dir:  Descriptor of the folder
 * @name: Name
 *
 * Such are complete when they appear, and only their creation is told; a plain new file is not,
 * and its end will be.
 *
 * Return: true if so
 */
bool file_complete_at_birth(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (!S_ISREG(st.st_mode) || st.st_nlink > 1);
}

/**
 * file_being_written() - Has any program the file open for writing?
 * @dir:  Descriptor of the folder
 * @name: Name
 *
 * A lease for reading is refused while somebody may write (fcntl(2), F_SETLEASE), and given back at
 * once; it is to be had for our own files only, and not on every file system.  SIGIO, which tells
 * of a writer that comes in between, is to be ignored by the process.
 *
 * Return: true if so; false if not, or if that cannot be known
 */
bool file_being_written(int dir, const char *name)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
		return false;
	fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}
