// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_open.c - OPEN and capabilities, byte by byte as the RFCs have them, and what two agree
 * on.
 */
#include "test/unit/bgp_bytes.h"

#include "datapath/bgp/open.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff "
#define HEAD   "04 fde8 005a 0a000001 " /* version 4, AS 65000, 90 s, 10.0.0.1 */

static bool read_open(const char *digits, struct bgp_open *o, struct bgp_notice *bad)
{
	_cleanup_(buf_done) struct buf b = {0};

	bgp_message(&b, BGP_OPEN, digits);
	*bad = (struct bgp_notice){0};
	return bgp_open_read((const uint8_t *)b.data, b.len, o, bad);
}

static struct bgp_open taken(const char *digits)
{
	struct bgp_notice bad;
	struct bgp_open o;

	if (!read_open(digits, &o, &bad))
		fail_msg("%s: refused with %d/%d", digits, bad.code, bad.subcode);
	return o;
}

static void assert_refused(const char *digits, uint8_t subcode)
{
	struct bgp_notice bad;
	struct bgp_open o;

	if (read_open(digits, &o, &bad))
		fail_msg("%s: taken", digits);
	assert_int_equal(bad.code, 2);
	assert_int_equal(bad.subcode, subcode);
}

static void test_plain(void **state _unused_)
{
	struct bgp_open o = taken(HEAD "00");

	assert_int_equal(o.asn, 65000);
	assert_int_equal(o.hold, 90);
	assert_int_equal(o.id, 0x0a000001);
	assert_int_equal(o.families, 1 << BGP_IPV4);
	assert_false(o.as4 || o.refresh || o.graceful);
}

static void test_version(void **state _unused_)
{
	struct bgp_notice bad;
	struct bgp_open o;

	assert_false(read_open("03 fde8 005a 0a000001 00", &o, &bad));
	assert_int_equal(bad.subcode, 1);
	assert_int_equal(bad.data.n, 2); /* 6.2: the version that we have */
	assert_memory_equal(bad.data.p, "\0\4", 2);
}

static void test_capabilities(void **state _unused_)
{
	/* All in one parameter, one of them unknown (71). */
	struct bgp_open o =
		taken(HEAD "1a 02 18 01040001 0001 01040002 0001 0200 4104 00010000 4702 abcd");

	assert_int_equal(o.asn, 65536);
	assert_int_equal(o.families, 1 << BGP_IPV4 | 1 << BGP_IPV6);
	assert_true(o.as4 && o.refresh);
	assert_true(bgp_open_has(&o, 71) && bgp_open_has(&o, 1) && !bgp_open_has(&o, 64));
	/* One a parameter (RFC 5492 4: both are right). */
	o = taken(HEAD "0c 02 06 01040002 0001 02 02 0200");
	assert_int_equal(o.families, 1 << BGP_IPV6);
	assert_true(o.refresh);
	/* Another family of ours is none. */
	o = taken(HEAD "08 02 06 01040002 0002");
	assert_int_equal(o.families, 0);
}

static void test_graceful(void **state _unused_)
{
	struct bgp_open o = taken(HEAD "10 02 0e 400a 8078 0001 01 80 0002 01 00 0200");

	assert_true(o.graceful && o.restarting && !o.notifies);
	assert_int_equal(o.restart_sec, 120);
	assert_int_equal(o.restart_families, 3);
	assert_int_equal(o.kept_families, 1 << BGP_IPV4);
	/* The last one counts; one that is cut short does not. */
	o = taken(HEAD "0a 02 08 4002 4001 4002 0002");
	assert_true(o.graceful && !o.notifies);
	assert_int_equal(o.restart_sec, 2);
	assert_int_equal(o.restart_families, 0);
	o = taken(HEAD "07 02 05 4003 0001 00");
	assert_false(o.graceful);
}

static void test_long_parameters(void **state _unused_)
{
	/* RFC 9072: 255, 255, two bytes of length; lengths of parameters have two bytes. */
	struct bgp_open o = taken(HEAD "ff ff 0005 02 0002 0200");

	assert_true(o.refresh);
	assert_refused(HEAD "ff ff 0006 02 0002 0200", 0);
}

static void test_malformed(void **state _unused_)
{
	assert_refused(HEAD "01", 0);			    /* says one byte more than there is */
	assert_refused(HEAD "00 00", 0);		    /* and one less */
	assert_refused(HEAD "02 02 01", 0);		    /* a parameter beyond the end */
	assert_refused(HEAD "03 02 01 02", 0);		    /* a capability beyond the end */
	assert_refused(HEAD "07 02 05 0103 000100", 0);	    /* multiprotocol of 3 bytes */
	assert_refused(HEAD "09 02 07 4105 0000000101", 0); /* AS of 5 bytes */
	assert_refused(HEAD "02 01 00", 4);		    /* a parameter that is not known */
}

