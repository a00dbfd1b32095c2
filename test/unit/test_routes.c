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

static const struct claimant owner = {.rank = ROUTE_OF_NODE, .name = "a"};

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
	assert_int_equal(routes_pending(r) + routes_failed(r), 0);
	return n;
}

/* The one operation that is pending. */
static struct route_op take_one(struct routes *r)
{
	struct route_ops ops = {0};
	struct route_op op;

	routes_ops(r, &ops);
	assert_int_equal(ops.op.n, 1);
	op = ops.op.v[0];
	vec_done(&ops.op);
	return op;
}

static bool refuse(struct routes *r, int error)
{
	struct route_op op;

	routes_retry(r);
	op = take_one(r);
	return routes_done(r, &op, error);
}

static void read_as(struct routes *r, const struct route *v, size_t n)
{
	struct route_list l = {0};

	for (size_t i = 0; i < n; i++)
		vec_push(&l.v, v[i]);
	routes_read_begin(r);
	routes_read_end(r, &l);
	vec_done(&l.v);
}

static void only_differences(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(2, 2), c = via(1, 3);

	routes_want(r, &owner, &a);
	routes_want(r, &owner, &b);
	assert_false(routes_in_kernel(r, &a.dst));
	assert_int_equal(apply(r), 2);
	assert_true(routes_in_kernel(r, &a.dst));
	routes_want(r, &owner, &a);
	assert_int_equal(apply(r), 0);
	routes_want(r, &owner, &c); /* the same destination, another gateway */
	assert_int_equal(apply(r), 1);
	routes_want(r, &owner, &a);
	routes_want(r, &owner, &c);
	assert_int_equal(apply(r), 0); /* there and back within a turn */
	routes_drop(r, &owner, &b.dst);
	assert_int_equal(apply(r), 1);
	routes_drop(r, &owner, &b.dst);
	assert_int_equal(apply(r), 0);
	routes_lost(r, &a.dst);
	assert_int_equal(apply(r), 1);
	assert_int_equal(routes_count(r), 1);
	(void)routes_free(r);
}

/* The best owner has the destination; the next takes over, and only what differs is asked for. */
static void owners_of_one_destination(void **state _unused_)
{
	const struct claimant pod = {.rank = ROUTE_OF_POD, .name = "mx1"};
	const struct claimant older = {.rank = ROUTE_OF_NODE, .since = 5, .name = "b"};
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(1, 2), c = a;

	c.kind = ROUTE_DEV;
	routes_want(r, &owner, &a);
	assert_int_equal(apply(r), 1);
	routes_want(r, &older, &b);
	assert_int_equal(routes_count(r), 1);
	assert_true(addr_eq(&routes_wanted(r, &a.dst)->via, &b.via));
	assert_int_equal(apply(r), 1);
	routes_want(r, &pod, &c);
	assert_int_equal(routes_wanted(r, &a.dst)->kind, ROUTE_DEV);
	routes_drop(r, &pod, &a.dst);
	assert_int_equal(apply(r), 0);
	routes_drop(r, &owner, &a.dst); /* who did not have it */
	assert_int_equal(apply(r), 0);
	routes_want(r, &owner, &a);
	routes_drop(r, &older, &a.dst);
	routes_drop(r, &older, &a.dst);
	assert_int_equal(apply(r), 1);
	assert_true(addr_eq(&routes_wanted(r, &a.dst)->via, &a.via));
	routes_drop(r, &owner, &a.dst);
	assert_int_equal(apply(r), 1);
	assert_int_equal(routes_count(r), 0);
	(void)routes_free(r);
}

/* What was refused does not go along with every change: it waits until it is tried again. */
static void a_failure_waits_for_a_retry(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(2, 2);
	struct route_op op;

	routes_want(r, &owner, &a);
	assert_true(refuse(r, -ENETUNREACH));
	assert_int_equal(routes_pending(r), 0);
	assert_int_equal(routes_failed(r), 1);
	assert_false(routes_in_kernel(r, &a.dst));
	assert_false(routes_under_way(r, &a.dst));
	routes_want(r, &owner, &b);
	op = take_one(r);
	assert_true(prefix_eq(&op.route.dst, &b.dst));
	routes_retry(r);
	assert_true(routes_under_way(r, &a.dst));
	op = take_one(r);
	assert_true(prefix_eq(&op.route.dst, &a.dst));
	(void)routes_free(r);
}

