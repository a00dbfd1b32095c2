// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_update.c - UPDATE: its fields, both families, End-of-RIB; and what is written.
 */
#include "test/unit/bgp_bytes.h"

#include "datapath/bgp/update.h"

#define MARKER	 "ffffffff ffffffff ffffffff ffffffff "
#define ORIGIN	 "400101 00 "
#define PATH	 "400206 0201 0000fde9 "
#define NEXT_HOP "400304 0a000001 "
#define HOP6	 "20010db8000000000000000000000001 "

static const struct bgp_agreed both = {.families = 3, .as4 = true, .external = true};
static const struct bgp_agreed only6 = {.families = 2, .as4 = true, .external = true};
static const struct bgp_agreed only4 = {.families = 1, .as4 = true, .external = true};

static struct buf message, seen;
static struct bgp_update u;

static int tear_down(void **state _unused_)
{
	buf_done(&message);
	buf_done(&seen);
	bgp_update_done(&u);
	return 0;
}

static void on_route(void *arg _unused_, const struct prefix *p, const struct bgp_attrs *attrs)
{
	char text[PREFIX_STR_MAX], hop[ADDR_STR_MAX];

	buf_printf(&seen, "%s%s%s%s", seen.len ? " " : "", attrs ? "+" : "-", prefix_str(p, text),
		   attrs ? "@" : "");
	if (attrs)
		buf_puts(&seen, addr_str(&attrs->next_hop, hop));
}

static void take(const struct bgp_agreed *session, const char *digits)
{
	bgp_message(&message, BGP_UPDATE, digits);
	bgp_update_read(&u, (const uint8_t *)message.data, message.len, session);
	buf_reset(&seen);
	bgp_update_each(&u, on_route, NULL);
}

static void assert_routes(const struct bgp_agreed *session, const char *digits,
			  enum bgp_action action, const char *want)
{
	take(session, digits);
	assert_int_equal(u.action, action);
	assert_string_equal(seen.len ? seen.data : "", want);
}

static void assert_reset(const struct bgp_agreed *session, const char *digits, uint8_t subcode)
{
	assert_routes(session, digits, BGP_RESET, "");
	assert_int_equal(u.notice.code, 3);
	assert_int_equal(u.notice.subcode, subcode);
}

static void test_fields(void **state _unused_)
{
	assert_routes(&both, "0004 18c63364 0014 " ORIGIN PATH NEXT_HOP "18c00002 00", BGP_ACCEPT,
		      "-198.51.100.0/24 +192.0.2.0/24@10.0.0.1 +0.0.0.0/0@10.0.0.1");
	/* 4.3: in both fields counts as announced, so that comes last. */
	assert_routes(&both, "0004 18c00002 0014 " ORIGIN PATH NEXT_HOP "18c00002", BGP_ACCEPT,
		      "-192.0.2.0/24 +192.0.2.0/24@10.0.0.1");
	/* Bits beyond the length do not matter. */
	assert_routes(&both, "0000 0014 " ORIGIN PATH NEXT_HOP "11c000ff", BGP_ACCEPT,
		      "+192.0.128.0/17@10.0.0.1");
	assert_routes(&only6, "0000 0014 " ORIGIN PATH NEXT_HOP "18c00002", BGP_ACCEPT, "");
}

/* RFC 7606 3 b, i, j; 5.3 */
static void test_lengths(void **state _unused_)
{
	assert_reset(&both, "0005 18c63364 0000", 1);
	assert_reset(&both, "0000 0015 " ORIGIN PATH NEXT_HOP, 1);
	assert_reset(&both, "ffff 0000", 1);
	assert_reset(&both, "0000 0014 " ORIGIN PATH NEXT_HOP "21c000020000", 10);
	assert_reset(&both, "0000 0014 " ORIGIN PATH NEXT_HOP "18c000", 10);
	assert_reset(&both, "0003 18c000 0000", 10);
	assert_reset(&both, "0006 21c000020000 0000", 10);
}

static void test_withdrawn_by_an_error(void **state _unused_)
{
	assert_routes(&both, "0004 18c63364 0014 400101 09" PATH NEXT_HOP "18c00002", BGP_WITHDRAW,
		      "-198.51.100.0/24 -192.0.2.0/24");
}

