// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_table_kernel.c - the table's shell against the real nf_tables; needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/nft/apply.h"
#include "kernel_lab.h"
#include "lib/intern.h"

struct shell {
	struct nft_socket *nft;
	struct nft_table *t;
	struct err err;
};

static int set_up(void **state)
{
	struct shell *w = *state = xcalloc(1, sizeof(*w));

	lab_enter_new();
	assert_int_equal(nft_open(&w->nft, &w->err), 0);
	w->t = table_new("manx");
	return 0;
}

static int tear_down(void **state)
{
	struct shell *w = *state;

	(void)table_free(w->t);
	(void)nft_close(w->nft);
	free(w);
	assert_int_equal(intern_count(), 0);
	return 0;
}

static struct nft_elem element(uint8_t n)
{
	const uint8_t address[4] = {10, 0, 0, n};
	struct nft_elem e = {0};
	size_t len = 0;

	nft_key_put(e.key, &len, NFT_TYPE_IPV4, address, sizeof(address));
	return e;
}

static void must_apply(struct shell *w)
{
	if (nft_apply_all(w->nft, w->t, &w->err) != 0)
		fail_msg("%s", w->err.msg);
	assert_int_equal(table_pending(w->t), 0);
}

/* What the kernel fills is its own: a start, and a look at what others touched, leave it alone. */
static void a_set_that_the_kernel_fills(void **state)
{
	struct nft_set_def def = {.name = "dyn", .key = {NFT_TYPE_IPV4}, .dynamic = true};
	struct nft_touched touched = {0};
	struct shell *w = *state;
	struct nft_elem e = element(7);

	(void)table_want_set(w->t, &def);
	must_apply(w);
	lab_run("nft add element inet manx dyn '{ 10.0.0.7 timeout 1h }'");
	assert_int_equal(nft_read(w->nft, w->t, &w->err), 0);
	assert_int_equal(table_pending(w->t), 0);
	nft_touched_add_elem(&touched, "dyn", e.key, 4);
	assert_int_equal(nft_read_touched(w->nft, w->t, &touched, &w->err), 0);
	nft_touched_add(&touched, NFT_TOUCH_SET, "dyn");
	assert_int_equal(nft_read_touched(w->nft, w->t, &touched, &w->err), 0);
	assert_int_equal(table_pending(w->t), 0);
	assert_true(lab_shows("10.0.0.7", "nft list set inet manx dyn"));
	/* One of the same name that the kernel does not fill is of another shape. */
	w->t = table_free(w->t);
	w->t = table_new("manx");
	def.dynamic = false;
	(void)table_want_set(w->t, &def);
	assert_int_equal(nft_read(w->nft, w->t, &w->err), 0);
	must_apply(w);
	assert_false(lab_shows("dynamic", "nft list set inet manx dyn"));
}

static void not_without_root(void **state _unused_)
{
	skip();
}

int main(void)
{
	const struct CMUnitTest none[] = {cmocka_unit_test(not_without_root)};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_set_that_the_kernel_fills, set_up, tear_down),
	};

	return lab_is_root() ? cmocka_run_group_tests(tests, NULL, NULL)
			     : cmocka_run_group_tests(none, NULL, NULL);
}
