// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_nodes.c - nodes to routes, own ranges, and the destinations that see a pod's own address.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/datapath.h"
#include "lib/intern.h"

/* struct world - all but the first belong to it */
struct world {
	struct datapath *datapath;
	struct nft_table *table;
	struct routes *routes;
	struct nodes *nodes;
};

static struct prefix prefix(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse(s, &p) >= 0);
	return p;
}

static struct node *node(const char *name, const char *cidr, const char *ip)
{
	struct node *n = xcalloc(1, sizeof(*n));

	n->o.kind = KIND_NODE;
	n->o.name = intern(name);
	n->n_pod_cidrs = cidr != NULL;
	n->pod_cidrs = xcalloc(1, sizeof(*n->pod_cidrs));
	if (cidr)
		n->pod_cidrs[0] = prefix(cidr);
	n->n_internal_ips = ip != NULL;
	n->internal_ips = xcalloc(1, sizeof(*n->internal_ips));
	if (ip)
		assert_int_equal(addr_parse(ip, &n->internal_ips[0]), 0);
	return n;
}

static void setup(struct world *w)
{
	w->datapath = datapath_new("me", NULL, NULL);
	w->table = w->datapath->table;
	w->routes = w->datapath->routes;
	w->nodes = w->datapath->nodes;
}

static void teardown(struct world *w)
{
	(void)datapath_free(w->datapath);
	assert_int_equal(intern_count(), 0);
}

static void tell(struct world *w, const struct node *old, const struct node *now)
{
	datapath_object(w->datapath, old ? &old->o : NULL, now ? &now->o : NULL);
}

/* True if this node's ranges changed. */
static bool settle(struct world *w)
{
	datapath_settle(w->datapath);
	return nodes_take_changed(w->nodes);
}

static void attach(struct world *w, const struct addr *a)
{
	datapath_attach(w->datapath, &(struct attachment){.id = "c1",
							  .ifname = "eth0",
							  .network = "",
							  .netns = "",
							  .ns = "ns",
							  .pod = "pod",
							  .uid = "",
							  .host_ifname = "mx1",
							  .n_addrs = 1,
							  .addrs = {*a}});
}

static void detach(struct world *w)
{
	datapath_detach(w->datapath, "c1", "eth0");
}

static bool in_set(const struct world *w, const char *set, const char *address)
{
	struct nft_elem e;
	struct addr a;

	assert_int_equal(addr_parse(address, &a), 0);
	return table_lookup(w->table, set, a.b, &e);
}

static void expect_route(const struct world *w, const char *dst, enum route_kind kind,
			 const char *via)
{
	struct route_ops ops = {0};
	char text[ADDR_STR_MAX];
	struct prefix p = prefix(dst);
	bool found = false;

	routes_retry(w->routes);
	routes_ops(w->routes, &ops);
	vec_foreach (op, &ops.op) {
		(void)routes_done(w->routes, op, -EIO); /* it is pending again for the next look */
		if (op->remove || !prefix_eq(&op->route.dst, &p))
			continue;
		found = true;
		assert_int_equal(op->route.kind, kind);
		if (via)
			assert_string_equal(addr_str(&op->route.via, text), via);
	}
	routes_retry(w->routes);
	vec_done(&ops.op);
	assert_true(found);
}

static void other_nodes_are_routed(void **state _unused_)
{
	struct node *a = node("a", "10.1.0.0/24", "192.0.2.1"), *b, *six;
	struct world w;

	setup(&w);
	tell(&w, NULL, a);
	assert_false(settle(&w));
	expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.1");
	assert_true(in_set(&w, "cluster4", "10.1.0.77"));
	assert_true(in_set(&w, "cluster4", "192.0.2.1"));
	assert_false(in_set(&w, "cluster4", "192.0.2.2"));

	b = node("a", "10.1.0.0/24", "192.0.2.2"); /* the node moved */
	tell(&w, a, b);
	(void)object_free(&a->o);
	(void)settle(&w);
	expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.2");
	assert_false(in_set(&w, "cluster4", "192.0.2.1"));

	six = node("s", "fd00:1::/64", "192.0.2.3"); /* no address of the family: no way there */
	tell(&w, NULL, six);
	(void)settle(&w);
	assert_int_equal(routes_count(w.routes), 1);
	assert_true(in_set(&w, "cluster6", "fd00:1::9"));

	tell(&w, six, NULL);
	tell(&w, b, NULL);
	(void)settle(&w);
	assert_int_equal(routes_count(w.routes), 0);
	assert_false(in_set(&w, "cluster4", "10.1.0.77"));
	(void)object_free(&b->o);
	(void)object_free(&six->o);
	teardown(&w);
}

