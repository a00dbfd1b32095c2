// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wiring.c - who uses what, and who hears of what, in one place.
 */
#include "agent/wiring.h"

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/health.h"

static void on_forwarding(void *arg)
{
	agent_install_when_ready(arg); /* before anybody can ask whether we are */
}

/* It may be a bridge's port now, or the way to other nodes another. */
static void on_uplink(void *arg, bool another)
{
	struct agent *a = arg;

	if (another)
		forwarding_follow(&a->forwarding);
	firewall_changed(&a->firewall);
}

static bool is_ready(void *arg)
{
	const char *why;

	return agent_ready(arg, &why);
}

/* Routes to other nodes, or tables of others, are other ones now. */
static void on_others(void *arg)
{
	firewall_changed(&((struct agent *)arg)->firewall);
}

static void on_disk_failed(void *arg)
{
	effects_arm_retry(&((struct agent *)arg)->effects);
}

static bool is_certain(void *arg)
{
	const struct agent *a = arg;

	return a->source_synced && a->table_sync.ok && !table_pending(a->table) &&
	       !a->guard.unread && source_complete(a);
}

static int open_guards(struct agent *a, struct err *reterr)
{
	int r = guard_open(&a->guard,
			   &(struct guard_uses){.loop = a->loop,
						.nft = a->nft,
						.table = a->table,
						.others = on_others,
						.arg = a},
			   reterr);

	durable_open(&a->durable, &(struct durable_uses){.loop = a->loop,
							 .journal = a->journal,
							 .failed = on_disk_failed,
							 .arg = a});
	if (r < 0)
		return r;
	return recheck_open(&a->recheck,
			    &(struct recheck_uses){.loop = a->loop,
						   .table = a->table,
						   .base = &a->datapath->base,
						   .policy = a->policy,
						   .config = a->config,
						   .source_known = &a->source_synced,
						   .is_certain = is_certain,
						   .arg = a},
			    reterr);
}

static void on_applied(void *arg, uint64_t since)
{
	agent_count_latency(arg, since);
}

static void on_refused(void *arg, const struct err *e)
{
	struct agent *a = arg;

	effects_refused(&a->effects, EFFECT_ROUTES, e);
}

/* --- effects -----------------------------------------------------------------------------------
 */

/* What large policies may still need counts as one. */
static size_t table_waits(void *arg)
{
	const struct agent *a = arg;

	return table_pending(a->table) + table_refused(a->table) + a->filling;
}

static size_t routes_wait(void *arg)
{
	const struct agent *a = arg;

	return routes_pending(a->routes) + routes_flying(a->routes) + routes_failed(a->routes);
}

struct listener {
	effect_problem_fn *fn;
	void *arg;
};

static void say_element(void *arg, const struct nft_set_def *set _unused_, const char *problem)
{
	_cleanup_(freep) char *text = xasprintf("nft: %s", problem);
	const struct listener *l = arg;

	l->fn(l->arg, text);
}

static void each_element(void *arg, effect_problem_fn *fn, void *fn_arg)
{
	struct listener l = {fn, fn_arg};

	table_each_refused(((struct agent *)arg)->table, say_element, &l);
}

/* What is set aside has to wait for the rest. */
static uint64_t aside_at(void *arg)
{
	const struct agent *a = arg;

	return a->table_sync.ok ? aside_retry_at(a->aside) : USEC_INFINITY;
}

/**
 * wiring_effects() - Say what the effects are
 * @a:     Agent whose loop is there
 * @retry: Timer of what failed
 */
void wiring_effects(struct agent *a, struct loop_source *retry)
{
	a->effects = (struct effects){
		.loop = a->loop,
		.retry = retry,
		.row =
			{
				[EFFECT_TABLE] = {.name = "nft",
						  .sync = &a->table_sync,
						  .needed = true,
						  .kernel = true,
						  .arg = a,
						  .pending = table_waits,
						  .keys = each_element,
						  .retry_at = aside_at},
				[EFFECT_ROUTES] = {.name = "route",
						   .sync = &a->routes_sync,
						   .kernel = true,
						   .arg = a,
						   .pending = routes_wait},
				[EFFECT_JOURNAL] = {.name = "journal",
						    .sync = &a->durable.sync,
						    .needed = true},
			},
	};
}

/**
 * wiring_open() - Open the modules
 * @a:      Agent whose parts, journal, rtnetlink, conntrack and waiter are there
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int wiring_open(struct agent *a, struct err *reterr)
{
	struct waiter *w = a->routing.waiter;
	int r;

	stale_open(&a->stale, &(struct stale_uses){.loop = a->loop,
						   .config = a->config,
						   .source_known = &a->source_synced});
	ready_open(&a->ready, &(struct ready_uses){.loop = a->loop,
						   .config = a->config,
						   .boot_id = a->boot_id,
						   .is_ready = is_ready,
						   .arg = a});
	routing_open(&a->routing, &(struct routing_uses){.rtnl = a->rtnl,
							 .routes = a->routes,
							 .nodes = a->nodes,
							 .reached = on_others,
							 .refused = on_refused,
							 .applied = on_applied,
							 .arg = a});
	uplink_open(&a->uplink, &(struct uplink_uses){.waiter = w,
						      .rtnl = a->rtnl,
						      .nodes = a->nodes,
						      .ipam = a->ipam,
						      .journal = a->journal,
						      .fences = &a->fences,
						      .seen = on_uplink,
						      .arg = a});
	forwarding_open(&a->forwarding, &(struct forwarding_uses){.loop = a->loop,
								  .waiter = w,
								  .rtnl = a->rtnl,
								  .ipam = a->ipam,
								  .uplink = a->uplink.ifname,
								  .looked = on_forwarding,
								  .arg = a});
	hostaddrs_open(&a->hostaddrs, &(struct hostaddrs_uses){.waiter = w,
							       .rtnl = a->rtnl,
							       .conntrack = a->routing.conntrack,
							       .nodes = a->nodes,
							       .refused = on_refused,
							       .arg = a});
	r = open_guards(a, reterr);
	if (r < 0)
		return r;
	return firewall_open(&a->firewall,
			     &(struct firewall_uses){.loop = a->loop,
						     .waiter = w,
						     .rtnl = a->rtnl,
						     .nodes = a->nodes,
						     .ipam = a->ipam,
						     .uplink = a->uplink.ifname},
			     reterr);
}

/**
 * wiring_close() - Close them
 * @a: Agent whose waiter has ended
 */
void wiring_close(struct agent *a)
{
	forwarding_close(&a->forwarding);
	firewall_close(&a->firewall);
	cniconf_end(&a->cniconf);
	stale_close(&a->stale);
	durable_close(&a->durable);
}
