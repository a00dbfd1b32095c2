// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * routing.c - jobs on netlink: made on the loop, run by the waiter, ended on the loop.
 */
#include "agent/routing.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "datapath/route/podlink.h"
#include "lib/log.h"

/* Begin a kind of job, unless one runs: then it is to run again. */
static bool begin(struct routing_asked *k)
{
	k->again = k->running;
	return !k->running;
}

static void submit(struct agent *a, struct routing_asked *k, struct waiter_job *j)
{
	k->running = true;
	waiter_submit(a->routing.waiter, j);
}

/* End it; true if it was asked for meanwhile. */
static bool end(struct routing_asked *k)
{
	k->running = false;
	return TAKE(k->again, false);
}

/* --- routes to apply ---------------------------------------------------------------------------
 */

struct apply_job {
	struct waiter_job job;
	struct agent *agent;
	struct route_batch *batch;
	uint64_t since;
};

static void apply_run(struct waiter_job *j)
{
	struct apply_job *p = container_of(j, struct apply_job, job);

	route_batch_send(p->batch, p->agent->rtnl);
}

static void apply_done(struct waiter_job *j)
{
	struct apply_job *p = container_of(j, struct apply_job, job);
	struct agent *a = p->agent;
	struct err e = {0};

	a->routing.applying = false;
	if (route_batch_reaches_nodes(p->batch))
		firewall_changed(a);
	if (route_batch_finish(p->batch, a->routes, &e) > 0)
		agent_refused(a, &a->routes_sync, "route", &e);
	else if (p->since)
		agent_count_latency(a, p->since);
	free(p);
}

/**
 * routing_apply() - Send pending routes on their way
 * @a:     Agent
 * @since: When the oldest change came that they carry out; 0: none to be timed
 *
 * Return: true if they are on their way; false if there is none, or others are
 */
bool routing_apply(struct agent *a, uint64_t since)
{
	struct apply_job *p;

	if (!routes_pending(a->routes) || a->routing.applying)
		return false;
	p = xcalloc(1, sizeof(*p));
	*p = (struct apply_job){{apply_run, apply_done, NULL}, a, NULL, since};
	p->batch = route_batch_new(a->routes);
	a->routing.applying = true;
	waiter_submit(a->routing.waiter, &p->job);
	return true;
}

/* --- routes to read ----------------------------------------------------------------------------
 */

struct read_job {
	struct waiter_job job;
	struct agent *agent;
	struct route_list list;
	struct err err;
	int result;
};

static void read_run(struct waiter_job *j)
{
	struct read_job *p = container_of(j, struct read_job, job);

	p->result = rtnl_list(p->agent->rtnl, &p->list, &p->err);
}

static void read_done(struct waiter_job *j)
{
	struct read_job *p = container_of(j, struct read_job, job);
	struct agent *a = p->agent;

	vec_foreach (r, &p->list.v)
		if (r->kind == ROUTE_UNREACHABLE)
			nodes_had_range(a->nodes, &r->dst);
	routes_read_end(a->routes, p->result < 0 ? NULL : &p->list);
	a->routing.read_failed = p->result < 0;
	if (p->result < 0)
		agent_refused(a, &a->routes_sync, "route", &p->err);
	if (end(&a->routing.read))
		routing_read(a);
	vec_done(&p->list.v);
	free(p);
}

/**
 * routing_read() - Learn which routes of ours the kernel holds; the turn after applies the
 * difference
 * @a: Agent
 */
void routing_read(struct agent *a)
{
	struct read_job *p;

	if (!begin(&a->routing.read))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){read_run, read_done, NULL};
	p->agent = a;
	routes_read_begin(a->routes);
	submit(a, &a->routing.read, &p->job);
}

/* --- MTU ---------------------------------------------------------------------------------------
 */

/* struct pod_end - what it takes to set the MTU of both ends */
struct pod_end {
	char *pod, *host_ifname, *ifname, *netns;
	uint32_t mtu; /* of the host's end, when it is done */
	struct err err;
};

struct set_job {
	struct waiter_job job;
	struct agent *agent;
	uint32_t mtu;
	VEC(struct pod_end) ends;
};

static void set_run(struct waiter_job *j)
{
	struct set_job *p = container_of(j, struct set_job, job);

	vec_foreach (e, &p->ends) {
		const struct podlink pod = {.netns = e->netns,
					    .ifname = e->ifname,
					    .host_ifname = e->host_ifname,
					    .mtu = p->mtu};

		(void)rtnl_link_follow(p->agent->rtnl, &pod, &e->mtu, &e->err);
	}
}

