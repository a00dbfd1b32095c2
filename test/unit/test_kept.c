// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kept.c - what stays in force while no policy is known, for every address and direction.  The
 * same with the real nf_tables: test_kept_kernel.c.
 *
 * What is committed to a table and not wanted any more is what an earlier process left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/base/podrows.h"
#include "datapath/policy/kept.h"
#include "datapath/policy/program.h"
#include "lib/intern.h"

#define ADDRS  2
#define CLOSED "in_0123456789abcdef"

struct world {
	struct nft_table *t;
	struct verdicts v;
	struct endpoints all;
	struct endpoint ep;
	struct attachment at;
	struct kept kept;
	struct nft_chain *program, *forward;
};

static void commit(struct world *w)
{
	struct nft_ops ops = {0};

	while (table_pending(w->t)) {
		assert_true(table_ops(w->t, 0, &ops));
		table_committed(w->t, &ops);
		nft_ops_done(&ops);
	}
}

/* Isolated for @d, open the other way, and the kernel knows. */
static void install(struct world *w, enum direction d)
{
	verdicts_put(&w->v, &w->ep, d, CLOSED);
	verdicts_put(&w->v, &w->ep, d == INGRESS ? EGRESS : INGRESS, NULL);
	commit(w);
}

static int set_up(void **state)
{
	static char ns[] = "shop", pod[] = "web", key[] = "web/eth0";
	struct world *w = xcalloc(1, sizeof(*w));

	w->t = table_new("t");
	verdicts_init(&w->v, w->t);
	w->program = program_want_closed(w->t, CLOSED);
	w->forward = program_want_closed(w->t, base_chain_name(BASE_FORWARD));
	w->at = (struct attachment){.ns = ns,
				    .pod = pod,
				    .n_addrs = ADDRS,
				    .addrs = {{AF_INET, {10, 0, 0, 1}}, {AF_INET6, {0xfd, 1}}}};
	w->ep = (struct endpoint){.key = key, .at = &w->at};
	HASH_ADD_KEYPTR(hh, w->all.all, w->ep.key, strlen(w->ep.key), &w->ep);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	kept_end(&w->kept, &w->v, &w->all);
	verdicts_clear(&w->v, &w->ep);
	HASH_DEL(w->all.all, &w->ep);
	(void)table_free(w->t);
	free(w);
	return intern_count() ? -1 : 0;
}

static const char *row(const struct world *w, enum direction d, uint32_t i)
{
	const struct verdict_row *r = &w->ep.row[d][i];

	return !r->wanted ? "none" : r->chain ? r->chain : "open";
}

static const char *installed(enum direction isolated, enum direction d)
{
	return d == isolated ? CLOSED : "open";
}

static struct nft_set *set_of(const struct world *w, enum direction isolated, enum direction d,
			      uint32_t i)
{
	return d == isolated ? w->v.map[d][i] : w->v.open[d][i];
}

static void lose_elem(struct world *w, const struct nft_set *s, uint32_t i)
{
	struct nft_elem e;

	addr_elem(&w->at.addrs[i], &e);
	assert_true(table_reread_elem(w->t, set_name(s), &e, NULL));
}

static void lose_set(struct world *w, const struct nft_set *s)
{
	table_reread_set_begin(w->t, set_name(s));
	table_reread_set_end(w->t, set_name(s));
}

static void restart(struct world *w)
{
	kept_begin(&w->kept, &w->v, &w->all);
	assert_true(w->kept.on);
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t i = 0; i < ADDRS; i++)
			assert_string_equal(row(w, (enum direction)d, i), "none");
}

static void what_the_kernel_has_stays(void **state)
{
	struct world *w = *state;

	for (int isolated = 0; isolated < _DIRECTION_MAX; isolated++) {
		install(w, (enum direction)isolated);
		restart(w);
		kept_take(&w->kept, &w->v, &w->all);
		for (int d = 0; d < _DIRECTION_MAX; d++)
			for (uint32_t i = 0; i < ADDRS; i++)
				assert_string_equal(
					row(w, (enum direction)d, i),
					installed((enum direction)isolated, (enum direction)d));
		commit(w);
	}
}

/* One verdict, or one record that there is none. */
static void lose(struct world *w, enum direction isolated, enum direction lost, uint32_t i)
{
	install(w, isolated);
	restart(w);
	lose_elem(w, set_of(w, isolated, lost, i), i);
	kept_take(&w->kept, &w->v, &w->all);
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t k = 0; k < ADDRS; k++)
			assert_string_equal(row(w, (enum direction)d, k),
					    d == (int)lost && k == i
						    ? UNKNOWN_POD
						    : installed(isolated, (enum direction)d));
}

static void what_is_lost_is_isolated(void **state)
{
	for (int isolated = 0; isolated < _DIRECTION_MAX; isolated++)
		for (int lost = 0; lost < _DIRECTION_MAX; lost++)
			for (uint32_t i = 0; i < ADDRS; i++)
				lose(*state, (enum direction)isolated, (enum direction)lost, i);
}

/* A table of a version without the record: what is in no map was open, if all else is there. */
static void a_table_without_the_record(void **state)
{
	struct world *w = *state;

	for (int lost = 0; lost < 3; lost++) {
		install(w, INGRESS);
		restart(w);
		for (uint32_t i = 0; i < ADDRS; i++) {
			lose_set(w, w->v.open[EGRESS][i]);
			if (lost == 1)
				lose_set(w, w->v.map[EGRESS][i]);
		}
		if (lost == 2)
			table_drop_chain(w->t, TAKE(w->forward, NULL));
		kept_take(&w->kept, &w->v, &w->all);
		for (uint32_t i = 0; i < ADDRS; i++) {
			assert_string_equal(row(w, INGRESS, i), CLOSED);
			assert_string_equal(row(w, EGRESS, i), lost ? UNKNOWN_POD : "open");
		}
		commit(w);
	}
}

static void isolated_when_nothing_can_be_kept(void **state)
{
	struct world *w = *state;

	restart(w);
	kept_isolate(&w->v, &w->all);
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t i = 0; i < ADDRS; i++)
			assert_string_equal(row(w, (enum direction)d, i), UNKNOWN_POD);
}

/* A program that is not whole is closed until the policies are known, or the table is read again.
 */
static void a_program_that_is_damaged(void **state)
{
	struct world *w = *state;

	install(w, INGRESS);
	table_drop_chain(w->t, w->program);
	for (int i = 0; i < 2; i++) {
		restart(w);
		assert_int_equal(w->kept.closed.n, 0);
		table_reread_chain_begin(w->t, CLOSED);
		table_installed_chain(w->t, &(struct nft_chain_def){.name = CLOSED});
		table_installed_rule(w->t, CLOSED, 0);
		table_reread_chain_end(w->t, CLOSED);
		kept_take(&w->kept, &w->v, &w->all);
		assert_int_equal(w->kept.closed.n, 1);
		assert_non_null(table_chain_def(w->t, CLOSED));
	}
	kept_end(&w->kept, &w->v, &w->all);
	assert_int_equal(w->kept.closed.n, 0);
	assert_null(table_chain_def(w->t, CLOSED));
	assert_false(w->kept.on);
	assert_ptr_equal(endpoints_take_dirty(&w->all), &w->ep);
	assert_null(endpoints_take_dirty(&w->all));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_kernel_has_stays),  TEST(what_is_lost_is_isolated),
		TEST(a_table_without_the_record), TEST(isolated_when_nothing_can_be_kept),
		TEST(a_program_that_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
