/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - our table, when somebody else changes it: noticed, told, repaired.
 */
#pragma once

#include "agent/repair.h"
#include "datapath/nft/foreign.h"
#include "lib/buf.h"

#define GUARD_CULPRITS 8 /* that are counted by name; what others do is counted together */

struct agent;
struct loop_source;

/*
 * struct guard - embedded in the agent
 * @unread:   What the kernel holds is not known: it has to be read
 * @culprits: Programs that changed our table, and how often; the last entry is for all others
 */
struct guard {
	struct nft_foreign *foreign;
	struct repair repair;
	bool unread;
	struct loop_source *timer;
	struct {
		char name[32];
		uint64_t n;
	} culprits[GUARD_CULPRITS];
};

int guard_open(struct agent *a, struct err *reterr);
void guard_watch(struct agent *a);
void guard_close(struct agent *a);
bool guard_due(struct agent *a);
void guard_put_metrics(const struct agent *a, struct buf *out);
