/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder_internal.h - shared by folder.c and folder_load.c.
 */
#pragma once

#include <sys/types.h>

#define HASH_FUNCTION(key, len, value) (value) = (unsigned int)hash_stable(key, len)
#include <uthash.h>

#include "lib/file.h"
#include "lib/hash.h"
#include "watch/folder/folder.h"
#include "watch/folder/folder_copies.h"

/* How sure are we that the writer has finished? */
enum trust {
	TRUST_EVENT,   /* an event about this very file says so: read it in any case */
	TRUST_CHANGED, /* complete, but only worth reading if it is another version */
	TRUST_SETTLED, /* only if left alone for a while */
};

/*
 * struct known - a file that the folder has
 * @mark:     Version read last, all zero if it could not be read
 * @gone_at:  When it was first found missing; 0 while it is there
 * @tried:    It was read, or failed to be, at least once
 * @failed:   The last attempt failed
 * @restored: Its copy of before this start was looked at, or is out of date
 * @by_copy:  What it holds is from the copy
 * @lost:     There was a copy, which cannot be read, and nothing good came since
 * @uncopied: What it holds could not be copied
 */
struct known {
	UT_hash_handle hh;
	struct file_mark mark;
	uint64_t gone_at;
	bool tried, failed, restored, by_copy, lost, uncopied;
	char name[];
};

/* struct folder - @watch is -1 while the folder is missing; @dev and @ino are those watched */
struct folder {
	char *path;
	int inotify;
	int watch;
	dev_t dev;
	ino_t ino;
	char *problem;	    /* why the folder is missing */
	bool too_many;	    /* files beyond MANIFEST_FILES_MAX */
	bool copying_fails; /* in this scan: the next tries again */
	bool restored;	    /* the folder was missing at the start, all is from copies */
	struct known *known;
	struct manifests *manifests;
	struct copies *copies; /* NULL: none are kept */
	uint64_t now, deadline;
	uint64_t last_scan;
};

void folder_wake_by(struct folder *f, uint64_t delay);
void folder_examine(struct folder *f, int dir, const char *name, enum trust trust);
void folder_miss(struct folder *f, const char *name);
void folder_restore(struct folder *f);
