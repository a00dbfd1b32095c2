// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_message.c - frames, OPEN, NOTIFICATION, ROUTE-REFRESH, byte by byte as the RFCs have
 * them.
 */
#include "test/unit/bgp_bytes.h"

#include <errno.h>

#include "datapath/bgp/open.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff "

/* --- frames: RFC 4271 4.1, 6.1 -----------------------------------------------------------------
 */

static ssize_t frame(const char *digits, struct bgp_notice *ret)
{
	static struct buf b;
	ssize_t n;

	buf_done(&b);
	bgp_hex(&b, digits);
	*ret = (struct bgp_notice){0};
	n = bgp_frame((const uint8_t *)b.data, b.len, ret);
	return n;
}

static void assert_frame(const char *digits, ssize_t want)
{
	struct bgp_notice bad;

	assert_int_equal(frame(digits, &bad), want);
}

static void assert_bad_frame(const char *digits, uint8_t subcode, const char *data)
{
	_cleanup_(buf_done) struct buf want = {0};
	struct bgp_notice bad;

	assert_int_equal(frame(digits, &bad), -EPROTO);
	assert_int_equal(bad.code, 1);
	assert_int_equal(bad.subcode, subcode);
	bgp_hex(&want, data);
	assert_int_equal(bad.data.n, want.len);
	if (want.len)
		assert_memory_equal(bad.data.p, want.data, want.len);
}

static void test_frame_is_complete(void **state _unused_)
{
	assert_frame(MARKER "0013 04", 19);
	assert_frame(MARKER "0017 02", 23);
	assert_frame(MARKER "1000 02", 4096); /* more than there is */
	assert_frame(MARKER "0013", 0);
	assert_frame("ffff", 0);
	assert_frame("", 0);
	assert_frame(MARKER "0013 05",
		     19); /* too short, but that is an error of its own: RFC 7313 */
}

static void test_frame_is_bad(void **state _unused_)
{
	assert_bad_frame("fe", 1, "");
	assert_bad_frame("ffffffff ffffffff ffffffff fffffffe 0013 04", 1, "");
	assert_bad_frame(MARKER "0012 04", 2, "0012");
	assert_bad_frame(MARKER "1001 02", 2, "1001");
	assert_bad_frame(MARKER "001c 01", 2, "001c"); /* OPEN: at least 29 */
	assert_bad_frame(MARKER "0016 02", 2, "0016"); /* UPDATE: at least 23 */
	assert_bad_frame(MARKER "0014 03", 2, "0014"); /* NOTIFICATION: at least 21 */
	assert_bad_frame(MARKER "0014 04", 2, "0014"); /* KEEPALIVE: 19 */
	assert_bad_frame(MARKER "0013 00", 3, "00");
	assert_bad_frame(MARKER "0013 06", 3, "06");
}

static void test_keepalive(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};

	bgp_keepalive_put(&b);
	bgp_assert_bytes(&b, MARKER "0013 04");
}

/* --- NOTIFICATION: RFC 4271 4.5, RFC 9003 ------------------------------------------------------
 */

static void test_notice(void **state _unused_)
{
	static const uint8_t data[] = {0x12, 0x34};
	_cleanup_(buf_done) struct buf b = {0};
	struct bgp_notice n;

	bgp_notice_put(&b, &(struct bgp_notice){1, 2, {data, 2}});
	bgp_assert_bytes(&b, MARKER "0017 03 01 02 1234");
	bgp_notice_read((const uint8_t *)b.data, b.len, &n);
	assert_int_equal(n.code, 1);
	assert_int_equal(n.subcode, 2);
	assert_int_equal(n.data.n, 2);
	assert_memory_equal(n.data.p, data, 2);
}

static void test_notice_that_is_too_long(void **state _unused_)
{
	static uint8_t data[BGP_MESSAGE_MAX];
	_cleanup_(buf_done) struct buf b = {0};

	bgp_notice_put(&b, &(struct bgp_notice){3, 1, {data, sizeof(data)}});
	assert_int_equal(b.len, BGP_MESSAGE_MAX);
}