/* Another route to the same destination is not what was refused. */
static void a_new_wish_does_not_wait(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(1, 2);

	routes_want(r, &owner, &a);
	assert_true(refuse(r, -ENETUNREACH));
	routes_want(r, &owner, &b);
	assert_int_equal(routes_failed(r), 0);
	assert_true(refuse(r, -ENETDOWN));
	routes_lost(r, &b.dst); /* its device is another one now */
	assert_int_equal(apply(r), 1);
	(void)routes_free(r);
}

/* A log line for every try would say the same over and over. */
static void only_a_new_failure_is_news(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(1, 2);

	routes_want(r, &owner, &a);
	assert_true(refuse(r, -ENETUNREACH));
	assert_false(refuse(r, -ENETUNREACH));
	assert_true(refuse(r, -EEXIST));
	routes_want(r, &owner, &a); /* the same again: nothing new */
	assert_false(refuse(r, -EEXIST));
	routes_want(r, &owner, &b);
	assert_true(refuse(r, -EEXIST));
	routes_want(r, &owner, &a);
	assert_int_equal(apply(r), 1);
	routes_lost(r, &a.dst);
	assert_true(refuse(r, -EEXIST));
	(void)routes_free(r);
}

/* Only a route of ours that is known to be there may be written over. */
static void replace_means_known(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(1, 2);
	struct route_op op;

	routes_want(r, &owner, &a);
	op = take_one(r);
	assert_false(op.replace);
	assert_false(routes_done(r, &op, 0));
	routes_want(r, &owner, &b);
	op = take_one(r);
	assert_true(op.replace);
	assert_true(routes_done(r, &op, -EIO));
	routes_lost(r, &a.dst);
	routes_retry(r);
	assert_false(take_one(r).replace);
	(void)routes_free(r);
}

/* --- while the kernel is being asked -----------------------------------------------------------
 */

/*
 * Somebody deleted it, and whether before or after we installed it nobody can tell: when it is no
 * longer wanted it must not be forgotten.
 */
static void deleted_while_it_was_installed(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1);
	struct route_op op;

	routes_want(r, &owner, &a);
	op = take_one(r);
	assert_int_equal(routes_flying(r), 1);
	routes_lost(r, &a.dst);
	assert_false(routes_done(r, &op, 0));
	assert_int_equal(routes_flying(r), 0);
	assert_int_equal(routes_pending(r), 1);
	routes_drop(r, &owner, &a.dst);
	op = take_one(r);
	assert_true(op.remove);
	assert_true(prefix_eq(&op.route.dst, &a.dst));
	assert_false(routes_done(r, &op, 0));
	assert_int_equal(routes_pending(r), 0);
	(void)routes_free(r);
}

/* It was installed, but nobody wants it any more: it must not be forgotten. */
static void dropped_while_it_was_installed(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1);
	struct route_op op;

	routes_want(r, &owner, &a);
	op = take_one(r);
	assert_true(routes_under_way(r, &a.dst));
	routes_drop(r, &owner, &a.dst);
	assert_int_equal(routes_pending(r), 0);
	assert_false(routes_done(r, &op, 0));
	op = take_one(r);
	assert_true(op.remove);
	assert_false(routes_done(r, &op, 0));
	assert_int_equal(routes_count(r) + routes_pending(r), 0);
	(void)routes_free(r);
}

static void wanted_again_while_it_was_removed(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1);
	struct route_op op;

	routes_want(r, &owner, &a);
	assert_int_equal(apply(r), 1);
	routes_drop(r, &owner, &a.dst);
	op = take_one(r);
	routes_want(r, &owner, &a);
	assert_false(routes_in_kernel(r, &a.dst));
	assert_false(routes_done(r, &op, 0));
	op = take_one(r);
	assert_false(op.remove);
	assert_false(op.replace);
	assert_false(routes_done(r, &op, 0));
	assert_true(routes_in_kernel(r, &a.dst));
	(void)routes_free(r);
}

