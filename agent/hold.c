// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold.c - see hold.h.
 */
#include "agent/hold.h"

#include <inttypes.h>

#include "agent/agent.h"
#include "agent/health.h"
#include "lib/log.h"

/* What the kernel has cannot stay beside what is missing: isolated pods are better than open ones.
 */
static int isolate_all(struct agent *a, const struct err *why, struct err *reterr)
{
	log_warn("nft",
		 "the table cannot be repaired in part, all pods are isolated until the "
		 "source is known",
		 "err=\"%s\"", why->msg);
	table_hold(a->table, false);
	policy_knowledge(a->policy, POLICY_ISOLATE);
	return nft_read(a->nft, a->table, reterr) ?: nft_apply_all(a->nft, a->table, reterr);
}

static int put_in_force(struct agent *a, struct err *reterr)
{
	uint64_t before = nft_stats(a->nft)->operations;
	struct err why = {0};
	int r;

	table_hold(a->table, true);
	policy_knowledge(a->policy, POLICY_UNKNOWN);
	r = nft_read(a->nft, a->table, reterr);
	if (r < 0)
		return r;
	policy_knowledge(a->policy, POLICY_AS_LEFT);
	r = nft_apply_all(a->nft, a->table, &why);
	if (r != 0)
		r = isolate_all(a, &why, reterr);
	if (r == 0 && nft_stats(a->nft)->operations > before)
		log_info("nft",
			 "what was missing of the table is in force, isolated until the "
			 "source is known",
			 "pods=%zu ops=%" PRIu64, journal_count(a->journal),
			 nft_stats(a->nft)->operations - before);
	return r;
}

/**
 * hold_run() - Repair what is missing, if that was not done or somebody changed the table since
 * @a: Agent, before its source is complete
 */
void hold_run(struct agent *a)
{
	struct sync *s = &a->table_sync;
	struct err e = {0};

	if (guard_due(&a->guard))
		a->held = false;
	else if (a->held || !sync_may_try(s, loop_now(a->loop)))
		return;
	a->held = put_in_force(a, &e) == 0;
	if (a->held)
		*s = (struct sync){0}; /* not in step yet: that is for the source to say */
	else
		effects_refused(&a->effects, EFFECT_TABLE, &e);
}

/**
 * hold_end() - All of the source is known; the table is to be read next
 * @a: Agent
 */
void hold_end(struct agent *a)
{
	table_hold(a->table, false);
	policy_knowledge(a->policy, POLICY_KNOWN);
	datapath_settle(a->datapath);
}
