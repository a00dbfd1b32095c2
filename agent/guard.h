/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - our table, when somebody else changes it: noticed, told, repaired.
 */
#pragma once

#include "agent/culprits.h"
#include "agent/repair.h"
#include "datapath/nft/foreign.h"
#include "lib/buf.h"

struct agent;
struct loop_source;

/*
 * struct guard - embedded in the agent
 * @unread:   What others touched has to be read
 * @culprits: Programs that changed our table
 */
struct guard {
	struct nft_foreign *foreign;
	struct repair repair;
	bool unread;
	struct loop_source *timer;
	struct culprits culprits;
};

int guard_open(struct agent *a, struct err *reterr);
void guard_watch(struct agent *a);
void guard_close(struct agent *a);
bool guard_due(struct agent *a);
void guard_put_metrics(const struct agent *a, struct buf *out);
