// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_ipam.c - ranges, allocation and cool-down; random steps against a model that walks every
 * address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "ipam/ipam_internal.h"

#define SECONDS(n) ((n)*USEC_PER_SEC)

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix net(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void set_ranges(struct ipam *p, size_t n, const char *const *texts)
{
	struct prefix ranges[IPAM_RANGES_MAX];

	for (size_t i = 0; i < n; i++)
		ranges[i] = net(texts[i]);
	assert_int_equal(ipam_set_ranges(p, ranges, n, NULL), 0);
}

#define RANGES(p, ...)                                     \
	do {                                               \
		const char *const texts[] = {__VA_ARGS__}; \
		set_ranges(p, ARRAY_SIZE(texts), texts);   \
	} while (0)

static struct ipam *pool_of(const char *range)
{
	struct ipam *p = ipam_new(SECONDS(30));

	RANGES(p, range);
	return p;
}

static const char *alloc(struct ipam *p, uint8_t family, uint64_t now)
{
	static char text[ADDR_STR_MAX];
	struct addr a = {0};
	enum ipam_outcome r = ipam_alloc(p, family, NULL, 0, now, &a);

	if (r == IPAM_OK)
		return addr_str(&a, text);
	assert_true(addr_eq(&a, &(struct addr){0}));
	return r == IPAM_FULL ? "full" : r == IPAM_NO_RANGE ? "no range" : "?";
}

static enum ipam_outcome want(struct ipam *p, const char *text, uint64_t now)
{
	struct addr a = ip(text), got = {0};
	enum ipam_outcome r = ipam_alloc(p, a.family, &a, 0, now, &got);

	if (r == IPAM_OK)
		assert_true(addr_eq(&a, &got));
	else
		assert_true(addr_eq(&got, &(struct addr){0}));
	return r;
}

static bool release(struct ipam *p, const char *text, uint64_t now)
{
	struct addr a = ip(text);

	return ipam_release(p, &a, 0, now);
}

static bool adopt(struct ipam *p, const char *text)
{
	struct addr a = ip(text);

	return ipam_adopt(p, &a);
}

static struct ipam_use use_of(const struct ipam *p, const char *range)
{
	struct ipam_use uses[IPAM_RANGES_MAX];
	struct prefix wanted = net(range);
	size_t n = ipam_uses(p, uses, IPAM_RANGES_MAX);

	for (size_t i = 0; i < n; i++)
		if (prefix_eq(&uses[i].range, &wanted))
			return uses[i];
	return (struct ipam_use){0};
}

static char *describe(const struct ipam *p, uint8_t family)
{
	struct buf b = {0};

	ipam_describe(p, family, &b);
	return buf_take(&b);
}

/* --- what a range gives out ------------------------------------------------------------------ */

static void network_and_broadcast_are_kept(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/29");
	char text[ADDR_STR_MAX];

	for (int i = 1; i <= 6; i++) {
		(void)snprintf(text, sizeof(text), "10.1.0.%d", i);
		assert_string_equal(alloc(p, AF_INET, 0), text);
	}
	assert_string_equal(alloc(p, AF_INET, 0), "full");
	assert_int_equal(want(p, "10.1.0.0", 0), IPAM_OUTSIDE);
	assert_int_equal(want(p, "10.1.0.7", 0), IPAM_OUTSIDE);
	assert_int_equal(use_of(p, "10.1.0.0/29").size, 6);
}

static void tiny_ipv4_ranges(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.8/31");

	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.8");
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.9");
	assert_string_equal(alloc(p, AF_INET, 0), "full");
	RANGES(p, "10.1.0.8/31", "10.2.0.1/32");
	assert_string_equal(alloc(p, AF_INET, 0), "10.2.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "full");
	RANGES(p, "10.3.0.0/30");
	assert_string_equal(alloc(p, AF_INET, 0), "10.3.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "10.3.0.2");
	assert_string_equal(alloc(p, AF_INET, 0), "full");
}

static void ipv6_anycast_is_kept(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("fd00::/126");

	assert_string_equal(alloc(p, AF_INET6, 0), "fd00::1");
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00::2");
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00::3");
	assert_string_equal(alloc(p, AF_INET6, 0), "full");
	assert_int_equal(want(p, "fd00::", 0), IPAM_OUTSIDE);
	RANGES(p, "fd00::10/127");
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00::10");
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00::11");
	RANGES(p, "fd00::20/128");
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00::20");
	assert_string_equal(alloc(p, AF_INET6, 0), "full");
}

static void wide_ipv6_ranges_are_not_walked(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("fd00:1::/64");

	assert_string_equal(alloc(p, AF_INET6, 0), "fd00:1::1");
	assert_int_equal(want(p, "fd00:1::ffff:ffff:ffff:ffff", 0), IPAM_OK);
	assert_int_equal(want(p, "fd00:1::2", 0), IPAM_OK);
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00:1::3");
	assert_true(release(p, "fd00:1::1", 0));
	assert_string_equal(alloc(p, AF_INET6, SECONDS(100)), "fd00:1::4");
	RANGES(p, "fd00:2::/48");
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00:2::1");
	assert_int_equal(want(p, "fd00:2:0:ffff::1", 0), IPAM_OK);
	assert_int_equal(want(p, "fd00:2:0:ffff::1", 0), IPAM_TAKEN);
	RANGES(p, "::/0");
	assert_string_equal(alloc(p, AF_INET6, 0), "::1");
}

static void ranges_are_filled_in_order(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = ipam_new(SECONDS(30));

	RANGES(p, "10.2.0.0/31", "fd00::/126", "10.1.0.0/31");
	assert_string_equal(alloc(p, AF_INET, 0), "10.2.0.0");
	assert_string_equal(alloc(p, AF_INET, 0), "10.2.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.0");
	assert_string_equal(alloc(p, AF_INET6, 0), "fd00::1");
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "full");
}

static void no_range_of_the_family(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/24");

	assert_true(ipam_has_family(p, AF_INET));
	assert_false(ipam_has_family(p, AF_INET6));
	assert_string_equal(alloc(p, AF_INET6, 0), "no range");
	assert_int_equal(want(p, "fd00::1", 0), IPAM_OUTSIDE);
	assert_int_equal(ipam_set_ranges(p, NULL, 0, NULL), 0);
	assert_false(ipam_has_family(p, AF_INET));
	assert_string_equal(alloc(p, AF_INET, 0), "no range");
}

/* --- asking for a certain address ------------------------------------------------------------ */

static void a_certain_address(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/24");
	struct addr inside = ip("10.1.0.200"), outside = ip("10.1.1.1"), network = ip("10.1.0.0");

	assert_true(ipam_in_range(p, &inside));
	assert_false(ipam_in_range(p, &outside));
	assert_false(ipam_in_range(p, &network));
	assert_int_equal(want(p, "10.1.0.1", 0), IPAM_OK);
	assert_int_equal(want(p, "10.1.0.1", 0), IPAM_TAKEN);
	assert_int_equal(want(p, "10.1.1.1", 0), IPAM_OUTSIDE);
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.2");
	assert_true(release(p, "10.1.0.1", SECONDS(1)));
	assert_int_equal(want(p, "10.1.0.1", SECONDS(31) - 1), IPAM_RECENT);
	assert_int_equal(want(p, "10.1.0.1", SECONDS(31)), IPAM_OK);
	assert_int_equal(use_of(p, "10.1.0.0/24").used, 2);
}

/* A pod that comes back asks for what was its own a moment ago. */
static void a_certain_address_that_was_ones_own(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/24");
	struct addr a = ip("10.1.0.7"), got;

	assert_int_equal(ipam_alloc(p, AF_INET, &a, 5, 0, &got), IPAM_OK);
	assert_int_equal(ipam_alloc(p, AF_INET, &a, 5, 0, &got), IPAM_TAKEN); /* it still runs */
	assert_true(ipam_release(p, &a, 5, SECONDS(1)));
	assert_int_equal(ipam_alloc(p, AF_INET, &a, 6, SECONDS(2), &got), IPAM_RECENT);
	assert_int_equal(ipam_alloc(p, AF_INET, &a, 0, SECONDS(2), &got), IPAM_RECENT);
	assert_int_equal(ipam_alloc(p, AF_INET, &a, 5, SECONDS(2), &got), IPAM_OK);
	assert_int_equal(use_of(p, "10.1.0.0/24").used, 1);
	assert_true(ipam_release(p, &a, 0, SECONDS(3))); /* whose it was nobody knows */
	assert_int_equal(ipam_alloc(p, AF_INET, &a, 5, SECONDS(4), &got), IPAM_RECENT);
	assert_int_equal(ipam_alloc(p, AF_INET, &a, 0, SECONDS(33), &got), IPAM_OK);
}

/* --- cool-down ------------------------------------------------------------------------------- */

static void freed_addresses_cool_down(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/30");
	_cleanup_(freep) char *text = NULL;

	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.2");
	assert_true(release(p, "10.1.0.2", SECONDS(10)));
	assert_true(release(p, "10.1.0.1", SECONDS(20)));
	assert_string_equal(alloc(p, AF_INET, SECONDS(40) - 1), "full");
	text = describe(p, AF_INET);
	assert_string_equal(text, "10.1.0.0/30: 0 of 2 in use, 2 cooling down");
	assert_string_equal(alloc(p, AF_INET, SECONDS(40)), "10.1.0.2");
	assert_string_equal(alloc(p, AF_INET, SECONDS(50) - 1), "full");
	assert_string_equal(alloc(p, AF_INET, SECONDS(50)), "10.1.0.1");
}

static void fresh_addresses_come_first(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/29");

	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.1");
	assert_true(release(p, "10.1.0.1", 0));
	for (int i = 2; i <= 6; i++)
		assert_string_not_equal(alloc(p, AF_INET, SECONDS(1000)), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, SECONDS(1000)), "10.1.0.1");
}

static void the_longest_free_comes_first_across_ranges(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = ipam_new(SECONDS(30));

	RANGES(p, "10.1.0.0/31", "10.2.0.0/31");
	for (int i = 0; i < 4; i++)
		(void)alloc(p, AF_INET, 0);
	assert_true(release(p, "10.2.0.1", 0));
	assert_true(release(p, "10.1.0.1", 0)); /* the same microsecond */
	assert_true(release(p, "10.2.0.0", 1));
	assert_string_equal(alloc(p, AF_INET, SECONDS(60)), "10.2.0.1");
	assert_string_equal(alloc(p, AF_INET, SECONDS(60)), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, SECONDS(60)), "10.2.0.0");
	assert_string_equal(alloc(p, AF_INET, SECONDS(60)), "full");
}

