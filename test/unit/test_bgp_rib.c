// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_rib.c - routes of neighbours: kept, filtered, swept, in pieces; and what they take.
 */
#include "test/unit/bgp_routes.h"

#include <errno.h>

static struct bgp_rib rib;
static struct bgp_peer peer[2];
static struct bgp_ranges pods;
static unsigned int decided;

static int set_up(void **state _unused_)
{
	rib = (struct bgp_rib){.asn = 65000, .id = 99, .cluster = 98};
	for (int i = 0; i < 2; i++)
		peer[i] = (struct bgp_peer){.addr = addr_of_text(i ? "10.0.0.2" : "10.0.0.1"),
					    .id = (uint32_t)i + 1,
					    .external = true,
					    .import = BGP_IMPORT_ALL};
	decided = 0;
	return 0;
}

static int tear_down(void **state _unused_)
{
	bgp_ranges_done(&pods);
	bgp_rib_done(&rib);
	assert_int_equal(rib.pool.bytes, 0);
	return 0;
}

static void on_net(void *arg _unused_, const struct bgp_net *net _unused_)
{
	decided++;
}

static void settle(void)
{
	while (bgp_rib_settle(&rib, 1, on_net, NULL))
		;
}

static int take(int i, const char *prefix, const struct route *r)
{
	const struct prefix p = prefix_of_text(prefix);

	return bgp_rib_take(&rib, &peer[i], &p, r ? &r->a : NULL);
}

/* Whose path is the best: 0, 1; -1: nobody's that is used; -2: nobody announces it. */
static int best(const char *prefix)
{
	const struct prefix p = prefix_of_text(prefix);
	const struct bgp_net *net = bgp_rib_find(&rib, &p);

	if (!net)
		return -2;
	return bgp_path_is_used(net->paths) ? (int)(net->paths->peer - peer) : -1;
}

static void test_announce_and_withdraw(void **state _unused_)
{
	struct route r;

	route(&r, "10.0.0.1", 65001, 1);
	assert_int_equal(take(0, "192.0.2.0/24", &r), 0);
	assert_int_equal(take(1, "192.0.2.0/24", &r), 0);
	assert_int_equal(take(1, "2001:db8::/32", &r), 0);
	settle();
	assert_int_equal(decided, 2); /* two changes of one prefix are one decision */
	assert_int_equal(best("192.0.2.0/24"), 0);
	assert_int_equal(peer[1].of[BGP_IPV4].received, 1);
	assert_int_equal(peer[1].of[BGP_IPV6].accepted, 1);
	assert_int_equal(rib.pool.table.n, 1); /* equal attributes are one */
	assert_int_equal(take(0, "192.0.2.0/24", &r), 0);
	settle();
	assert_int_equal(decided, 2); /* the same again is no change */
	assert_int_equal(take(0, "192.0.2.0/24", NULL), 0);
	assert_int_equal(take(0, "198.51.100.0/24", NULL), 0); /* was never there */
	settle();
	assert_int_equal(decided, 3);
	assert_int_equal(best("192.0.2.0/24"), 1);
	assert_int_equal(take(1, "192.0.2.0/24", NULL), 0);
	assert_int_equal(take(1, "2001:db8::/32", NULL), 0);
	settle();
	assert_int_equal(best("192.0.2.0/24"), -2);
	assert_int_equal(rib.nets.n, 0);
	assert_int_equal(rib.pool.table.n, 0);
	assert_int_equal(peer[0].of[BGP_IPV4].received + peer[1].of[BGP_IPV4].received, 0);
	assert_int_equal(peer[0].of[BGP_IPV4].accepted + peer[1].of[BGP_IPV4].accepted, 0);
}

/* --- filters -----------------------------------------------------------------------------------
 */

static enum bgp_fate fate_of(const char *prefix, const struct route *r)
{
	const struct prefix p = prefix_of_text(prefix);
	enum bgp_fate f;

	assert_int_equal(bgp_rib_take(&rib, &peer[0], &p, &r->a), 0);
	settle();
	f = bgp_rib_find(&rib, &p)->paths->fate;
	assert_int_equal(peer[0].of[p.addr.family != AF_INET].accepted, f == BGP_USED);
	assert_int_equal(bgp_rib_take(&rib, &peer[0], &p, NULL), 0);
	settle();
	return f;
}

