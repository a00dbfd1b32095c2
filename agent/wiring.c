// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wiring.c - who uses what, and who hears of what, in one place.
 */
#include "agent/wiring.h"

#include "agent/agent.h"

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

static void on_nodes_reached(void *arg)
{
	firewall_changed(&((struct agent *)arg)->firewall);
}

static void on_applied(void *arg, uint64_t since)
{
	agent_count_latency(arg, since);
}

static void on_refused(void *arg, const struct err *e)
{
	struct agent *a = arg;

	agent_refused(a, &a->routes_sync, "route", e);
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
							 .reached = on_nodes_reached,
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
}