/* --- RFC 4760 ----------------------------------------------------------------------------------
 */

static void test_multiprotocol(void **state _unused_)
{
	assert_routes(&both, "0000 002a " ORIGIN PATH "800e1a 000201 10 " HOP6 "00 20 20010db8",
		      BGP_ACCEPT, "+2001:db8::/32@2001:db8::1");
	assert_int_equal(u.link_local.family, 0);
	/* With the link-local address; the reserved byte does not matter; a NEXT_HOP neither. */
	assert_routes(&both,
		      "0000 0041 " ORIGIN PATH NEXT_HOP "800e2a 000201 20 " HOP6
		      "fe800000000000000000000000000001 ff 20 20010db8",
		      BGP_ACCEPT, "+2001:db8::/32@2001:db8::1");
	assert_int_equal(u.link_local.b[0], 0xfe);
	assert_routes(&both, "0000 000b 800f08 000201 20 20010db8", BGP_ACCEPT, "-2001:db8::/32");
	/* IPv4 in it, which is taken though we do not send it. */
	assert_routes(&both, "0000 001d " ORIGIN PATH "800e0d 000101 04 0a000001 00 18c00002",
		      BGP_ACCEPT, "+192.0.2.0/24@10.0.0.1");
	/* Both families in one. */
	assert_routes(&both,
		      "0000 0031 " ORIGIN PATH NEXT_HOP "800e1a 000201 10 " HOP6
		      "00 20 20010db8 18c00002",
		      BGP_ACCEPT, "+192.0.2.0/24@10.0.0.1 +2001:db8::/32@2001:db8::1");
}

/* What was not agreed on is not looked at. */
static void test_other_families(void **state _unused_)
{
	assert_routes(&only4, "0000 002a " ORIGIN PATH "800e1a 000201 10 " HOP6 "00 20 20010db8",
		      BGP_ACCEPT, "");
	assert_routes(&only4, "0000 000b 800f08 000201 ff 20010db8", BGP_ACCEPT, "");
	assert_routes(&both, "0000 0017 " ORIGIN PATH "800e07 000185 00 00 ffff", BGP_ACCEPT, "");
	/* An error beside it withdraws routes that nobody knows: no reset. */
	assert_routes(&only4, "0000 0021 400101 09 800e1a 000201 10 " HOP6 "00 20 20010db8",
		      BGP_WITHDRAW, "");
}

#define REACH "0000 002a " ORIGIN PATH "800e1a "

/* RFC 7606 5.3, 7.11: the family, or the session where it is the only one. */
static void test_multiprotocol_errors(void **state _unused_)
{
	static const char *const bad[] = {
		/* next hops of other lengths */
		"0000 0019 " ORIGIN PATH "800e09 000201 04 0a000001 00",
		"0000 0015 " ORIGIN PATH "800e05 000201 00 00",
		REACH "000201 18 " HOP6 "00 20 20010db8",
		REACH "000201 11 " HOP6 "00 20 20010db8",
		/* prefixes */
		REACH "000201 10 " HOP6 "00 81 20010db8",
		REACH "000201 10 " HOP6 "00 28 20010db8",
		/* flags */
		"0000 002a " ORIGIN PATH "c00e1a 000201 10 " HOP6 "00 20 20010db8",
		"0000 002a " ORIGIN PATH "000e1a 000201 10 " HOP6 "00 20 20010db8",
		"0000 000b 400f08 000201 20 20010db8",
		"0000 000b 800f08 000201 28 20010db8",
		"0000 000b 800f08 000201 81 20010db8",
		/* too short */
		"0000 0014 " ORIGIN PATH "800e04 000201 10",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_routes(&both, bad[i], BGP_DISABLE, "");
		assert_int_equal(u.disabled, 1 << BGP_IPV6);
		assert_reset(&only6, bad[i], 9);
	}
	/* Whose family cannot be read. */
	assert_reset(&both, "0000 0012 " ORIGIN PATH "800e02 0002", 9);
	assert_reset(&both, "0000 0005 800f02 0002", 9);
	/* A next hop that is none can be found, and so can the routes. */
	assert_routes(&both,
		      "0000 002a " ORIGIN PATH "800e1a 000201 10 "
		      "ff020000000000000000000000000001 00 20 20010db8",
		      BGP_WITHDRAW, "-2001:db8::/32");
	assert_routes(&both,
		      "0000 002a " ORIGIN PATH "800e1a 000201 10 "
		      "00000000000000000000000000000000 00 20 20010db8",
		      BGP_WITHDRAW, "-2001:db8::/32");
}

