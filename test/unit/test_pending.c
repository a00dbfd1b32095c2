// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_pending.c - the kernel is read, all of it, a set or an element, while elements come and go:
 * what is counted as pending is what is then written, and nothing is pending when it is.
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

static void tell_set(struct nft_table *t, const bool *installed)
{
	table_installed_set(t, &definition);
	for (unsigned int n = 0; n < ADDRESSES; n++) {
		const struct nft_elem e = element(n);

		if (installed[n])
			table_installed_elem(t, definition.name, &e);
	}
}

#define CHANGES 3 /* of somebody else, at a time */

/* Somebody else adds or deletes some elements, and we read them: the table, the set, or them. */
static void others_change(struct nft_table *t, bool *installed, uint64_t *random, bool whole)
{
	uint64_t how = whole ? 0 : random_below(random, 3);

	for (int k = 0; k < CHANGES; k++) {
		unsigned int n = (unsigned int)random_below(random, ADDRESSES);
		const struct nft_elem e = element(n);

		installed[n] = !installed[n];
		if (how == 2)
			assert_true(table_reread_elem(t, definition.name, &e,
						      installed[n] ? &e : NULL));
	}
	if (how == 0) {
		table_installed_begin(t);
		table_installed_table(t);
		tell_set(t, installed);
		table_installed_end(t);
	} else if (how == 1) {
		table_reread_set_begin(t, definition.name);
		tell_set(t, installed);
		table_reread_set_end(t, definition.name);
	}
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
			others_change(t, installed, &random, step == 0);
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
