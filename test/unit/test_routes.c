// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_routes.c - wanted against installed routes; and random use against a naive model.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/route/routes.h"

static struct route via(int net, int gateway)
{
	return (struct route){
		.dst = {.addr = {.family = AF_INET, .b = {10, (uint8_t)net}}, .len = 16},
		.kind = ROUTE_VIA,
		.via = {.family = AF_INET, .b = {192, 0, 2, (uint8_t)gateway}},
	};
}

/* Do what is pending, as a kernel that takes everything. */
static size_t apply(struct routes *r)
{
	struct route_ops ops = {0};
	size_t n;

	routes_ops(r, &ops);
	n = ops.op.n;
	vec_foreach (op, &ops.op)
		assert_false(routes_done(r, op, 0));
	vec_done(&ops.op);
	assert_int_equal(routes_pending(r), 0);
	return n;
}

static void only_differences(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(2, 2), c = via(1, 3);

	routes_want(r, &a);
	routes_want(r, &b);
	assert_false(routes_in_kernel(r, &a.dst));
	assert_int_equal(apply(r), 2);
	assert_true(routes_in_kernel(r, &a.dst));
	routes_want(r, &a);
	assert_int_equal(apply(r), 0);
	routes_want(r, &c); /* the same destination, another gateway */
	assert_int_equal(apply(r), 1);
	routes_want(r, &a);
	routes_want(r, &c);
	assert_int_equal(apply(r), 0); /* there and back within a turn */
	routes_drop(r, &b.dst);
	assert_int_equal(apply(r), 1);
	routes_drop(r, &b.dst);
	assert_int_equal(apply(r), 0);
	routes_lost(r, &a.dst);
	assert_int_equal(apply(r), 1);
	assert_int_equal(routes_count(r), 1);
	(void)routes_free(r);
}

static void a_failure_stays_pending(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1);
	struct route_ops ops = {0};

	routes_want(r, &a);
	routes_ops(r, &ops);
	assert_true(routes_done(r, &ops.op.v[0], -ENETUNREACH));
	assert_int_equal(routes_pending(r), 1);
	assert_false(routes_in_kernel(r, &a.dst));
	vec_done(&ops.op);
	(void)routes_free(r);
}

/* A log line for every try would say the same over and over. */
static void only_a_new_failure_is_news(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(1, 2);
	const struct route_op op = {.route = a};

	routes_want(r, &a);
	assert_true(routes_done(r, &op, -ENETUNREACH));
	assert_false(routes_done(r, &op, -ENETUNREACH));
	assert_true(routes_done(r, &op, -EEXIST));
	routes_want(r, &a); /* the same again: nothing new */
	assert_false(routes_done(r, &op, -EEXIST));
	routes_want(r, &b);
	assert_true(routes_done(r, &(struct route_op){.route = b}, -EEXIST));
	routes_want(r, &a);
	assert_int_equal(apply(r), 1);
	routes_lost(r, &a.dst);
	assert_true(routes_done(r, &op, -EEXIST));
	(void)routes_free(r);
}

/* Only a route of ours that is known to be there may be written over. */
static void replace_means_known(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(1, 2);
	struct route_ops ops = {0};

	routes_want(r, &a);
	routes_ops(r, &ops);
	assert_false(ops.op.v[0].replace);
	assert_false(routes_done(r, &ops.op.v[0], 0));
	routes_want(r, &b);
	routes_ops(r, &ops);
	assert_true(ops.op.v[1].replace);
	routes_lost(r, &a.dst);
	routes_ops(r, &ops);
	assert_false(ops.op.v[2].replace);
	vec_done(&ops.op);
	(void)routes_free(r);
}

/* Reading the kernel failed in the middle and began again: only the last dump counts. */
static void a_dump_that_began_again(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), stale = via(2, 2);
	struct route_ops ops = {0};

	routes_want(r, &a);
	routes_installed_begin(r);
	routes_installed(r, &a);
	routes_installed(r, &stale);
	routes_installed_begin(r);
	routes_installed(r, &stale);
	routes_installed_end(r);
	routes_ops(r, &ops);
	assert_int_equal(ops.op.n, 2);
	assert_true(ops.op.v[0].remove);
	assert_true(prefix_eq(&ops.op.v[0].route.dst, &stale.dst));
	assert_false(ops.op.v[1].remove);
	vec_done(&ops.op);
	(void)routes_free(r);
}

