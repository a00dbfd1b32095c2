// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder_copies.c - copies of manifests in a folder of the state: read, replace, remove.
 *
 * A copy is replaced by writing ".new" and renaming it.  It is not synced: nothing on the loop
 * waits for a disk.  After a power cut it is an old one, the new one, or damaged, which the
 * checksum tells; an agent that ends in whatever way loses none.  A copy that cannot be written is
 * removed: the version before is not what is in force.
 *
 * Limits: a file of COPY_MAX bytes.  Blocking.
 */
#include "watch/folder/folder_copies.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "watch/folder/folder.h"
#include "watch/folder/folder_events.h"

#define COPY_MAX     ((size_t)FOLDER_FILE_MAX * COPY_TEXTS_MAX + 4096)
#define NEW_NAME     ".new"
#define FOLDER_NAME  ".folder"
#define FOLDER_BYTES (2 * 4096) /* of its text: two numbers and a path */

static int open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int write_new(int dir, const char *name, const struct buf *b)
{
	_cleanup_(closep) int fd =
		openat(dir, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write(fd, b->data, b->len);

	if (r == 0 && renameat(dir, NEW_NAME, dir, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, NEW_NAME, 0);
	return r;
}

/* Log the first failure of several, and forget it when it is over. */
static bool note(struct copies *c, const char *name, int r)
{
	if (r < 0 && !c->problem)
		log_warn("folder", "the last good version of a manifest cannot be kept",
			 "file=\"%s\" path=\"%s\" err=\"%s\"", name, c->path, strerror(-r));
	free(c->problem);
	c->problem = NULL;
	if (r < 0)
		c->problem = xasprintf("%s/%s: cannot be written: %s; a manifest that is damaged "
				       "at the next start isolates its pods",
				       c->path, name, strerror(-r));
	return r >= 0;
}

/* The bytes of a copy; false: there is none. */
static bool load(int dir, const char *name, size_t max, struct buf *ret, bool *ret_damaged)
{
	struct err e = {0};
	int r = file_read(dir, name, max, ret, &e);

	*ret_damaged = r < 0 && r != -ENOENT;
	if (*ret_damaged)
		log_warn("folder", "the copy of a manifest cannot be read", "err=\"%s\"", e.msg);
	return r == 0;
}

/* ".folder": "DEV INO PATH\n" */
static bool read_folder(struct copies *c, int dir)
{
	_cleanup_(buf_done) struct buf text = {0};
	uint64_t dev = 0, ino = 0;
	int at = 0;
	bool damaged;

	if (!load(dir, FOLDER_NAME, FOLDER_BYTES, &text, &damaged))
		return false;
	buf_put(&text, "", 1);
	if (sscanf(text.data, "%" SCNu64 " %" SCNu64 " %n", &dev, &ino, &at) != 2 || at == 0)
		return false;
	text.data[strcspn(text.data, "\n")] = '\0';
	if (!streq(text.data + at, c->of))
		return false;
	c->dev = dev;
	c->ino = ino;
	return true;
}

/**
 * copies_open() - Open the copies of a manifest folder
 * @path: Where they are kept; created when it is missing, 0700.  Those of another manifest folder
 *        are removed
 * @of:   Manifest folder
 *
 * Return: the copies, of which @problem tells whether they can be used; close with copies_close()
 */
struct copies *copies_open(const char *path, const char *of)
{
	struct copies *c = xcalloc(1, sizeof(*c));
	_cleanup_(closep) int dir = -1;
	_cleanup_(names_done) struct names names = {0};

	c->path = xstrdup(path);
	c->of = xstrdup(of);
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		(void)note(c, "", -errno);
		return c;
	}
	dir = open_folder(path);
	if (dir < 0) {
		(void)note(c, "", dir);
		return c;
	}
	c->known = read_folder(c, dir);
	if (c->known)
		return c;
	(void)names_of_folder(dir, &names);
	for (size_t i = 0; i < names.n; i++)
		copies_remove(c, names.v[i]);
	return c;
}

/**
 * copies_close() - Forget where the copies are; they stay
 * @c: Copies or NULL
 *
 * Return: NULL
 */
struct copies *copies_close(struct copies *c)
{
	if (!c)
		return NULL;
	free(c->path);
	free(c->of);
	free(c->problem);
	free(c);
	return NULL;
}

/**
 * copies_names() - Of which manifests there are copies
 * @c:   Copies
 * @ret: Names, appended to and sorted
 */
void copies_names(const struct copies *c, struct names *ret)
{
	_cleanup_(closep) int dir = open_folder(c->path);

	if (dir >= 0)
		(void)names_of_folder(dir, ret);
}

/**
 * copies_read() - Read a copy
 * @c:    Copies
 * @name: Name of the manifest
 * @data: Takes the bytes; the copy borrows from it
 * @ret:  The copy; free with copy_done(), whatever is returned
 *
 * Return: whether there is one, and whether it is whole
 */
enum copy_state copies_read(const struct copies *c, const char *name, struct buf *data,
			    struct copy *ret)
{
	_cleanup_(closep) int dir = open_folder(c->path);
	bool damaged = false;

	if (dir < 0)
		return dir == -ENOENT ? COPY_NONE : COPY_DAMAGED;
	if (!load(dir, name, COPY_MAX, data, &damaged))
		return damaged ? COPY_DAMAGED : COPY_NONE;
	return copy_unpack(data->data, data->len, ret) < 0 ? COPY_DAMAGED : COPY_READ;
}

/**
 * copies_put() - Keep what is about to come in force
 * @c:      Copies
 * @name:   Name of the manifest
 * @text:   Its text
 * @len:    Bytes of @text
 * @append: Not all of it is right: what was in force before is needed too
 *
 * Nothing is written when the copy is right already.
 *
 * Return: true; false if it failed: there is no copy then, and @problem tells why
 */
bool copies_put(struct copies *c, const char *name, const char *text, size_t len, bool append)
{
	_cleanup_(closep) int dir = open_folder(c->path);
	_cleanup_(buf_done) struct buf before = {0}, packed = {0};
	_cleanup_(copy_done) struct copy copy = {0};
	bool whole = copies_read(c, name, &before, &copy) == COPY_READ;
	int r = dir;

	if (!whole || !append)
		copy.texts.n = 0;
	(void)copy_append(&copy, text, len);
	copy_pack(&copy, &packed);
	if (whole && packed.len == before.len && memcmp(packed.data, before.data, before.len) == 0)
		return note(c, name, 0);
	if (dir >= 0)
		r = write_new(dir, name, &packed);
	if (r < 0)
		copies_remove(c, name);
	return note(c, name, r);
}

/**
 * copies_remove() - A manifest is gone
 * @c:    Copies
 * @name: Its name
 */
void copies_remove(struct copies *c, const char *name)
{
	_cleanup_(closep) int dir = open_folder(c->path);

	if (dir >= 0 && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		(void)note(c, name, -errno);
}

/**
 * copies_note_folder() - The manifest folder was read whole
 * @c:   Copies
 * @dev: Its device
 * @ino: Its inode
 */
void copies_note_folder(struct copies *c, dev_t dev, ino_t ino)
{
	_cleanup_(closep) int dir = -1;
	_cleanup_(buf_done) struct buf text = {0};
	int r;

	if (c->known && c->dev == dev && c->ino == ino)
		return;
	buf_printf(&text, "%" PRIu64 " %" PRIu64 " %s\n", (uint64_t)dev, (uint64_t)ino, c->of);
	dir = open_folder(c->path);
	r = dir < 0 ? dir : write_new(dir, FOLDER_NAME, &text);
	if (!note(c, FOLDER_NAME, r))
		return;
	c->known = true;
	c->dev = dev;
	c->ino = ino;
}

/**
 * copies_delete() - Remove all copies and their folder
 * @path:   Folder
 * @reterr: Message
 *
 * Return: 1 when removed, 0 when there was none, -errno
 */
int copies_delete(const char *path, struct err *reterr)
{
	_cleanup_(names_done) struct names names = {0};
	_cleanup_(closep) int dir = open_folder(path);

	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return err_set(reterr, dir, "%s: %s", path, strerror(-dir));
	(void)names_of_folder(dir, &names);
	for (size_t i = 0; i < names.n; i++)
		(void)unlinkat(dir, names.v[i], 0);
	(void)unlinkat(dir, NEW_NAME, 0);
	(void)unlinkat(dir, FOLDER_NAME, 0);
	if (rmdir(path) < 0)
		return err_set(reterr, -errno, "%s: cannot remove: %s", path, strerror(errno));
	return 1;
}
