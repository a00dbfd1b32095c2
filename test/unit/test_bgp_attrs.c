// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_attrs.c - every path attribute, right and wrong, and what RFC 7606 says that it costs.
 */
#include "test/unit/bgp_bytes.h"

#include "datapath/bgp/update.h"

#define ORIGIN	 "400101 00 "
#define PATH	 "400206 0201 0000fde9 " /* 65001 */
#define NEXT_HOP "400304 0a000001 "
#define GOOD	 ORIGIN PATH NEXT_HOP
#define NLRI	 "18 c00002" /* 192.0.2.0/24 */

static const struct bgp_agreed external = {.families = 3, .as4 = true, .external = true};
static const struct bgp_agreed internal = {.families = 3, .as4 = true};
static const struct bgp_agreed old = {.families = 3, .external = true};

static struct buf message;
static struct bgp_update u;

static int tear_down(void **state _unused_)
{
	buf_done(&message);
	bgp_update_done(&u);
	return 0;
}

/* An UPDATE of attributes and IPv4 prefixes. */
static void take(const struct bgp_agreed *session, const char *attrs, const char *nlri)
{
	_cleanup_(buf_done) struct buf a = {0};
	size_t from;

	bgp_hex(&a, attrs);
	buf_reset(&message);
	from = bgp_message_begin(&message, BGP_UPDATE);
	buf_put_be16(&message, 0);
	buf_put_be16(&message, (uint16_t)a.len);
	buf_put(&message, a.data, a.len);
	bgp_hex(&message, nlri);
	bgp_message_end(&message, from);
	bgp_update_read(&u, (const uint8_t *)message.data, message.len, session);
}

static void assert_span(const struct bgp_span *s, const char *digits)
{
	_cleanup_(buf_done) struct buf want = {0};

	bgp_hex(&want, digits);
	assert_int_equal(s->n, want.len);
	if (s->n)
		assert_memory_equal(s->p, want.data, want.len);
}

/* --- what is right -----------------------------------------------------------------------------
 */

static void test_well_known(void **state _unused_)
{
	take(&internal, GOOD "800404 00000007 400505 000000c8", NLRI);
	assert_int_equal(u.action, BGP_WITHDRAW); /* LOCAL_PREF of 5 bytes, of which 4 are there */
	take(&internal, GOOD "800404 00000007 400504 000000c8 400600", NLRI);
	assert_int_equal(u.action, BGP_ACCEPT);
	assert_int_equal(u.attrs.origin, BGP_ORIGIN_IGP);
	assert_int_equal(u.attrs.med, 7);
	assert_int_equal(u.attrs.local_pref, 200);
	assert_int_equal(u.attrs.has,
			 1 << BGP_ATTR_MED | 1 << BGP_ATTR_LOCAL_PREF | 1 << BGP_ATTR_ATOMIC);
	assert_memory_equal(u.attrs.next_hop.b, "\xa\0\0\1", 4);
	assert_span(&u.attrs.list[BGP_LIST_AS_PATH], "0201 0000fde9");
	take(&internal, NEXT_HOP PATH ORIGIN, NLRI); /* 5: in any order */
	assert_int_equal(u.action, BGP_ACCEPT);
	take(&internal, "500100 01 01" PATH NEXT_HOP, NLRI); /* extended length, EGP */
	assert_int_equal(u.action, BGP_ACCEPT);
	assert_int_equal(u.attrs.origin, BGP_ORIGIN_EGP);
}

static void test_lists(void **state _unused_)
{
	take(&internal,
	     GOOD "c00808 fde80007 ffffff01 800904 c0000201 800a08 01010101 02020202 "
		  "c01008 0002fde900000001 c0200c 0000fde9 00000001 00000002",
	     NLRI);
	assert_int_equal(u.action, BGP_ACCEPT);
	assert_span(&u.attrs.list[BGP_LIST_COMMUNITIES], "fde80007 ffffff01");
	assert_int_equal(u.attrs.originator, 0xc0000201);
	assert_span(&u.attrs.list[BGP_LIST_CLUSTERS], "01010101 02020202");
	assert_span(&u.attrs.list[BGP_LIST_EXTENDED], "0002fde900000001");
	assert_span(&u.attrs.list[BGP_LIST_LARGE], "0000fde9 00000001 00000002");
}

