// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_ipam.c - allocation, cool-down, ranges that come and go; and random use against a model.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "ipam/ipam.h"

#define SECOND USEC_PER_SEC

static struct prefix prefix(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse(s, &p) >= 0);
	return p;
}

static struct ipam *pool(const char *a, const char *b)
{
	struct prefix p[2] = {prefix(a), b ? prefix(b) : prefix(a)};
	struct ipam *pool = ipam_new(30 * SECOND);

	assert_int_equal(ipam_set_ranges(pool, p, b ? 2 : 1, NULL), 0);
	return pool;
}

static void expect(struct ipam *p, uint8_t family, uint64_t now, const char *address)
{
	char text[ADDR_STR_MAX];
	struct addr a;

	assert_int_equal(ipam_alloc(p, family, NULL, now, &a), IPAM_OK);
	assert_string_equal(addr_str(&a, text), address);
}

static void addresses_in_order(void **state _unused_)
{
	struct ipam *p = pool("10.0.0.0/30", "fd00::/64");
	struct addr a;

	expect(p, AF_INET, 0, "10.0.0.1");
	expect(p, AF_INET, 0, "10.0.0.2");
	assert_int_equal(ipam_alloc(p, AF_INET, NULL, 0, &a), IPAM_FULL);
	expect(p, AF_INET6, 0, "fd00::1");
	expect(p, AF_INET6, 0, "fd00::2");
	(void)ipam_free(p);
}

static void small_blocks_are_used_whole(void **state _unused_)
{
	struct ipam *p = pool("10.0.0.0/31", "10.0.1.7/32");

	expect(p, AF_INET, 0, "10.0.0.0");
	expect(p, AF_INET, 0, "10.0.0.1");
	expect(p, AF_INET, 0, "10.0.1.7");
	(void)ipam_free(p);
}

static void freed_addresses_rest(void **state _unused_)
{
	struct ipam *p = pool("10.0.0.0/30", NULL);
	_cleanup_(buf_done) struct buf text = {0};
	struct addr one, two, a;

	assert_int_equal(ipam_alloc(p, AF_INET, NULL, 0, &one), IPAM_OK);
	assert_int_equal(ipam_alloc(p, AF_INET, NULL, 0, &two), IPAM_OK);
	assert_true(ipam_release(p, &two, 1 * SECOND));
	assert_true(ipam_release(p, &one, 2 * SECOND));
	assert_false(ipam_release(p, &one, 2 * SECOND));
	assert_int_equal(ipam_alloc(p, AF_INET, NULL, 30 * SECOND, &a), IPAM_FULL);
	ipam_describe(p, AF_INET, &text);
	assert_string_equal(text.data, "10.0.0.0/30: 0 of 2 in use, 2 cooling down");
	expect(p, AF_INET, 31 * SECOND, "10.0.0.2"); /* freed first */
	assert_int_equal(ipam_alloc(p, AF_INET, NULL, 31 * SECOND, &a), IPAM_FULL);
	expect(p, AF_INET, 32 * SECOND, "10.0.0.1");
	(void)ipam_free(p);
}

static void a_certain_address(void **state _unused_)
{
	struct ipam *p = pool("10.0.0.0/29", NULL);
	struct addr want, a;

	assert_int_equal(addr_parse("10.0.0.1", &want), 0);
	assert_int_equal(ipam_alloc(p, AF_INET, &want, 0, &a), IPAM_OK);
	assert_int_equal(ipam_alloc(p, AF_INET, &want, 0, &a), IPAM_TAKEN);
	expect(p, AF_INET, 0, "10.0.0.2");
	assert_int_equal(addr_parse("10.9.0.1", &want), 0);
	assert_int_equal(ipam_alloc(p, AF_INET, &want, 0, &a), IPAM_OUTSIDE);
	assert_int_equal(ipam_alloc(p, AF_INET6, NULL, 0, &a), IPAM_NO_RANGE);
	(void)ipam_free(p);
}

static void ranges_come_and_go(void **state _unused_)
{
	struct prefix both[] = {prefix("10.0.0.0/30"), prefix("10.0.1.0/30")};
	struct prefix bad[] = {prefix("10.0.0.0/24"), prefix("10.0.0.128/25")};
	struct ipam *p = pool("10.0.0.0/30", NULL);
	struct ipam_use use[IPAM_RANGES_MAX];
	struct err e = {0};
	struct addr a;

	assert_int_equal(ipam_alloc(p, AF_INET, NULL, 0, &a), IPAM_OK);
	assert_int_equal(ipam_set_ranges(p, bad, 2, &e), -EINVAL);
	assert_string_equal(e.msg, "ranges 10.0.0.0/24 and 10.0.0.128/25 overlap");
	assert_int_equal(ipam_set_ranges(p, both, 2, NULL), 0);
	expect(p, AF_INET, 0, "10.0.0.2");
	expect(p, AF_INET, 0, "10.0.1.1");
	assert_int_equal(ipam_set_ranges(p, &both[1], 1, NULL), 0);
	assert_int_equal(ipam_uses(p, use, IPAM_RANGES_MAX), 2);
	assert_true(use[1].retired);
	assert_int_equal(use[1].used, 2);
	assert_true(ipam_release(p, &a, 0));
	expect(p, AF_INET, 60 * SECOND, "10.0.1.2"); /* nothing out of the retired range */
	assert_int_equal(ipam_alloc(p, AF_INET, NULL, 60 * SECOND, &a), IPAM_FULL);
	(void)ipam_free(p);
}

/* No address twice, none before its time: 100,000 steps on a small range. */
static void random_use(void **state _unused_)
{
	enum { SIZE = 62 };
	uint64_t freed[SIZE + 2] = {0}, now = 100 * SECOND;
	bool used[SIZE + 2] = {0};
	struct ipam *p = pool("10.0.0.0/26", NULL);
	unsigned int seed = 7;

	for (int step = 0; step < 100000; step++) {
		int i = rand_r(&seed) % SIZE + 1;
		struct addr a = {.family = AF_INET, .b = {10, 0, 0, (uint8_t)i}};

		now += (uint64_t)rand_r(&seed) % SECOND;
		if (rand_r(&seed) % 2) {
			assert_int_equal(ipam_release(p, &a, now), used[i]);
			if (used[i])
				freed[i] = now;
			used[i] = false;
		} else if (ipam_alloc(p, AF_INET, NULL, now, &a) == IPAM_OK) {
			i = a.b[3];
			assert_in_range(i, 1, SIZE);
			assert_false(used[i]);
			assert_true(!freed[i] || now - freed[i] >= 30 * SECOND);
			used[i] = true;
		} else {
			for (i = 1; i <= SIZE; i++)
				assert_true(used[i] || (freed[i] && now - freed[i] < 30 * SECOND));
		}
	}
	(void)ipam_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_in_order),	cmocka_unit_test(small_blocks_are_used_whole),
		cmocka_unit_test(freed_addresses_rest), cmocka_unit_test(a_certain_address),
		cmocka_unit_test(ranges_come_and_go),	cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