static void test_import(void **state _unused_)
{
	const struct prefix own = prefix_of_text("10.1.0.0/16");
	const struct prefix theirs = prefix_of_text("10.2.0.0/16");
	struct route r;

	route(&r, "10.0.0.1", 65001, 1);
	bgp_ranges_add(&rib.own, &own);
	bgp_ranges_add(&pods, &theirs);
	assert_int_equal(fate_of("10.1.0.0/16", &r), BGP_REFUSED_OWN);
	assert_int_equal(fate_of("10.1.7.0/24", &r), BGP_REFUSED_OWN);
	assert_int_equal(fate_of("10.0.0.0/8", &r), BGP_USED); /* ours is longer, and wins */
	assert_int_equal(fate_of("0.0.0.0/0", &r), BGP_REFUSED_DEFAULT);
	assert_int_equal(fate_of("::/0", &r), BGP_REFUSED_DEFAULT);
	assert_int_equal(fate_of("127.0.0.0/24", &r), BGP_REFUSED_MARTIAN);
	assert_int_equal(fate_of("224.0.0.0/4", &r), BGP_REFUSED_MARTIAN);
	assert_int_equal(fate_of("255.255.255.255/32", &r), BGP_REFUSED_MARTIAN);
	assert_int_equal(fate_of("169.254.0.0/16", &r), BGP_REFUSED_MARTIAN);
	assert_int_equal(fate_of("fe80::/64", &r), BGP_REFUSED_MARTIAN);
	assert_int_equal(fate_of("ff00::/8", &r), BGP_REFUSED_MARTIAN);
	assert_int_equal(fate_of("::1/128", &r), BGP_REFUSED_MARTIAN);
	assert_int_equal(fate_of("2001:db8::/32", &r), BGP_USED);
	peer[0].import = BGP_IMPORT_PODS;
	assert_int_equal(fate_of("10.2.3.0/24", &r), BGP_REFUSED_IMPORT); /* whose? */
	peer[0].pods = &pods;
	assert_int_equal(fate_of("10.2.3.0/24", &r), BGP_USED);
	assert_int_equal(fate_of("10.3.0.0/24", &r), BGP_REFUSED_IMPORT);
	assert_int_equal(fate_of("10.0.0.0/8", &r), BGP_REFUSED_IMPORT);
	peer[0].import = BGP_IMPORT_NONE;
	assert_int_equal(fate_of("10.2.3.0/24", &r), BGP_REFUSED_IMPORT);
}

static void test_loops(void **state _unused_)
{
	const struct prefix hop = prefix_of_text("10.0.0.1/32");
	struct route r;

	route(&r, "10.0.0.1", 64998, 4); /* to 65001: 65000 is among them */
	assert_int_equal(fate_of("192.0.2.0/24", &r), BGP_REFUSED_LOOP);
	route(&r, "10.0.0.1", 65001, 1);
	r.a.has = 1u << BGP_ATTR_ORIGINATOR;
	r.a.originator = rib.id;
	assert_int_equal(fate_of("192.0.2.0/24", &r), BGP_REFUSED_ORIGINATOR);
	r.a.originator = 5;
	r.clusters[7] = 98;
	r.a.list[BGP_LIST_CLUSTERS] = (struct bgp_span){r.clusters, 8};
	assert_int_equal(fate_of("192.0.2.0/24", &r), BGP_REFUSED_CLUSTER);
	r.clusters[7] = 97;
	assert_int_equal(fate_of("192.0.2.0/24", &r), BGP_USED);
	bgp_ranges_add(&rib.own_hops, &hop);
	assert_int_equal(fate_of("192.0.2.0/24", &r), BGP_REFUSED_HOP);
}

/* Another filter needs no new session. */
static void test_filter_that_changes(void **state _unused_)
{
	struct route r;

	route(&r, "10.0.0.1", 65001, 1);
	peer[0].import = BGP_IMPORT_NONE;
	assert_int_equal(take(0, "192.0.2.0/24", &r), 0);
	assert_int_equal(take(0, "198.51.100.0/24", &r), 0);
	settle();
	assert_int_equal(best("192.0.2.0/24"), -1);
	peer[0].import = BGP_IMPORT_ALL;
	bgp_rib_again(&rib, &peer[0]);
	/* While that goes on the last one is announced again, as it was. */
	assert_true(bgp_rib_settle(&rib, 1, on_net, NULL));
	assert_int_equal(take(0, "198.51.100.0/24", &r), 0);
	assert_int_equal(take(0, "192.0.2.0/24", NULL), 0);
	settle();
	assert_int_equal(best("198.51.100.0/24"), 0);
	assert_int_equal(peer[0].of[BGP_IPV4].accepted, 1);
}

/* The one that would be looked at next is withdrawn. */
static void test_filter_that_changes_beside_a_withdrawal(void **state _unused_)
{
	struct route r;

	route(&r, "10.0.0.1", 65001, 1);
	peer[0].import = BGP_IMPORT_NONE;
	assert_int_equal(take(0, "192.0.2.0/24", &r), 0);
	assert_int_equal(take(0, "198.51.100.0/24", &r), 0);
	assert_int_equal(take(0, "203.0.113.0/24", &r), 0);
	settle();
	peer[0].import = BGP_IMPORT_ALL;
	bgp_rib_again(&rib, &peer[0]);
	assert_true(bgp_rib_settle(&rib, 1, on_net, NULL));
	assert_int_equal(take(0, "198.51.100.0/24", NULL), 0);
	settle();
	assert_int_equal(best("203.0.113.0/24"), 0);
	assert_int_equal(peer[0].of[BGP_IPV4].accepted, 2);
}