/* A range of the configuration may be the network that the node is in itself. */
static void a_range_with_the_node_is_not_the_pods_alone(void **state _unused_)
{
	struct prefix lan = prefix("192.0.2.0/24");
	struct part_config c = {.n_ranges = 1, .ranges = &lan};
	struct node *me = node("me", "10.1.0.0/24", "192.0.2.1");
	struct node *moved = node("me", "10.1.0.0/24", "203.0.113.1");
	const struct prefix *ranges;
	struct world w;

	setup(&w);
	datapath_configure(w.datapath, &c);
	assert_true(settle(&w));
	assert_int_equal(nodes_pods_only(w.nodes, &ranges), 0); /* its address is not known */
	tell(&w, NULL, me);
	assert_true(settle(&w));
	assert_int_equal(nodes_pods_only(w.nodes, &ranges), 1);
	assert_false(prefix_eq(&ranges[0], &lan));
	tell(&w, me, moved);
	(void)object_free(&me->o);
	assert_true(settle(&w)); /* the ranges are the same, what is in them is not */
	assert_int_equal(nodes_pods_only(w.nodes, &ranges), 2);
	assert_false(settle(&w));
	tell(&w, moved, NULL);
	(void)settle(&w);
	(void)object_free(&moved->o);
	teardown(&w);
}

static void own_ranges(void **state _unused_)
{
	struct prefix extra = prefix("10.9.0.0/24"), exclude = prefix("203.0.113.0/24");
	struct part_config c = {.n_ranges = 1,
				.ranges = &extra,
				.masquerade = true,
				.n_exclude = 1,
				.exclude = &exclude};
	struct node *me = node("me", "10.1.0.0/24", "192.0.2.1");
	const struct prefix *ranges;
	struct world w;
	struct addr a;

	setup(&w);
	datapath_configure(w.datapath, &c);
	assert_true(settle(&w));
	assert_int_equal(nodes_own_ranges(w.nodes, &ranges), 1);
	assert_false(nodes_own_address(w.nodes, &a));

	tell(&w, NULL, me);
	assert_true(settle(&w));
	assert_false(settle(&w));
	assert_int_equal(nodes_own_ranges(w.nodes, &ranges), 2);
	assert_true(prefix_eq(&ranges[1], &extra)); /* the node's own come first */
	assert_true(nodes_own_address(w.nodes, &a));
	expect_route(&w, "10.1.0.0/24", ROUTE_UNREACHABLE, NULL);
	expect_route(&w, "10.9.0.0/24", ROUTE_UNREACHABLE, NULL);
	assert_true(in_set(&w, "pod_ranges4", "10.9.0.1"));
	assert_true(in_set(&w, "cluster4", "203.0.113.9"));

	c.masquerade = false;
	datapath_configure(w.datapath, &c);
	assert_false(settle(&w));
	assert_false(in_set(&w, "pod_ranges4", "10.9.0.1"));

	tell(&w, me, NULL);
	assert_true(settle(&w));
	assert_int_equal(routes_count(w.routes), 1);
	(void)object_free(&me->o);
	teardown(&w);
}

/* Overlapping blocks of several sources never become overlapping ranges. */
static void overlaps_are_joined(void **state _unused_)
{
	struct prefix exclude = prefix("10.0.0.0/8");
	struct part_config c = {.n_exclude = 1, .exclude = &exclude};
	struct node *a = node("a", "10.1.0.0/24", NULL);
	struct world w;

	setup(&w);
	tell(&w, NULL, a);
	datapath_configure(w.datapath, &c);
	(void)settle(&w);
	assert_int_equal(set_count(table_find_set(w.table, "cluster4")), 1);
	assert_true(in_set(&w, "cluster4", "10.200.0.1"));
	c.n_exclude = 0;
	datapath_configure(w.datapath, &c);
	(void)settle(&w);
	assert_true(in_set(&w, "cluster4", "10.1.0.1"));
	assert_false(in_set(&w, "cluster4", "10.200.0.1"));
	c.n_exclude = 1;
	datapath_configure(w.datapath, &c);
	(void)settle(&w);
	assert_true(in_set(&w, "cluster4", "10.200.0.1"));
	tell(&w, a, NULL);
	(void)settle(&w);
	(void)object_free(&a->o);
	teardown(&w);
}

