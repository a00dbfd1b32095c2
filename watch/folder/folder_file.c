// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder_file.c - what is behind a name, and has its writer finished, as far as the file system
 * tells?
 */
#include "watch/folder/folder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

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
