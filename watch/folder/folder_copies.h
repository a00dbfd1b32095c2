/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder_copies.h - the last good versions of manifest files, on disk, for the next start.
 *
 * One file for each manifest, of the same name; ".folder" tells which folder they are of.  A copy
 * is written before what it holds comes in force, so that it is never older than the kernel.
 */
#pragma once

#include <sys/types.h>

#include "lib/err.h"
#include "watch/folder/copy.h"

struct names;

/*
 * struct copies
 * @path:     Folder of the copies
 * @of:       The manifest folder
 * @known:    It was read whole once: a manifest without a copy held nothing
 * @dev, @ino: As it was then
 * @problem:  Why the last write failed, or NULL
 */
struct copies {
	char *path, *of;
	bool known;
	uint64_t dev, ino;
	char *problem;
};

enum copy_state { COPY_NONE, COPY_READ, COPY_DAMAGED };

struct copies *copies_open(const char *path, const char *of);
struct copies *copies_close(struct copies *c);
void copies_names(const struct copies *c, struct names *ret);
enum copy_state copies_read(const struct copies *c, const char *name, struct buf *data,
			    struct copy *ret);
bool copies_put(struct copies *c, const char *name, const char *text, size_t len, bool append);
void copies_remove(struct copies *c, const char *name);
void copies_note_folder(struct copies *c, dev_t dev, ino_t ino);
int copies_delete(const char *path, struct err *reterr);