static void the_cooldown_can_change(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.4/32");

	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.4");
	assert_true(release(p, "10.1.0.4", 0));
	assert_string_equal(alloc(p, AF_INET, SECONDS(5)), "full");
	ipam_set_cooldown(p, SECONDS(60));
	assert_string_equal(alloc(p, AF_INET, SECONDS(59)), "full");
	ipam_set_cooldown(p, 0);
	assert_string_equal(alloc(p, AF_INET, SECONDS(59)), "10.1.0.4");
	assert_true(release(p, "10.1.0.4", SECONDS(59)));
	assert_string_equal(alloc(p, AF_INET, SECONDS(59)), "10.1.0.4");
	ipam_set_cooldown(p, UINT64_MAX);
	assert_true(release(p, "10.1.0.4", SECONDS(59)));
	assert_string_equal(alloc(p, AF_INET, SECONDS(1000000)), "full");
}

static void a_clock_that_goes_back_frees_nothing(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.4/32");

	assert_string_equal(alloc(p, AF_INET, SECONDS(100)), "10.1.0.4");
	assert_true(release(p, "10.1.0.4", SECONDS(100)));
	assert_string_equal(alloc(p, AF_INET, SECONDS(50)), "full");
	assert_string_equal(alloc(p, AF_INET, SECONDS(130)), "10.1.0.4");
}