static void assert_text(const char *digits, const char *want)
{
	_cleanup_(buf_done) struct buf b = {0};
	char text[BGP_TEXT_MAX];
	struct bgp_notice n;

	bgp_message(&b, BGP_NOTIFICATION, digits);
	bgp_notice_read((const uint8_t *)b.data, b.len, &n);
	assert_string_equal(bgp_notice_text(&n, text), want);
}

static void test_shutdown_text(void **state _unused_)
{
	assert_text("06 02 03 627965", "bye");
	assert_text("06 04 03 627965", "bye");
	assert_text("06 02 02 c3a4", "\xc3\xa4");
	assert_text("06 02 03 627965 ffff", "bye"); /* what follows is not ours */
	assert_text("06 02", "");
	assert_text("06 02 00", "");
	assert_text("06 02 04 627965", ""); /* cut short */
	assert_text("06 02 02 c3ff", "");   /* not UTF-8 */
	assert_text("06 02 03 620a65", ""); /* would be two lines of the log */
	assert_text("06 02 03 620065", "");
	assert_text("06 02 03 627f65", "");
	assert_text("06 03 03 627965", ""); /* not a shutdown */
	assert_text("05 02 03 627965", "");
}

static void test_shutdown_text_is_bounded(void **state _unused_)
{
	char text[600], again[BGP_TEXT_MAX];
	uint8_t data[BGP_TEXT_MAX];
	struct bgp_notice n = {6, 2, {data, 0}};

	memset(text, 'x', sizeof(text));
	text[599] = '\0';
	n.data.n = (uint16_t)bgp_shutdown_data(text, data);
	assert_int_equal(n.data.n, 256);
	assert_int_equal(data[0], 255);
	assert_int_equal(strlen(bgp_notice_text(&n, again)), 255);
	/* A character of two bytes at 254 and 255 does not fit. */
	memcpy(text + 254, "\xc3\xa4", 2);
	n.data.n = (uint16_t)bgp_shutdown_data(text, data);
	assert_int_equal(data[0], 254);
	n.data.n = (uint16_t)bgp_shutdown_data("moved", data);
	assert_string_equal(bgp_notice_text(&n, again), "moved");
}

static void test_names(void **state _unused_)
{
	assert_string_equal(bgp_notice_str(&(struct bgp_notice){6, 2, {NULL, 0}}),
			    "administrative shutdown");
	assert_string_equal(bgp_notice_str(&(struct bgp_notice){6, 77, {NULL, 0}}), "cease");
	assert_string_equal(bgp_notice_str(&(struct bgp_notice){77, 0, {NULL, 0}}),
			    "unknown error");
}

/* --- ROUTE-REFRESH: RFC 2918 3 -----------------------------------------------------------------
 */

static void test_refresh(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct bgp_refresh q;
	struct bgp_notice bad;

	bgp_refresh_put(&b, BGP_IPV6);
	bgp_assert_bytes(&b, MARKER "0017 05 0002 00 01");
	assert_true(bgp_refresh_read((const uint8_t *)b.data, b.len, &q, &bad));
	assert_int_equal(bgp_family_of(q.afi, q.safi), BGP_IPV6);
	assert_int_equal(q.subtype, 0);
	for (int i = 0; i < 2; i++) { /* a byte too few, one too many */
		bgp_message(&b, BGP_ROUTE_REFRESH, i ? "0001 00 01 00" : "0001 00");
		assert_false(bgp_refresh_read((const uint8_t *)b.data, b.len, &q, &bad));
		assert_int_equal(bad.code, 7);
		assert_int_equal(bad.subcode, 1);
		assert_int_equal(bad.data.n, b.len);
	}
}

static void test_families(void **state _unused_)
{
	assert_int_equal(bgp_family_of(1, 1), BGP_IPV4);
	assert_int_equal(bgp_family_of(2, 1), BGP_IPV6);
	assert_int_equal(bgp_family_of(0, 1), _BGP_FAMILY_MAX);
	assert_int_equal(bgp_family_of(3, 1), _BGP_FAMILY_MAX);
	assert_int_equal(bgp_family_of(1, 2), _BGP_FAMILY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_is_complete),
		cmocka_unit_test(test_frame_is_bad),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_notice),
		cmocka_unit_test(test_notice_that_is_too_long),
		cmocka_unit_test(test_shutdown_text),
		cmocka_unit_test(test_shutdown_text_is_bounded),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
