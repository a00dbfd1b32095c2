/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - our table, when somebody else changes it: noticed, told, repaired.
 */
#pragma once

#include "agent/culprits.h"
#include "agent/repair.h"
#include "datapath/nft/foreign.h"
#include "lib/buf.h"
#include "lib/loop.h"

struct nft_socket;
struct nft_table;

/* struct guard_uses - @others: somebody changed tables that are not ours */
struct guard_uses {
	struct loop *loop;
	struct nft_socket *nft;
	const struct nft_table *table;
	void (*others)(void *arg);
	void *arg;
};

/*
 * struct guard
 * @unread:   What others touched has to be read
 * @culprits: Programs that changed our table
 */
struct guard {
	struct guard_uses use;
	struct nft_foreign *foreign;
	struct repair repair;
	bool unread;
	struct loop_source *io, *timer;
	struct culprits culprits;
};

int guard_open(struct guard *g, const struct guard_uses *u, struct err *reterr);
void guard_close(struct guard *g);
bool guard_due(struct guard *g);
void guard_put_metrics(const struct guard *g, struct buf *out);