static void numbers_follow_the_time(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/24");

	for (int i = 0; i < 3; i++)
		(void)alloc(p, AF_INET, 0);
	assert_true(release(p, "10.1.0.1", SECONDS(1)));
	assert_true(release(p, "10.1.0.2", SECONDS(2)));
	assert_int_equal(use_of(p, "10.1.0.0/24").used, 1);
	assert_int_equal(use_of(p, "10.1.0.0/24").cooling, 2);
	ipam_advance(p, SECONDS(31));
	assert_int_equal(use_of(p, "10.1.0.0/24").cooling, 1);
	ipam_advance(p, SECONDS(32));
	assert_int_equal(use_of(p, "10.1.0.0/24").cooling, 0);
	assert_int_equal(use_of(p, "10.1.0.0/24").used, 1);
}

/* --- what is in use already ------------------------------------------------------------------ */

static void adopted_addresses_are_skipped(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/29");

	assert_true(adopt(p, "10.1.0.2"));
	assert_false(adopt(p, "10.1.0.2"));
	assert_true(adopt(p, "10.1.0.3"));
	assert_true(adopt(p, "10.1.0.0")); /* a journal of before knows better than the range */
	assert_int_equal(use_of(p, "10.1.0.0/29").used, 2);
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.4");
	assert_true(release(p, "10.1.0.0", 0));
	assert_false(release(p, "10.1.0.0", 0));
	assert_int_equal(want(p, "10.1.0.0", SECONDS(1000)), IPAM_OUTSIDE);
}

