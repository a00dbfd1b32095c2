// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_nodes.c - any history of nodes, of the configured ranges and of a kernel that takes its time
 * with routes, refuses some, loses some to others and is read now and then.
 *
 * Input: the history, a byte or two an event.  When all has been answered, the kernel has the
 * routes and the table the sets that an agent would want which learned everything at once; and when
 * all nodes are gone, none.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "datapath/datapath.h"
#include "lib/intern.h"
#include "test/fuzz/must.h"
#include "test/property/random.h"

#define NODES	    5	 /* the first is this one */
#define HISTORY_MAX 1024 /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[NODES] = {"me", "a", "b", "c", "d"};

/* struct side - what is under test: one that followed the history, or one told at once */
struct side {
	struct datapath *datapath;
	struct routes *routes; /* of @datapath */
	struct nodes *nodes;   /* of @datapath */
};

/*
 * struct run - one history under way
 * @node:   As they are; @gone: what was told before, readable until it is settled
 * @kernel: Routes that it holds; @flying: asked for and not answered, oldest first
 * @read:   What it held when the read that is under way began
 */
struct run {
	struct rng rng;
	struct side side;
	struct node *node[NODES];
	VEC(struct node *) gone;
	struct part_config config;
	struct prefix ranges[2];
	struct route_list kernel, read;
	struct route_ops flying;
	bool reading;
};

/* --- what is under test ------------------------------------------------------------------------
 */

static void side_begin(struct side *s)
{
	s->datapath = datapath_new(names[0], NULL, NULL);
	s->routes = s->datapath->routes;
	s->nodes = s->datapath->nodes;
}

static void side_end(struct side *s)
{
	(void)datapath_free(s->datapath);
}

static char *rendered(const struct side *s)
{
	struct buf out = {0};

	table_render(s->datapath->table, &out);
	return buf_take(&out);
}

/* --- what happens to nodes ---------------------------------------------------------------------
 */

/* Few blocks, so that they move between nodes, and two nodes have the same. */
static struct prefix block(struct rng *r, bool six)
{
	struct prefix p = {.addr = {.family = six ? AF_INET6 : AF_INET}, .len = six ? 64 : 24};
	uint8_t at = (uint8_t)below(r, 6);

	memcpy(p.addr.b, six ? (uint8_t[]){0xfd, 0, 0, at} : (uint8_t[]){10, 1, at, 0}, 4);
	return p;
}

static struct node *draw_node(struct rng *r, uint32_t i)
{
	struct node *n = xcalloc(1, sizeof(*n));
	uint32_t cidrs = below(r, 4), ips = below(r, 4);

	n->o = (struct object){.kind = KIND_NODE, .name = intern(names[i])};
	n->created = below(r, 3);
	n->pod_cidrs = xcalloc(2, sizeof(*n->pod_cidrs));
	n->internal_ips = xcalloc(2, sizeof(*n->internal_ips));
	for (int six = 0; six < 2; six++) {
		if (cidrs >> six & 1)
			n->pod_cidrs[n->n_pod_cidrs++] = block(r, six);
		if (ips >> six & 1)
			n->internal_ips[n->n_internal_ips++] =
				place_addr(PLACE_NODES, six, below(r, 6));
	}
	return n;
}

static void tell(struct side *s, const struct node *old, const struct node *now)
{
	datapath_object(s->datapath, old ? &old->o : NULL, now ? &now->o : NULL);
}

static void put_node(struct run *run, uint32_t i, struct node *new)
{
	if (!run->node[i] && !new)
		return;
	tell(&run->side, run->node[i], new);
	if (run->node[i])
		vec_push(&run->gone, run->node[i]);
	run->node[i] = new;
}

static void settle(struct run *run)
{
	datapath_settle(run->side.datapath);
	vec_foreach (n, &run->gone)
		(void)object_free(&(*n)->o);
	run->gone.n = 0;
}

static void configure(struct run *run)
{
	run->config = (struct part_config){.ranges = run->ranges,
					   .masquerade = below(&run->rng, 2),
					   .n_ranges = below(&run->rng, 3)};
	for (uint32_t i = 0; i < ARRAY_SIZE(run->ranges); i++)
		run->ranges[i] = block(&run->rng, i);
	datapath_configure(run->side.datapath, &run->config);
}

/* --- the kernel --------------------------------------------------------------------------------
 */

static struct route *held(struct run *run, const struct prefix *dst)
{
	vec_foreach (r, &run->kernel.v)
		if (prefix_eq(&r->dst, dst))
			return r;
	return NULL;
}

static void let_go(struct run *run, struct route *r)
{
	*r = run->kernel.v.v[--run->kernel.v.n];
}

/* The oldest operation is done, or refused, and answered. */
static void land(struct run *run, int error)
{
	struct route_op op = run->flying.op.v[0];
	struct route *have = held(run, &op.route.dst);

	memmove(run->flying.op.v, run->flying.op.v + 1, --run->flying.op.n * sizeof(op));
	if (!error && have)
		let_go(run, have);
	if (!error && !op.remove)
		vec_push(&run->kernel.v, op.route);
	(void)routes_done(run->side.routes, &op, error);
}

