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

#include "datapath/base/cuts.h"
#include "datapath/route/conntrack_flows.h"
#include "lib/buf.h"
#include "lib/waiter.h"

struct agent;
struct loop_source;
struct mnl_socket;
struct recheck_round;

/*
 * struct recheck - embedded in the agent
 * @touched:    Addresses for the next round
 * @all:        And all isolated pods of this node
 * @rechecks:   As configured when last looked at
 * @round:      The round under way, or NULL
 * @not_before: When the next one may begin
 */
struct recheck {
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

int recheck_open(struct agent *a, struct err *reterr);
void recheck_close(struct agent *a);
void recheck_configure(struct agent *a);
void recheck_synced(struct agent *a);
void recheck_all(struct agent *a);
void recheck_settle(struct agent *a);
void recheck_turn(struct agent *a);
void recheck_put_metrics(const struct agent *a, struct buf *out);