static void adopting_ends_a_cooldown(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.4/32");

	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.4");
	assert_true(release(p, "10.1.0.4", 0));
	assert_true(adopt(p, "10.1.0.4"));
	assert_string_equal(alloc(p, AF_INET, SECONDS(1000)), "full");
	assert_int_equal(use_of(p, "10.1.0.4/32").used, 1);
}

static void release_of_what_is_not_in_use(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/24");

	assert_false(release(p, "10.1.0.1", 0));
	assert_false(release(p, "192.0.2.1", 0));
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.1");
	assert_true(release(p, "10.1.0.1", 0));
	assert_false(release(p, "10.1.0.1", SECONDS(29)));
	RANGES(p, "10.1.0.1/32");
	/* the second release did not begin a new cool-down */
	assert_string_equal(alloc(p, AF_INET, SECONDS(30)), "10.1.0.1");
}

/* --- ranges that change ---------------------------------------------------------------------- */

static void bad_lists_change_nothing(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.9.0.0/24");
	struct prefix overlap[] = {net("10.1.0.0/16"), net("fd00::/64"), net("10.1.2.0/24")};
	struct prefix same[] = {net("fd00::/64"), net("fd00::/64")};
	struct prefix many[IPAM_RANGES_MAX + 1];
	struct err e = {0};

	assert_int_equal(ipam_set_ranges(p, overlap, 3, &e), -EINVAL);
	assert_string_equal(e.msg, "ranges 10.1.0.0/16 and 10.1.2.0/24 overlap");
	assert_int_equal(ipam_set_ranges(p, same, 2, &e), -EINVAL);
	assert_string_equal(e.msg, "ranges fd00::/64 and fd00::/64 overlap");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		struct addr a = ip("10.0.0.0");

		a.b[1] = (uint8_t)i;
		many[i] = (struct prefix){.addr = a, .len = 24};
	}
	assert_int_equal(ipam_set_ranges(p, many, ARRAY_SIZE(many), &e), -EINVAL);
	assert_string_equal(e.msg, "65 ranges, at most 64 are supported");
	assert_string_equal(alloc(p, AF_INET, 0), "10.9.0.1");
	assert_int_equal(ipam_set_ranges(p, many, IPAM_RANGES_MAX, &e), 0);
	assert_string_equal(alloc(p, AF_INET, 0), "10.0.0.1");
}

static void a_range_in_use_retires(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/29");
	_cleanup_(freep) char *text = NULL;

	(void)alloc(p, AF_INET, 0);
	(void)alloc(p, AF_INET, 0);
	assert_true(release(p, "10.1.0.1", 0));
	RANGES(p, "10.2.0.0/29");
	assert_true(use_of(p, "10.1.0.0/29").retired);
	assert_int_equal(use_of(p, "10.1.0.0/29").used, 1);
	text = describe(p, AF_INET);
	assert_string_equal(text,
			    "10.2.0.0/29: 0 of 6 in use, 0 cooling down; 10.1.0.0/29: 1 of 6 in "
			    "use, 1 cooling down, not configured any more");
	assert_int_equal(want(p, "10.1.0.3", 0), IPAM_OUTSIDE);
	assert_string_equal(alloc(p, AF_INET, SECONDS(100)), "10.2.0.1");
	assert_true(release(p, "10.1.0.2", SECONDS(100)));
	assert_int_equal(ipam_uses(p, NULL, 0), 1);
}

