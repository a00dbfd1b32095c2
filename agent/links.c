// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * links.c - what rtnetlink tells of pods' interfaces and routes, compared with what we did.
 *
 * The kernel names the netlink port of whoever asked for a change, which for most programs is their
 * process; 0 is the kernel itself, as when a pod's namespace ends.  A plugin that is at work on an
 * interface is ours.
 */
#include "agent/links.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <utlist.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/cni/calls.h"
#include "agent/health.h"
#include "agent/leaks.h"
#include "agent/report/process.h"
#include "datapath/route/podlink.h"
#include "lib/log.h"

/* --- routes ------------------------------------------------------------------------------------
 */

static void route_taken(struct agent *a, const struct rtnl_event *e)
{
	struct links *l = &a->links;
	char dst[PREFIX_STR_MAX], name[32];
	bool first = !l->lost.n;

	process_name(e->port, name);
	culprits_count(&l->routes, name);
	vec_push(&l->lost, e->dst);
	repair_want(&l->repair, loop_now(a->loop));
	loop_timer_at(l->timer, l->repair.at);
	if (!first)
		return;
	(void)prefix_str(&e->dst, dst);
	log_warn("route", "somebody else changed our routes or neighbour entries, repairing",
		 "first=%s process=\"%s\" port=%u in_ms=%u", dst, name, e->port,
		 (unsigned int)((l->repair.at - loop_now(a->loop)) / USEC_PER_MSEC));
}

/**
 * links_due() - Want the routes again that others took, if it is time
 * @a: Agent
 */
void links_due(struct agent *a)
{
	struct links *l = &a->links;

	if (!repair_due(&l->repair, loop_now(a->loop)))
		return;
	vec_foreach (dst, &l->lost)
		routes_lost(a->routes, dst);
	vec_done(&l->lost);
}

/* --- interfaces --------------------------------------------------------------------------------
 */

/* The attachment with this end in the host, unless its runtime is at work on it. */
static const struct attachment *attached(const struct agent *a, const char *host_ifname)
{
	const struct attachment *at = journal_find_link(a->journal, host_ifname);

	return at && !calls_under_way(a->calls, at) ? at : NULL;
}

static size_t find_gone(const struct links *l, const char *host_ifname)
{
	size_t i = 0;

	while (i < l->gone.n && !streq(l->gone.v[i].ifname, host_ifname))
		i++;
	return i;
}

/**
 * links_are_gone() - Was the interface of a pod taken away?
 * @a:  Agent
 * @at: Attachment
 *
 * Return: true if so
 */
bool links_are_gone(const struct agent *a, const struct attachment *at)
{
	return find_gone(&a->links, at->host_ifname) < a->links.gone.n;
}

/**
 * links_made() - An interface is made anew, or wanted no more
 * @a:           Agent
 * @host_ifname: Its end in the host
 */
void links_made(struct agent *a, const char *host_ifname)
{
	struct links *l = &a->links;
	size_t i = find_gone(l, host_ifname);

	if (i == l->gone.n)
		return;
	free(l->gone.v[i].ifname);
	l->gone.v[i] = l->gone.v[--l->gone.n];
}

/* The kernel does not always tell who deleted it; that it went with its namespace it never does. */
static void interface_gone(struct agent *a, const struct attachment *at, uint32_t port)
{
	char name[32];

	if (links_are_gone(a, at))
		return;
	vec_push(&a->links.gone, (struct gone_link){xstrdup(at->host_ifname), loop_now(a->loop)});
	leaks_begin(a);
	attach_unroute(a, at);
	if (!port && !podlink_netns_exists(at->netns)) {
		log_info("route", "a pod's interface is gone with its namespace",
			 "pod=\"%s/%s\" ifname=%s", at->ns, at->pod, at->host_ifname);
		return;
	}
	process_name(port, name);
	culprits_count(&a->links.interfaces, name);
	log_warn("route", "somebody deleted a pod's interface; only a new pod gets one",
		 "pod=\"%s/%s\" ifname=%s process=\"%s\" port=%u", at->ns, at->pod, at->host_ifname,
		 name, port);
}

