// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_cni_result.c - results, errors and versions as printed; the comparison of CHECK.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/cni/cni.h"
#include "watch/document/json.h"

static const struct attachment *attachment(void)
{
	static struct attachment a = {
		.id = "abc", .ifname = "eth0", .netns = "/n", .host_ifname = "mx1", .n_addrs = 2};

	a.mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	a.addrs[0] = (struct addr){.family = AF_INET, .b = {10, 0, 0, 5}};
	a.addrs[1] = (struct addr){.family = AF_INET6, .b = {0xfd, [15] = 5}};
	return &a;
}

static struct cni_result result_of(const struct value *prev)
{
	struct cni_result r = {.at = attachment(), .mtu = 1450, .prev = prev};

	assert_int_equal(mac_parse("02:6d:61:6e:78:01", &r.host_mac), 0);
	return r;
}

static void print_is(const char *version, const struct value *prev, const char *expected)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	_cleanup_(buf_done) struct buf b = {0};
	struct cni_result r = result_of(prev);

	cni_result_print(version, &r, &b);
	assert_string_equal(b.data, expected);
	assert_int_equal(json_parse(b.data, b.len, &doc, NULL), 0);
}

#define ROUTES                                                        \
	"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"}," \
	"{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}],\"dns\":{}}"
#define INTERFACES                                                          \
	"\"interfaces\":[{\"name\":\"mx1\",\"mac\":\"02:6d:61:6e:78:01\"}," \
	"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/n\"}],"
#define ADDRESS4 "\"interface\":1,\"address\":\"10.0.0.5/32\",\"gateway\":\"169.254.1.1\"}"
#define ADDRESS6 "\"interface\":1,\"address\":\"fd00::5/128\",\"gateway\":\"fe80::1\"}"

/* Source: SPEC.md of each version, "Success" / "ADD Success". */
static void results_in_every_version(void **state _unused_)
{
	for (int i = 0; i < 3; i++) {
		static const char *const versions[] = {"0.3.0", "0.3.1", "0.4.0"};
		_cleanup_(freep) char *expected = xasprintf(
			"{\"cniVersion\":\"%s\"," INTERFACES "\"ips\":[{\"version\":\"4\"," ADDRESS4
			",{\"version\":\"6\"," ADDRESS6 "]," ROUTES,
			versions[i]);

		print_is(versions[i], NULL, expected);
	}
	print_is("1.0.0", NULL,
		 "{\"cniVersion\":\"1.0.0\"," INTERFACES "\"ips\":[{" ADDRESS4 ",{" ADDRESS6
		 "]," ROUTES);
	print_is("1.1.0", NULL,
		 "{\"cniVersion\":\"1.1.0\",\"interfaces\":["
		 "{\"name\":\"mx1\",\"mac\":\"02:6d:61:6e:78:01\",\"mtu\":1450},"
		 "{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1450,"
		 "\"sandbox\":\"/n\"}],\"ips\":[{" ADDRESS4 ",{" ADDRESS6 "]," ROUTES);
}

static const struct value *parse(const char *text, struct value_doc **ret)
{
	assert_int_equal(json_parse(text, strlen(text), ret, NULL), 0);
	return value_root(*ret);
}

/* Chained after another plugin: what it made comes first, our index follows on. */
static void a_chained_result(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	const struct value *prev =
		parse("{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"lo\",\"mtu\":-1.5e3,"
		      "\"odd\":[true,null,\"\\u00e4\\n\"]}],\"ips\":[{\"interface\":0,\"address\":"
		      "\"127.0.0.1/8\"}],\"routes\":[{\"dst\":\"10.0.0.0/8\"}],"
		      "\"dns\":{\"nameservers\":[\"10.0.0.2\"]}}",
		      &doc);

	print_is("1.0.0", prev,
		 "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"lo\",\"mtu\":-1.5e3,"
		 "\"odd\":[true,null,\"\xc3\xa4\\u000a\"]},{\"name\":\"mx1\",\"mac\":"
		 "\"02:6d:61:6e:78:01\"},{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\","
		 "\"sandbox\":\"/n\"}],\"ips\":[{\"interface\":0,\"address\":\"127.0.0.1/8\"},"
		 "{\"interface\":2,\"address\":\"10.0.0.5/32\",\"gateway\":\"169.254.1.1\"},"
		 "{\"interface\":2,\"address\":\"fd00::5/128\",\"gateway\":\"fe80::1\"}],"
		 "\"routes\":[{\"dst\":\"10.0.0.0/8\"},{\"dst\":\"0.0.0.0/0\",\"gw\":"
		 "\"169.254.1.1\"},{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}],"
		 "\"dns\":{\"nameservers\":[\"10.0.0.2\"]}}");
}

static void a_previous_result_of_odd_form(void **state _unused_)
{
	static const char *const odd[] = {
		"{}",
		"{\"interfaces\":null,\"ips\":null,\"routes\":null,\"dns\":null}",
		"{\"interfaces\":7,\"ips\":\"x\",\"routes\":{},\"dns\":[]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		_cleanup_(value_doc_freep) struct value_doc *doc = NULL;

		print_is("1.0.0", parse(odd[i], &doc),
			 "{\"cniVersion\":\"1.0.0\"," INTERFACES "\"ips\":[{" ADDRESS4 ",{" ADDRESS6
			 "]," ROUTES);
	}
}

