// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_decide.c - the decision step by step (RFC 4271 9.1): each step decides where all before
 * it are equal, and no earlier one can be overruled by a later one.
 */
#include "test/unit/bgp_routes.h"

enum { A, B, C, _PEERS };

static struct bgp_rib rib;
static struct bgp_peer peer[_PEERS];
static struct route r[_PEERS];
static uint32_t metric[_PEERS];
static bool reached[_PEERS];

static const char *const hops[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};

static bool on_hop(void *arg _unused_, const struct addr *hop, uint32_t *ret)
{
	int i = hop->b[3] - 1;

	*ret = metric[i];
	return reached[i];
}

/* Three neighbours of other ASes whose routes are equal but for their addresses. */
static int set_up(void **state _unused_)
{
	rib = (struct bgp_rib){.asn = 65000, .id = 99, .hop = on_hop};
	for (int i = 0; i < _PEERS; i++) {
		peer[i] = (struct bgp_peer){.addr = addr_of_text(hops[i]),
					    .id = 7,
					    .external = true,
					    .import = BGP_IMPORT_ALL};
		route(&r[i], hops[i], 65001, 2);
		metric[i] = 10;
		reached[i] = true;
	}
	return 0;
}

static int tear_down(void **state _unused_)
{
	bgp_rib_done(&rib);
	return 0;
}

static void ignore(void *arg _unused_, const struct bgp_net *net _unused_)
{
}

static const struct bgp_net *decide(void)
{
	const struct prefix p = prefix_of_text("192.0.2.0/24");

	for (int i = 0; i < _PEERS; i++)
		assert_int_equal(bgp_rib_take(&rib, &peer[i], &p, &r[i].a), 0);
	while (bgp_rib_settle(&rib, 1, ignore, NULL))
		;
	return bgp_rib_find(&rib, &p);
}

static enum bgp_fate fate(int i)
{
	const struct prefix p = prefix_of_text("192.0.2.0/24");
	const struct bgp_path *path = bgp_rib_find(&rib, &p)->paths;

	while (path->peer != &peer[i])
		path = path->next;
	return path->fate;
}

static void assert_fates(enum bgp_fate a, enum bgp_fate b, enum bgp_fate c)
{
	const struct bgp_net *net = decide();

	if (fate(A) != a || fate(B) != b || fate(C) != c)
		fail_msg("%s / %s / %s", bgp_fate_str(fate(A)), bgp_fate_str(fate(B)),
			 bgp_fate_str(fate(C)));
	for (const struct bgp_path *p = net->paths; p && p->next; p = p->next)
		assert_true(bgp_path_is_used(p) >= bgp_path_is_used(p->next) &&
			    p->next->fate != BGP_USED);
}

static void test_g_address(void **state _unused_)
{
	assert_fates(BGP_USED, BGP_LOST_ADDRESS, BGP_LOST_ADDRESS);
}

/* RFC 4456 9, between f and g */
static void test_clusters(void **state _unused_)
{
	for (int i = A; i <= B; i++) {
		r[i].a.list[BGP_LIST_CLUSTERS] =
			(struct bgp_span){r[i].clusters, (uint16_t)(8 - 4 * i)};
		peer[i].external = peer[C].external = false;
	}
	assert_fates(BGP_LOST_CLUSTERS, BGP_LOST_CLUSTERS, BGP_USED);
}

static void test_f_id(void **state _unused_)
{
	peer[A].id = 9;
	assert_fates(BGP_LOST_ID, BGP_USED, BGP_LOST_ADDRESS);
	/* Of a route that was reflected the originator counts. */
	r[C].a.has |= 1u << BGP_ATTR_ORIGINATOR;
	r[C].a.originator = 5;
	assert_fates(BGP_LOST_ID, BGP_LOST_ID, BGP_USED);
}

static void test_e_metric(void **state _unused_)
{
	metric[B] = 9;
	peer[A].id = 1; /* f would have A */
	assert_fates(BGP_LOST_METRIC, BGP_USED, BGP_LOST_METRIC);
}