static void test_written(void **state _unused_)
{
	struct bgp_open o = {.asn = 4200000000,
			     .id = 0xc0000201,
			     .hold = 90,
			     .families = 3,
			     .as4 = true,
			     .refresh = true,
			     .graceful = true,
			     .restarting = true,
			     .notifies = true,
			     .restart_sec = 30,
			     .restart_families = 3,
			     .kept_families = 2};
	_cleanup_(buf_done) struct buf b = {0};
	struct bgp_notice bad;
	struct bgp_open again;

	bgp_open_put(&b, &o);
	bgp_assert_bytes(&b, MARKER "003f 01 04 5ba0 005a c0000201 22 02 20 "
				    "01040001 0001 01040002 0001 0200 "
				    "400a c01e 0001 01 00 0002 01 80 4104 fa56ea00");
	assert_true(bgp_open_read((const uint8_t *)b.data, b.len, &again, &bad));
	memcpy(o.codes, again.codes, sizeof(o.codes));
	assert_memory_equal(&o, &again, sizeof(o));
}

static void test_written_without_capabilities(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};

	bgp_open_put(&b, &(struct bgp_open){.asn = 65000, .id = 0x0a000001, .hold = 90});
	bgp_assert_bytes(&b, MARKER "001d 01 " HEAD "00");
}

/* --- what two agree on -------------------------------------------------------------------------
 */

static const struct bgp_open ours = {
	.asn = 65000, .id = 1, .hold = 90, .families = 3, .as4 = true, .refresh = true};

static int check(const struct bgp_open *o, uint32_t asn, bool external, struct bgp_agreed *ret)
{
	const struct bgp_expected want = {.ours = &ours, .asn = asn, .external = external};
	struct bgp_notice bad = {0};
	uint8_t scratch[16];

	if (bgp_open_check(o, &want, ret, &bad, scratch))
		return 0;
	assert_int_equal(bad.code, 2);
	if (bad.subcode == 7) {
		assert_int_equal(bad.data.n, 12);
		assert_memory_equal(bad.data.p, "\1\4\0\1\0\1\1\4\0\2\0\1", 12);
	}
	return bad.subcode;
}

static void test_agreement(void **state _unused_)
{
	struct bgp_open o = {.asn = 65001, .id = 2, .hold = 30, .families = 1, .as4 = true};
	struct bgp_agreed a;

	assert_int_equal(check(&o, 65001, false, &a), 0);
	assert_int_equal(a.hold, 30);
	assert_int_equal(a.families, 1);
	assert_true(a.as4 && !a.refresh && a.external);
	o.hold = 180;
	o.as4 = false;
	assert_int_equal(check(&o, 0, true, &a), 0);
	assert_int_equal(a.hold, 90);
	assert_false(a.as4);
	o.hold = 0;
	assert_int_equal(check(&o, 65001, false, &a), 0);
	assert_int_equal(a.hold, 0);
	o.asn = 65000;
	assert_int_equal(check(&o, 0, false, &a), 0);
	assert_false(a.external);
}

static void test_disagreement(void **state _unused_)
{
	const struct bgp_open good = {.asn = 65001, .id = 2, .hold = 30, .families = 1};
	struct bgp_open o = good;
	struct bgp_agreed a;

	assert_int_equal(check(&o, 65002, false, &a), 2);
	assert_int_equal(check(&o, 0, false, &a), 2); /* internal: ours */
	o.asn = 65000;
	assert_int_equal(check(&o, 0, true, &a), 2);
	o.asn = 0;
	assert_int_equal(check(&o, 0, true, &a), 2); /* RFC 7607 */
	o = good;
	o.id = 0;
	assert_int_equal(check(&o, 65001, false, &a), 3);
	o.id = ours.id;
	assert_int_equal(check(&o, 65001, false, &a), 0); /* RFC 6286: another AS may have it */
	o.asn = 65000;
	assert_int_equal(check(&o, 65000, false, &a), 3);
	o = good;
	for (o.hold = 0; o.hold < 5; o.hold++)
		assert_int_equal(check(&o, 65001, false, &a), o.hold == 1 || o.hold == 2 ? 6 : 0);
	o.families = 0;
	o.hold = 30;
	assert_int_equal(check(&o, 65001, false, &a), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_graceful),
		cmocka_unit_test(test_long_parameters),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_written_without_capabilities),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_disagreement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