/* --- CHECK ----------------------------------------------------------------------------------- */

#define ETH0 "{\"name\":\"eth0\",\"sandbox\":\"/n\",\"mac\":\"02:00:00:00:00:01\"}"
#define OURS "{\"address\":\"10.0.0.5/32\",\"interface\":1},{\"address\":\"fd00::5/128\"}"

static void check_compares(void **state _unused_)
{
	static const char *const cases[][2] = {
		{"{\"interfaces\":[" ETH0 "],\"ips\":[" OURS "]}", NULL},
		{"{\"interfaces\":[{\"name\":\"mx1\"}," ETH0 "],\"ips\":[" OURS "]}", NULL},
		/* no MAC, or another spelling of it */
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}],\"ips\":[" OURS "]}",
		 NULL},
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\",\"mac\":"
		 "\"02:00:00:00:00:01\"}],\"ips\":[" OURS ",{\"address\":\"192.0.2.1/24\"}]}",
		 NULL},
		/* another interface's addresses */
		{"{\"interfaces\":[{\"name\":\"lo\"}," ETH0 "],\"ips\":[" OURS
		 ",{\"interface\":0,\"address\":\"127.0.0.1/8\"}]}",
		 NULL},
		{"{}", "prevResult.interfaces: eth0 is missing"},
		{"{\"interfaces\":7,\"ips\":7}", "eth0 is missing"},
		{"{\"interfaces\":[7,{},{\"name\":7}],\"ips\":[]}", "eth0 is missing"},
		/* the host's end, if it had that name */
		{"{\"interfaces\":[{\"name\":\"eth0\"}],\"ips\":[" OURS "]}", "eth0 is missing"},
		{"{\"interfaces\":[" ETH0 "]}", "prevResult.ips: 10.0.0.5 is missing"},
		{"{\"interfaces\":[" ETH0 "],\"ips\":[{\"address\":\"10.0.0.5/32\"}]}",
		 "prevResult.ips: fd00::5 is missing"},
		{"{\"interfaces\":[" ETH0 "],\"ips\":[{\"address\":\"10.0.0.5/24\"}]}",
		 "10.0.0.5 is missing"},
		{"{\"interfaces\":[" ETH0 "],\"ips\":[7,{\"address\":7},{\"address\":\"x\"}]}",
		 "10.0.0.5 is missing"},
		{"{\"interfaces\":[{\"name\":\"mx1\"}," ETH0 "],\"ips\":[" OURS
		 ",{\"address\":\"10.0.0.6/32\",\"interface\":1}]}",
		 "prevResult.ips[2]: eth0 has no such address"},
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\",\"mac\":"
		 "\"02:00:00:00:00:02\"}]}",
		 "eth0 has MAC 02:00:00:00:00:02, but it is 02:00:00:00:00:01"},
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\",\"mac\":\"x\"}]}",
		 "eth0 has MAC x, but"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
		struct cni_request q = {.verb = CNI_CHECK, .prev = parse(cases[i][0], &doc)};
		struct err e = {0};
		int r = cni_check_prev(&q, attachment(), &e);

		assert_int_equal(r, cases[i][1] ? -CNI_E_MISMATCH : 0);
		if (cases[i][1] && !strstr(e.msg, cases[i][1]))
			fail_msg("'%s' does not hold '%s'", e.msg, cases[i][1]);
	}
}

static void check_without_a_result(void **state _unused_)
{
	struct cni_request q = {.verb = CNI_CHECK};

	assert_int_equal(cni_check_prev(&q, attachment(), NULL), -CNI_E_MISMATCH);
}

/* --- errors and versions --------------------------------------------------------------------- */

static void errors(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};

	cni_error_print("0.4.0", 7, "say \"what\"", NULL, &b);
	assert_string_equal(b.data,
			    "{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"say \\\"what\\\"\"}");
	buf_reset(&b);
	cni_error_print(NULL, CNI_E_FULL, "full", "10.1.0.0/24: 254 of 254 in use", &b);
	assert_string_equal(b.data, "{\"cniVersion\":\"1.1.0\",\"code\":100,\"msg\":\"full\","
				    "\"details\":\"10.1.0.0/24: 254 of 254 in use\"}");
}

static void versions(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};

	cni_versions_print(NULL, &b);
	assert_string_equal(b.data, "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\","
				    "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
	buf_reset(&b);
	cni_versions_print("9\"9", &b); /* what was asked with, whatever it was */
	assert_true(str_starts(b.data, "{\"cniVersion\":\"9\\\"9\","));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_in_every_version),
		cmocka_unit_test(a_chained_result),
		cmocka_unit_test(a_previous_result_of_odd_form),
		cmocka_unit_test(check_compares),
		cmocka_unit_test(check_without_a_result),
		cmocka_unit_test(errors),
		cmocka_unit_test(versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
