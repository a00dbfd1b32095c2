/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recheck.h - tracked connections that no policy allows any more are cut.
 *
 * Takes the addresses that policies, pods and namespaces have touched, and when the new rules are
 * in force asks connection tracking for their flows, the wanted table for each flow's verdict, and
 * has those deleted that are forbidden.  One round at a time, what is touched meanwhile is the next
 * one; a thread of its own waits for the kernel, so that no pod waits for its routes behind a long
 * list.
 */
#pragma once

#include "agent/config/config.h"
#include "datapath/base/cuts.h"
#include "datapath/route/conntrack_flows.h"
#include "lib/buf.h"
#include "lib/loop.h"
#include "lib/waiter.h"

struct base;
struct mnl_socket;
struct nft_table;
struct policy_engine;
struct recheck_round;

/*
 * struct recheck_uses
 * @source_known: Was the source read completely once?
 * @is_certain:   Is what is wanted in force, and all of the source known?
 */
struct recheck_uses {
	struct loop *loop;
	struct nft_table *table;
	const struct base *base;
	struct policy_engine *policy;
	const struct config *config;
	const bool *source_known;
	bool (*is_certain)(void *arg);
	void *arg;
};

/*
 * struct recheck
 * @touched:    Addresses for the next round
 * @all:        And all isolated pods of this node
 * @rechecks:   As configured when last looked at
 * @round:      The round under way, or NULL
 * @not_before: When the next one may begin
 */
struct recheck {
	struct recheck_uses use;
	struct waiter *waiter;
	struct conntrack *conntrack;
	struct mnl_socket *route;
	struct loop_source *io, *timer;
	struct cuts *cuts;
	struct addr_list touched;
	bool all, rechecks;
	struct recheck_round *round;
	uint64_t not_before;
	uint64_t rounds, cut; /* counters */
};

int recheck_open(struct recheck *k, const struct recheck_uses *u, struct err *reterr);
void recheck_close(struct recheck *k);
void recheck_configure(struct recheck *k);
void recheck_synced(struct recheck *k);
void recheck_all(struct recheck *k);
void recheck_settle(struct recheck *k);
void recheck_turn(struct recheck *k);
void recheck_put_metrics(const struct recheck *k, struct buf *out);