static void test_aggregator(void **state _unused_)
{
	take(&external, GOOD "c00708 00010000 c0000201", NLRI);
	assert_int_equal(u.action, BGP_ACCEPT);
	assert_int_equal(u.attrs.aggregator_as, 65536);
	assert_int_equal(u.attrs.aggregator_id, 0xc0000201);
}

static void test_unknown(void **state _unused_)
{
	/* RFC 4271 5: transitive is kept with Partial, the rest is dropped. */
	take(&external, GOOD "c06302 abcd 806402 1234 e06500", NLRI);
	assert_int_equal(u.action, BGP_ACCEPT);
	assert_span(&u.attrs.list[BGP_LIST_OTHERS], "e06302 abcd e06500");
	take(&external, GOOD "406302 abcd", NLRI); /* well-known, and we do not know it */
	assert_int_equal(u.action, BGP_RESET);
	assert_int_equal(u.notice.code, 3);
	assert_int_equal(u.notice.subcode, 2);
	assert_span(&u.notice.data, "406302 abcd");
}

/* --- AS numbers of two bytes: RFC 6793 ---------------------------------------------------------
 */

static void assert_merged(const char *attrs, const char *want)
{
	take(&old, attrs, NLRI);
	assert_int_equal(u.action, BGP_ACCEPT);
	assert_span(&u.attrs.list[BGP_LIST_AS_PATH], want);
}

static void test_old_speaker(void **state _unused_)
{
	assert_merged(ORIGIN NEXT_HOP "400206 0202 fde9 5ba0", "0202 0000fde9 00005ba0");
	/* 65001 has put itself before what AS4_PATH says. */
	assert_merged(ORIGIN NEXT_HOP "400206 0202 fde9 5ba0 c01106 0201 00010000",
		      "0201 0000fde9 0201 00010000");
	/* An AS4_PATH that is longer does not count. */
	assert_merged(ORIGIN NEXT_HOP "400204 0201 fde9 c0110a 0202 00010000 00010001",
		      "0201 0000fde9");
	/* A set counts as one. */
	assert_merged(ORIGIN NEXT_HOP "40020a 0102 0001 0002 0201 5ba0 c01106 0201 00010000",
		      "0102 00000001 00000002 0201 00010000");
	/* An aggregator that is no AS_TRANS: an old speaker has aggregated since. */
	assert_merged(ORIGIN NEXT_HOP "400204 0201 5ba0 c00706 fde9 01010101 "
				      "c01106 0201 00010000 c01208 00010000 02020202",
		      "0201 00005ba0");
	assert_int_equal(u.attrs.aggregator_as, 65001);
	assert_merged(ORIGIN NEXT_HOP "400204 0201 5ba0 c00706 5ba0 01010101 "
				      "c01106 0201 00010000 c01208 00010000 02020202",
		      "0201 00010000");
	assert_int_equal(u.attrs.aggregator_as, 65536);
	assert_int_equal(u.attrs.aggregator_id, 0x02020202);
}

/* Of a neighbour that speaks four bytes they do not count, whatever they say (6793 4.1). */
static void test_as4_from_a_new_speaker(void **state _unused_)
{
	take(&external, GOOD "c01106 0201 00010000", NLRI);
	assert_int_equal(u.action, BGP_ACCEPT);
	assert_span(&u.attrs.list[BGP_LIST_AS_PATH], "0201 0000fde9");
}

/* --- what is wrong: RFC 7606 3, 4, 7 -----------------------------------------------------------
 */

#define AS4   1
#define OLD   2
#define INNER 4
#define ALL   (AS4 | OLD | INNER)

