// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_steps.c - a change in steps: what no packet reaches yet, what packets meet, what no packet
 * reaches any more; and nothing of one step in another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "datapath/nft/rules.h"
#include "datapath/nft/table.h"
#include "lib/intern.h"

#define MAX_OPS 1000 /* more than there are: nothing is split off */

static struct nft_set *want_set(struct nft_table *t, const char *name, bool verdicts)
{
	return table_want_set(
		t, &(struct nft_set_def){.name = name,
					 .key = {NFT_TYPE_IPV4},
					 .data = {verdicts ? NFT_TYPE_VERDICT : NFT_TYPE_NONE}});
}

/* @chain: for verdict maps, else NULL */
static struct nft_elem element(uint8_t n, const char *chain)
{
	const uint8_t address[4] = {10, 0, 0, n};
	struct nft_elem e = {0};
	size_t len = 0;

	nft_key_put(e.key, &len, NFT_TYPE_IPV4, address, sizeof(address));
	if (chain)
		e.verdict = (struct nft_verdict){NFT_V_JUMP, chain};
	return e;
}

/* A chain that looks @set up; NULL: it drops all. */
static struct nft_chain *want_chain(struct nft_table *t, const char *name, enum nft_hook hook,
				    const char *set)
{
	struct rules rs = {0};
	struct nft_rule *r = rules_add(&rs);
	struct nft_chain *c;

	if (set)
		rule_lookup(r, set, false, NFT_IP_SADDR, 0);
	rule_verdict(r, NFT_V_DROP, NULL);
	c = table_want_chain(
		t, &(struct nft_chain_def){
			   .name = name, .hook = hook, .n_rules = rs.r.n, .rules = rs.r.v});
	rules_done(&rs);
	return c;
}

static void put_op(const struct nft_op *op, struct buf *out)
{
	static const char *const what[] = {"table", "set", "chain", "rules", "elem"};
	bool of_set = op->what == NFT_OP_SET || op->what == NFT_OP_ELEM;

	_Static_assert(ARRAY_SIZE(what) == _NFT_OP_MAX, "a word for everything");
	buf_printf(out, "%s %s", op->verb == NFT_ADD ? "add" : "del", what[op->what]);
	if (op->what != NFT_OP_TABLE)
		buf_printf(out, " %s", of_set ? op->set->name : op->chain->name);
	if (op->what == NFT_OP_ELEM)
		buf_printf(out, " %u", op->elem.key[3]);
	buf_puts(out, "\n");
}

/* The next step, which the kernel takes. */
static void expect(struct nft_table *t, bool last, const char *step)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct nft_ops ops = {0};

	assert_int_equal(table_ops(t, MAX_OPS, &ops), last);
	vec_foreach (op, &ops.op)
		put_op(op, &text);
	buf_puts(&text, "");
	table_committed(t, &ops);
	nft_ops_done(&ops);
	assert_string_equal(text.data, step);
}

static void settle(struct nft_table *t)
{
	while (table_pending(t)) {
		struct nft_ops ops = {0};

		(void)table_ops(t, MAX_OPS, &ops);
		table_committed(t, &ops);
		nft_ops_done(&ops);
	}
}

/* struct world - what is installed at first; @o goes, the others change */
struct world {
	struct nft_table *t;
	struct nft_set *plain, *old_set, *map;
	struct nft_chain *old;
	const char *used, *fresh;
};

static void setup(struct world *w)
{
	struct nft_elem e = element(1, NULL);

	*w = (struct world){.t = table_new("t"), .used = intern("used"), .fresh = intern("fresh")};
	w->plain = want_set(w->t, "plain", false);
	w->old_set = want_set(w->t, "old_set", false);
	w->map = want_set(w->t, "map", true);
	table_want_elem(w->t, w->plain, &e);
	(void)want_chain(w->t, "used", NFT_HOOK_NONE, "plain");
	w->old = want_chain(w->t, "old", NFT_HOOK_NONE, "old_set");
	(void)want_chain(w->t, "hook", NFT_HOOK_FORWARD, "plain");
	e = element(1, w->used);
	table_want_elem(w->t, w->map, &e);
	settle(w->t);
}

