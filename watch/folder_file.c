// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder_file.c - look at and read one file of a folder without being held up by it: no waiting
 * for a FIFO, no device opened, no more bytes than allowed.
 */
#include "watch/folder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define READ_STEP (256 * 1024)

/**
 * file_mark() - Take down what tells this version of a file from another
 * @st: From stat()
 *
 * Return: the mark
 */
struct file_mark file_mark(const struct stat *st)
{
	return (struct file_mark){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/**
 * file_mark_equal() - Compare marks
 * @a: Mark
 * @b: Mark
 *
 * Return: true if nothing suggests that the content changed
 */
bool file_mark_equal(const struct file_mark *a, const struct file_mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

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

static int read_fd(int fd, const char *name, size_t max, struct buf *ret, struct err *reterr)
{
	_cleanup_(freep) char *step = xmalloc(READ_STEP);
	ssize_t n;

	while ((n = read(fd, step, READ_STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(reterr, -errno, "%s: cannot be read: %s", name,
				       strerror(errno));
		if (ret->len + (size_t)n > max)
			return err_set(reterr, -EFBIG, "%s: more than %zu bytes", name, max);
		buf_put(ret, step, (size_t)n);
	}
	return 0;
}

static int check_kind(const struct stat *st, const char *name, size_t max, struct err *reterr)
{
	if (!S_ISREG(st->st_mode))
		return err_set(reterr, -EINVAL, "%s: not a regular file", name);
	if ((uint64_t)st->st_size > max)
		return err_set(reterr, -EFBIG, "%s: more than %zu bytes", name, max);
	return 0;
}

/**
 * file_read() - Read a whole file
 * @dir:    Descriptor of its folder
 * @name:   Its name there; symbolic links are followed
 * @max:    Bytes it may have at most
 * @ret:    Content, appended; undefined on failure
 * @reterr: Message that begins with @name, or NULL
 *
 * Return: 0; -EINVAL for anything but a regular file; -EFBIG; -errno of the system calls
 */
int file_read(int dir, const char *name, size_t max, struct buf *ret, struct err *reterr)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;
	int r;

	/* Looked at before, because merely opening a device may do something; and after, because
	 * it may have become another file in between. */
	if (fstatat(dir, name, &st, 0) < 0)
		return err_set(reterr, -errno, "%s: %s", name, strerror(errno));
	r = check_kind(&st, name, max, reterr);
	if (r < 0)
		return r;
	fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(reterr, -errno, "%s: cannot be opened: %s", name, strerror(errno));
	r = check_kind(&st, name, max, reterr);
	if (r < 0)
		return r;
	return read_fd(fd, name, max, ret, reterr);
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
