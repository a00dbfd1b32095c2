// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_out.c - what neighbours are told of our prefixes, read back from the UPDATEs.
 */
#include "test/unit/bgp_routes.h"

#include "datapath/bgp/out.h"

static const struct bgp_agreed outside = {.families = 3, .as4 = true, .external = true};
static const struct bgp_agreed inside = {.families = 3, .as4 = true};

static struct bgp_out o;
static struct bgp_reader reader, second;
static struct buf wire, seen;
static unsigned int updates;

static struct bgp_reader reader_of_session(const struct bgp_agreed *session)
{
	struct bgp_reader r = {.session = session, .asn = 65000};

	r.hop[BGP_IPV4] = addr_of_text("10.0.0.9");
	r.hop[BGP_IPV6] = addr_of_text("2001:db8::9");
	return r;
}

static int set_up(void **state _unused_)
{
	reader = reader_of_session(&outside);
	return 0;
}

static int tear_down(void **state _unused_)
{
	while (o.readers)
		bgp_out_remove(&o, o.readers);
	bgp_out_done(&o);
	buf_done(&wire);
	buf_done(&seen);
	return 0;
}

static void want(const char *prefix, uint32_t med)
{
	const struct prefix p = prefix_of_text(prefix);
	struct route r;

	route(&r, "0.0.0.0", 0, 0);
	r.a.has = 1u << BGP_ATTR_MED;
	r.a.med = med;
	bgp_out_want(&o, &p, &r.a);
}

static void drop(const char *prefix)
{
	const struct prefix p = prefix_of_text(prefix);

	bgp_out_drop(&o, &p);
}

static void on_route(void *arg _unused_, const struct prefix *p, const struct bgp_attrs *a)
{
	char text[PREFIX_STR_MAX], hop[ADDR_STR_MAX];

	buf_printf(&seen, "%s%s", a ? "+" : "-", prefix_str(p, text));
	if (a)
		buf_printf(&seen, "@%s,%u,%u,%u", addr_str(&a->next_hop, hop), a->med,
			   a->local_pref, bgp_path_first(&a->list[BGP_LIST_AS_PATH]));
	buf_putc(&seen, ' ');
}

/* What the neighbour reads. */
static const char *told(struct bgp_reader *r)
{
	struct bgp_update u = {0};
	struct bgp_notice bad;
	size_t at = 0;
	ssize_t n;

	buf_reset(&wire);
	buf_reset(&seen);
	buf_puts(&seen, "");
	updates = 0;
	assert_false(bgp_out_write(&o, r, &wire, 1 << 20));
	for (; (n = bgp_frame((const uint8_t *)wire.data + at, wire.len - at, &bad)) > 0;
	     at += (size_t)n) {
		bgp_update_read(&u, (const uint8_t *)wire.data + at, (size_t)n, r->session);
		assert_int_equal(u.action, BGP_ACCEPT);
		bgp_update_each(&u, on_route, NULL);
		if (u.ended < _BGP_FAMILY_MAX)
			buf_puts(&seen, u.ended == BGP_IPV4 ? "end4 " : "end6 ");
		updates++;
	}
	bgp_update_done(&u);
	return seen.data;
}

static void test_table_and_changes(void **state _unused_)
{
	want("10.1.0.0/24", 5);
	want("2001:db8:1::/64", 5);
	bgp_out_add(&o, &reader);
	assert_string_equal(told(&reader), "+10.1.0.0/24@10.0.0.9,5,0,65000 end4 "
					   "+2001:db8:1::/64@2001:db8::9,5,0,65000 end6 ");
	assert_string_equal(told(&reader), "");
	want("10.1.0.0/24", 5); /* as it is */
	assert_string_equal(told(&reader), "");
	want("10.1.0.0/24", 6);
	want("10.1.0.0/24", 7); /* twice, and told once */
	assert_string_equal(told(&reader), "+10.1.0.0/24@10.0.0.9,7,0,65000 ");
	drop("10.1.0.0/24");
	drop("10.1.0.0/24");
	assert_string_equal(told(&reader), "-10.1.0.0/24 ");
	assert_int_equal(o.adverts.n, 1);
	assert_int_equal(reader.sent[BGP_IPV4], 0);
	assert_int_equal(reader.sent[BGP_IPV6], 1);
}

/* RFC 4724 2: the end is told of an empty table, too. */
static void test_empty_table(void **state _unused_)
{
	bgp_out_add(&o, &reader);
	assert_string_equal(told(&reader), "end4 end6 ");
}

static void test_who_never_had_it(void **state _unused_)
{
	second = reader_of_session(&outside);
	want("10.1.0.0/24", 5);
	bgp_out_add(&o, &reader);
	told(&reader);
	drop("10.1.0.0/24");
	bgp_out_add(&o, &second);
	assert_string_equal(told(&second), "end4 end6 ");
	assert_string_equal(told(&reader), "-10.1.0.0/24 ");
	want("10.1.0.0/24", 5); /* comes and goes before anybody was told */
	drop("10.1.0.0/24");
	assert_string_equal(told(&second), "");
	assert_int_equal(o.adverts.n, 0);
}

