// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guard.c - the listener of changes on the loop, and who made them.
 */
#include "agent/guard.h"

#include <stdio.h>
#include <sys/epoll.h>

#include "agent/report/metrics.h"
#include "datapath/nft/table.h"
#include "lib/log.h"

static void on_foreign(void *arg, uint32_t events _unused_)
{
	struct nft_culprit c = {0};
	struct guard *g = arg;
	bool ours = nft_foreign_read(g->foreign, &c);

	if (nft_foreign_others(g->foreign))
		g->use.others(g->use.arg);
	if (!ours)
		return;
	if (!*c.name)
		(void)snprintf(c.name, sizeof(c.name), "unknown");
	culprits_count(&g->culprits, c.name);
	repair_want(&g->repair, loop_now(g->use.loop));
	loop_timer_at(g->timer, g->repair.at);
	log_warn("nft", "somebody else changed our table, repairing",
		 "table=\"inet %s\" process=\"%s\" pid=%u in_ms=%u", table_name(g->use.table),
		 c.name, c.pid,
		 (unsigned int)((g->repair.at - loop_now(g->use.loop)) / USEC_PER_MSEC));
}

/* The turn that follows asks guard_due(). */
static void on_timer(void *arg _unused_)
{
}

/**
 * guard_open() - Begin to listen
 * @g:      Zeroed
 * @u:      What it uses; copied
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int guard_open(struct guard *g, const struct guard_uses *u, struct err *reterr)
{
	int r = nft_foreign_open(u->nft, table_name(u->table), &g->foreign, reterr);

	if (r < 0)
		return r;
	g->use = *u;
	g->timer = loop_timer(u->loop, "repair", on_timer, g);
	g->io = loop_io(u->loop, "nftables", nft_foreign_fd(g->foreign), EPOLLIN, on_foreign, g);
	return 0;
}

/**
 * guard_close() - Listen no longer
 * @g: Object
 */
void guard_close(struct guard *g)
{
	g->io = loop_source_free(g->io);
	g->timer = loop_source_free(g->timer);
	g->foreign = nft_foreign_close(g->foreign);
}

/**
 * guard_due() - Is our table to be read, because somebody else changed it?
 * @g: Object
 *
 * Return: true once for each time
 */
bool guard_due(struct guard *g)
{
	return repair_due(&g->repair, loop_now(g->use.loop));
}

/**
 * guard_put_metrics() - Who changed our table, and how often
 * @g:   Object
 * @out: Appended to
 */
void guard_put_metrics(const struct guard *g, struct buf *out)
{
	metric_head(out, "manx_nft_foreign_changes_total", METRIC_COUNTER,
		    "Transactions of others that changed our table, by process.");
	culprits_put_metrics(&g->culprits, "manx_nft_foreign_changes_total", out);
}
