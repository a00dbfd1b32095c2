// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_pending.c - the kernel is read while elements come and go: what is counted as pending is
 * what is then written, and nothing is pending when it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/nft/table.h"
#include "lib/random.h"

#define ADDRESSES 24

static const struct nft_set_def definition = {.name = "s", .key = {NFT_TYPE_IPV4}};

static struct nft_elem element(unsigned int n)
{
	const uint8_t address[4] = {10, 0, 0, (uint8_t)n};
	struct nft_elem e = {0};
	size_t len = 0;

	nft_key_put(e.key, &len, NFT_TYPE_IPV4, address, sizeof(address));
	return e;
}

static void change_wishes(struct nft_table *t, struct nft_set *s, bool *wanted, uint64_t bits)
{
	for (unsigned int n = 0; n < ADDRESSES; n++, bits >>= 1) {
		const struct nft_elem e = element(n);

		if (!(bits & 1))
			continue;
		if (wanted[n])
			table_drop_elem(t, s, &e);
		else
			table_want_elem(t, s, &e);
		wanted[n] = !wanted[n];
	}
}

static void tell_installed(struct nft_table *t, const bool *installed)
{
	table_installed_begin(t);
	table_installed_table(t);
	table_installed_set(t, &definition);
	for (unsigned int n = 0; n < ADDRESSES; n++) {
		const struct nft_elem e = element(n);

		if (installed[n])
			table_installed_elem(t, definition.name, &e);
	}
	table_installed_end(t);
}

/* Write what is pending; the number of operations. */
static size_t write_all(struct nft_table *t)
{
	struct nft_ops ops = {0};
	size_t n;

	assert_true(table_ops(t, 0, &ops));
	n = ops.op.n;
	table_committed(t, &ops);
	nft_ops_done(&ops);
	return n;
}

static void what_is_pending_is_written(void **state _unused_)
{
	uint64_t random = 1;

	for (int round = 0; round < 3000; round++) {
		_cleanup_(table_freep) struct nft_table *t = table_new("t");
		bool wanted[ADDRESSES] = {0}, installed[ADDRESSES] = {0};
		struct nft_set *s = table_want_set(t, &definition);

		for (int step = 0; step < 4; step++) {
			size_t differ = 0;

			change_wishes(t, s, wanted, random_below(&random, UINT64_MAX));
			if (random_below(&random, 2)) {
				(void)write_all(t);
				memcpy(installed, wanted, sizeof(installed));
				change_wishes(t, s, wanted, random_below(&random, UINT64_MAX));
			}
			for (int k = 0; k < 3; k++) /* somebody else */
				installed[random_below(&random, ADDRESSES)] ^= 1;
			tell_installed(t, installed);
			for (int n = 0; n < ADDRESSES; n++)
				differ += wanted[n] != installed[n];
			assert_int_equal(table_pending(t), differ);
			assert_int_equal(write_all(t), differ);
			assert_int_equal(table_pending(t), 0);
			memcpy(installed, wanted, sizeof(installed));
		}
		table_drop_set(t, s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_pending_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
