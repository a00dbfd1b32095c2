// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_touched.c - which objects of our table somebody touched, and what becomes of many.
 */
#include "datapath/nft/touched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void add_elems(struct nft_touched *t, const char *set, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		nft_touched_add_elem(t, set, &i, sizeof(i));
}

static void each_stands_once(void **state _unused_)
{
	struct nft_touched t = {0};

	for (int i = 0; i < 2; i++) {
		nft_touched_add(&t, NFT_TOUCH_SET, "a");
		nft_touched_add(&t, NFT_TOUCH_CHAIN, "a");
		nft_touched_add(&t, NFT_TOUCH_CHAIN, "b");
		add_elems(&t, "b", 2);
		nft_touched_add_elem(&t, "b", &(uint8_t){0}, 1); /* another length: another key */
	}
	assert_int_equal(t.touch.n, 6);
	nft_touched_done(&t);
	assert_int_equal(t.touch.n, 0);
}

static void a_set_stands_for_its_elements(void **state _unused_)
{
	uint8_t wide[NFT_KEY_MAX + 1] = {0};
	struct nft_touched t = {0};

	add_elems(&t, "few", 2);
	add_elems(&t, "many", NFT_TOUCHED_MAX);
	assert_false(t.all);
	assert_int_equal(t.touch.n, 3);
	assert_int_equal(t.touch.v[0].kind, NFT_TOUCH_ELEM);
	assert_int_equal(t.touch.v[1].kind, NFT_TOUCH_ELEM);
	assert_int_equal(t.touch.v[2].kind, NFT_TOUCH_SET);
	assert_string_equal(t.touch.v[2].name, "many");
	nft_touched_add_elem(&t, "few", wide, sizeof(wide));
	assert_int_equal(t.touch.n, 2);
	nft_touched_add_elem(&t, "other", NULL, 0);
	assert_int_equal(t.touch.n, 3);
	assert_int_equal(t.touch.v[2].kind, NFT_TOUCH_SET);
	nft_touched_done(&t);
}

static void too_many_are_everything(void **state _unused_)
{
	struct nft_touched t = {0};
	char name[16];

	for (unsigned int i = 0; i <= NFT_TOUCHED_MAX; i++) {
		assert_false(t.all);
		(void)snprintf(name, sizeof(name), "chain-%u", i % 100);
		nft_touched_add(&t, NFT_TOUCH_CHAIN, name);
	}
	assert_true(t.all);
	assert_int_equal(t.touch.n, 0);
	nft_touched_add(&t, NFT_TOUCH_SET, "a");
	add_elems(&t, "b", 1);
	assert_int_equal(t.touch.n, 0);
	nft_touched_done(&t);
	assert_false(t.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_stands_once),
		cmocka_unit_test(a_set_stands_for_its_elements),
		cmocka_unit_test(too_many_are_everything),
	};

	return cmocka_run_group_tests_name("touched", tests, NULL, NULL);
}