static void a_range_that_comes_back_remembers(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/30");

	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.2");
	assert_true(release(p, "10.1.0.1", 0));
	RANGES(p, "10.2.0.0/30");
	assert_true(release(p, "10.1.0.2", SECONDS(1)));
	RANGES(p, "10.2.0.0/30", "10.1.0.0/30");
	assert_false(use_of(p, "10.1.0.0/30").retired);
	assert_int_equal(use_of(p, "10.1.0.0/30").cooling, 2);
	assert_string_equal(alloc(p, AF_INET, SECONDS(2)), "10.2.0.1");
	assert_string_equal(alloc(p, AF_INET, SECONDS(2)), "10.2.0.2");
	assert_string_equal(alloc(p, AF_INET, SECONDS(2)), "full");
	assert_string_equal(alloc(p, AF_INET, SECONDS(31)), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, SECONDS(31)), "10.1.0.2");
}

static void a_range_grows(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/30");

	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.1");
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.2");
	assert_true(release(p, "10.1.0.2", 0));
	RANGES(p, "10.1.0.0/29");
	assert_int_equal(ipam_uses(p, NULL, 0), 1);
	assert_int_equal(use_of(p, "10.1.0.0/29").used, 1);
	assert_int_equal(use_of(p, "10.1.0.0/29").cooling, 1);
	assert_string_equal(alloc(p, AF_INET, 0), "10.1.0.3");
}

/* Two retired ranges hold one address: whatever goes first, the accounts stay right. */
static void retired_ranges_may_overlap(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/30");

	assert_true(adopt(p, "10.1.0.1"));
	assert_true(adopt(p, "10.1.0.5"));
	assert_true(adopt(p, "10.1.0.2"));
	RANGES(p, "10.1.0.0/29");
	RANGES(p, "10.9.0.0/30");
	assert_true(release(p, "10.1.0.2", 0));
	assert_true(release(p, "10.1.0.5", 0));
	assert_true(release(p, "10.1.0.1", 0));
	assert_int_equal(ipam_uses(p, NULL, 0), 1);
	assert_true(adopt(p, "10.1.0.2"));
	assert_true(adopt(p, "10.1.0.1"));
	assert_true(release(p, "10.1.0.1", 0));
	RANGES(p, "10.1.0.0/30");
	assert_int_equal(use_of(p, "10.1.0.0/30").used, 1);
	assert_int_equal(use_of(p, "10.1.0.0/30").cooling, 1);
}

/* What cools in a retired range that goes is the other one's, and gets cool there. */
static void cooling_addresses_move_from_range_to_range(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.6/31");

	assert_true(adopt(p, "10.1.0.7")); /* to the next one it is the broadcast address */
	RANGES(p, "10.1.0.0/29");
	assert_true(adopt(p, "10.1.0.1"));
	assert_true(adopt(p, "10.1.0.2"));
	assert_true(adopt(p, "10.1.0.6"));
	RANGES(p, "10.9.0.0/30");
	assert_true(release(p, "10.1.0.6", 0));
	assert_true(release(p, "10.1.0.2", 0));
	assert_int_equal(use_of(p, "10.1.0.6/31").cooling, 1);
	assert_int_equal(use_of(p, "10.1.0.0/29").cooling, 1);
	assert_true(release(p, "10.1.0.7", 0));
	assert_int_equal(ipam_uses(p, NULL, 0), 2);
	assert_int_equal(use_of(p, "10.1.0.0/29").cooling, 2);
	ipam_advance(p, SECONDS(30));
	assert_int_equal(use_of(p, "10.1.0.0/29").cooling, 0);
}

/* --- long lives ------------------------------------------------------------------------------ */