/* The refusal of what is not wanted any more is no failure of what is. */
static void another_route_wanted_while_it_was_refused(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(1, 2);
	struct route_op op;

	routes_want(r, &owner, &a);
	op = take_one(r);
	routes_want(r, &owner, &b);
	assert_false(routes_done(r, &op, -EIO));
	assert_int_equal(routes_failed(r), 0);
	assert_int_equal(apply(r), 1);
	assert_true(routes_in_kernel(r, &b.dst));
	(void)routes_free(r);
}

static void deleted_by_others_while_it_was_installed(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1);
	struct route_op op;

	routes_want(r, &owner, &a);
	op = take_one(r);
	routes_lost(r, &a.dst);
	assert_false(routes_done(r, &op, 0));
	assert_false(routes_in_kernel(r, &a.dst));
	assert_int_equal(apply(r), 1);
	assert_true(routes_in_kernel(r, &a.dst));
	(void)routes_free(r);
}

static void deleted_by_others_while_it_was_read(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1);
	struct route_list read = {0};

	vec_push(&read.v, a);
	routes_want(r, &owner, &a);
	assert_int_equal(apply(r), 1);
	routes_read_begin(r);
	routes_lost(r, &a.dst);
	routes_read_end(r, &read);
	assert_int_equal(apply(r), 1);
	routes_lost(r, &a.dst);
	routes_read_begin(r);
	routes_read_end(r, &read);
	assert_int_equal(apply(r), 0); /* what was lost before the read counts no more */
	vec_done(&read.v);
	(void)routes_free(r);
}

static void what_could_not_be_read_stays(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route a = via(1, 1), b = via(2, 2);

	routes_want(r, &owner, &a);
	assert_int_equal(apply(r), 1);
	routes_want(r, &owner, &b);
	routes_read_begin(r);
	routes_read_end(r, NULL);
	assert_true(routes_in_kernel(r, &a.dst));
	assert_int_equal(apply(r), 1);
	(void)routes_free(r);
}

/* --- what a route is ---------------------------------------------------------------------------
 */

/* A pod's address moved to a link, or a container, of another MAC. */
static void every_part_of_a_route_counts(void **state _unused_)
{
	struct routes *r = routes_new();
	struct route pod = {.dst = {.addr = {.family = AF_INET, .b = {10, 9, 0, 1}}, .len = 32},
			    .kind = ROUTE_DEV,
			    .ifname = "mx1",
			    .neigh = {{2, 0, 0, 0, 0, 1}}};
	struct route shorter = pod;

	routes_want(r, &owner, &pod);
	assert_int_equal(apply(r), 1);
	(void)strcpy(pod.ifname, "mx2");
	routes_want(r, &owner, &pod);
	assert_int_equal(apply(r), 1);
	pod.neigh.b[5] = 2;
	routes_want(r, &owner, &pod);
	assert_int_equal(apply(r), 1);
	pod.kind = ROUTE_UNREACHABLE;
	routes_want(r, &owner, &pod);
	assert_int_equal(apply(r), 1);
	shorter.dst.len = 31; /* another key, though the same address */
	routes_want(r, &owner, &shorter);
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
	routes_want(r, &owner, &same);
	routes_want(r, &owner, &gone);
	routes_want(r, &owner, &pod);
	read_as(r, (struct route[]){same, stale, dumped}, 3);
	assert_int_equal(apply(r), 2);
	(void)routes_free(r);
}

/*
 * Random use against a naive model: what is wanted and what the kernel has are two arrays.  Beside
 * wanting and dropping, somebody deletes routes in the kernel, tells of it or not, and the table is
 * read anew.  Operations and reads begin, meet the kernel and end at different times.  The kernel
 * refuses one in five.
 */
enum { NETS = 8 };

/*
 * struct model
 * @in_sync: Everything that happened in the kernel was told
 * @ops:     On their way, with their @error once the kernel @has_answered
 * @read:    What a read @found, once it @has_read
 */
struct model {
	int wanted[NETS], kernel[NETS]; /* gateway, 0: none */
	bool in_sync;
	struct route_ops ops;
	int error[NETS];
	bool has_answered;
	struct route_list read;
	bool reading, has_read;
};