static void teardown(struct world *w)
{
	(void)table_free(w->t);
	intern_put(w->used);
	intern_put(w->fresh);
	assert_int_equal(intern_count(), 0);
}

static void new_first_then_the_switch_then_the_old(void **state _unused_)
{
	struct nft_elem e;
	struct world w;

	setup(&w);
	e = element(2, NULL);
	table_want_elem(w.t, w.plain, &e); /* packets meet this one */
	table_want_elem(w.t, want_set(w.t, "fresh_set", false), &e);
	e = element(3, w.fresh);
	table_want_elem(w.t, want_set(w.t, "fresh_map", true), &e);
	table_want_elem(w.t, w.map, &e);
	(void)want_chain(w.t, "fresh", NFT_HOOK_NONE, "fresh_set");
	(void)want_chain(w.t, "fresh_hook", NFT_HOOK_INPUT, "fresh_set");
	(void)want_chain(w.t, "used", NFT_HOOK_NONE, NULL); /* others rules than before */
	(void)want_chain(w.t, "hook", NFT_HOOK_FORWARD, NULL);
	table_drop_chain(w.t, w.old);
	table_drop_set(w.t, w.old_set);

	expect(w.t, false,
	       "add set fresh_set\nadd set fresh_map\nadd chain fresh\nadd elem fresh_set 2\n"
	       "add rules fresh\nadd elem fresh_map 3\n");
	expect(w.t, false,
	       "add chain fresh_hook\nadd elem plain 2\nadd rules fresh_hook\ndel rules used\n"
	       "add rules used\ndel rules hook\nadd rules hook\nadd elem map 3\n");
	expect(w.t, true, "del rules old\ndel set old_set\ndel chain old\n");
	assert_int_equal(table_pending(w.t), 0);
	teardown(&w);
}

/* Somebody else flushed a program that packets jump to: nothing but its rules is missing. */
static void an_emptied_program_is_written_first(void **state _unused_)
{
	struct nft_elem e;
	struct world w;

	setup(&w);
	table_reread_chain_begin(w.t, "used");
	table_installed_chain(w.t, &(struct nft_chain_def){.name = "used"});
	table_reread_chain_end(w.t, "used");
	e = element(2, w.used);
	table_want_elem(w.t, w.map, &e);
	expect(w.t, false, "add rules used\n");
	expect(w.t, true, "add elem map 2\n");
	assert_int_equal(table_pending(w.t), 0);
	teardown(&w);
}

/* And a hook that is empty is one that packets pass: it is not written before the rest is there. */
static void an_emptied_hook_waits_for_the_switch(void **state _unused_)
{
	struct world w;

	setup(&w);
	table_reread_chain_begin(w.t, "hook");
	table_installed_chain(w.t,
			      &(struct nft_chain_def){.name = "hook", .hook = NFT_HOOK_FORWARD});
	table_reread_chain_end(w.t, "hook");
	(void)want_chain(w.t, "fresh", NFT_HOOK_NONE, NULL);
	expect(w.t, false, "add chain fresh\nadd rules fresh\n");
	expect(w.t, true, "add rules hook\n");
	teardown(&w);
}

/* What was wanted for a moment only is never made; and what is new alone is one step. */
static void wanted_for_a_moment(void **state _unused_)
{
	struct nft_elem e = element(9, NULL);
	struct world w;

	setup(&w);
	table_want_elem(w.t, want_set(w.t, "fresh_set", false), &e);
	table_drop_chain(w.t, want_chain(w.t, "moment", NFT_HOOK_NONE, NULL));
	table_drop_set(w.t, want_set(w.t, "moment_set", false));
	(void)want_chain(w.t, "fresh", NFT_HOOK_NONE, NULL);
	expect(w.t, true,
	       "add set fresh_set\nadd chain fresh\nadd elem fresh_set 9\nadd rules fresh\n");
	assert_int_equal(table_pending(w.t), 0);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_first_then_the_switch_then_the_old),
		cmocka_unit_test(an_emptied_program_is_written_first),
		cmocka_unit_test(an_emptied_hook_waits_for_the_switch),
		cmocka_unit_test(wanted_for_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