/* The same reason for all pods is told once. */
static void tell_not_entered(const struct set_job *p, size_t n)
{
	if (n)
		log_info("route", "running pods keep their MTU until they are made anew",
			 "pods=%zu mtu=%u reason=\"entering them takes CAP_SYS_ADMIN\"", n, p->mtu);
}

static void set_done(struct waiter_job *j)
{
	struct set_job *p = container_of(j, struct set_job, job);
	size_t not_entered = 0;

	p->agent->routing.setting--;
	vec_foreach (e, &p->ends) {
		fences_set_mtu(p->agent, e->host_ifname, e->mtu);
		if (e->err.code == -EPERM)
			not_entered++;
		else if (e->err.code)
			log_warn("route", "MTU not set", "pod=\"%s\" err=\"%s\"", e->pod,
				 e->err.msg);
		free(e->pod);
		free(e->host_ifname);
		free(e->ifname);
		free(e->netns);
	}
	tell_not_entered(p, not_entered);
	vec_done(&p->ends);
	free(p);
}

static void set_all(struct agent *a)
{
	struct set_job *p = xcalloc(1, sizeof(*p));
	const struct attachment *at = NULL;

	p->job = (struct waiter_job){set_run, set_done, NULL};
	p->agent = a;
	p->mtu = a->mtu;
	while ((at = journal_next(a->journal, at)))
		if (!attachment_is_unexplained(at))
			vec_push(&p->ends,
				 (struct pod_end){.pod = xasprintf("%s/%s", at->ns, at->pod),
						  .host_ifname = xstrdup(at->host_ifname),
						  .ifname = xstrdup(at->ifname),
						  .netns = xstrdup(at->netns)});
	a->routing.setting++;
	waiter_submit(a->routing.waiter, &p->job);
}

struct mtu_job {
	struct waiter_job job;
	struct agent *agent;
	struct addr own;
	int result;
	char ifname[16];
	uint32_t mtu;
};

static void mtu_run(struct waiter_job *j)
{
	struct mtu_job *p = container_of(j, struct mtu_job, job);

	p->result = rtnl_link_of(p->agent->rtnl, &p->own, p->ifname, &p->mtu);
}

static void take_mtu(struct agent *a, uint32_t mtu)
{
	if (mtu == a->mtu)
		return;
	log_info("route", "MTU of pods", "mtu=%u before=%u ifname=%s", mtu, a->mtu, a->mtu_ifname);
	a->mtu = mtu;
	set_all(a);
}

static uint32_t wanted_mtu(const struct agent *a)
{
	if (a->config->mtu)
		return a->config->mtu;
	return podlink_mtu_of_link(a->link_mtu, ipam_has_family(a->ipam, AF_INET6)) ?: DEFAULT_MTU;
}

/* The interface of the node's traffic, and its MTU. */
static void take_uplink(struct agent *a, const char *ifname, uint32_t mtu)
{
	bool another = !streq(ifname, a->mtu_ifname);

	(void)snprintf(a->mtu_ifname, sizeof(a->mtu_ifname), "%s", ifname);
	a->link_mtu = mtu;
	if (another)
		forwarding_follow(a);
	firewall_changed(a); /* it may be a bridge's port now, or the way to other nodes another */
}

static void mtu_done(struct waiter_job *j)
{
	struct mtu_job *p = container_of(j, struct mtu_job, job);
	struct agent *a = p->agent;

	if (p->result == 0)
		take_uplink(a, p->ifname, p->mtu);
	else if (!a->link_mtu) /* else it stays: an address may come again */
		log_info("route", "no interface is known that carries the node's traffic", "%s",
			 "");
	take_mtu(a, wanted_mtu(a));
	if (end(&a->routing.mtu))
		routing_follow_mtu(a);
	free(p);
}

/**
 * routing_follow_mtu() - Take the MTU from the interface that carries the node's traffic
 * @a: Agent
 *
 * When it changed, every pod link is given the new one.
 */
void routing_follow_mtu(struct agent *a)
{
	struct mtu_job *p;
	struct addr own;

	if (!nodes_own_address(a->nodes, &own)) {
		take_mtu(a, wanted_mtu(a));
		return;
	}
	if (!begin(&a->routing.mtu))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){mtu_run, mtu_done, NULL};
	p->agent = a;
	p->own = own;
	submit(a, &a->routing.mtu, &p->job);
}

