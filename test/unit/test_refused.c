// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_refused.c - an element that the kernel refuses is left out, and what is urgent comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "datapath/nft/rules.h"
#include "datapath/nft/table.h"
#include "lib/intern.h"

#define MAX_OPS 10

static struct nft_elem element(uint16_t n)
{
	const uint8_t address[4] = {10, 0, (uint8_t)(n >> 8), (uint8_t)n};
	struct nft_elem e = {0};
	size_t len = 0;

	nft_key_put(e.key, &len, NFT_TYPE_IPV4, address, sizeof(address));
	return e;
}

static struct nft_set *want_set(struct nft_table *t, const char *name, bool urgent)
{
	return table_want_set(
		t, &(struct nft_set_def){.name = name, .key = {NFT_TYPE_IPV4}, .urgent = urgent});
}

static void want(struct nft_table *t, struct nft_set *s, uint16_t n)
{
	const struct nft_elem e = element(n);

	table_want_elem(t, s, &e);
}

static void drop(struct nft_table *t, struct nft_set *s, uint16_t n)
{
	const struct nft_elem e = element(n);

	table_drop_elem(t, s, &e);
}

/* The kernel takes the next transaction; gives the number of its operations. */
static size_t commit(struct nft_table *t)
{
	struct nft_ops ops = {0};
	size_t n;

	(void)table_ops(t, MAX_OPS, &ops);
	table_committed(t, &ops);
	n = ops.op.n;
	nft_ops_done(&ops);
	return n;
}

static void settle(struct nft_table *t)
{
	while (commit(t))
		;
}

/* The kernel refuses an element of what is next. */
static bool refuse(struct nft_table *t, uint16_t n)
{
	const struct nft_elem e = element(n);
	struct nft_ops ops = {0};
	bool done = false;

	(void)table_ops(t, MAX_OPS, &ops);
	vec_foreach (op, &ops.op)
		if (op->what == NFT_OP_ELEM && memcmp(op->elem.key, e.key, sizeof(e.key)) == 0)
			done = table_refuse(t, op, "not this one");
	nft_ops_done(&ops);
	return done;
}

static void expect(const struct nft_table *t, const struct nft_set *s, uint16_t n,
		   enum nft_settled expected)
{
	const struct nft_elem e = element(n);
	const char *problem = NULL;

	assert_int_equal(table_settled(t, s, &e, &problem), expected);
	if (expected == NFT_KEY_REFUSED)
		assert_string_equal(problem, "not this one");
	else
		assert_null(problem);
}

static void one_is_left_out_and_the_others_go_on(void **state _unused_)
{
	struct nft_table *t = table_new("t");
	struct nft_set *s = want_set(t, "s", false);

	settle(t);
	for (uint16_t n = 1; n <= 3; n++)
		want(t, s, n);
	expect(t, s, 2, NFT_IN_PROGRESS);
	assert_true(refuse(t, 2));
	expect(t, s, 2, NFT_KEY_REFUSED);
	expect(t, s, 1, NFT_IN_PROGRESS);
	assert_int_equal(table_pending(t), 2);
	assert_int_equal(commit(t), 2);
	expect(t, s, 1, NFT_IN_FORCE);
	expect(t, s, 2, NFT_KEY_REFUSED);
	assert_int_equal(commit(t), 0);
	assert_int_equal(table_refused(t), 1);

	table_retry(t);
	expect(t, s, 2, NFT_IN_PROGRESS);
	assert_int_equal(table_refused(t), 0);
	assert_int_equal(commit(t), 1);
	expect(t, s, 2, NFT_IN_FORCE);
	(void)table_free(t);
	assert_int_equal(intern_count(), 0);
}

/* Wanted otherwise, read again, gone with its set: it is not refused any more. */
static void a_refusal_ends(void **state _unused_)
{
	struct nft_table *t = table_new("t");
	struct nft_set *s = want_set(t, "s", false);

	settle(t);
	want(t, s, 1);
	assert_true(refuse(t, 1));
	drop(t, s, 1);
	assert_int_equal(table_refused(t), 0);
	assert_int_equal(commit(t), 0);
	want(t, s, 1);
	settle(t);
	drop(t, s, 1);
	assert_true(refuse(t, 1)); /* it cannot be deleted */
	want(t, s, 1);
	expect(t, s, 1, NFT_IN_FORCE);
	want(t, s, 2);
	assert_true(refuse(t, 2));
	table_reread_set_begin(t, "s");
	table_installed_set(t, &(struct nft_set_def){.name = "s", .key = {NFT_TYPE_IPV4}});
	table_reread_set_end(t, "s");
	assert_int_equal(table_refused(t), 0);
	assert_int_equal(table_pending(t), 2);
	assert_true(refuse(t, 2));
	table_drop_set(t, s);
	assert_int_equal(table_refused(t), 0);
	settle(t);
	assert_int_equal(table_pending(t), 0);
	(void)table_free(t);
	assert_int_equal(intern_count(), 0);
}

