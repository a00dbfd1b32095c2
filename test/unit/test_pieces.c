// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_pieces.c - policies too large to be compiled in one go: who waits for them, and who does
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/datapath.h"
#include "datapath/policy/verdicts.h"
#include "decoding.h"

enum { PEERS = 600 };

struct world {
	struct datapath *d;
	struct decoded objects;
};

static const char cluster[] =
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: big, namespace: shop, labels: {app: big}},\n"
	" spec: {nodeName: me}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: small, namespace: shop, labels: {app: "
	"small}},\n"
	" spec: {nodeName: me}}\n"
	"---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: small, namespace: shop},\n"
	" spec: {podSelector: {matchLabels: {app: small}}, ingress: [{from: [{podSelector: "
	"{}}]}]}}\n"
	"---\n";

/* Selectors that each are a step at least. */
static void large_policy(struct buf *out)
{
	buf_puts(out, "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
		      " metadata: {name: big, namespace: shop},\n"
		      " spec: {podSelector: {matchLabels: {app: big}}, ingress: [{from: [");
	for (int i = 0; i < PEERS; i++)
		buf_printf(out, "{podSelector: {matchLabels: {app: x%d}}}, ", i);
	buf_puts(out, "]}]}}\n");
}

static int setup(void **state)
{
	_cleanup_(buf_done) struct buf yaml = {0};
	struct world *w = xcalloc(1, sizeof(*w));

	buf_puts(&yaml, cluster);
	large_policy(&yaml);
	w->d = datapath_new("me", NULL, NULL);
	w->objects = decode(yaml.data);
	assert_int_equal(w->objects.o.n, 5);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	datapath_detach(w->d, "big", "eth0");
	datapath_detach(w->d, "small", "eth0");
	vec_foreach (o, &w->objects.o)
		datapath_object(w->d, *o, NULL);
	datapath_settle(w->d);
	(void)datapath_free(w->d);
	decoded_done(&w->objects);
	free(w);
	return 0;
}

static void put(struct world *w, size_t i)
{
	datapath_object(w->d, NULL, w->objects.o.v[i]);
}

static void attach(struct world *w, const char *name, uint8_t last)
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
				     .addrs = {{AF_INET, {10, 0, 0, last}}}};

	(void)snprintf(id, sizeof(id), "%s", name);
	(void)snprintf(host_ifname, sizeof(host_ifname), "mx%s", name);
	datapath_attach(w->d, &a);
}

/* Where its ingress goes: "open", or the chain's name up to its hash. */
static const char *ingress(const struct world *w, const char *name)
{
	struct policy_pod_info info;
	const char *chain;

	assert_true(policy_pod_info(w->d->policy, name, "eth0", &info));
	chain = info.program[INGRESS];
	return !chain ? "open" : str_starts(chain, "in_") ? "policy" : chain;
}

/* The kernel takes all that is pending: does the pod still wait for its policies? */
static bool waits(const struct world *w, const char *name)
{
	char id[16], ifname[] = "eth0", host_ifname[16];
	const struct attachment a = {.id = id, .ifname = ifname, .host_ifname = host_ifname};
	const char *problem = NULL;
	struct nft_ops ops = {0};
	bool all = false;

	(void)snprintf(id, sizeof(id), "%s", name);
	(void)snprintf(host_ifname, sizeof(host_ifname), "mx%s", name);
	while (!all) {
		all = table_ops(w->d->table, 0, &ops);
		table_committed(w->d->table, &ops);
		nft_ops_done(&ops);
	}
	return datapath_settled(w->d, &a, &problem) != NFT_IN_FORCE;
}

static void settle_all(struct world *w)
{
	size_t pieces = 0;

	while (datapath_settle_piece(w->d, 1))
		pieces++;
	assert_true(pieces > PEERS / 2);
}

/* It stays open, as it was, until the policy is complete; another pod's policy is in force at once.
 */
static void only_the_selected_pods_wait(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < 3; i++)
		put(w, i);
	attach(w, "big", 1);
	attach(w, "small", 2);
	datapath_settle(w->d);
	assert_string_equal(ingress(w, "big"), "open");
	put(w, 4);
	for (int i = 0; i < 4; i++)
		assert_true(datapath_settle_piece(w->d, 1));
	put(w, 3);
	for (int i = 0; i < 8; i++)
		assert_true(datapath_settle_piece(w->d, 1));
	assert_string_equal(ingress(w, "small"), "policy");
	assert_false(waits(w, "small"));
	assert_string_equal(ingress(w, "big"), "open");
	assert_true(waits(w, "big"));
	settle_all(w);
	assert_string_equal(ingress(w, "big"), "policy");
	assert_false(waits(w, "big"));
}

/* A pod that is new is isolated for so long. */
static void a_new_pod_is_isolated(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < 5; i++)
		put(w, i);
	attach(w, "big", 1);
	attach(w, "small", 2);
	assert_true(waits(w, "big"));
	assert_true(datapath_settle_piece(w->d, 1));
	assert_string_equal(ingress(w, "big"), UNKNOWN_POD);
	assert_true(waits(w, "big"));
	settle_all(w);
	assert_string_equal(ingress(w, "big"), "policy");
}

/* The policy goes, or the pod does, before it is complete. */
static void given_up(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < 3; i++)
		put(w, i);
	attach(w, "big", 1);
	attach(w, "small", 2);
	datapath_settle(w->d);
	put(w, 4);
	assert_true(datapath_settle_piece(w->d, 1));
	datapath_object(w->d, w->objects.o.v[4], NULL);
	datapath_settle(w->d);
	assert_string_equal(ingress(w, "big"), "open");
	assert_false(waits(w, "big"));
	put(w, 4);
	assert_true(datapath_settle_piece(w->d, 1));
	datapath_detach(w->d, "big", "eth0");
	attach(w, "big", 1);
	datapath_settle(w->d);
	assert_string_equal(ingress(w, "big"), "policy");
	put(w, 3);
}

static void note_policy(void *arg, const struct policy_info *info)
{
	buf_printf(arg, "%s %u ", info->policy->o.name, info->local_pods);
}

/* What status says: how many pods of this node each policy selects, and which pods are known. */
static void what_status_says(void **state)
{
	struct world *w = *state;
	struct policy_pod_info info;
	struct buf b = {0};

	for (size_t i = 0; i < 5; i++)
		put(w, i);
	attach(w, "small", 1);
	attach(w, "other", 2);
	policy_each(w->d->policy, note_policy, &b);
	assert_non_null(strstr(b.data, "small 1 "));
	assert_non_null(strstr(b.data, "big 0 "));
	buf_done(&b);
	assert_true(policy_pod_info(w->d->policy, "other", "eth0", &info));
	assert_false(info.known);
	assert_true(policy_pod_info(w->d->policy, "small", "eth0", &info));
	assert_true(info.known);
	assert_false(policy_pod_info(w->d->policy, "small", "eth1", &info));
	assert_false(policy_pod_info(w->d->policy, "big", "eth0", &info));
	datapath_detach(w->d, "other", "eth0");
	attach(w, "big", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_selected_pods_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_pod_is_isolated, setup, teardown),
		cmocka_unit_test_setup_teardown(given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_status_says, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
