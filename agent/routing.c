// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * routing.c - jobs on netlink: made on the loop, run by the waiter, ended on the loop.
 */
#include "agent/routing.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "lib/log.h"

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
		firewall_changed(&a->firewall);
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
	if (once_end(&a->routing.read))
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

	if (!once_begin(&a->routing.read))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){read_run, read_done, NULL};
	p->agent = a;
	routes_read_begin(a->routes);
	waiter_submit(a->routing.waiter, &p->job);
}

/* --- links -------------------------------------------------------------------------------------
 */

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
