// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_blocks.c - blocks and their exceptions as disjoint ranges, whatever lies where in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/base/blocks.h"
#include "lib/buf.h"

/* @blocks: CIDRs divided by blanks; "-" before one: the block before it is without that */
static void expect(const char *blocks, const char *ranges)
{
	_cleanup_(ranges_done) struct ranges r = {0};
	_cleanup_(buf_done) struct buf text = {0};
	_cleanup_(freep) char *copy = xstrdup(blocks);
	char first[ADDR_STR_MAX], last[ADDR_STR_MAX];
	struct prefix block = {0}, except[8];
	size_t n_except = 0;
	char *rest = NULL;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (*word == '-') {
			assert_true(prefix_parse(word + 1, &except[n_except++]) >= 0);
			continue;
		}
		if (block.addr.family)
			ranges_add(&r, &block, except, n_except);
		n_except = 0;
		assert_true(prefix_parse(word, &block) >= 0);
	}
	ranges_add(&r, &block, except, n_except);
	ranges_normalise(&r);
	buf_puts(&text, "");
	vec_foreach (x, &r.r)
		buf_printf(&text, "%s%s-%s", x == r.r.v ? "" : " ", addr_str(&x->first, first),
			   addr_str(&x->last, last));
	assert_string_equal(text.data, ranges);
}

/* Ranges that overlap, in whatever order, the kernel refuses with EEXIST. */
static void what_overlaps_is_joined(void **state _unused_)
{
	expect("10.0.0.0/32 10.0.0.0/24", "10.0.0.0-10.0.0.255");
	expect("10.0.0.0/24 10.0.0.0/32", "10.0.0.0-10.0.0.255");
	expect("10.0.0.255/32 10.0.0.0/24", "10.0.0.0-10.0.0.255");
	expect("10.0.0.7/32 10.0.0.0/24", "10.0.0.0-10.0.0.255");
	expect("10.0.0.0/24 10.0.0.0/24", "10.0.0.0-10.0.0.255");
	expect("10.0.0.0/25 10.0.0.0/24 10.0.0.0/26", "10.0.0.0-10.0.0.255");
	expect("fd00::/128 fd00::/64", "fd00::-fd00::ffff:ffff:ffff:ffff");
	expect("0.0.0.0/32 0.0.0.0/0", "0.0.0.0-255.255.255.255");
	expect("255.255.255.255/32 0.0.0.0/0", "0.0.0.0-255.255.255.255");
}

static void what_touches_is_joined(void **state _unused_)
{
	expect("10.0.0.0/24 10.0.1.0/24", "10.0.0.0-10.0.1.255");
	expect("10.0.1.0/32 10.0.0.0/24", "10.0.0.0-10.0.1.0");
	expect("10.0.1.1/32 10.0.0.0/24", "10.0.0.0-10.0.0.255 10.0.1.1-10.0.1.1");
	expect("255.255.255.255/32 ::/128", "255.255.255.255-255.255.255.255 ::-::");
}

static void exceptions_are_holes(void **state _unused_)
{
	expect("10.0.0.0/24 -10.0.0.0/32", "10.0.0.1-10.0.0.255");
	expect("10.0.0.0/24 -10.0.0.255/32", "10.0.0.0-10.0.0.254");
	expect("10.0.0.0/24 -10.0.0.4/30 -10.0.0.8/32", "10.0.0.0-10.0.0.3 10.0.0.9-10.0.0.255");
	expect("10.0.0.0/24 -10.0.0.4/32 -10.0.0.4/30", "10.0.0.0-10.0.0.3 10.0.0.8-10.0.0.255");
	expect("10.0.0.0/24 -10.0.0.0/24", "");
	expect("10.0.0.0/24 -192.0.2.0/24", "10.0.0.0-10.0.0.255");
	expect("0.0.0.0/0 -255.255.255.255/32 -0.0.0.0/32", "0.0.0.1-255.255.255.254");
	expect("10.0.0.0/24 -10.0.0.0/32 10.0.0.0/32", "10.0.0.0-10.0.0.255");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_overlaps_is_joined),
		cmocka_unit_test(what_touches_is_joined),
		cmocka_unit_test(exceptions_are_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