static void test_d_external(void **state _unused_)
{
	peer[A].external = peer[C].external = false;
	metric[B] = 11; /* e would have another one */
	assert_fates(BGP_LOST_INTERNAL, BGP_USED, BGP_LOST_INTERNAL);
}

static void set_med(int i, uint32_t med)
{
	r[i].a.has |= 1u << BGP_ATTR_MED;
	r[i].a.med = med;
}

static void test_c_med(void **state _unused_)
{
	set_med(A, 5);
	set_med(B, 4);
	set_med(C, 4);
	peer[B].external = false; /* d comes later */
	assert_fates(BGP_LOST_MED, BGP_LOST_INTERNAL, BGP_USED);
	r[C].a.has = 0; /* none is the lowest */
	r[C].a.med = 0;
	assert_fates(BGP_LOST_MED, BGP_LOST_MED, BGP_USED);
}

/* Only among those of one neighbouring AS; so B, which is worse than C, does not keep A out. */
static void test_c_med_of_different_as(void **state _unused_)
{
	route(&r[A], hops[A], 65009, 2);
	set_med(A, 100);
	set_med(B, 50);
	set_med(C, 40);
	assert_fates(BGP_USED, BGP_LOST_MED, BGP_LOST_ADDRESS);
}

static void test_b_origin(void **state _unused_)
{
	r[A].a.origin = BGP_ORIGIN_INCOMPLETE;
	r[B].a.origin = BGP_ORIGIN_EGP;
	set_med(C, 1000);
	assert_fates(BGP_LOST_ORIGIN, BGP_LOST_ORIGIN, BGP_USED);
}

static void test_a_length(void **state _unused_)
{
	route(&r[C], hops[C], 65001, 1);
	r[C].a.origin = BGP_ORIGIN_INCOMPLETE;
	assert_fates(BGP_LOST_PATH_LENGTH, BGP_LOST_PATH_LENGTH, BGP_USED);
	/* A set is one, so B is as short as C. */
	r[B].path[0] = BGP_SEGMENT_SET;
	r[B].path[1] = 2;
	assert_fates(BGP_LOST_PATH_LENGTH, BGP_USED, BGP_LOST_ORIGIN);
}

static void set_local_pref(int i, uint32_t v)
{
	r[i].a.has |= 1u << BGP_ATTR_LOCAL_PREF;
	r[i].a.local_pref = v;
}

static void test_local_pref(void **state _unused_)
{
	for (int i = 0; i < _PEERS; i++)
		peer[i].external = false;
	set_local_pref(A, 99);
	set_local_pref(B, 101);
	route(&r[C], hops[C], 65001, 1); /* shorter, and 100 by default */
	assert_fates(BGP_LOST_LOCAL_PREF, BGP_USED, BGP_LOST_LOCAL_PREF);
	/* From outside it says nothing. */
	peer[B].external = true;
	bgp_rib_again(&rib, &peer[B]);
	assert_fates(BGP_LOST_LOCAL_PREF, BGP_LOST_PATH_LENGTH, BGP_USED);
}

static void test_unreachable(void **state _unused_)
{
	reached[A] = false;
	assert_fates(BGP_REFUSED_UNREACHABLE, BGP_USED, BGP_LOST_ADDRESS);
	reached[B] = reached[C] = false;
	set_med(B, 1); /* anything, so that it is decided again */
	assert_fates(BGP_REFUSED_UNREACHABLE, BGP_REFUSED_UNREACHABLE, BGP_REFUSED_UNREACHABLE);
}

/* As good as the best to the end of e. */
static void test_ecmp(void **state _unused_)
{
	const struct bgp_path *p;

	peer[C].id = 1;
	route(&r[B], hops[B], 65001, 3);
	p = decide()->paths;
	assert_ptr_equal(p->peer, &peer[C]);
	assert_true(bgp_path_is_used(p));
	assert_ptr_equal(p->next->peer, &peer[A]);
	assert_true(bgp_path_is_used(p->next));
	assert_false(bgp_path_is_used(p->next->next));
	assert_null(p->next->next->next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_g_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_clusters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_f_id, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_e_metric, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_d_external, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_c_med, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_c_med_of_different_as, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_b_origin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_length, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_local_pref, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unreachable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ecmp, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
