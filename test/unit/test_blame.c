// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_blame.c - the kernel says which operation it refuses: its policy is set aside at once, and
 * who has nothing to do with it is not even under suspicion.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/aside.h"
#include "decoding.h"
#include "lib/log.h"

enum { PODS = 3, SPACE = 1 };

/*
 * struct world
 * @bad:     Last byte of 192.0.2.x: the kernel does not like an element with it
 * @op:      What it refused
 * @tries:   Times that it was asked
 */
struct world {
	struct datapath *d;
	struct aside *aside;
	struct decoded objects;
	uint8_t bad;
	struct nft_op op;
	int tries;
	char set_aside[64];
};

static void write_cluster(struct buf *out)
{
	buf_puts(out, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n");
	for (int i = 1; i <= PODS; i++)
		buf_printf(out,
			   "---\n{apiVersion: v1, kind: Pod, metadata: {name: p%d, "
			   "namespace: shop, labels: {app: p%d}}, spec: {nodeName: me}}\n",
			   i, i);
	for (int i = 1; i <= PODS; i++)
		buf_printf(out,
			   "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, "
			   "metadata: {name: n%d, namespace: shop}, spec: {podSelector: "
			   "{matchLabels: {app: p%d}}, ingress: [{from: [{ipBlock: {cidr: "
			   "192.0.2.%d/32}}]}]}}\n",
			   i, i, i);
	/* Beside n1 and n2, for the same pods. */
	buf_puts(out, "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, "
		      "metadata: {name: all, namespace: shop}, spec: {podSelector: {}, ingress: "
		      "[{from: [{ipBlock: {cidr: 192.0.2.100/32}}]}]}}\n");
}

static bool is_bad(const struct world *w, const struct nft_op *op)
{
	return op->what == NFT_OP_ELEM && op->verb == NFT_ADD && op->set->interval &&
	       op->elem.key[0] == 192 && op->elem.key[3] == w->bad;
}

/* As the agent does it, with a kernel that refuses what is bad. */
static int judge(void *arg, const struct nft_op **ret_op, struct err *reterr)
{
	struct world *w = arg;
	bool all = false;

	w->tries++;
	*ret_op = NULL;
	datapath_settle(w->d);
	while (!all && !*ret_op) {
		struct nft_ops ops = {0};

		all = table_ops(w->d->table, 1000, &ops);
		vec_foreach (op, &ops.op)
			if (is_bad(w, op)) {
				w->op = *op;
				*ret_op = &w->op;
			}
		if (!*ret_op)
			table_committed(w->d->table, &ops);
		nft_ops_done(&ops);
	}
	if (!*ret_op)
		return 0;
	(void)err_set(reterr, -EINVAL, "not this one");
	return NFT_REFUSED;
}

static void tell(void *arg, const struct object *policy, const char *problem)
{
	struct world *w = arg;
	size_t len = strlen(w->set_aside);

	if (problem)
		(void)snprintf(w->set_aside + len, sizeof(w->set_aside) - len, "%s ", policy->name);
}

static void attach(struct world *w, int i)
{
	char id[16], ifname[] = "eth0", ns[] = "shop", none[] = "", host_ifname[16];
	const struct attachment a = {.id = id,
				     .ifname = ifname,
				     .ns = ns,
				     .pod = id,
				     .uid = none,
				     .netns = none,
				     .host_ifname = host_ifname,
				     .n_addrs = 1,
				     .addrs = {{AF_INET, {10, 0, 0, (uint8_t)i}}}};

	(void)snprintf(id, sizeof(id), "p%d", i);
	(void)snprintf(host_ifname, sizeof(host_ifname), "mx%d", i);
	datapath_attach(w->d, &a);
}

static int setup(void **state)
{
	_cleanup_(buf_done) struct buf yaml = {0};
	struct world *w = *state = xcalloc(1, sizeof(*w));

	log_set_level(LOG_LEVEL_ERR);
	write_cluster(&yaml);
	w->d = datapath_new("me", NULL, NULL);
	w->aside = aside_new(w->d, judge, tell, w);
	w->objects = decode(yaml.data);
	assert_int_equal(w->objects.o.n, SPACE + 2 * PODS + 1);
	aside_begin(w->aside, true, 0);
	for (int i = 0; i < SPACE + PODS; i++)
		aside_object(w->aside, NULL, w->objects.o.v[i]);
	for (int i = 1; i <= PODS; i++)
		attach(w, i);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (int i = 1; i <= PODS; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "p%d", i);
		datapath_detach(w->d, id, "eth0");
	}
	aside_begin(w->aside, true, 0);
	vec_foreach (o, &w->objects.o)
		aside_object(w->aside, *o, NULL);
	datapath_settle(w->d);
	(void)aside_free(w->aside);
	(void)datapath_free(w->d);
	decoded_done(&w->objects);
	free(w);
	return 0;
}

static void put(struct world *w, int policy)
{
	aside_object(w->aside, NULL, w->objects.o.v[SPACE + PODS + policy - 1]);
}

/* True if it was refused, and somebody was found guilty of it. */
static bool turn(struct world *w)
{
	const struct nft_op *op;
	struct err e = {0};

	w->tries = 0;
	if (judge(w, &op, &e) == 0)
		return false;
	w->tries = 0;
	return aside_guilty(w->aside, op, &e);
}

/* Three policies changed; nobody else is fenced, and nothing is tried but without the guilty one.
 */
static void the_one_to_blame(void **state)
{
	struct world *w = *state;

	for (int i = 1; i <= PODS; i++)
		put(w, i);
	w->bad = 2;
	assert_true(turn(w));
	assert_string_equal(w->set_aside, "n2 ");
	assert_in_range(w->tries, 1, 2);
	assert_int_equal(table_pending(w->d->table), 0);
	put(w, 4); /* for the teardown */
}

/* Two have one program together: only they are looked at. */
static void one_of_those_to_blame(void **state)
{
	struct world *w = *state;

	for (int i = 1; i <= PODS + 1; i++)
		put(w, i);
	w->bad = 3;
	assert_true(turn(w));
	assert_string_equal(w->set_aside, "n3 ");
	assert_in_range(w->tries, 1, 5);
	assert_int_equal(table_pending(w->d->table), 0);
}

/*
 * The kernel took the older of two that have one program together: the newer one changed, and goes.
 */
static void what_changed_is_looked_at_first(void **state)
{
	struct world *w = *state;

	put(w, 1);
	put(w, 2);
	put(w, 4);
	assert_false(turn(w));
	aside_begin(w->aside, true, 0);
	put(w, 3);
	w->bad = 100;
	assert_true(turn(w));
	assert_string_equal(w->set_aside, "n3 ");
	assert_int_equal(table_pending(w->d->table), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_one_to_blame, setup, teardown),
		cmocka_unit_test_setup_teardown(one_of_those_to_blame, setup, teardown),
		cmocka_unit_test_setup_teardown(what_changed_is_looked_at_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
