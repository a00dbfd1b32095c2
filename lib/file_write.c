// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * file_write.c - files are replaced, created and removed; decides nothing.
 *
 * A file is replaced by writing a hidden neighbour (".NAME.XXXXXX"), syncing it and renaming it
 * over: a reader sees the old text or the new one, also after a power cut.  A neighbour that an
 * interrupted write left behind is harmless (container runtimes skip hidden files); the next write
 * removes it.  Who writes one holds its lock.
 */
#include "lib/file_write.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

#define BLOCK 16384

/* Everything but the last component of @path, as heap memory: "/" and "." where there is none. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static int make_one(const char *path, mode_t mode, struct err *reterr)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(reterr, -errno, "%s: cannot create the folder: %m", path);
	if (stat(path, &st) < 0)
		return err_set(reterr, -errno, "%s: %m", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(reterr, -ENOTDIR, "%s: exists and is not a folder", path);
	return 0;
}

/**
 * dir_create() - Create a folder and those above it
 * @path:   Folder
 * @mode:   Permissions of @path when it is created; those above it get 0755.  A folder that exists
 *          keeps what it has
 * @reterr: Message with the path
 *
 * Return: 0, also when it exists; -ENOTDIR; -errno
 */
int dir_create(const char *path, mode_t mode, struct err *reterr)
{
	_cleanup_(freep) char *part = xstrdup(path);

	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = make_one(part, 0755, reterr);
		*slash = '/';
		if (r < 0)
			return r;
	}
	return make_one(path, mode, reterr);
}

/* struct source - what a file shall hold: @len bytes at @data or, when that is NULL, of @fd */
struct source {
	const char *data;
	size_t len;
	int fd;
};

/* Bytes from @at on, as many as @ret takes: how many; -EIO when they ended too early; -errno. */
static ssize_t source_get(const struct source *s, size_t at, char ret[BLOCK])
{
	size_t wanted = MIN(s->len - at, (size_t)BLOCK);
	ssize_t n;

	if (s->data) {
		memcpy(ret, s->data + at, wanted);
		return (ssize_t)wanted;
	}
	n = pread(s->fd, ret, wanted, (off_t)at);
	if (n < 0)
		return -errno;
	return n == 0 ? -EIO : n;
}

static int write_source(int fd, const struct source *s)
{
	char block[BLOCK];

	for (size_t at = 0; at < s->len;) {
		ssize_t n = source_get(s, at, block);
		int r = n < 0 ? (int)n : fd_write(fd, block, (size_t)n);

		if (r < 0)
			return r;
		at += (size_t)n;
	}
	return 0;
}

static int fill_and_rename(int fd, const char *temporary, const char *path, const struct source *s,
			   mode_t mode)
{
	int r = write_source(fd, s);

	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)
		return -errno;
	return 0;
}

static int sync_folder(const char *folder)
{
	_cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* What writers that were killed left: nobody holds its lock. */
static void remove_left(const char *folder, const char *name)
{
	_cleanup_(freep) char *pattern = xasprintf("%s/.%s.??????", folder, name);
	glob_t found = {0};

	(void)glob(pattern, GLOB_NOSORT, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		_cleanup_(closep) int fd =
			open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)unlink(found.gl_pathv[i]);
	}
	globfree(&found);
}

static int replace(const char *path, const struct source *s, mode_t mode, struct err *reterr)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	_cleanup_(freep) char *folder = parent_of(path);
	_cleanup_(freep) char *temporary = xasprintf("%s/.%s.XXXXXX", folder, name);
	_cleanup_(closep) int fd = mkostemp(temporary, O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(reterr, -errno, "%s: cannot create a file beside it: %m", path);
	(void)flock(fd, LOCK_EX);
	remove_left(folder, name);
	r = fill_and_rename(fd, temporary, path, s, mode);
	if (r < 0)
		(void)unlink(temporary);
	else
		r = sync_folder(folder);
	if (r < 0)
		return err_set(reterr, r, "%s: cannot write: %s", path, strerror(-r));
	return 0;
}

/**
 * file_write_atomic() - Replace a file so that it is the old or the new one, never a mixture
 * @path:   File
 * @data:   Contents
 * @len:    Bytes of @data
 * @mode:   Permissions
 * @reterr: Message with the path
 *
 * Durable when it returns.  A symbolic link at @path is replaced, not followed.  What a writer
 * that was killed left beside it is removed.
 *
 * Return: 0; -errno, then @path is unchanged unless only the sync of its folder failed
 */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
		      struct err *reterr)
{
	return replace(path, &(struct source){.data = data, .len = len}, mode, reterr);
}

static bool same_bytes(int fd, const struct source *s)
{
	char wanted[BLOCK], have[BLOCK];

	for (size_t at = 0; at < s->len;) {
		ssize_t n = source_get(s, at, wanted);

		if (n < 0 || pread(fd, have, (size_t)n, (off_t)at) != n ||
		    memcmp(wanted, have, (size_t)n) != 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool holds(const char *path, const struct source *s, mode_t mode)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (size_t)st.st_size == s->len && (st.st_mode & 07777) == mode && same_bytes(fd, s);
}

static int update(const char *path, const struct source *s, mode_t mode, struct err *reterr)
{
	int r;

	if (holds(path, s, mode))
		return 0;
	r = replace(path, s, mode, reterr);
	return r < 0 ? r : 1;
}

/**
 * file_update() - Write a file only when it holds something else
 * @path:   File
 * @data:   Contents wanted
 * @len:    Bytes of @data
 * @mode:   Permissions wanted
 * @reterr: Message with the path
 *
 * Others watch some of these files (container runtimes their CNI configuration); they shall not
 * see a change when there is none.
 *
 * Return: 1 when written, 0 when it was right already, -errno
 */
int file_update(const char *path, const void *data, size_t len, mode_t mode, struct err *reterr)
{
	return update(path, &(struct source){.data = data, .len = len}, mode, reterr);
}

/**
 * file_copy() - Make a file a copy of another one, as file_update() does; no copy in memory
 * @from:   Regular file
 * @path:   File
 * @mode:   Permissions wanted
 * @reterr: Message with the path
 *
 * Return: 1 when written, 0 when it was right already, -EINVAL when @from is something else, -errno
 */
int file_copy(const char *from, const char *path, mode_t mode, struct err *reterr)
{
	_cleanup_(closep) int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(reterr, -errno, "%s: cannot open: %m", from);
	if (!S_ISREG(st.st_mode))
		return err_set(reterr, -EINVAL, "%s: not a regular file", from);
	return update(path, &(struct source){.fd = fd, .len = (size_t)st.st_size}, mode, reterr);
}

/**
 * file_remove() - Remove a file
 * @path:   File
 * @reterr: Message with the path
 *
 * Return: 1 when removed, 0 when there was none, -errno
 */
int file_remove(const char *path, struct err *reterr)
{
	if (unlink(path) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_set(reterr, -errno, "%s: cannot remove: %m", path);
}
