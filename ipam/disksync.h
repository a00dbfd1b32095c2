/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disksync.h - make a file durable without waiting for it: fdatasync through Linux AIO.
 *
 * One sync at a time.  Where the kernel or a sandbox refuses AIO, the sync is done at once and
 * counted.
 */
#pragma once

#include "lib/util.h"

struct disksync;

int disksync_new(struct disksync **ret);
struct disksync *disksync_free(struct disksync *d);
int disksync_fd(const struct disksync *d);
bool disksync_running(const struct disksync *d);
void disksync_start(struct disksync *d, int file);
bool disksync_take(struct disksync *d, int *ret_result);
uint64_t disksync_blocking(const struct disksync *d);
