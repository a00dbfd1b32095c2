// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * file.c - read a file without being held up by it: no waiting for a FIFO, no device opened, no
 * more bytes than allowed.
 */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP (256 * 1024)

/**
 * fd_read() - Read from where a descriptor stands to the end
 * @fd:  Descriptor
 * @max: Bytes that may come at most
 * @ret: Appended to; on failure it may hold a part
 *
 * Return: 0; -EFBIG; -errno
 */
int fd_read(int fd, size_t max, struct buf *ret)
{
	_cleanup_(freep) char *step = xmalloc(READ_STEP);
	size_t before = ret->len;
	ssize_t n;

	while ((n = read(fd, step, READ_STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n > max - (ret->len - before))
			return -EFBIG;
		buf_put(ret, step, (size_t)n);
	}
	return 0;
}

/**
 * fd_write() - Write all bytes
 * @fd:   Descriptor
 * @data: Bytes
 * @len:  Their number
 *
 * Return: 0; -errno, then a part may have been written
 */
int fd_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
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
	r = fd_read(fd, max, ret);
	if (r == -EFBIG)
		return err_set(reterr, r, "%s: more than %zu bytes", name, max);
	if (r < 0)
		return err_set(reterr, r, "%s: cannot be read: %s", name, strerror(-r));
	return 0;
}

/**
 * file_load() - Read a whole file
 * @path:   File
 * @max:    Largest size accepted, bytes
 * @ret:    The bytes are appended here, NUL-terminated; on failure it may hold a part
 * @reterr: Message with the path
 *
 * Return: 0; -EFBIG when there is more than @max; -EISDIR; -errno
 */
int file_load(const char *path, size_t max, struct buf *ret, struct err *reterr)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return err_set(reterr, -errno, "%s: cannot open: %m", path);
	buf_puts(ret, "");
	r = fd_read(fd, max, ret);
	if (r == -EFBIG)
		return err_set(reterr, r, "%s: larger than %zu bytes", path, max);
	if (r < 0)
		return err_set(reterr, r, "%s: cannot read: %s", path, strerror(-r));
	return 0;
}

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