static void test_limit(void **state _unused_)
{
	struct route r;

	route(&r, "10.0.0.1", 65001, 1);
	peer[0].of[BGP_IPV4].limit = 2;
	assert_int_equal(take(0, "192.0.2.0/24", &r), 0);
	assert_int_equal(take(0, "192.0.3.0/24", &r), 0);
	assert_int_equal(take(0, "192.0.4.0/24", &r), -E2BIG);
	assert_int_equal(take(0, "2001:db8::/32", &r), 0); /* a family each */
	assert_int_equal(take(0, "192.0.3.0/24", &r), 0);  /* is there */
	settle();
	assert_int_equal(best("192.0.4.0/24"), -2);
}

/* --- neighbours that go ------------------------------------------------------------------------
 */

static void announce_many(int i, unsigned int n)
{
	struct route r;

	route(&r, i ? "10.0.0.2" : "10.0.0.1", 65001, 1);
	for (unsigned int j = 0; j < n; j++) {
		struct prefix p = prefix_of_text("20.0.0.0/24");

		p.addr.b[1] = (uint8_t)(j >> 8);
		p.addr.b[2] = (uint8_t)j;
		assert_int_equal(bgp_rib_take(&rib, &peer[i], &p, &r.a), 0);
	}
}

static void test_neighbour_goes(void **state _unused_)
{
	unsigned int calls = 0;

	announce_many(0, 1000);
	announce_many(1, 10);
	settle();
	decided = 0;
	bgp_rib_stale(&peer[0], BGP_IPV4);
	bgp_rib_sweep(&rib, &peer[0], BGP_IPV4);
	while (bgp_rib_settle(&rib, 100, on_net, NULL))
		calls++;
	assert_in_range(calls, 15, 25); /* a path and a prefix each are looked at, once */
	assert_int_equal(decided, 1000);
	assert_int_equal(rib.nets.n, 10);
	assert_int_equal(best("20.0.0.0/24"), 1);
	assert_int_equal(peer[0].of[BGP_IPV4].received, 0);
	assert_null(peer[0].of[BGP_IPV4].first);
}

/* It is back before all of its old routes are gone: what it announces again stays. */
static void test_neighbour_comes_back(void **state _unused_)
{
	announce_many(0, 100);
	settle();
	bgp_rib_stale(&peer[0], BGP_IPV4);
	bgp_rib_sweep(&rib, &peer[0], BGP_IPV4);
	assert_true(bgp_rib_settle(&rib, 20, on_net, NULL));
	announce_many(0, 50);
	settle();
	assert_int_equal(peer[0].of[BGP_IPV4].received, 50);
	assert_int_equal(rib.nets.n, 50);
	assert_int_equal(best("20.0.0.0/24"), 0);
	assert_int_equal(best("20.0.99.0/24"), -2);
}

/* RFC 4724 4.2: what was announced before stays in use until the end of the new table. */
static void test_graceful_restart(void **state _unused_)
{
	announce_many(0, 20);
	settle();
	decided = 0;
	bgp_rib_stale(&peer[0], BGP_IPV4);
	settle();
	assert_int_equal(best("20.0.19.0/24"), 0);
	announce_many(0, 10);
	settle();
	assert_int_equal(decided, 0); /* as it was: nothing changes */
	bgp_rib_sweep(&rib, &peer[0], BGP_IPV4);
	settle();
	assert_int_equal(decided, 10);
	assert_int_equal(best("20.0.9.0/24"), 0);
	assert_int_equal(best("20.0.10.0/24"), -2);
}

static void test_ranges(void **state _unused_)
{
	const struct prefix p = prefix_of_text("10.2.0.0/16"),
			    inner = prefix_of_text("10.2.3.0/24");
	const struct prefix outer = prefix_of_text("10.0.0.0/8"), v6 = prefix_of_text("a02::/16");

	bgp_ranges_add(&pods, &p);
	bgp_ranges_add(&pods, &p);
	assert_true(bgp_ranges_cover(&pods, &p) && bgp_ranges_cover(&pods, &inner));
	assert_false(bgp_ranges_cover(&pods, &outer) || bgp_ranges_cover(&pods, &v6));
	bgp_ranges_remove(&pods, &p);
	assert_true(bgp_ranges_cover(&pods, &inner));
	bgp_ranges_remove(&pods, &p);
	assert_false(bgp_ranges_cover(&pods, &inner));
}

/* Not asserted: what 100,000 routes take, to be seen beside a change. */
static void test_sizes(void **state _unused_)
{
	enum { N = 65536 };

	announce_many(0, N);
	settle();
	print_message("a path %zu bytes, an IPv4 prefix %zu, attributes %zu and lists, "
		      "%zu in slots a route\n",
		      sizeof(struct bgp_path), offsetof(struct bgp_net, addr) + 4,
		      sizeof(struct bgp_kept), rib.nets.cap * 12 / N);
	assert_int_equal(rib.nets.n, N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_announce_and_withdraw, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_import, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filter_that_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filter_that_changes_beside_a_withdrawal,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_neighbour_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_neighbour_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_graceful_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ranges, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