/* A family is given up; an error of the other one withdraws its routes all the same. */
static void test_disable_and_withdraw(void **state _unused_)
{
	assert_routes(&both,
		      "0000 0031 400101 09" PATH NEXT_HOP "800e1a 000201 10 " HOP6
		      "00 81 20010db8 18c00002",
		      BGP_DISABLE, "-192.0.2.0/24");
}

static void test_end_of_rib(void **state _unused_)
{
	take(&both, "0000 0000");
	assert_int_equal(u.ended, BGP_IPV4);
	take(&both, "0000 0006 800f03 000201");
	assert_int_equal(u.ended, BGP_IPV6);
	take(&both, "0000 0006 800f03 000101");
	assert_int_equal(u.ended, BGP_IPV4);
	take(&both, "0000 000b 800f08 000201 20 20010db8");
	assert_int_equal(u.ended, _BGP_FAMILY_MAX);
	take(&both, "0000 0004 " ORIGIN);
	assert_int_equal(u.ended, _BGP_FAMILY_MAX);
	take(&both, "0000 000a " ORIGIN "800f03 000201");
	assert_int_equal(u.ended, _BGP_FAMILY_MAX);
	take(&only6, "0000 0000");
	assert_int_equal(u.ended, _BGP_FAMILY_MAX);
	take(&only4, "0000 0006 800f03 000201");
	assert_int_equal(u.ended, _BGP_FAMILY_MAX);
}

/* --- what is written ---------------------------------------------------------------------------
 */

static struct bgp_attrs some_attrs(void)
{
	static const uint8_t path[] = {2, 1, 0, 1, 0, 0}; /* 65536 */
	struct bgp_attrs a = {.origin = BGP_ORIGIN_IGP,
			      .has = 1 << BGP_ATTR_LOCAL_PREF | 1 << BGP_ATTR_ORIGINATOR,
			      .local_pref = 100,
			      .originator = 1};

	a.list[BGP_LIST_AS_PATH] = (struct bgp_span){path, sizeof(path)};
	assert_int_equal(addr_parse("10.0.0.1", &a.next_hop), 0);
	return a;
}

static struct prefix prefix(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(s, &p), 0);
	return p;
}

static void test_put(void **state _unused_)
{
	const struct bgp_agreed inside = {.families = 3, .as4 = true}, old = {.external = true};
	const struct prefix p[] = {prefix("192.0.2.0/24"), prefix("0.0.0.0/0")};
	struct bgp_attrs a = some_attrs();

	buf_reset(&message);
	assert_int_equal(bgp_update_put(&message, &inside, &a, p, 2), 2);
	bgp_assert_bytes(&message,
			 MARKER "003e 02 0000 0022 " ORIGIN "400206 0201 00010000 " NEXT_HOP
				"400504 00000064 800904 00000001 18c00002 00");
	/* LOCAL_PREF and what reflectors say stay within the AS. */
	buf_reset(&message);
	assert_int_equal(bgp_update_put(&message, &both, &a, p, 1), 1);
	bgp_assert_bytes(&message, MARKER "002f 02 0000 0014 " ORIGIN
					  "400206 0201 00010000 " NEXT_HOP "18c00002");
	/* To one that knows two bytes. */
	buf_reset(&message);
	assert_int_equal(bgp_update_put(&message, &old, &a, p, 1), 1);
	bgp_assert_bytes(&message, MARKER "0036 02 0000 001b " ORIGIN "400204 0201 5ba0 " NEXT_HOP
					  "c01106 0201 00010000 18c00002");
}

