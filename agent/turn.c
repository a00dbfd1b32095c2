// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * turn.c - one turn: drain the queue of changes into the parts, settle them, apply the difference
 * to nftables and routes, then let the calls go on.
 *
 * A failure leaves everything that was not accepted pending, and the turn comes back with
 * back-off; a policy that the kernel refuses by itself is set aside (aside.h).
 */
#include "agent/turn.h"

#include <inttypes.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/cni/calls.h"
#include "agent/events.h"
#include "agent/health.h"
#include "agent/hold.h"
#include "lib/log.h"
#include "watch/object/kind.h"

/* Once, when it begins. */
static void tell_missing_address(const struct node *old, const struct node *new)
{
	_cleanup_(freep) char *before = old ? node_lacks_address(old) : NULL;
	_cleanup_(freep) char *now = new ? node_lacks_address(new) : NULL;

	if (now && !streq(before, now))
		log_warn("route", "pods of a Node cannot be reached", "node=%s err=\"%s\"",
			 new->o.name, now);
}

static void on_change(void *arg, const struct object *old, const struct object *new)
{
	struct agent *a = arg;
	enum kind kind = new ? new->kind : old->kind;

	a->set_aside += (new &&new->problem) - (size_t)(old && old->problem);
	if (kind == kind_node.kind)
		tell_missing_address(as_node(old), as_node(new));
	aside_object(a->aside, old, new);
	events_object(a, old, new);
}

static void on_node_problem(void *agent, const struct node *node, const char *problem)
{
	if (problem)
		log_warn("route", "two Nodes claim the same", "node=%s err=\"%s\"", node->o.name,
			 problem);
	else
		log_info("route", "no other Node claims what this one does any more", "node=%s",
			 node->o.name);
	events_node(agent, node, problem);
}

static void set_ipam_ranges(struct agent *a)
{
	const struct prefix *ranges;
	size_t n = nodes_own_ranges(a->nodes, &ranges);
	struct err e = {0};

	if (ipam_set_ranges(a->ipam, ranges, n, &e) < 0)
		log_err("ipam", "ranges refused, the old ones stay", "err=\"%s\"", e.msg);
}

/**
 * turn_configure() - Give the parts the configuration, at start and after a reload
 * @a: Agent
 */
void turn_configure(struct agent *a)
{
	const struct config *c = a->config;
	struct part_config parts;

	log_set_level(c->log_level);
	ipam_set_cooldown(a->ipam, c->address_cooldown_usec);
	nodes_on_problem(a->nodes, on_node_problem, a);
	config_of_parts(c, &parts);
	datapath_configure(a->datapath, &parts);
	uplink_configure(&a->uplink, c->mtu);
	firewall_configure(&a->firewall, c->forward_accept);
	events_configure(a);
	recheck_configure(&a->recheck);
	if (a->source.kube)
		stale_follow(&a->stale);
}

/* True if there is more to do of what is large. */
static bool settle(struct agent *a)
{
	bool more = datapath_settle_piece(a->datapath, DATAPATH_PIECE);
	bool changed = nodes_take_changed(a->nodes);

	recheck_settle(&a->recheck);
	if (changed) {
		set_ipam_ranges(a);
		forwarding_follow(&a->forwarding);
		firewall_changed(&a->firewall);
	}
	if (uplink_moved(&a->uplink) || changed)
		uplink_follow(&a->uplink);
	hostaddrs_settle(&a->hostaddrs);
	return more;
}

/* --- the kernel --------------------------------------------------------------------------------
 */

/* Learn what the kernel holds; until that has succeeded, nothing is in sync. */
static bool read_table(struct agent *a)
{
	struct err e = {0};

	a->guard.unread =
		nft_read_touched(a->nft, a->table, nft_foreign_touched(a->guard.foreign), &e) < 0;
	if (a->guard.unread)
		effects_refused(&a->effects, EFFECT_TABLE, &e);
	return !a->guard.unread;
}

static void count_object(void *arg, const struct object *o _unused_)
{
	++*(size_t *)arg;
}

static bool is_blamed(struct agent *a, const struct nft_op *op)
{
	size_t n = 0;

	datapath_blame(a->datapath, op, count_object, &n);
	return n;
}

/*
 * Elements that no object is to be blamed for are left out, and tried again later: one key costs
 * nobody else.  False if that is not the way.
 */
static bool leave_out(struct agent *a)
{
	size_t n, left_out = 0;
	const struct nft_refusal *f = nft_refusals(a->nft, &n);

	for (size_t i = 0; i < n; i++)
		if (f[i].op.what != NFT_OP_ELEM || is_blamed(a, &f[i].op))
			return false;
	for (size_t i = 0; i < n; i++)
		left_out += table_refuse(a->table, &f[i].op, f[i].err.msg);
	if (!left_out)
		return false;
	sync_partly(&a->table_sync, "nft", &f->err, loop_now(a->loop));
	effects_arm_retry(&a->effects);
	log_err("nft", "the kernel refuses elements, all others go on",
		"elements=%zu in_ms=%" PRIu64 " err=\"%s\"", left_out,
		(uint64_t)(a->table_sync.retry_usec / USEC_PER_MSEC), f->err.msg);
	return true;
}

static const struct nft_op *first_refused(const struct agent *a)
{
	size_t n;
	const struct nft_refusal *f = nft_refusals(a->nft, &n);

	return n ? &f->op : NULL;
}