/* Beside ORIGIN, AS_PATH and NEXT_HOP, where @attr is none of these. */
static const struct {
	const char *name, *attr;
	uint8_t type;
	enum bgp_action want;
	uint8_t from;
} errors[] = {
	/* 7.1 */
	{"ORIGIN without a value", "400100", 1, BGP_WITHDRAW, ALL},
	{"ORIGIN of two bytes", "400102 0000", 1, BGP_WITHDRAW, ALL},
	{"ORIGIN 3", "400101 03", 1, BGP_WITHDRAW, ALL},
	{"ORIGIN that is optional", "c00101 00", 1, BGP_WITHDRAW, ALL},
	{"ORIGIN that is not transitive", "000101 00", 1, BGP_WITHDRAW, ALL},
	{"ORIGIN with Partial", "600101 00", 1, BGP_ACCEPT, ALL}, /* 3 c names two bits only */
	/* 7.2 */
	{"empty AS_PATH", "400200", 2, BGP_ACCEPT, ALL},
	{"AS_PATH with segment 0", "400206 0001 00000001", 2, BGP_WITHDRAW, AS4 | INNER},
	{"AS_PATH with segment 5", "400206 0501 00000001", 2, BGP_WITHDRAW, AS4 | INNER},
	{"AS_PATH of a confederation", "400206 0301 00000001", 2, BGP_WITHDRAW, AS4 | INNER},
	{"AS_PATH, overrun", "400206 0202 00000001", 2, BGP_WITHDRAW, AS4 | INNER},
	{"AS_PATH, overrun", "400204 0202 0001", 2, BGP_WITHDRAW, OLD},
	{"AS_PATH, underrun", "400207 0201 00000001 02", 2, BGP_WITHDRAW, AS4 | INNER},
	{"AS_PATH, one byte", "400201 02", 2, BGP_WITHDRAW, ALL},
	{"AS_PATH, empty segment", "400208 0200 0201 00000001", 2, BGP_WITHDRAW, AS4 | INNER},
	{"AS_PATH with AS 0", "40020a 0202 00000001 00000000", 2, BGP_WITHDRAW, AS4 | INNER},
	{"AS_PATH with AS 0", "400204 0201 0000", 2, BGP_WITHDRAW, OLD},
	{"AS_PATH that is optional", "c00206 0201 00000001", 2, BGP_WITHDRAW, ALL},
	/* 7.3 */
	{"NEXT_HOP without a value", "400300", 3, BGP_WITHDRAW, ALL},
	{"NEXT_HOP of three bytes", "400303 0a0000", 3, BGP_WITHDRAW, ALL},
	{"NEXT_HOP of 16 bytes", "400310 20010db8000000000000000000000001", 3, BGP_WITHDRAW, ALL},
	{"NEXT_HOP 0.0.0.0", "400304 00000000", 3, BGP_WITHDRAW, ALL},
	{"NEXT_HOP 127.0.0.1", "400304 7f000001", 3, BGP_WITHDRAW, ALL},
	{"NEXT_HOP 224.0.0.1", "400304 e0000001", 3, BGP_WITHDRAW, ALL},
	{"NEXT_HOP that is optional", "c00304 0a000001", 3, BGP_WITHDRAW, ALL},
	/* 7.4 */
	{"MED of three bytes", "800403 000000", 4, BGP_WITHDRAW, ALL},
	{"MED without a value", "800400", 4, BGP_WITHDRAW, ALL},
	{"MED that is well-known", "400404 00000001", 4, BGP_WITHDRAW, ALL},
	{"MED that is transitive", "c00404 00000001", 4, BGP_WITHDRAW, ALL},
	/* 7.5 */
	{"LOCAL_PREF of five bytes", "400505 0000000000", 5, BGP_WITHDRAW, INNER},
	{"LOCAL_PREF that is optional", "c00504 00000001", 5, BGP_WITHDRAW, INNER},
	{"LOCAL_PREF from outside", "400504 000000ff", 5, BGP_DISCARD, AS4 | OLD},
	{"bad LOCAL_PREF from outside", "c00501 00", 5, BGP_DISCARD, AS4 | OLD},
	/* 7.6 */
	{"ATOMIC_AGGREGATE with a value", "400601 00", 6, BGP_DISCARD, ALL},
	{"ATOMIC_AGGREGATE that is optional", "c00600", 6, BGP_DISCARD, ALL}, /* 3 f */
	/* 7.7 */
	{"AGGREGATOR of 6 bytes", "c00706 0001 01010101", 7, BGP_DISCARD, AS4 | INNER},
	{"AGGREGATOR of 8 bytes", "c00708 00000001 01010101", 7, BGP_DISCARD, OLD},
	{"AGGREGATOR of 7 bytes", "c00707 00000101010101", 7, BGP_DISCARD, ALL},
	{"AGGREGATOR without a value", "c00700", 7, BGP_DISCARD, ALL},
	{"AGGREGATOR of AS 0", "c00708 00000000 01010101", 7, BGP_DISCARD, AS4 | INNER},
	{"AGGREGATOR that is well-known", "400708 00000001 01010101", 7, BGP_DISCARD, ALL},
	/* 7.8 */
	{"communities, empty", "c00800", 8, BGP_WITHDRAW, ALL},
	{"communities of six bytes", "c00806 000100020003", 8, BGP_WITHDRAW, ALL},
	{"communities, not transitive", "800804 00010002", 8, BGP_WITHDRAW, ALL},
	/* 7.9, 7.10 */
	{"ORIGINATOR_ID of 5 bytes", "800905 0101010101", 9, BGP_WITHDRAW, INNER},
	{"ORIGINATOR_ID, transitive", "c00904 01010101", 9, BGP_WITHDRAW, INNER},
	{"ORIGINATOR_ID from outside", "800904 01010101", 9, BGP_DISCARD, AS4 | OLD},
	{"CLUSTER_LIST, empty", "800a00", 10, BGP_WITHDRAW, INNER},
	{"CLUSTER_LIST of 6 bytes", "800a06 010101010101", 10, BGP_WITHDRAW, INNER},
	{"bad CLUSTER_LIST from outside", "800a06 010101010101", 10, BGP_DISCARD, AS4 | OLD},
	/* 7.14 */
	{"extended communities, empty", "c01000", 16, BGP_WITHDRAW, ALL},
	{"extended communities of 9 bytes", "c01009 000000000000000000", 16, BGP_WITHDRAW, ALL},
	/* RFC 6793 6 */
	{"AS4_PATH of 4 bytes", "c01104 02010001", 17, BGP_DISCARD, ALL},
	{"AS4_PATH of 7 bytes", "c01107 02010000000100", 17, BGP_DISCARD, ALL},
	{"AS4_PATH, overrun", "c01106 0202 00000001", 17, BGP_DISCARD, OLD},
	{"AS4_PATH, empty segment", "c01108 0200 0201 00000001", 17, BGP_DISCARD, OLD},
	{"AS4_PATH with AS 0", "c01106 0201 00000000", 17, BGP_DISCARD, OLD},
	{"AS4_AGGREGATOR of 6 bytes", "c01206 0001 01010101", 18, BGP_DISCARD, ALL},
	{"AS4_AGGREGATOR of AS 0", "c01208 00000000 01010101", 18, BGP_DISCARD, OLD},
	{"AS4_PATH that is well-known", "401106 0201 00000001", 17, BGP_WITHDRAW, ALL},
	/* RFC 8092 5 */
	{"large communities, empty", "c02000", 32, BGP_WITHDRAW, ALL},
	{"large communities of 8 bytes", "c02008 0000000000000000", 32, BGP_WITHDRAW, ALL},
	{"large communities, well-known", "40200c 000000000000000000000000", 32, BGP_WITHDRAW, ALL},
	/* 4: the last attribute ends behind the end, or its head does */
	{"beyond the end", "c0080c 00010002", 8, BGP_WITHDRAW, ALL},
	{"half a head", "c008", 8, BGP_WITHDRAW, ALL},
	{"half a long length", "d008 00", 8, BGP_WITHDRAW, ALL},
	{"one byte", "c0", 0, BGP_WITHDRAW, ALL},
};

