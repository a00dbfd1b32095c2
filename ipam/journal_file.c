// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal_file.c - lock, read, write and replace the file of a journal.  Blocking.
 *
 * Files are made with mode 0600, and an existing one gets it.  Beside <path> stand <path>.lock,
 * <path>.new while it is replaced, and up to JOURNAL_DAMAGED_MAX damaged ones that were kept.
 */
#include "ipam/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/journal.h"
#include "ipam/journal_format.h"

#define MODE (S_IRUSR | S_IWUSR)

/**
 * journal_file_lock() - Keep other processes away
 * @path:   Journal
 * @ret:    Descriptor that holds the lock of <path>.lock; untouched on failure
 * @reterr: What failed
 *
 * A file of its own, since the journal itself is replaced; it stays when the lock is given up.
 *
 * Return: 0; -EBUSY if it is held already; -errno
 */
int journal_file_lock(const char *path, int *ret, struct err *reterr)
{
	_cleanup_(freep) char *lock = xasprintf("%s.lock", path);
	_cleanup_(closep) int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);

	if (fd < 0)
		return err_set(reterr, -errno, "opening %s: %s", lock, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(reterr, -EBUSY, "%s is locked: another agent uses it",
					 lock)
			       : err_set(reterr, -errno, "locking %s: %s", lock, strerror(errno));
	*ret = TAKE(fd, -1);
	return 0;
}

/**
 * journal_file_open() - Open or create the file to read and write
 * @path:   Journal
 * @ret:    Descriptor; untouched on failure
 * @reterr: What failed
 *
 * Return: 0; -errno
 */
int journal_file_open(const char *path, int *ret, struct err *reterr)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(reterr, -errno, "opening %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(reterr, -EINVAL, "%s is not a regular file", path);
	if ((st.st_mode & 07777) != MODE && fchmod(fd, MODE) < 0)
		return err_set(reterr, -errno, "setting the mode of %s: %s", path, strerror(errno));
	*ret = TAKE(fd, -1);
	return 0;
}

/**
 * journal_file_write() - Write everything at an offset
 * @fd:      Descriptor
 * @content: What to write
 * @offset:  Where to
 *
 * One system call, unless the disk takes only a part.
 *
 * Return: 0; -errno, and a part may have been written
 */
int journal_file_write(int fd, const struct buf *content, size_t offset)
{
	size_t done = 0;

	while (done < content->len) {
		ssize_t n = pwrite(fd, content->data + done, content->len - done,
				   (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		done += (size_t)n;
	}
	return 0;
}

static int sync_folder(const char *path)
{
	_cleanup_(freep) char *folder = xstrdup(path);
	_cleanup_(closep) int fd = -1;
	char *slash = strrchr(folder, '/');

	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_new(const char *path, const struct buf *content, int *ret)
{
	_cleanup_(closep) int fd =
		open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, MODE);
	int r;

	if (fd < 0)
		return -errno;
	r = journal_file_write(fd, content, 0);
	if (r == 0 && (fchmod(fd, MODE) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r == 0)
		*ret = TAKE(fd, -1);
	return r;
}

/**
 * journal_file_replace() - Put a new file in the place of the journal
 * @path:       Journal
 * @content:    Content of the new file
 * @ret:        Its descriptor; untouched on failure
 * @ret_folder: Is the name durable, too: 0 or -errno; untouched on failure
 *
 * The new file is durable before it gets the name.
 *
 * Return: 0; -errno: the journal is the one of before
 */
int journal_file_replace(const char *path, const struct buf *content, int *ret, int *ret_folder)
{
	_cleanup_(freep) char *fresh = xasprintf("%s.new", path);
	_cleanup_(closep) int fd = -1;
	int r = write_new(fresh, content, &fd);

	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(fresh);
		return r;
	}
	*ret_folder = sync_folder(path);
	*ret = TAKE(fd, -1);
	return 0;
}

/**
 * journal_damaged_path() - Name under which a damaged journal was kept
 * @path: Journal
 * @n:    1 to JOURNAL_DAMAGED_MAX
 *
 * Return: "<path>.damaged-<n>", to be freed
 */
char *journal_damaged_path(const char *path, unsigned int n)
{
	return xasprintf("%s.damaged-%u", path, n);
}

/**
 * journal_file_keep() - Give a damaged file a second name, so that it outlives its replacement
 * @path: Journal
 *
 * Takes no space on the disk.
 *
 * Return: n of <path>.damaged-<n>; 0 if there are JOURNAL_DAMAGED_MAX already or the file system
 *         refuses
 */
unsigned int journal_file_keep(const char *path)
{
	for (unsigned int n = 1; n <= JOURNAL_DAMAGED_MAX; n++) {
		_cleanup_(freep) char *kept = journal_damaged_path(path, n);

		if (link(path, kept) == 0)
			return n;
		if (errno != EEXIST)
			return 0;
	}
	return 0;
}
