/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process.h - what this process costs, read from /proc/self.
 */
#pragma once

#include "lib/buf.h"

struct process_stats {
	uint64_t resident_bytes, virtual_bytes;
	double cpu_seconds;   /* user and system */
	double start_seconds; /* since 1970 */
	uint64_t open_fds, max_fds;
};

void process_name(uint32_t pid, char ret[static 32]);
int process_read(struct process_stats *ret);
void process_metrics(const struct process_stats *p, struct buf *out);