static const char *beside(uint8_t type, bool as2)
{
	switch (type) {
	case BGP_ATTR_ORIGIN:
		return as2 ? NEXT_HOP "400204 0201 fde9 " : PATH NEXT_HOP;
	case BGP_ATTR_AS_PATH:
		return ORIGIN NEXT_HOP;
	case BGP_ATTR_NEXT_HOP:
		return as2 ? ORIGIN "400204 0201 fde9 " : ORIGIN PATH;
	default:
		return as2 ? ORIGIN NEXT_HOP "400204 0201 fde9 " : GOOD;
	}
}

static void check_errors(const struct bgp_agreed *session, uint8_t from)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		_cleanup_(freep) char *attrs =
			xasprintf("%s%s", beside(errors[i].type, !session->as4), errors[i].attr);

		if (!(errors[i].from & from))
			continue;
		take(session, attrs, NLRI);
		if (u.action != errors[i].want)
			fail_msg("%s: action %d", errors[i].name, (int)u.action);
		if (u.action != BGP_ACCEPT && u.culprit != errors[i].type)
			fail_msg("%s: culprit %d", errors[i].name, u.culprit);
		assert_int_equal(u.withdraw, errors[i].want == BGP_WITHDRAW);
	}
}

static void test_errors(void **state _unused_)
{
	check_errors(&external, AS4);
	check_errors(&old, OLD);
	check_errors(&internal, INNER);
}