/* A pod's address moved to a link, or a container, of another MAC. */
static void every_part_of_a_route_counts(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route pod = {.dst = {.addr = {.family = AF_INET, .b = {10, 9, 0, 1}}, .len = 32},
			    .kind = ROUTE_DEV,
			    .ifname = "mx1",
			    .neigh = {{2, 0, 0, 0, 0, 1}}};
	struct route shorter = pod;

	routes_want(r, &pod);
	assert_int_equal(apply(r), 1);
	(void)strcpy(pod.ifname, "mx2");
	routes_want(r, &pod);
	assert_int_equal(apply(r), 1);
	pod.neigh.b[5] = 2;
	routes_want(r, &pod);
	assert_int_equal(apply(r), 1);
	pod.kind = ROUTE_UNREACHABLE;
	routes_want(r, &pod);
	assert_int_equal(apply(r), 1);
	shorter.dst.len = 31; /* another key, though the same address */
	routes_want(r, &shorter);
	assert_int_equal(routes_count(r), 2);
	assert_int_equal(apply(r), 1);
	(void)routes_free(r);
}

static void a_restart_finds_its_routes(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route same = via(1, 1), gone = via(2, 2), stale = via(3, 3);
	struct route pod = {.dst = {.addr = {.family = AF_INET, .b = {10, 9, 0, 1}}, .len = 32},
			    .kind = ROUTE_DEV,
			    .ifname = "mx1",
			    .neigh = {{2, 0, 0, 0, 0, 1}}};
	struct route dumped = pod;

	dumped.neigh = (struct mac){0}; /* a dump of routes does not tell neighbours */
	routes_want(r, &same);
	routes_want(r, &gone);
	routes_want(r, &pod);
	routes_installed_begin(r);
	routes_installed(r, &same);
	routes_installed(r, &stale);
	routes_installed(r, &dumped);
	routes_installed_end(r);
	assert_int_equal(apply(r), 2);
	(void)routes_free(r);
}

/*
 * Random use against a naive model: what is wanted and what the kernel has are two arrays.  Beside
 * wanting and dropping, somebody deletes routes in the kernel, tells of it or not, and the table is
 * read anew.  The kernel refuses an exclusive creation where there is a route, and one in five.
 */
enum { NETS = 8 };

struct model {
	int wanted[NETS], kernel[NETS]; /* gateway, 0: none */
	bool in_sync;			/* everything that happened in the kernel was told */
};

static void change_wish(struct routes *r, struct model *m, int net, int gateway)
{
	struct route route = via(net, gateway);

	if (gateway)
		routes_want(r, &route);
	else
		routes_drop(r, &route.dst);
	m->wanted[net] = gateway;
}

static void somebody_deletes(struct routes *r, struct model *m, int net, bool tell)
{
	struct route route = via(net, 1);

	m->kernel[net] = 0;
	if (tell)
		routes_lost(r, &route.dst);
	else
		m->in_sync = false;
}

static void read_kernel(struct routes *r, struct model *m)
{
	routes_installed_begin(r);
	for (int net = 0; net < NETS; net++) {
		struct route route = via(net, m->kernel[net]);

		if (m->kernel[net])
			routes_installed(r, &route);
	}
	routes_installed_end(r);
	m->in_sync = true;
}

static void kernel_takes(struct routes *r, struct model *m, unsigned int *seed)
{
	struct route_ops ops = {0};

	routes_ops(r, &ops);
	assert_int_equal(ops.op.n, routes_pending(r));
	vec_foreach (op, &ops.op) {
		int net = op->route.dst.addr.b[1], error = rand_r(seed) % 5 ? 0 : -EIO;

		if (!op->remove && !op->replace && m->kernel[net])
			error = -EEXIST;
		(void)routes_done(r, op, error);
		if (!error)
			m->kernel[net] = op->remove ? 0 : op->route.via.b[3];
	}
	vec_done(&ops.op);
}

static void compare(const struct routes *r, const struct model *m)
{
	size_t wanted = 0;

	for (int net = 0; net < NETS; net++) {
		struct route route = via(net, 1);

		wanted += m->wanted[net] != 0;
		if (!m->in_sync)
			continue;
		assert_int_equal(routes_in_kernel(r, &route.dst),
				 m->wanted[net] && m->wanted[net] == m->kernel[net]);
		if (!routes_pending(r))
			assert_int_equal(m->kernel[net], m->wanted[net]);
	}
	assert_int_equal(routes_count(r), wanted);
}

static void random_use(void **state _unused_)
{
	struct routes *r = routes_new();
	struct model m = {.in_sync = true};
	unsigned int seed = 3;

	for (int step = 0; step < 50000; step++) {
		int net = rand_r(&seed) % NETS, what = rand_r(&seed) % 16;

		if (what < 9)
			change_wish(r, &m, net, rand_r(&seed) % 4);
		else if (what < 11)
			somebody_deletes(r, &m, net, what == 9);
		else if (what < 12)
			read_kernel(r, &m);
		else
			kernel_takes(r, &m, &seed);
		compare(r, &m);
	}
	(void)routes_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_differences),
		cmocka_unit_test(a_failure_stays_pending),
		cmocka_unit_test(only_a_new_failure_is_news),
		cmocka_unit_test(replace_means_known),
		cmocka_unit_test(a_dump_that_began_again),
		cmocka_unit_test(every_part_of_a_route_counts),
		cmocka_unit_test(a_restart_finds_its_routes),
		cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