static void test_put_ipv6(void **state _unused_)
{
	const struct prefix p = prefix("2001:db8::/32");
	struct bgp_attrs a = some_attrs();

	assert_int_equal(addr_parse("2001:db8::1", &a.next_hop), 0);
	buf_reset(&message);
	assert_int_equal(bgp_update_put(&message, &both, &a, &p, 1), 1);
	bgp_assert_bytes(&message, MARKER "0042 02 0000 002b 900e001a 000201 10 " HOP6
					  "00 20 20010db8 " ORIGIN "400206 0201 00010000");
	assert_int_equal(addr_parse("fe80::1", &a.link_local), 0);
	buf_reset(&message);
	assert_int_equal(bgp_update_put(&message, &both, &a, &p, 1), 1);
	bgp_assert_bytes(&message, MARKER "0052 02 0000 003b 900e002a 000201 20 " HOP6
					  "fe800000000000000000000000000001 00 20 20010db8 " ORIGIN
					  "400206 0201 00010000");
}

static void test_put_withdrawn(void **state _unused_)
{
	const struct prefix p4 = prefix("192.0.2.0/24"), p6 = prefix("2001:db8::/32");

	buf_reset(&message);
	assert_int_equal(bgp_withdraw_put(&message, &p4, 1), 1);
	bgp_assert_bytes(&message, MARKER "001b 02 0004 18c00002 0000");
	buf_reset(&message);
	assert_int_equal(bgp_withdraw_put(&message, &p6, 1), 1);
	bgp_assert_bytes(&message, MARKER "0023 02 0000 000c 900f0008 000201 20 20010db8");
	buf_reset(&message);
	bgp_end_of_rib_put(&message, BGP_IPV4);
	bgp_assert_bytes(&message, MARKER "0017 02 0000 0000");
	buf_reset(&message);
	bgp_end_of_rib_put(&message, BGP_IPV6);
	bgp_assert_bytes(&message, MARKER "001e 02 0000 0007 900f0003 000201");
}

/* As many as fit, and not one byte more; all arrive. */
static void test_packed(void **state _unused_)
{
	enum { N = 3000 };
	struct prefix *p = xcalloc(N, sizeof(*p));
	struct bgp_attrs a = some_attrs();
	size_t n;

	for (size_t i = 0; i < N; i++) {
		p[i] = prefix("10.0.0.0/24");
		p[i].addr.b[1] = (uint8_t)(i >> 8);
		p[i].addr.b[2] = (uint8_t)i;
	}
	buf_reset(&message);
	n = bgp_update_put(&message, &both, &a, p, N);
	assert_int_equal(n, (4096 - 23 - 20) / 4);
	assert_int_equal(message.len, 23 + 20 + n * 4);
	bgp_update_read(&u, (const uint8_t *)message.data, message.len, &both);
	assert_int_equal(u.field[BGP_FIELD_ANNOUNCED].nlri.n, n * 4);
	buf_reset(&message);
	assert_int_equal(bgp_withdraw_put(&message, p, N), (4096 - 23) / 4);
	free(p);
}

static void test_put_too_long(void **state _unused_)
{
	static uint8_t communities[4052];
	const struct prefix p = prefix("192.0.2.0/24");
	struct bgp_attrs a = some_attrs();

	a.list[BGP_LIST_COMMUNITIES] = (struct bgp_span){communities, 4048};
	buf_reset(&message);
	assert_int_equal(bgp_update_put(&message, &both, &a, &p, 1), 0);
	assert_int_equal(message.len, 0);
	a.list[BGP_LIST_COMMUNITIES].n = 4044;
	assert_int_equal(bgp_update_put(&message, &both, &a, &p, 1), 1);
	assert_int_equal(message.len, 23 + 20 + 4 + 4044 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_withdrawn_by_an_error),
		cmocka_unit_test(test_multiprotocol),
		cmocka_unit_test(test_other_families),
		cmocka_unit_test(test_multiprotocol_errors),
		cmocka_unit_test(test_disable_and_withdraw),
		cmocka_unit_test(test_end_of_rib),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_ipv6),
		cmocka_unit_test(test_put_withdrawn),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_put_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