static void test_inside(void **state _unused_)
{
	second = reader_of_session(&inside);
	want("10.1.0.0/24", 5);
	bgp_out_add(&o, &second);
	assert_string_equal(told(&second), "+10.1.0.0/24@10.0.0.9,5,100,0 end4 end6 ");
}

static void test_no_next_hop(void **state _unused_)
{
	reader.hop[BGP_IPV6].family = 0;
	want("2001:db8:1::/64", 5);
	bgp_out_add(&o, &reader);
	assert_string_equal(told(&reader), "end4 end6 ");
}

static void test_communities(void **state _unused_)
{
	static const uint8_t no_export[] = {0xff, 0xff, 0xff, 1},
			     no_advertise[] = {0xff, 0xff, 0xff, 2};
	const struct prefix p = prefix_of_text("10.1.0.0/24"), q = prefix_of_text("10.2.0.0/24");
	struct route a;

	second = reader_of_session(&inside);
	route(&a, "0.0.0.0", 0, 0);
	a.a.list[BGP_LIST_COMMUNITIES] = (struct bgp_span){no_export, 4};
	bgp_out_want(&o, &p, &a.a);
	a.a.list[BGP_LIST_COMMUNITIES] = (struct bgp_span){no_advertise, 4};
	bgp_out_want(&o, &q, &a.a);
	bgp_out_add(&o, &reader);
	bgp_out_add(&o, &second);
	assert_string_equal(told(&reader), "end4 end6 ");
	assert_string_equal(told(&second), "+10.1.0.0/24@10.0.0.9,0,100,0 end4 end6 ");
}

static bool only_long(void *arg _unused_, const struct prefix *p, const struct bgp_kept *k _unused_)
{
	return p->len == 32;
}

/* A filter that changes: what it does not want any more is withdrawn. */
static void test_filter_and_refresh(void **state _unused_)
{
	want("10.1.0.0/24", 5);
	want("10.1.0.1/32", 5);
	bgp_out_add(&o, &reader);
	told(&reader);
	assert_int_equal(reader.sent[BGP_IPV4], 2);
	bgp_out_refresh(&o, &reader, BGP_IPV4);
	assert_non_null(strstr(told(&reader), "+10.1.0.0/24"));
	assert_int_equal(reader.sent[BGP_IPV4], 2);
	reader.wants = only_long;
	bgp_out_refresh(&o, &reader, BGP_IPV4);
	assert_string_equal(told(&reader), "+10.1.0.1/32@10.0.0.9,5,0,65000 -10.1.0.0/24 ");
	assert_int_equal(reader.sent[BGP_IPV4], 1);
}

/* Many with few attributes are few UPDATEs; and many neighbours have a bit each. */
static void test_many(void **state _unused_)
{
	enum { N = 70 };
	static struct bgp_reader many[N];
	char text[32];

	for (int i = 0; i < 1500; i++) {
		(void)snprintf(text, sizeof(text), "20.%d.%d.0/24", i >> 8, i & 255);
		want(text, (uint32_t)i & 1);
	}
	for (int i = 0; i < N; i++) {
		many[i] = reader_of_session(&outside);
		bgp_out_add(&o, &many[i]);
		assert_int_equal(many[i].slot, i);
		told(&many[i]);
		assert_int_equal(updates, 4);
		assert_int_equal(many[i].sent[BGP_IPV4], 1500);
	}
	drop("20.0.0.0/24");
	bgp_out_remove(&o, &many[3]);
	for (int i = 0; i < N; i++)
		if (i != 3)
			assert_string_equal(told(&many[i]), "-20.0.0.0/24 ");
	assert_int_equal(o.adverts.n, 1499);
	bgp_out_add(&o, &reader);
	assert_int_equal(reader.slot, 3);
	told(&reader);
	assert_int_equal(reader.sent[BGP_IPV4], 1499);
}

static void test_too_long(void **state _unused_)
{
	static uint8_t communities[4080];
	const struct prefix p = prefix_of_text("10.1.0.0/24");
	struct route a;

	want("10.1.0.0/24", 5);
	bgp_out_add(&o, &reader);
	told(&reader);
	route(&a, "0.0.0.0", 0, 0);
	a.a.list[BGP_LIST_COMMUNITIES] = (struct bgp_span){communities, sizeof(communities)};
	bgp_out_want(&o, &p, &a.a);
	assert_string_equal(told(&reader), "-10.1.0.0/24 ");
	assert_int_equal(reader.too_long, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table_and_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_who_never_had_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_next_hop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_communities, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filter_and_refresh, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
