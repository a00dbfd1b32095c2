// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_routes.c - wanted against installed routes; and random use against a naive model.
 */
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
		routes_done(r, op, true);
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
	routes_done(r, &ops.op.v[0], false);
	assert_int_equal(routes_pending(r), 1);
	assert_false(routes_in_kernel(r, &a.dst));
	vec_done(&ops.op);
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

enum { NETS = 8 };

static void random_use(void **state _unused_)
{
	int wanted[NETS] = {0}, kernel[NETS] = {0};
	struct routes *r = routes_new();
	unsigned int seed = 3;

	for (int step = 0; step < 20000; step++) {
		int net = rand_r(&seed) % NETS, gateway = rand_r(&seed) % 3 + 1;
		struct route route = via(net, gateway);
		struct route_ops ops = {0};

		if (rand_r(&seed) % 3) {
			routes_want(r, &route);
			wanted[net] = gateway;
		} else {
			routes_drop(r, &route.dst);
			wanted[net] = 0;
		}
		if (rand_r(&seed) % 4)
			continue;
		routes_ops(r, &ops);
		vec_foreach (op, &ops.op) {
			bool ok = rand_r(&seed) % 5;
			int n = op->route.dst.addr.b[1];

			routes_done(r, op, ok);
			if (ok)
				kernel[n] = op->remove ? 0 : op->route.via.b[3];
		}
		vec_done(&ops.op);
		for (int n = 0; n < NETS; n++) {
			struct route x = via(n, 1);

			if (routes_in_kernel(r, &x.dst))
				assert_int_equal(kernel[n], wanted[n]);
			if (!routes_pending(r))
				assert_int_equal(kernel[n], wanted[n]);
		}
	}
	(void)routes_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_differences),
		cmocka_unit_test(a_failure_stays_pending),
		cmocka_unit_test(a_restart_finds_its_routes),
		cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
