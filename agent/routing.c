// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * routing.c - jobs on netlink: made on the loop, run by the waiter, ended on the loop.
 */
#include "agent/routing.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "datapath/route/nodes.h"
#include "datapath/route/routes.h"
#include "datapath/route/rtnl.h"
#include "lib/log.h"

/* --- routes to apply ---------------------------------------------------------------------------
 */

struct apply_job {
	struct waiter_job job;
	struct routing *g;
	struct route_batch *batch;
	uint64_t since;
};

static void apply_run(struct waiter_job *j)
{
	struct apply_job *p = container_of(j, struct apply_job, job);

	route_batch_send(p->batch, p->g->use.rtnl);
}

static void apply_done(struct waiter_job *j)
{
	struct apply_job *p = container_of(j, struct apply_job, job);
	struct routing *g = p->g;
	struct err e = {0};

	g->applying = false;
	if (route_batch_reaches_nodes(p->batch))
		g->use.reached(g->use.arg);
	if (route_batch_finish(p->batch, g->use.routes, &e) > 0)
		g->use.refused(g->use.arg, &e);
	else if (p->since)
		g->use.applied(g->use.arg, p->since);
	free(p);
}

/**
 * routing_apply() - Send pending routes on their way
 * @g:     Object
 * @since: When the oldest change came that they carry out; 0: none to be timed
 *
 * Return: true if they are on their way; false if there is none, or others are
 */
bool routing_apply(struct routing *g, uint64_t since)
{
	struct apply_job *p;

	if (!routes_pending(g->use.routes) || g->applying)
		return false;
	p = xcalloc(1, sizeof(*p));
	*p = (struct apply_job){{apply_run, apply_done, NULL}, g, NULL, since};
	p->batch = route_batch_new(g->use.routes);
	g->applying = true;
	waiter_submit(g->waiter, &p->job);
	return true;
}

/* --- routes to read ----------------------------------------------------------------------------
 */

struct read_job {
	struct waiter_job job;
	struct routing *g;
	struct route_list list;
	struct err err;
	int result;
};

static void read_run(struct waiter_job *j)
{
	struct read_job *p = container_of(j, struct read_job, job);

	p->result = rtnl_list(p->g->use.rtnl, &p->list, &p->err);
}

static void read_done(struct waiter_job *j)
{
	struct read_job *p = container_of(j, struct read_job, job);
	struct routing *g = p->g;

	vec_foreach (r, &p->list.v)
		if (r->kind == ROUTE_UNREACHABLE)
			nodes_had_range(g->use.nodes, &r->dst);
	routes_read_end(g->use.routes, p->result < 0 ? NULL : &p->list);
	g->read_failed = p->result < 0;
	if (p->result < 0)
		g->use.refused(g->use.arg, &p->err);
	if (once_end(&g->read))
		routing_read(g);
	vec_done(&p->list.v);
	free(p);
}

/**
 * routing_read() - Learn which routes of ours the kernel holds; the turn after applies the
 * difference
 * @g: Object
 */
void routing_read(struct routing *g)
{
	struct read_job *p;

	if (!once_begin(&g->read))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){read_run, read_done, NULL};
	p->g = g;
	routes_read_begin(g->use.routes);
	waiter_submit(g->waiter, &p->job);
}

/* --- links -------------------------------------------------------------------------------------
 */

struct links_job {
	struct waiter_job job;
	struct routing *g;
	links_fn *fn;
	void *arg;
	struct link_names names;
	struct err err;
	int result;
};

static void links_run(struct waiter_job *j)
{
	struct links_job *p = container_of(j, struct links_job, job);

	p->result = rtnl_each_pod_link(p->g->use.rtnl, link_names_add, &p->names, &p->err);
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
 * @g:   Object
 * @fn:  Called with them, later
 * @arg: Its first argument
 */
void routing_links(struct routing *g, links_fn *fn, void *arg)
{
	struct links_job *p = xcalloc(1, sizeof(*p));

	p->job = (struct waiter_job){links_run, links_done, NULL};
	p->g = g;
	p->fn = fn;
	p->arg = arg;
	waiter_submit(g->waiter, &p->job);
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
	struct routing *g;
	struct err err;
	VEC(struct addr) addrs;
	VEC(struct flush_asked) asked;
};

static void flush_run(struct waiter_job *j)
{
	struct flush_job *p = container_of(j, struct flush_job, job);

	(void)conntrack_flush(p->g->conntrack, p->addrs.v, p->addrs.n, &p->err);
}

static void submit_flush(struct routing *g)
{
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
	submit_flush(p->g);
	vec_foreach (asked, &p->asked)
		asked->fn(asked->arg);
	vec_done(&p->asked);
	vec_done(&p->addrs);
	free(p);
}

/**
 * routing_flush() - Forget every connection of some addresses
 * @g:     Object
 * @addrs: Addresses; copied
 * @n:     Their number
 * @fn:    Called when it is done, or NULL
 * @arg:   Its argument
 */
void routing_flush(struct routing *g, const struct addr *addrs, size_t n, routing_done_fn *fn,
		   void *arg)
{
	struct flush_job *p = g->next_flush;

	if (!p) {
		p = g->next_flush = xcalloc(1, sizeof(*p));
		p->job = (struct waiter_job){flush_run, flush_done, NULL};
		p->g = g;
	}
	for (size_t i = 0; i < n; i++)
		vec_push(&p->addrs, addrs[i]);
	if (fn)
		vec_push(&p->asked, (struct flush_asked){fn, arg});
	if (!g->flushing)
		submit_flush(g);
}

/**
 * routing_open() - Begin
 * @g: Zeroed but for its waiter and conntrack
 * @u: What it uses; copied
 */
void routing_open(struct routing *g, const struct routing_uses *u)
{
	g->use = *u;
}