/* --- links -------------------------------------------------------------------------------------
 */

/**
 * link_names_add() - Note a name; fits rtnl_each_pod_link()
 * @names:  struct link_names
 * @ifname: Name; copied
 */
void link_names_add(void *names, const char *ifname)
{
	struct link_names *n = names;

	vec_push(&n->v, xstrdup(ifname));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/**
 * link_names_sort() - Make names ready for link_names_have()
 * @n: Names
 */
void link_names_sort(struct link_names *n)
{
	vec_sort(&n->v, compare_names);
}

/**
 * link_names_have() - Is a name among them?
 * @sorted: Names
 * @ifname: Name
 *
 * Return: true if so
 */
bool link_names_have(const struct link_names *sorted, const char *ifname)
{
	return sorted->v.n &&
	       bsearch(&ifname, sorted->v.v, sorted->v.n, sizeof(*sorted->v.v), compare_names);
}

/**
 * link_names_done() - Free the names
 * @n: Names
 */
void link_names_done(struct link_names *n)
{
	vec_foreach (s, &n->v)
		free(*s);
	vec_done(&n->v);
}

struct links_job {
	struct waiter_job job;
	struct agent *agent;
	links_fn *fn;
	void *arg;
	struct link_names names;
	struct err err;
	int result;
};

static void links_run(struct waiter_job *j)
{
	struct links_job *p = container_of(j, struct links_job, job);

	p->result = rtnl_each_pod_link(p->agent->rtnl, link_names_add, &p->names, &p->err);
}

static void links_done(struct waiter_job *j)
{
	struct links_job *p = container_of(j, struct links_job, job);

	link_names_sort(&p->names);
	p->fn(p->arg, p->result < 0 ? NULL : &p->names, p->err.msg);
	link_names_done(&p->names);
	free(p);
}

/**
 * routing_links() - List the links of pods
 * @a:   Agent
 * @fn:  Called with them, later
 * @arg: Its first argument
 */
void routing_links(struct agent *a, links_fn *fn, void *arg)
{
	struct links_job *p = xcalloc(1, sizeof(*p));

	p->job = (struct waiter_job){links_run, links_done, NULL};
	p->agent = a;
	p->fn = fn;
	p->arg = arg;
	waiter_submit(a->routing.waiter, &p->job);
}

/* --- connections -------------------------------------------------------------------------------
 */

struct flush_asked {
	routing_done_fn *fn;
	void *arg;
};

/* struct flush_job - one flush under way; those asked for meanwhile are the next one together */
struct flush_job {
	struct waiter_job job;
	struct agent *agent;
	struct err err;
	VEC(struct addr) addrs;
	VEC(struct flush_asked) asked;
};

static void flush_run(struct waiter_job *j)
{
	struct flush_job *p = container_of(j, struct flush_job, job);

	(void)conntrack_flush(p->agent->routing.conntrack, p->addrs.v, p->addrs.n, &p->err);
}

static void submit_flush(struct agent *a)
{
	struct routing *g = &a->routing;

	g->flushing = TAKE(g->next_flush, NULL);
	if (g->flushing)
		waiter_submit(g->waiter, &g->flushing->job);
}

static void flush_done(struct waiter_job *j)
{
	struct flush_job *p = container_of(j, struct flush_job, job);

	if (p->err.code)
		log_warn("route", "connections of a pod that went may be left", "err=\"%s\"",
			 p->err.msg);
	submit_flush(p->agent);
	vec_foreach (asked, &p->asked)
		asked->fn(asked->arg);
	vec_done(&p->asked);
	vec_done(&p->addrs);
	free(p);
}

/**
 * routing_flush() - Forget every connection of some addresses
 * @a:     Agent
 * @addrs: Addresses; copied
 * @n:     Their number
 * @fn:    Called when it is done, or NULL
 * @arg:   Its argument
 */
void routing_flush(struct agent *a, const struct addr *addrs, size_t n, routing_done_fn *fn,
		   void *arg)
{
	struct routing *g = &a->routing;
	struct flush_job *p = g->next_flush;

	if (!p) {
		p = g->next_flush = xcalloc(1, sizeof(*p));
		p->job = (struct waiter_job){flush_run, flush_done, NULL};
		p->agent = a;
	}
	for (size_t i = 0; i < n; i++)
		vec_push(&p->addrs, addrs[i]);
	if (fn)
		vec_push(&p->asked, (struct flush_asked){fn, arg});
	if (!g->flushing)
		submit_flush(a);
}