/* With the table's end as with a set's. */
static void a_table_that_goes_with_refusals(void **state _unused_)
{
	struct nft_table *t = table_new("t");
	struct nft_set *s = want_set(t, "s", false);

	settle(t);
	want(t, s, 1);
	assert_true(refuse(t, 1));
	(void)table_free(t);
	assert_int_equal(intern_count(), 0);
}

/* What is no element, or too much, is no matter of keys. */
static void what_is_not_left_out(void **state _unused_)
{
	struct nft_table *t = table_new("t");
	struct nft_set *s = want_set(t, "s", false);
	struct nft_ops ops = {0};
	size_t left_out = 0;

	(void)table_ops(t, 0, &ops);
	vec_foreach (op, &ops.op)
		assert_false(table_refuse(t, op, "not this one"));
	table_committed(t, &ops);
	nft_ops_done(&ops);
	for (uint16_t n = 0; n < 300; n++)
		want(t, s, n);
	(void)table_ops(t, 0, &ops);
	vec_foreach (op, &ops.op)
		left_out += table_refuse(t, op, "not this one");
	nft_ops_done(&ops);
	assert_in_range(left_out, 1, 299);
	assert_int_equal(table_pending(t), 300 - left_out);
	(void)table_free(t);
	assert_int_equal(intern_count(), 0);
}

static void want_verdict(struct nft_table *t, struct nft_set *map, uint16_t n, const char *chain)
{
	struct nft_elem e = element(n);

	e.verdict = (struct nft_verdict){NFT_V_JUMP, chain};
	table_want_elem(t, map, &e);
}

static void want_chain(struct nft_table *t, const char *name)
{
	struct rules rs = {0};

	rule_verdict(rules_add(&rs), NFT_V_DROP, NULL);
	(void)table_want_chain(
		t, &(struct nft_chain_def){.name = name, .n_rules = rs.r.n, .rules = rs.r.v});
	rules_done(&rs);
}

/*
 * While a large set is loaded, what an ADD waits for goes at once and by itself, but no packet is
 * sent to a program that is not complete.
 */
static void what_is_urgent_comes_first(void **state _unused_)
{
	const char *there = intern("there"), *fresh = intern("fresh");
	struct nft_table *t = table_new("t");
	struct nft_set *large = want_set(t, "large", false),
		       *sources = want_set(t, "sources", true);
	struct nft_set *map = table_want_set(t, &(struct nft_set_def){.name = "map",
								      .key = {NFT_TYPE_IPV4},
								      .data = {NFT_TYPE_VERDICT},
								      .urgent = true});

	want_chain(t, "there");
	settle(t);
	for (uint16_t n = 0; n < 5 * MAX_OPS; n++)
		want(t, large, n);
	assert_int_equal(commit(t), MAX_OPS);
	want(t, sources, 1);
	want_chain(t, "fresh");
	want_verdict(t, map, 1, there);
	want_verdict(t, map, 2, fresh);
	assert_int_equal(commit(t), 2);
	expect(t, sources, 1, NFT_IN_FORCE);
	expect(t, map, 1, NFT_IN_FORCE);
	expect(t, map, 2, NFT_IN_PROGRESS);
	assert_int_equal(commit(t), MAX_OPS);
	settle(t);
	expect(t, map, 2, NFT_IN_FORCE);
	assert_int_equal(table_pending(t), 0);
	(void)table_free(t);
	intern_put(there);
	intern_put(fresh);
	assert_int_equal(intern_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_left_out_and_the_others_go_on),
		cmocka_unit_test(a_refusal_ends),
		cmocka_unit_test(a_table_that_goes_with_refusals),
		cmocka_unit_test(what_is_not_left_out),
		cmocka_unit_test(what_is_urgent_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