/*
 * struct up_job - an interface to be made whole again
 * @what: What somebody did to it; NULL: only its routes went
 */
struct up_job {
	struct waiter_job job;
	struct agent *agent;
	char ifname[16];
	const char *what;
	uint32_t mtu, port;
	int result;
	struct err err;
	struct up_job *prev, *next;
};

static void up_run(struct waiter_job *j)
{
	struct up_job *p = container_of(j, struct up_job, job);

	p->result = rtnl_link_restore(p->agent->rtnl, p->ifname, p->mtu, &p->err);
}

static void is_up_again(struct agent *a, const struct up_job *p, const struct attachment *at)
{
	char name[32];

	attach_want_routes(a, at);
	if (!p->what)
		return;
	process_name(p->port, name);
	culprits_count(&a->links.interfaces, name);
	log_warn("route", p->what, "pod=\"%s/%s\" ifname=%s process=\"%s\" port=%u", at->ns,
		 at->pod, p->ifname, name, p->port);
}

/* One that is being deleted is set down first: then there is none to be set up. */
static void up_done(struct waiter_job *j)
{
	struct up_job *p = container_of(j, struct up_job, job);
	struct agent *a = p->agent;
	const struct attachment *at = attached(a, p->ifname);

	DL_DELETE(a->links.rising, p);
	if (at && p->result == 0)
		is_up_again(a, p, at);
	else if (at && p->result != -ENODEV)
		log_err("route", "a pod's interface was changed and cannot be mended",
			"pod=\"%s/%s\" ifname=%s err=\"%s\"", at->ns, at->pod, p->ifname,
			p->err.msg);
	free(p);
}

static void set_up_again(struct agent *a, const char *ifname, const struct rtnl_event *e,
			 const char *what)
{
	struct up_job *p;

	DL_FOREACH (a->links.rising, p)
		if (streq(p->ifname, ifname))
			break;
	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->job = (struct waiter_job){up_run, up_done, NULL};
		p->agent = a;
		p->mtu = fences_mtu(&a->fences, ifname);
		(void)snprintf(p->ifname, sizeof(p->ifname), "%s", ifname);
		DL_APPEND(a->links.rising, p);
		waiter_submit(a->routing.waiter, &p->job);
	}
	if (what) {
		p->what = what;
		p->port = e->port;
	}
}

static void route_gone(struct agent *a, const struct rtnl_event *e)
{
	const struct route *wanted = routes_wanted(a->routes, &e->dst);

	if (wanted && calls_take_away(a->calls, wanted->ifname)) {
		const struct claimant pod = {.rank = ROUTE_OF_POD, .name = wanted->ifname};

		routes_drop(a->routes, &pod, &e->dst);
		routes_lost(a->routes, &e->dst);
	} else if (wanted && e->port) {
		route_taken(a, e);
	} else if (wanted && attached(a, wanted->ifname)) { /* with its link, or that went down */
		set_up_again(a, wanted->ifname, e, NULL);
	} else {
		routes_lost(a->routes, &e->dst);
	}
}

/* --- events ------------------------------------------------------------------------------------
 */

/* The first MTU that is seen is as it was made. */
static void link_seen(struct agent *a, const struct rtnl_event *e)
{
	uint32_t before = fences_mtu(&a->fences, e->ifname);

	fences_seen(&a->fences, e->ifname);
	if (!before)
		fences_set_mtu(&a->fences, e->ifname, e->mtu);
	else if (e->mtu && e->mtu != before && !a->uplink.setting && attached(a, e->ifname))
		set_up_again(a, e->ifname, e,
			     "somebody changed the MTU of a pod's interface, it is as before");
}