/**
 * turn_apply_all() - Settle, and bring all that is pending into the kernel's table; an
 *                    aside_apply_fn
 * @agent:  struct agent
 * @ret_op: What the kernel refuses, beside elements that are left out
 * @reterr: What it said
 *
 * Return: as nft_apply_all()
 */
int turn_apply_all(void *agent, const struct nft_op **ret_op, struct err *reterr)
{
	struct agent *a = agent;
	int r;

	datapath_settle(a->datapath);
	do
		r = nft_apply_all(a->nft, a->table, reterr);
	while (r == NFT_REFUSED && leave_out(a));
	*ret_op = r == NFT_REFUSED ? first_refused(a) : NULL;
	return r;
}

/* One transaction. */
static int send_table(struct agent *a, struct err *reterr)
{
	int r = table_pending(a->table) ? nft_apply(a->nft, a->table, reterr) : 0;

	if (r == NFT_REFUSED && leave_out(a))
		return NFT_MORE;
	if (r == NFT_REFUSED && aside_guilty(a->aside, first_refused(a), reterr))
		return 0;
	return r;
}

static bool may_send(struct agent *a, bool changed)
{
	struct sync *s = &a->table_sync;
	bool due = sync_may_try(s, loop_now(a->loop));

	if (s->partly && due)
		table_retry(a->table);
	if (!table_pending(a->table) && !a->guard.unread)
		return true;
	if (!changed && !s->partly && !due)
		return false;
	return !a->guard.unread || read_table(a);
}

/* A turn is one transaction: in between the loop goes on for everybody else. */
static void apply_table(struct agent *a, bool changed)
{
	struct sync *s = &a->table_sync;
	struct err e = {0};
	int r;

	if (guard_due(&a->guard)) {
		a->guard.unread = changed = true;
		recheck_all(&a->recheck);
	}
	if (!may_send(a, changed))
		return;
	r = send_table(a, &e);
	a->table_more = r == NFT_MORE;
	if (r == NFT_MORE) {
		sync_goes_on(s);
		loop_wake(a->loop);
	} else if (r == 0) {
		if (table_refused(a->table))
			s->ok = true;
		else
			sync_succeeded(s);
		aside_settled(a->aside);
	} else {
		effects_refused(&a->effects, EFFECT_TABLE, &e);
	}
}

/* What was refused waits for its time, new ones go at once.  True if they carry @since out. */
static bool apply_routes(struct agent *a, uint64_t since)
{
	struct sync *s = &a->routes_sync;

	links_due(a);
	forwarding_due(&a->forwarding);
	firewall_due(&a->firewall);
	if (sync_may_try(s, loop_now(a->loop))) {
		routes_retry(a->routes);
		if (a->routing.read_failed)
			routing_read(&a->routing);
		if (a->hostaddrs.failed)
			hostaddrs_read(&a->hostaddrs);
	}
	if (routing_apply(&a->routing, since))
		return true;
	if (!routes_failed(a->routes) && !a->routing.applying && !a->routing.read.running &&
	    !a->routing.read_failed && !a->hostaddrs.failed)
		sync_succeeded(s);
	return false;
}

/*
 * Everything is known for the first time: from now on the kernel is told.  What our table holds is
 * read only now, since an element that was wanted otherwise in between would be written again.
 */
static void synced(struct agent *a)
{
	hold_end(a);
	(void)read_table(a);
	recheck_synced(&a->recheck);
	a->source_synced = true;
	log_info("agent", "source complete", "ms=%" PRIu64,
		 (uint64_t)((monotonic_usec() - a->started) / USEC_PER_MSEC));
	events_configure(a);
}

static void apply(struct agent *a, bool changed, uint64_t since)
{
	apply_table(a, changed || table_pending(a->table) > a->left_pending);
	a->left_pending = table_pending(a->table);
	if (aside_count(a->aside))
		effects_arm_retry(&a->effects);
	if (a->table_more)
		since = 0;
	if (!apply_routes(a, since) && since && a->table_sync.ok)
		agent_count_latency(a, since);
}

static void take_changes(struct agent *a)
{
	a->changed = changes_length(a->changes) > 0;
	if (!a->filling && !a->table_more)
		a->since = 0;
	if (a->changed && !a->since)
		a->since = changes_oldest(a->changes);
	aside_begin(a->aside, a->table_sync.ok && !a->table_more, loop_now(a->loop));
	(void)changes_drain(a->changes, a->source.store, on_change, a);
	if (a->table_sync.ok && !a->table_more && aside_retry(a->aside))
		a->changed = true;
}

/**
 * turn_run() - One turn; the loop's turn hook
 * @agent: struct agent
 *
 * Costs what changed; nothing when nothing did.  What is large, as a policy with thousands of
 * selectors, is made in pieces, a piece a turn: in between the loop goes on for everybody else, and
 * only the pods concerned keep what they were under until it is complete.
 */
void turn_run(void *agent)
{
	struct agent *a = agent;
	bool lists = source_lists_complete(a);

	take_changes(a);
	a->filling = settle(a);
	changes_drained(a->changes);
	if (a->filling)
		loop_wake(a->loop);
	if (!a->source_synced && !a->filling && lists && source_complete(a))
		synced(a);
	if (a->source_synced)
		apply(a, a->changed, a->filling ? 0 : a->since);
	else
		hold_run(a);
	recheck_turn(&a->recheck);
	durable_follow(&a->durable);
	agent_install_when_ready(a);
	ready_follow(&a->ready);
	calls_progress(a->calls);
}