static void count_problem(void *arg, const struct node *n _unused_, const char *problem)
{
	assert_non_null(strstr(problem, "no InternalIP of IPv6"));
	++*(int *)arg;
}

static void a_node_without_an_address_of_a_family(void **state _unused_)
{
	struct node *whole = node("a", "10.1.0.0/24", "192.0.2.1");
	struct node *lacks = node("b", "fd00:1::/64", "192.0.2.2");
	_cleanup_(freep) char *said = node_lacks_address(lacks);
	struct world w;
	int n = 0;

	assert_null(node_lacks_address(whole));
	assert_string_equal(said, "status.addresses: no InternalIP of IPv6: other nodes have no "
				  "route to its pods of fd00:1::/64");
	setup(&w);
	tell(&w, NULL, whole);
	tell(&w, NULL, lacks);
	(void)settle(&w);
	nodes_each_unreached(w.nodes, count_problem, &n);
	assert_int_equal(n, 1);
	tell(&w, whole, NULL);
	tell(&w, lacks, NULL);
	(void)settle(&w);
	(void)object_free(&whole->o);
	(void)object_free(&lacks->o);
	teardown(&w);
}

/* The last problem told of each Node, by the last letter of its name. */
static char told[128][200];

static void on_problem(void *arg _unused_, const struct node *n, const char *problem)
{
	(void)snprintf(told[(int)*n->o.name], sizeof(told[0]), "%s", problem ? problem : "");
}

/* The older one has the block, whatever the order of arrival; the other is told, and takes over. */
static void two_nodes_claim_a_block(void **state _unused_)
{
	for (int first = 0; first < 2; first++) {
		struct node *b = node("b", "10.1.0.0/24", "192.0.2.1");
		struct node *c = node("c", "10.1.0.0/24", "192.0.2.2");
		struct world w;

		b->created = 2000;
		c->created = 1000;
		setup(&w);
		nodes_on_problem(w.nodes, on_problem, NULL);
		tell(&w, NULL, first ? b : c);
		tell(&w, NULL, first ? c : b);
		(void)settle(&w);
		assert_int_equal(routes_count(w.routes), 1);
		expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.2");
		assert_non_null(strstr(told['b'], "10.1.0.0/24 belongs to Node c too"));
		assert_string_equal(told['c'], "");
		assert_string_equal(nodes_problem(w.nodes, b->o.name), told['b']);

		tell(&w, c, NULL);
		(void)settle(&w);
		expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.1");
		assert_string_equal(told['b'], "");
		tell(&w, b, NULL);
		(void)object_free(&b->o);
		(void)object_free(&c->o);
		teardown(&w);
	}
}

/* One that cannot be dated comes after those that can, and the name decides between equals. */
static void age_is_not_always_known(void **state _unused_)
{
	struct node *a = node("a", "10.1.0.0/24", "192.0.2.1");
	struct node *b = node("b", "10.1.0.0/24", "192.0.2.2");
	struct node *c = node("c", "10.1.0.0/24", "192.0.2.3");
	struct world w;

	c->created = 5;
	setup(&w);
	tell(&w, NULL, b);
	tell(&w, NULL, a);
	tell(&w, NULL, c);
	(void)settle(&w);
	expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.3");
	tell(&w, c, NULL);
	(void)settle(&w);
	expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.1");
	tell(&w, a, NULL);
	tell(&w, b, NULL);
	(void)settle(&w);
	(void)object_free(&a->o);
	(void)object_free(&b->o);
	(void)object_free(&c->o);
	teardown(&w);
}

