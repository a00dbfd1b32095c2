/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * culprits.h - programs that changed what is ours, counted by name.
 */
#pragma once

#include "lib/buf.h"

#define CULPRITS_MAX 8 /* that are counted by name; what others do is counted together */

/* struct culprits - programs, and how often each did something; the last entry is all others */
struct culprits {
	struct {
		char name[32];
		uint64_t n;
	} all[CULPRITS_MAX];
};

void culprits_count(struct culprits *c, const char *name);
void culprits_put_metrics(const struct culprits *c, const char *metric, struct buf *out);
