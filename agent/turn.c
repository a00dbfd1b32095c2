// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * turn.c - one turn: drain the event queue into the parts, settle them, apply the difference to
 * nftables and routes, then let the calls go on.
 *
 * A failure leaves everything that was not accepted pending, and the turn comes back with
 * back-off; a policy that the kernel refuses by itself is set aside (aside.h).
 */
#include "agent/turn.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/calls.h"
#include "datapath/route/podlink.h"
#include "lib/log.h"

static void on_change(void *arg, const struct object *old, const struct object *new)
{
	struct agent *a = arg;
	enum kind kind = new ? new->kind : old->kind;

	if (kind == KIND_NODE)
		nodes_object(a->nodes, as_node(old), as_node(new));
	else if (kind == KIND_POLICY)
		aside_policy(a->aside, old, new);
	else
		policy_object(a->policy, old, new);
}

static void set_ipam_ranges(struct agent *a)
{
	const struct prefix *ranges;
	size_t n = nodes_own_ranges(a->nodes, &ranges);
	struct err e = {0};

	if (ipam_set_ranges(a->ipam, ranges, n, &e) < 0)
		log_err("ipam", "ranges refused, the old ones stay", "err=\"%s\"", e.msg);
}

static void set_mtu(struct agent *a, const struct attachment *at)
{
	const struct podlink pod = {.netns = at->netns, .ifname = at->ifname, .mtu = a->mtu};
	struct err e = {0};

	if (rtnl_link_set_mtu(a->rtnl, at->host_ifname, a->mtu, &e) < 0 ||
	    podlink_set_mtu(&pod, &e) < 0)
		log_warn("route", "MTU not set", "pod=\"%s/%s\" err=\"%s\"", at->ns, at->pod,
			 e.msg);
}

/**
 * turn_follow_mtu() - Take the MTU from the interface that carries the node's address
 * @a: Agent
 *
 * When it changed, every pod link is given the new one.
 */
void turn_follow_mtu(struct agent *a)
{
	const struct attachment *at = NULL;
	uint32_t mtu = a->config->mtu;
	struct addr own;

	if (nodes_own_address(a->nodes, &own) &&
	    rtnl_link_of(a->rtnl, &own, a->mtu_ifname, &a->link_mtu) < 0)
		log_debug("route", "no interface carries the node's address", "%s", "");
	if (!mtu)
		mtu = a->link_mtu ? a->link_mtu : DEFAULT_MTU;
	if (mtu == a->mtu)
		return;
	log_info("route", "MTU of pods", "mtu=%u before=%u ifname=%s", mtu, a->mtu, a->mtu_ifname);
	a->mtu = mtu;
	while ((at = journal_next(a->journal, at)))
		set_mtu(a, at);
}

/**
 * turn_configure() - Give the parts the configuration, at start and after a reload
 * @a: Agent
 */
void turn_configure(struct agent *a)
{
	const struct config *c = a->config;

	log_set_level(c->log_level);
	ipam_set_cooldown(a->ipam, c->address_cooldown_usec);
	nodes_configure(a->nodes, &(struct nodes_config){
					  .n_ranges = c->ranges.n,
					  .ranges = c->ranges.v,
					  .masquerade = c->masquerade.enabled,
					  .n_exclude = c->masquerade.exclude.n,
					  .exclude = c->masquerade.exclude.v,
				  });
	turn_follow_mtu(a);
}

static void settle(struct agent *a)
{
	policy_settle(a->policy);
	if (nodes_settle(a->nodes)) {
		set_ipam_ranges(a);
		turn_follow_mtu(a);
	}
}

/* --- the kernel --------------------------------------------------------------------------------
 */

static void kernel_failed(struct agent *a, const char *part, const struct err *e)
{
	struct sync_state *s = &a->sync;

	s->kernel_ok = false;
	(void)snprintf(s->problem, sizeof(s->problem), "%s: %.480s", part, e->msg);
	s->retry_usec = MIN(MAX(s->retry_usec * 2, RETRY_MIN_USEC), RETRY_MAX_USEC);
	loop_timer_at(a->retry, loop_now(a->loop) + s->retry_usec);
	log_err(part, "the kernel refused, will retry", "in_ms=%" PRIu64 " err=\"%s\"",
		(uint64_t)(s->retry_usec / USEC_PER_MSEC), e->msg);
}

static bool apply_table(struct agent *a)
{
	struct err e = {0};

	if (!table_pending(a->table))
		return true;
	if (nft_apply(a->nft, a->table, &e) == 0 || aside_guilty(a->aside, &e))
		return true;
	kernel_failed(a, "nft", &e);
	return false;
}

static bool apply_routes(struct agent *a)
{
	struct err e = {0};
	int failed;

	if (!routes_pending(a->routes))
		return true;
	failed = rtnl_apply(a->rtnl, a->routes, &e);
	if (failed == 0)
		return true;
	kernel_failed(a, "route", &e);
	return false;
}

/* While a retry waits, only new work asks the kernel again. */
static void apply(struct agent *a, bool changed)
{
	struct sync_state *s = &a->sync;
	bool routes = routes_pending(a->routes);

	if (!table_pending(a->table) && !routes) {
		s->kernel_ok = s->table_ok = true;
		s->problem[0] = '\0';
		return;
	}
	if (!s->kernel_ok && !changed && loop_now(a->loop) < s->retry_at)
		return;
	s->table_ok = apply_table(a);
	s->retry_at = loop_now(a->loop) + s->retry_usec;
	if (!apply_routes(a) || !s->table_ok)
		return;
	s->kernel_ok = true;
	s->problem[0] = '\0';
	s->retry_usec = 0;
	s->last_commit = loop_now(a->loop);
}

/**
 * turn_read_kernel() - Learn what the kernel holds; the next turn applies the difference
 * @a: Agent
 */
void turn_read_kernel(struct agent *a)
{
	struct err e = {0};

	if (nft_read(a->nft, a->table, &e) < 0)
		kernel_failed(a, "nft", &e);
	if (rtnl_read(a->rtnl, a->routes, &e) < 0)
		kernel_failed(a, "route", &e);
}

static void count_latency(struct agent *a, uint64_t since)
{
	uint64_t now = monotonic_usec();

	histogram_observe(&a->count.event_to_kernel, (double)(now - since) / USEC_PER_SEC);
	a->sync.last_change = since;
}

/**
 * turn_run() - One turn; the loop's turn hook
 * @agent: struct agent
 *
 * Costs what changed; nothing when nothing did.
 */
void turn_run(void *agent)
{
	struct agent *a = agent;
	bool changed = queue_length(a->queue) > 0;
	uint64_t since = changed ? queue_oldest(a->queue) : 0;

	aside_begin(a->aside);
	(void)queue_drain(a->queue, on_change, a);
	settle(a);
	queue_drained(a->queue);
	changed |= table_pending(a->table) + routes_pending(a->routes) > a->sync.left_pending;
	apply(a, changed);
	a->sync.left_pending = table_pending(a->table) + routes_pending(a->routes);
	if (since && a->sync.kernel_ok)
		count_latency(a, since);
	agent_install_when_ready(a);
	calls_progress(a->calls);
}