/* A pod's neighbour entry is one with its route: both are made again. */
static void neighbour_changed(struct agent *a, const struct rtnl_event *e)
{
	const struct route *wanted = routes_wanted(a->routes, &e->dst);

	if (wanted && wanted->kind == ROUTE_DEV && if_nametoindex(wanted->ifname) == e->ifindex &&
	    memcmp(&wanted->neigh, &e->mac, sizeof(e->mac)) != 0)
		route_gone(a, e);
}

static void forwarding_changed(struct agent *a, const struct rtnl_event *e)
{
	char ifname[IF_NAMESIZE];

	if (e->ifindex && e->family == AF_INET && !e->on && if_indextoname(e->ifindex, ifname) &&
	    attached(a, ifname))
		set_up_again(a, ifname, e,
			     "somebody switched forwarding off on a pod's interface, it is on");
}

static void link_gone(struct agent *a, const struct rtnl_event *e)
{
	const struct attachment *at;

	fences_gone(&a->fences, e->ifname);
	calls_link_gone(a->calls, e->ifname);
	at = attached(a, e->ifname);
	if (at)
		interface_gone(a, at, e->port);
}

/**
 * links_event() - The kernel told of a route, a neighbour or a pod's interface
 * @a: Agent
 * @e: RTNL_ROUTE_GONE, RTNL_NEIGHBOUR, RTNL_FORWARDING, RTNL_LINK_GONE, RTNL_LINK_DOWN or
 *     RTNL_LINK_OF_POD
 */
void links_event(struct agent *a, const struct rtnl_event *e)
{
	if (e->kind == RTNL_ROUTE_GONE)
		route_gone(a, e);
	else if (e->kind == RTNL_NEIGHBOUR)
		neighbour_changed(a, e);
	else if (e->kind == RTNL_FORWARDING)
		forwarding_changed(a, e);
	else if (e->kind == RTNL_LINK_GONE)
		link_gone(a, e);
	else if (e->kind == RTNL_LINK_OF_POD)
		link_seen(a, e);
	else if (attached(a, e->ifname))
		set_up_again(a, e->ifname, e,
			     "somebody set a pod's interface down, it is up again");
}

static void compare(void *arg, const struct link_names *links, const char *why _unused_)
{
	const struct attachment *at = NULL;
	struct agent *a = arg;

	if (links)
		fences_compare(&a->fences, links);
	while (links && (at = journal_next(a->journal, at)))
		if (!link_names_have(links, at->host_ifname) && !calls_under_way(a->calls, at))
			interface_gone(a, at, 0);
}

/**
 * links_overrun() - Notifications were lost: see which interfaces are still there
 * @a: Agent
 */
void links_overrun(struct agent *a)
{
	routing_links(&a->routing, compare, a);
}

/* The turn that follows asks links_due(). */
static void on_timer(void *arg _unused_)
{
}

/**
 * links_watch() - Begin
 * @a: Agent
 */
void links_watch(struct agent *a)
{
	a->links.timer = loop_timer(a->loop, "routes", on_timer, a);
	agent_add_source(a, a->links.timer);
}

/**
 * links_put_metrics() - What others did to pods' interfaces and routes
 * @a:   Agent
 * @out: Appended to
 */
void links_put_metrics(const struct agent *a, struct buf *out)
{
	metric_head(out, "manx_route_foreign_changes_total", METRIC_COUNTER,
		    "Routes of ours that others deleted or replaced, by process.");
	culprits_put_metrics(&a->links.routes, "manx_route_foreign_changes_total", out);
	metric_head(out, "manx_interface_foreign_changes_total", METRIC_COUNTER,
		    "Pods' interfaces that others deleted or set down, by process.");
	culprits_put_metrics(&a->links.interfaces, "manx_interface_foreign_changes_total", out);
	metric_head(out, "manx_interfaces_gone", METRIC_GAUGE,
		    "Pods attached whose interface is gone.");
	metric_count(out, "manx_interfaces_gone", NULL, a->links.gone.n);
}