/* Another Node with a block of this node gets it when this one has it no more. */
static void our_range_belongs_to_another_too(void **state _unused_)
{
	struct node *me = node("me", "10.1.0.0/24", "192.0.2.1");
	struct node *b = node("b", "10.1.0.0/24", "192.0.2.2");
	struct world w;

	setup(&w);
	nodes_on_problem(w.nodes, on_problem, NULL);
	tell(&w, NULL, b);
	tell(&w, NULL, me);
	assert_true(settle(&w));
	expect_route(&w, "10.1.0.0/24", ROUTE_UNREACHABLE, NULL);
	assert_non_null(strstr(told['b'], "10.1.0.0/24 is in use on Node me"));
	tell(&w, me, NULL);
	assert_true(settle(&w));
	expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.2");
	assert_string_equal(told['b'], "");
	tell(&w, b, NULL);
	(void)settle(&w);
	assert_int_equal(routes_count(w.routes), 0);
	(void)object_free(&me->o);
	(void)object_free(&b->o);
	teardown(&w);
}

/* Pods are routed all the same, unless the way to them would lead to ourselves. */
static void two_nodes_claim_an_address(void **state _unused_)
{
	struct node *b = node("b", "10.1.0.0/24", "192.0.2.1");
	struct node *c = node("c", "10.2.0.0/24", "192.0.2.1");
	struct node *me = node("me", NULL, "192.0.2.1");
	struct world w;

	setup(&w);
	nodes_on_problem(w.nodes, on_problem, NULL);
	tell(&w, NULL, c);
	tell(&w, NULL, b);
	(void)settle(&w);
	expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.1");
	expect_route(&w, "10.2.0.0/24", ROUTE_VIA, "192.0.2.1");
	assert_non_null(strstr(told['c'], "192.0.2.1 belongs to Node b too"));
	tell(&w, NULL, me);
	(void)settle(&w);
	assert_int_equal(routes_count(w.routes), 0);
	tell(&w, me, NULL);
	tell(&w, b, NULL);
	(void)settle(&w);
	assert_int_equal(routes_count(w.routes), 1);
	assert_string_equal(told['c'], "");
	assert_true(in_set(&w, "cluster4", "192.0.2.1"));
	tell(&w, c, NULL);
	(void)settle(&w);
	(void)object_free(&me->o);
	(void)object_free(&b->o);
	(void)object_free(&c->o);
	teardown(&w);
}

/* A pod keeps what it had when its range goes: it is masqueraded, sees pods, and the rest of the
 * range leads nowhere, until it goes itself. */
static void a_pod_outlives_its_range(void **state _unused_)
{
	struct prefix range = prefix("10.9.0.0/24");
	struct part_config c = {.n_ranges = 1, .ranges = &range, .masquerade = true};
	struct addr pod;
	struct world w;

	assert_int_equal(addr_parse("10.9.0.7", &pod), 0);
	setup(&w);
	datapath_configure(w.datapath, &c);
	(void)settle(&w);
	attach(&w, &pod);
	assert_int_equal(set_count(table_find_set(w.table, "pod_ranges4")), 1);
	c.n_ranges = 0;
	datapath_configure(w.datapath, &c);
	assert_true(settle(&w));
	assert_true(in_set(&w, "pod_ranges4", "10.9.0.7"));
	assert_true(in_set(&w, "cluster4", "10.9.0.7"));
	assert_false(in_set(&w, "pod_ranges4", "10.9.0.8"));
	expect_route(&w, "10.9.0.0/24", ROUTE_UNREACHABLE, NULL);

	c.masquerade = false; /* that is the node's, and holds for all its pods */
	datapath_configure(w.datapath, &c);
	(void)settle(&w);
	assert_false(in_set(&w, "pod_ranges4", "10.9.0.7"));
	c.masquerade = true;
	datapath_configure(w.datapath, &c);
	(void)settle(&w);
	attach(&w, &pod); /* the same again, as a repeated ADD */
	assert_true(in_set(&w, "pod_ranges4", "10.9.0.7"));

	detach(&w);
	detach(&w);
	assert_false(in_set(&w, "pod_ranges4", "10.9.0.7"));
	assert_false(in_set(&w, "cluster4", "10.9.0.7"));
	assert_int_equal(routes_count(w.routes), 0);
	teardown(&w);
}

