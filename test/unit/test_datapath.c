// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_datapath.c - the parts put together: each is told of its kinds and of every attachment, and
 * packets enter them in their order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/datapath.h"
#include "datapath/nft/render.h"
#include "test/unit/decoding.h"
#include "test/unit/sample_attachment.h"

static const char cluster[] =
	"{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.96.0.7}}\n"
	"---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: b}, spec: {podCIDR: 10.2.0.0/24},\n"
	" status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}\n"
	"---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p},\n"
	" spec: {podSelector: {}}}\n";

static char *rendered(const struct datapath *d)
{
	struct buf out = {0};

	table_render(d->table, &out);
	return buf_take(&out);
}

/* Told of everything and of its end, each part is as at the beginning; else it says so itself. */
static void every_part_is_told(void **state _unused_)
{
	struct datapath *d = datapath_new("a", NULL, NULL);
	_cleanup_(freep) char *before = rendered(d), *after = NULL;
	struct decoded objects = decode(cluster);
	struct policy_counts counts;

	assert_int_equal(objects.o.n, 3);
	vec_foreach (o, &objects.o)
		datapath_object(d, NULL, *o);
	datapath_settle(d);
	policy_counts(d->policy, &counts);
	assert_int_equal(counts.policies, 1);
	assert_int_equal(counts.pods + counts.namespaces, 0);
	assert_int_equal(routes_count(d->routes), 1);
	vec_foreach (o, &objects.o)
		datapath_object(d, *o, NULL);
	datapath_settle(d);
	assert_int_equal(routes_count(d->routes), 0);
	after = rendered(d);
	assert_string_equal(before, after);
	(void)datapath_free(d);
	decoded_done(&objects);
}

static size_t elements(const struct datapath *d, const char *set)
{
	return set_count(table_find_set(d->table, set));
}

static void an_attachment_is_replaced(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(0);
	struct datapath *d = datapath_new("a", NULL, NULL);
	struct policy_counts counts;

	datapath_attach(d, a);
	datapath_attach(d, a);
	policy_counts(d->policy, &counts);
	assert_int_equal(counts.attachments, 1);
	assert_int_equal(elements(d, "pod_links"), 1);
	assert_int_equal(elements(d, "cluster4"), 1);
	a->addrs[0].b[3]++; /* as after an ADD that was taken back: another address */
	datapath_attach(d, a);
	assert_int_equal(elements(d, "sources4"), 1);
	assert_int_equal(elements(d, "local_pods4"), 1);
	datapath_detach(d, a->id, a->ifname);
	datapath_detach(d, a->id, a->ifname);
	datapath_settle(d);
	policy_counts(d->policy, &counts);
	assert_int_equal(counts.attachments, 0);
	assert_int_equal(elements(d, "pod_links"), 0);
	assert_int_equal(elements(d, "cluster4"), 0);
	(void)datapath_free(d);
	assert_int_equal(intern_count(), 0);
}

/* The chain as text, from its name on. */
static void assert_order(const char *table, const char *chain, const char *const *rules)
{
	_cleanup_(freep) char *begin = xasprintf("\tchain %s {", chain);
	const char *at = strstr(table, begin), *end;

	assert_non_null(at);
	end = strstr(at, "\n\t}\n");
	for (; *rules; rules++) {
		at = strstr(at, *rules);
		if (!at || at > end)
			fail_msg("%s is not where it belongs in %s", *rules, chain);
	}
}

static void packets_enter_in_order(void **state _unused_)
{
	struct datapath *d = datapath_new("a", NULL, NULL);
	_cleanup_(freep) char *table = rendered(d);

	assert_order(table, "pre_nat",
		     (const char *const[]){"jump svc_nat", "jump hostports", NULL});
	assert_order(table, "out_nat",
		     (const char *const[]){"jump cut", "jump svc_nat", "jump hostports", NULL});
	assert_order(
		table, "input",
		(const char *const[]){"established", "jump svc_filter", "jump pol_input", NULL});
	assert_order(table, "forward",
		     (const char *const[]){"established", "@self6", "jump svc_filter",
					   "jump pol_forward", NULL});
	assert_order(table, "post_nat",
		     (const char *const[]){"@self6", "jump svc_source", "@pod_ranges4", NULL});
	(void)datapath_free(d);
}

struct base_chains {
	VEC(const struct nft_chain_def *) c;
};

static void collect(void *arg, const struct nft_chain_def *c)
{
	struct base_chains *all = arg;

	if (c->hook)
		vec_push(&all->c, c);
}

/* Of two the kernel would run first what was registered first. */
static void one_base_chain_a_hook(void **state _unused_)
{
	struct datapath *d = datapath_new("a", NULL, NULL);
	struct base_chains all = {0};

	table_each_chain(d->table, collect, &all);
	assert_int_equal(all.c.n, _BASE_CHAIN_MAX);
	for (size_t i = 0; i < all.c.n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct nft_chain_def *a = all.c.v[i], *b = all.c.v[j];

			assert_false(a->hook == b->hook && a->nat == b->nat &&
				     a->priority == b->priority);
		}
	vec_done(&all.c);
	(void)datapath_free(d);
}

/* Refusals, counts and repairs name the part by it. */
static void everything_has_an_owner(void **state _unused_)
{
	static const char *const of_base[] = {"sources4", "cluster6", "cut4", "pod_links"};
	struct datapath *d = datapath_new("a", NULL, NULL);
	struct nft_ops ops = {0};
	size_t n = 0;

	assert_true(table_ops(d->table, 0, &ops));
	vec_foreach (op, &ops.op) {
		const struct nft_set_def *s = op->what == NFT_OP_SET ? op->set : NULL;

		if (s && !s->owner)
			fail_msg("set %s has no owner", s->name);
		if (op->what == NFT_OP_CHAIN && !op->chain->owner)
			fail_msg("chain %s has no owner", op->chain->name);
		for (size_t i = 0; s && i < ARRAY_SIZE(of_base); i++)
			if (streq(s->name, of_base[i])) {
				assert_int_equal(s->owner, NFT_OWNER_BASE);
				n++;
			}
	}
	assert_int_equal(n, ARRAY_SIZE(of_base));
	nft_ops_done(&ops);
	(void)datapath_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_is_told),
		cmocka_unit_test(an_attachment_is_replaced),
		cmocka_unit_test(packets_enter_in_order),
		cmocka_unit_test(everything_has_an_owner),
		cmocka_unit_test(one_base_chain_a_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
