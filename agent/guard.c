// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guard.c - the listener of changes on the loop, and who made them.
 */
#include "agent/guard.h"

#include <stdio.h>
#include <sys/epoll.h>

#include "agent/agent.h"

static void on_foreign(void *arg, uint32_t events _unused_)
{
	struct nft_culprit c = {0};
	struct agent *a = arg;
	struct guard *g = &a->guard;

	bool ours = nft_foreign_read(g->foreign, &c);

	if (nft_foreign_others(g->foreign))
		firewall_changed(&a->firewall);
	if (!ours)
		return;
	if (!*c.name)
		(void)snprintf(c.name, sizeof(c.name), "unknown");
	culprits_count(&g->culprits, c.name);
	repair_want(&g->repair, loop_now(a->loop));
	loop_timer_at(g->timer, g->repair.at);
	log_warn("nft", "somebody else changed our table, repairing",
		 "table=\"inet %s\" process=\"%s\" pid=%u in_ms=%u", table_name(a->table), c.name,
		 c.pid, (unsigned int)((g->repair.at - loop_now(a->loop)) / USEC_PER_MSEC));
}

/* The turn that follows asks guard_due(). */
static void on_timer(void *arg _unused_)
{
}

/**
 * guard_open() - Begin to listen
 * @a:      Agent; its nftables socket is open
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int guard_open(struct agent *a, struct err *reterr)
{
	return nft_foreign_open(a->nft, table_name(a->table), &a->guard.foreign, reterr);
}

/**
 * guard_watch() - Put the listener on the loop
 * @a: Agent
 */
void guard_watch(struct agent *a)
{
	struct guard *g = &a->guard;

	g->timer = loop_timer(a->loop, "repair", on_timer, a);
	agent_add_source(a, g->timer);
	agent_add_source(a, loop_io(a->loop, "nftables", nft_foreign_fd(g->foreign), EPOLLIN,
				    on_foreign, a));
}

/**
 * guard_close() - Listen no longer
 * @a: Agent
 */
void guard_close(struct agent *a)
{
	a->guard.foreign = nft_foreign_close(a->guard.foreign);
}

/**
 * guard_due() - Is our table to be read, because somebody else changed it?
 * @a: Agent
 *
 * Return: true once for each time
 */
bool guard_due(struct agent *a)
{
	return repair_due(&a->guard.repair, loop_now(a->loop));
}

/**
 * guard_put_metrics() - Who changed our table, and how often
 * @a:   Agent
 * @out: Appended to
 */
void guard_put_metrics(const struct agent *a, struct buf *out)
{
	const struct guard *g = &a->guard;

	metric_head(out, "manx_nft_foreign_changes_total", METRIC_COUNTER,
		    "Transactions of others that changed our table, by process.");
	culprits_put_metrics(&g->culprits, "manx_nft_foreign_changes_total", out);
}