/* Somebody else deletes a route, and the kernel tells. */
static void lose(struct run *run)
{
	struct route *r;
	struct prefix dst;

	if (!run->kernel.v.n)
		return;
	r = &run->kernel.v.v[below(&run->rng, (uint32_t)run->kernel.v.n)];
	dst = r->dst;
	let_go(run, r);
	routes_lost(run->side.routes, &dst);
}

/* As the agent's waiter: a read begins when nothing is asked for, and nothing is until it ends. */
static void begin_read(struct run *run)
{
	if (run->reading || run->flying.op.n)
		return;
	run->reading = true;
	routes_read_begin(run->side.routes);
	run->read.v.n = 0;
	vec_foreach (r, &run->kernel.v)
		vec_push(&run->read.v, *r);
}

static void end_read(struct run *run, bool failed)
{
	if (run->reading)
		routes_read_end(run->side.routes, failed ? NULL : &run->read);
	run->reading = false;
}

static void take_off(struct run *run)
{
	struct route_ops ops = {0};

	if (run->reading)
		return;
	routes_ops(run->side.routes, &ops);
	vec_foreach (op, &ops.op)
		vec_push(&run->flying.op, *op);
	vec_done(&ops.op);
}

/* --- events ------------------------------------------------------------------------------------
 */

static void step(struct run *run)
{
	uint32_t what = below(&run->rng, 16), i = below(&run->rng, NODES);

	if (what < 5)
		put_node(run, i, draw_node(&run->rng, i));
	else if (what < 6)
		put_node(run, i, NULL);
	else if (what < 7)
		configure(run);
	else if (what < 9)
		take_off(run);
	else if (what < 11 && run->flying.op.n)
		land(run, i ? 0 : -EIO);
	else if (what < 12)
		lose(run);
	else if (what < 13)
		begin_read(run);
	else if (what < 14)
		end_read(run, i == 0);
	else if (what < 15)
		routes_retry(run->side.routes);
	else
		settle(run);
}

/* All is answered, and nothing fails any more. */
static void come_to_rest(struct run *run)
{
	struct routes *r = run->side.routes;

	settle(run);
	end_read(run, false);
	for (int tries = 0; run->flying.op.n || routes_pending(r) || routes_failed(r); tries++) {
		must(tries < 10);
		while (run->flying.op.n)
			land(run, 0);
		routes_retry(r);
		take_off(run);
	}
}

/* --- judgement ---------------------------------------------------------------------------------
 */

static void compare_routes(struct run *run, struct routes *wanted)
{
	struct route_ops ops = {0};

	routes_ops(wanted, &ops);
	must(ops.op.n == run->kernel.v.n && routes_count(run->side.routes) == ops.op.n);
	vec_foreach (op, &ops.op) {
		const struct route *r = held(run, &op->route.dst);

		must(!op->remove && r && r->kind == op->route.kind);
		must(r->kind != ROUTE_VIA || addr_eq(&r->via, &op->route.via));
		must(routes_in_kernel(run->side.routes, &r->dst));
	}
	vec_done(&ops.op);
}

/* Who lost what to whom does not depend on who came first. */
static void compare_problems(const struct run *run, const struct nodes *other)
{
	for (uint32_t i = 0; i < NODES; i++) {
		const char *a, *b;

		if (!run->node[i])
			continue;
		a = nodes_problem(run->side.nodes, run->node[i]->o.name);
		b = nodes_problem(other, run->node[i]->o.name);
		must(streq(a ? a : "", b ? b : ""));
	}
}

static void compare_at_once(struct run *run)
{
	_cleanup_(freep) char *stepwise = rendered(&run->side), *at_once = NULL;
	struct side s;

	side_begin(&s);
	for (uint32_t i = NODES; i-- > 0;)
		if (run->node[i])
			tell(&s, NULL, run->node[i]);
	datapath_configure(s.datapath, &run->config);
	datapath_settle(s.datapath);
	at_once = rendered(&s);
	must(streq(stepwise, at_once));
	compare_problems(run, s.nodes);
	compare_routes(run, s.routes);
	for (uint32_t i = 0; i < NODES; i++)
		if (run->node[i])
			tell(&s, run->node[i], NULL);
	side_end(&s);
}

static void end(struct run *run)
{
	for (uint32_t i = 0; i < NODES; i++)
		put_node(run, i, NULL);
	run->config = (struct part_config){0};
	datapath_configure(run->side.datapath, &run->config);
	come_to_rest(run);
	compare_at_once(run);
	must(run->kernel.v.n == 0);
	side_end(&run->side);
	vec_done(&run->gone);
	vec_done(&run->kernel.v);
	vec_done(&run->read.v);
	vec_done(&run->flying.op);
	must(intern_count() == 0);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {0};

	if (size < 1)
		return 0;
	run.rng = (struct rng){.bytes = data, .left = MIN(size, HISTORY_MAX)};
	side_begin(&run.side);
	configure(&run);
	while (run.rng.left)
		step(&run);
	come_to_rest(&run);
	compare_at_once(&run);
	end(&run);
	return 0;
}