/* What is discarded is not there. */
static void test_discarded(void **state _unused_)
{
	take(&external, GOOD "400504 000000ff 800904 01010101 800a04 01010101 400601 00 c00701 00",
	     NLRI);
	assert_int_equal(u.action, BGP_DISCARD);
	assert_int_equal(u.attrs.has, 0);
	assert_int_equal(u.attrs.list[BGP_LIST_CLUSTERS].n, 0);
}

/* 3 d */
static void test_missing(void **state _unused_)
{
	take(&external, PATH NEXT_HOP, NLRI);
	assert_int_equal(u.action, BGP_WITHDRAW);
	assert_int_equal(u.culprit, BGP_ATTR_ORIGIN);
	take(&external, ORIGIN NEXT_HOP, NLRI);
	assert_int_equal(u.culprit, BGP_ATTR_AS_PATH);
	take(&external, ORIGIN PATH, NLRI);
	assert_int_equal(u.culprit, BGP_ATTR_NEXT_HOP);
	take(&external, "", NLRI);
	assert_int_equal(u.action, BGP_WITHDRAW);
	take(&internal, GOOD, NLRI); /* LOCAL_PREF is no mandatory one of RFC 4271 5 */
	assert_int_equal(u.action, BGP_ACCEPT);
}

/* 3 g */
static void test_repeated(void **state _unused_)
{
	take(&external, GOOD "800404 00000001 800404 00000002", NLRI);
	assert_int_equal(u.action, BGP_DISCARD);
	assert_int_equal(u.attrs.med, 1);
	take(&external, GOOD "c06301 01 c06301 02", NLRI);
	assert_int_equal(u.action, BGP_DISCARD);
	assert_span(&u.attrs.list[BGP_LIST_OTHERS], "e06301 01");
	for (int i = 0; i < 2; i++) {
		take(&external,
		     i ? "800f03 000201 800f03 000201"
		       : ORIGIN PATH "800e15 000201 10 20010db8000000000000000000000001 00 "
				     "800e15 000201 10 20010db8000000000000000000000001 00",
		     "");
		assert_int_equal(u.action, BGP_RESET);
		assert_int_equal(u.notice.subcode, 1);
	}
}

/* 3 h: the strongest counts, whichever comes first. */
static void test_several(void **state _unused_)
{
	take(&external, "400101 03 c00701 00 " PATH NEXT_HOP, NLRI);
	assert_int_equal(u.action, BGP_WITHDRAW);
	take(&external, "c00701 00 400101 03" PATH NEXT_HOP, NLRI);
	assert_int_equal(u.action, BGP_WITHDRAW);
	assert_int_equal(u.culprit, BGP_ATTR_ORIGIN);
	take(&external, "400101 03 406300" PATH NEXT_HOP, NLRI);
	assert_int_equal(u.action, BGP_RESET);
}

/* 5.2: an error, and no route that it could withdraw. */
static void test_error_without_routes(void **state _unused_)
{
	take(&external, "400101 03", "");
	assert_int_equal(u.action, BGP_RESET);
	assert_int_equal(u.notice.code, 3);
	take(&external, "c00701 00", ""); /* to be discarded only */
	assert_int_equal(u.action, BGP_DISCARD);
	take(&external, ORIGIN, ""); /* legal */
	assert_int_equal(u.action, BGP_ACCEPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well_known),  cmocka_unit_test(test_lists),
		cmocka_unit_test(test_aggregator),  cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_old_speaker), cmocka_unit_test(test_as4_from_a_new_speaker),
		cmocka_unit_test(test_errors),	    cmocka_unit_test(test_discarded),
		cmocka_unit_test(test_missing),	    cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_several),	    cmocka_unit_test(test_error_without_routes),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