static uint64_t cpu_usec(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

/* A node that makes and deletes pods for years: time and memory an address stay the same. */
static void churn_costs_the_same_for_ever(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = ipam_new(SECONDS(30));
	struct addr ring[64];
	uint64_t start = cpu_usec();
	const int rounds = 300000;

	RANGES(p, "fd00::/64", "10.0.0.0/15");
	for (int i = 0; i < rounds; i++) {
		uint8_t family = i & 1 ? AF_INET : AF_INET6;
		struct addr *a = &ring[i % 64];
		uint64_t now = (uint64_t)i * USEC_PER_SEC;

		if (i >= 64)
			assert_true(ipam_release(p, a, 0, now));
		assert_int_equal(ipam_alloc(p, family, NULL, 0, now, a), IPAM_OK);
	}
	assert_int_equal(use_of(p, "fd00::/64").used, 32);
	assert_int_equal(use_of(p, "10.0.0.0/15").used, 32);
	assert_true(HASH_COUNT(p->all) < 10000); /* twice 4096 rested ones, and those of 30 s */
	/* 131,070 addresses were handed out 150,000 times: the cursor came round. */
	assert_true((cpu_usec() - start) / (uint64_t)rounds < 50);
}

/* 4094 addresses: the order of release holds to the last one. */
static void order_of_release_holds_in_a_twenty(void **state _unused_)
{
	_cleanup_(ipam_freep) struct ipam *p = pool_of("10.1.0.0/20");
	static struct addr order[4094];
	uint64_t now = 0;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(ipam_alloc(p, AF_INET, NULL, 0, 0, &order[i]), IPAM_OK);
	for (size_t i = ARRAY_SIZE(order); i-- > 1;) { /* shuffle */
		size_t other = (size_t)rand() % (i + 1);
		struct addr a = order[i];

		order[i] = order[other];
		order[other] = a;
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_true(ipam_release(p, &order[i], 0, ++now));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct addr a;

		assert_int_equal(ipam_alloc(p, AF_INET, NULL, 0, now + SECONDS(30), &a), IPAM_OK);
		assert_true(addr_eq(&a, &order[i]));
	}
	assert_string_equal(alloc(p, AF_INET, now + SECONDS(30)), "full");
}

/* --- against a model ------------------------------------------------------------------------- */

#define MODEL_RANGES 3
#define MODEL_MAX    64

static const char *const model_ranges[MODEL_RANGES] = {"10.1.0.0/29", "fd00::/125", "10.2.0.0/28"};

/* struct known - an address of the model; every step walks all of them */
struct known {
	struct addr addr;
	int range;
	enum { NEVER, USED, FREED } state;
	uint64_t freed, order;
};

struct model {
	struct known v[MODEL_MAX];
	size_t n;
	uint64_t now, releases, cooldown;
};

static void model_init(struct model *m)
{
	*m = (struct model){.cooldown = SECONDS(10)};
	for (int r = 0; r < MODEL_RANGES; r++) {
		struct prefix p = net(model_ranges[r]);
		uint64_t size = prefix_size(&p);

		for (uint64_t i = 1; i < size - (p.addr.family == AF_INET); i++) {
			assert_true(m->n < MODEL_MAX);
			m->v[m->n++] = (struct known){.addr = addr_add(&p.addr, i), .range = r};
		}
	}
}

static struct known *model_find(struct model *m, const struct addr *a)
{
	for (size_t i = 0; i < m->n; i++)
		if (addr_eq(&m->v[i].addr, a))
			return &m->v[i];
	return NULL;
}

static bool model_free_again(const struct model *m, const struct known *k)
{
	return k->state == FREED && m->now - k->freed >= m->cooldown;
}

/* What must come next: a certain address, or any fresh one of a range. */
static struct known *model_next(struct model *m, uint8_t family, int *ret_fresh_range)
{
	struct known *oldest = NULL;

	*ret_fresh_range = -1;
	for (size_t i = 0; i < m->n; i++) {
		struct known *k = &m->v[i];

		if (k->addr.family != family)
			continue;
		if (k->state == NEVER) {
			*ret_fresh_range = k->range;
			return NULL;
		}
		if (model_free_again(m, k) && (!oldest || k->order < oldest->order))
			oldest = k;
	}
	return oldest;
}

static void step_alloc(struct model *m, struct ipam *p, uint8_t family)
{
	struct addr got;
	int range;
	struct known *next = model_next(m, family, &range), *k;
	enum ipam_outcome r = ipam_alloc(p, family, NULL, 0, m->now, &got);

	if (!next && range < 0) {
		assert_int_equal(r, IPAM_FULL);
		return;
	}
	assert_int_equal(r, IPAM_OK);
	k = model_find(m, &got);
	assert_non_null(k);
	if (next)
		assert_ptr_equal(k, next);
	else
		assert_true(k->state == NEVER && k->range == range);
	k->state = USED;
}

static void step_want(struct model *m, struct ipam *p, struct known *k)
{
	struct addr got;
	bool may = k->state == NEVER || model_free_again(m, k);
	enum ipam_outcome r = ipam_alloc(p, k->addr.family, &k->addr, 0, m->now, &got);

	assert_int_equal(r, may ? IPAM_OK : k->state == USED ? IPAM_TAKEN : IPAM_RECENT);
	if (may)
		k->state = USED;
}

static void step_release(struct model *m, struct ipam *p, struct known *k)
{
	assert_int_equal(ipam_release(p, &k->addr, 0, m->now), k->state == USED);
	if (k->state != USED)
		return;
	k->state = FREED;
	k->freed = m->now;
	k->order = m->releases++;
}

static void step_adopt(struct ipam *p, struct known *k)
{
	assert_int_equal(ipam_adopt(p, &k->addr), k->state != USED);
	k->state = USED;
}

static void compare_numbers(struct model *m, struct ipam *p)
{
	ipam_advance(p, m->now);
	for (int r = 0; r < MODEL_RANGES; r++) {
		struct ipam_use use = use_of(p, model_ranges[r]);
		uint64_t size = 0, used = 0, cooling = 0;

		for (size_t i = 0; i < m->n; i++) {
			const struct known *k = &m->v[i];

			if (k->range != r)
				continue;
			size++;
			used += k->state == USED;
			cooling += k->state == FREED && !model_free_again(m, k);
		}
		assert_int_equal(use.size, size);
		assert_int_equal(use.used, used);
		assert_int_equal(use.cooling, cooling);
	}
}

static void random_steps(unsigned int seed)
{
	_cleanup_(ipam_freep) struct ipam *p = NULL;
	struct model m;

	srand(seed);
	model_init(&m);
	p = ipam_new(m.cooldown);
	set_ranges(p, MODEL_RANGES, model_ranges);
	for (int i = 0; i < 2000; i++) {
		struct known *any = &m.v[(size_t)rand() % m.n];

		m.now += (uint64_t)rand() % (3 * USEC_PER_SEC);
		switch (rand() % 16) {
		case 0:
			step_want(&m, p, any);
			break;
		case 1:
			step_adopt(p, any);
			break;
		case 2: /* retire and bring back: nothing may change */
			set_ranges(p, (size_t)rand() % MODEL_RANGES, model_ranges);
			set_ranges(p, MODEL_RANGES, model_ranges);
			break;
		case 3 ... 9:
			step_release(&m, p, any);
			break;
		default:
			step_alloc(&m, p, rand() % 3 ? AF_INET : AF_INET6);
		}
		compare_numbers(&m, p);
	}
}

static void random_steps_agree_with_the_model(void **state _unused_)
{
	for (unsigned int seed = 1; seed <= 100; seed++)
		random_steps(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network_and_broadcast_are_kept),
		cmocka_unit_test(tiny_ipv4_ranges),
		cmocka_unit_test(ipv6_anycast_is_kept),
		cmocka_unit_test(wide_ipv6_ranges_are_not_walked),
		cmocka_unit_test(ranges_are_filled_in_order),
		cmocka_unit_test(no_range_of_the_family),
		cmocka_unit_test(a_certain_address),
		cmocka_unit_test(a_certain_address_that_was_ones_own),
		cmocka_unit_test(freed_addresses_cool_down),
		cmocka_unit_test(fresh_addresses_come_first),
		cmocka_unit_test(the_longest_free_comes_first_across_ranges),
		cmocka_unit_test(the_cooldown_can_change),
		cmocka_unit_test(a_clock_that_goes_back_frees_nothing),
		cmocka_unit_test(numbers_follow_the_time),
		cmocka_unit_test(adopted_addresses_are_skipped),
		cmocka_unit_test(adopting_ends_a_cooldown),
		cmocka_unit_test(release_of_what_is_not_in_use),
		cmocka_unit_test(bad_lists_change_nothing),
		cmocka_unit_test(a_range_in_use_retires),
		cmocka_unit_test(a_range_that_comes_back_remembers),
		cmocka_unit_test(a_range_grows),
		cmocka_unit_test(retired_ranges_may_overlap),
		cmocka_unit_test(cooling_addresses_move_from_range_to_range),
		cmocka_unit_test(churn_costs_the_same_for_ever),
		cmocka_unit_test(order_of_release_holds_in_a_twenty),
		cmocka_unit_test(random_steps_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