static void change_wish(struct routes *r, struct model *m, int net, int gateway)
{
	struct route route = via(net, gateway);

	if (gateway)
		routes_want(r, &owner, &route);
	else
		routes_drop(r, &owner, &route.dst);
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

/* The waiter works in order: a read and operations never meet. */
static void step_read(struct routes *r, struct model *m)
{
	if (m->ops.op.n)
		return;
	if (!m->reading) {
		routes_read_begin(r);
		m->reading = true;
	} else if (!m->has_read) {
		for (int net = 0; net < NETS; net++)
			if (m->kernel[net])
				vec_push(&m->read.v, via(net, m->kernel[net]));
		m->has_read = m->in_sync = true;
	} else {
		routes_read_end(r, &m->read);
		m->reading = m->has_read = false;
		m->read.v.n = 0;
	}
}

static int kernel_answers(struct model *m, const struct route_op *op, bool refuses)
{
	if (refuses)
		return -EIO;
	m->kernel[op->route.dst.addr.b[1]] = op->remove ? 0 : op->route.via.b[3];
	return 0;
}

static void step_ops(struct routes *r, struct model *m, unsigned int *seed)
{
	if (m->reading)
		return;
	if (!m->ops.op.n) {
		size_t n;

		if (rand_r(seed) % 2)
			routes_retry(r);
		n = routes_pending(r);
		routes_ops(r, &m->ops);
		assert_int_equal(m->ops.op.n, n);
		assert_int_equal(routes_pending(r), 0);
	} else if (!m->has_answered) {
		for (size_t i = 0; i < m->ops.op.n; i++)
			m->error[i] = kernel_answers(m, &m->ops.op.v[i], rand_r(seed) % 5 == 0);
		m->has_answered = true;
	} else {
		for (size_t i = 0; i < m->ops.op.n; i++)
			(void)routes_done(r, &m->ops.op.v[i], m->error[i]);
		m->ops.op.n = 0;
		m->has_answered = false;
	}
}

static bool is_on_its_way(const struct model *m, int net)
{
	vec_foreach (op, &m->ops.op)
		if (op->route.dst.addr.b[1] == net)
			return true;
	return false;
}

static void compare(const struct routes *r, const struct model *m)
{
	size_t wanted = 0;

	for (int net = 0; net < NETS; net++) {
		struct route route = via(net, 1);

		wanted += m->wanted[net] != 0;
		if (!m->in_sync || m->has_read || is_on_its_way(m, net))
			continue;
		if (routes_in_kernel(r, &route.dst))
			assert_int_equal(m->kernel[net], m->wanted[net]);
		if (!routes_pending(r) && !routes_failed(r))
			assert_int_equal(m->kernel[net], m->wanted[net]);
	}
	assert_int_equal(routes_count(r), wanted);
}

static void random_use(void **state _unused_)
{
	struct routes *r = routes_new();
	struct model m = {.in_sync = true};
	unsigned int seed = 3;

	for (int step = 0; step < 100000; step++) {
		int net = rand_r(&seed) % NETS, what = rand_r(&seed) % 16;

		if (what < 7)
			change_wish(r, &m, net, rand_r(&seed) % 4);
		else if (what < 9)
			somebody_deletes(r, &m, net, what == 7);
		else if (what < 11)
			step_read(r, &m);
		else
			step_ops(r, &m, &seed);
		compare(r, &m);
	}
	vec_done(&m.ops.op);
	vec_done(&m.read.v);
	(void)routes_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_differences),
		cmocka_unit_test(owners_of_one_destination),
		cmocka_unit_test(a_failure_waits_for_a_retry),
		cmocka_unit_test(a_new_wish_does_not_wait),
		cmocka_unit_test(only_a_new_failure_is_news),
		cmocka_unit_test(replace_means_known),
		cmocka_unit_test(deleted_while_it_was_installed),
		cmocka_unit_test(dropped_while_it_was_installed),
		cmocka_unit_test(wanted_again_while_it_was_removed),
		cmocka_unit_test(another_route_wanted_while_it_was_refused),
		cmocka_unit_test(deleted_by_others_while_it_was_installed),
		cmocka_unit_test(deleted_by_others_while_it_was_read),
		cmocka_unit_test(what_could_not_be_read_stays),
		cmocka_unit_test(every_part_of_a_route_counts),
		cmocka_unit_test(a_restart_finds_its_routes),
		cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
