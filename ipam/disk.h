/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk.h - what takes the disk's time, without waiting for it: fdatasync, and replacing a file.
 *
 * One operation at a time, run by a waiter of its own.
 */
#pragma once

#include "lib/buf.h"

struct disk;

enum disk_operation { DISK_SYNC, DISK_REPLACE };

/*
 * struct disk_result
 * @result: 0 or -errno
 * @fd:     DISK_REPLACE that succeeded: the new file, now the caller's
 * @folder: Then: is its name durable, too: 0 or -errno
 */
struct disk_result {
	enum disk_operation operation;
	int result, fd, folder;
};

int disk_new(struct disk **ret);
struct disk *disk_free(struct disk *d);
int disk_fd(const struct disk *d);
bool disk_running(const struct disk *d);
void disk_sync(struct disk *d, int fd);
void disk_replace(struct disk *d, const char *path, struct buf *content);
bool disk_take(struct disk *d, struct disk_result *ret);