/* A retired range stands back behind the Node that has it now. */
static void a_retired_range_is_anothers(void **state _unused_)
{
	struct node *b = node("b", "10.9.0.0/24", "192.0.2.2");
	struct prefix range = prefix("10.9.0.0/24");
	struct part_config c = {.n_ranges = 1, .ranges = &range};
	struct addr pod;
	struct world w;

	assert_int_equal(addr_parse("10.9.0.7", &pod), 0);
	setup(&w);
	datapath_configure(w.datapath, &c);
	(void)settle(&w);
	attach(&w, &pod);
	datapath_configure(w.datapath, &(struct part_config){0});
	tell(&w, NULL, b);
	(void)settle(&w);
	expect_route(&w, "10.9.0.0/24", ROUTE_VIA, "192.0.2.2");
	tell(&w, b, NULL);
	(void)settle(&w);
	expect_route(&w, "10.9.0.0/24", ROUTE_UNREACHABLE, NULL);
	nodes_had_range(w.nodes, &range);   /* known already */
	datapath_configure(w.datapath, &c); /* it is back, and has pods */
	(void)settle(&w);
	detach(&w);
	expect_route(&w, "10.9.0.0/24", ROUTE_UNREACHABLE, NULL);
	(void)object_free(&b->o);
	teardown(&w);
}

/* What the kernel has of the agent before: a range that is gone since, and one that is not. */
static void a_range_retired_before_the_start(void **state _unused_)
{
	struct prefix range = prefix("10.9.0.0/24"), empty = prefix("10.8.0.0/24");
	struct node *me = node("me", "10.1.0.0/24", NULL);
	struct addr pod;
	struct world w;

	assert_int_equal(addr_parse("10.9.0.7", &pod), 0);
	setup(&w);
	attach(&w, &pod);
	nodes_had_range(w.nodes, &range);
	nodes_had_range(w.nodes, &empty);
	nodes_had_range(w.nodes, &me->pod_cidrs[0]);
	expect_route(&w, "10.9.0.0/24", ROUTE_UNREACHABLE, NULL); /* before any Node is known */
	assert_int_equal(routes_count(w.routes), 1);
	tell(&w, NULL, me);
	(void)settle(&w);
	expect_route(&w, "10.9.0.0/24", ROUTE_UNREACHABLE, NULL);
	expect_route(&w, "10.1.0.0/24", ROUTE_UNREACHABLE, NULL);
	assert_int_equal(routes_count(w.routes), 2);
	detach(&w);
	assert_int_equal(routes_count(w.routes), 1);
	tell(&w, me, NULL);
	(void)settle(&w);
	(void)object_free(&me->o);
	teardown(&w);
}

/* As after a list made anew: the new owner of a block is known before the old one goes. */
static void a_block_moves_to_another_node(void **state _unused_)
{
	struct node *b = node("b", "10.1.0.0/24", "192.0.2.1");
	struct node *c = node("c", "10.1.0.0/24", "192.0.2.2");
	struct world w;

	setup(&w);
	tell(&w, NULL, b);
	tell(&w, NULL, c);
	tell(&w, b, NULL);
	(void)settle(&w);
	assert_int_equal(routes_count(w.routes), 1);
	expect_route(&w, "10.1.0.0/24", ROUTE_VIA, "192.0.2.2");
	assert_true(in_set(&w, "cluster4", "10.1.0.1"));
	tell(&w, c, NULL);
	(void)settle(&w);
	assert_int_equal(routes_count(w.routes), 0);
	(void)object_free(&b->o);
	(void)object_free(&c->o);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_nodes_are_routed),
		cmocka_unit_test(own_ranges),
		cmocka_unit_test(a_node_without_an_address_of_a_family),
		cmocka_unit_test(a_range_with_the_node_is_not_the_pods_alone),
		cmocka_unit_test(overlaps_are_joined),
		cmocka_unit_test(a_block_moves_to_another_node),
		cmocka_unit_test(two_nodes_claim_a_block),
		cmocka_unit_test(age_is_not_always_known),
		cmocka_unit_test(our_range_belongs_to_another_too),
		cmocka_unit_test(two_nodes_claim_an_address),
		cmocka_unit_test(a_pod_outlives_its_range),
		cmocka_unit_test(a_retired_range_is_anothers),
		cmocka_unit_test(a_range_retired_before_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
