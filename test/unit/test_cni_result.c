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

#include "agent/cni.h"
#include "watch/json.h"

static const struct attachment *attachment(void)
{
	static struct attachment a = {
		.id = "abc", .ifname = "eth0", .netns = "/n", .host_ifname = "mx1", .n_addrs = 2};

	a.mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	a.addrs[0] = (struct addr){.family = AF_INET, .b = {10, 0, 0, 5}};
	a.addrs[1] = (struct addr){.family = AF_INET6, .b = {0xfd, [15] = 5}};
	return &a;
}

static void results(void **state _unused_)
{
	static const char old[] =
		"{\"cniVersion\":\"0.3.1\",\"interfaces\":[{\"name\":\"mx1\",\"mac\":"
		"\"02:6d:61:6e:78:01\"},{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\","
		"\"sandbox\":\"/n\"}],\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":"
		"\"10.0.0.5/32\",\"gateway\":\"169.254.1.1\"},{\"version\":\"6\",\"interface\":1,"
		"\"address\":\"fd00::5/128\",\"gateway\":\"fe80::1\"}],\"routes\":[{\"dst\":"
		"\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"},{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}],"
		"\"dns\":{}}";
	struct cni_result r = {.at = attachment(), .mtu = 1450};
	_cleanup_(buf_done) struct buf b = {0};

	assert_int_equal(mac_parse("02:6d:61:6e:78:01", &r.host_mac), 0);
	cni_result_print("0.3.1", &r, &b);
	assert_string_equal(b.data, old);
	buf_reset(&b);
	cni_result_print("1.1.0", &r, &b);
	assert_non_null(strstr(b.data, "\"mtu\":1450,\"sandbox\":\"/n\""));
	assert_null(strstr(b.data, "\"version\""));
}

/* Chained after another plugin: its interfaces come first, our index follows. */
static void a_chained_result(void **state _unused_)
{
	struct cni_env env = add_env();
	struct cni_request *q = take(
		&env, "{" CONF ",\"prevResult\":{\"interfaces\":[{\"name\":\"lo\"}],\"ips\":[],"
		      "\"dns\":{\"nameservers\":[\"10.0.0.2\"]}}}");
	struct cni_result r = {.at = attachment(), .mtu = 1500, .prev = q->prev};
	_cleanup_(buf_done) struct buf b = {0};

	cni_result_print("1.0.0", &r, &b);
	assert_non_null(strstr(b.data, "\"interfaces\":[{\"name\":\"lo\"},{\"name\":\"mx1\""));
	assert_non_null(strstr(b.data, "{\"interface\":2,\"address\":\"10.0.0.5/32\""));
	assert_non_null(strstr(b.data, "\"dns\":{\"nameservers\":[\"10.0.0.2\"]}"));
	(void)cni_request_free(q);
}

static void check_compares(void **state _unused_)
{
	static const char *const cases[][2] = {
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/"
		 "n\",\"mac\":\"02:00:00:00:00:01\"}],"
		 "\"ips\":[{\"address\":\"10.0.0.5/32\"},{\"address\":\"fd00::5/128\"}]}",
		 NULL},
		{"{\"interfaces\":[],\"ips\":[]}", "eth0 is missing"},
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}],\"ips\":["
		 "{\"address\":\"10.0.0.6/32\"}]}",
		 "10.0.0.5 is missing"},
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/"
		 "n\",\"mac\":\"02:00:00:00:00:02\"}]}",
		 "has MAC 02:00:00:00:00:02"},
	};
	struct cni_env env = add_env();

	env.command = "CHECK";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *conf =
			xasprintf("{%s,\"prevResult\":%s}", CONF, cases[i][0]);
		struct cni_request *q = take(&env, conf);
		struct err e = {0};
		int r = cni_check_prev(q, attachment(), &e);

		assert_int_equal(r < 0, cases[i][1] != NULL);
		if (cases[i][1])
			assert_non_null(strstr(e.msg, cases[i][1]));
		(void)cni_request_free(q);
	}
}

static void errors_and_versions(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};

	cni_error_print("0.4.0", 7, "say \"what\"", NULL, &b);
	assert_string_equal(b.data,
			    "{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"say \\\"what\\\"\"}");
	buf_reset(&b);
	cni_versions_print(NULL, &b);
	assert_string_equal(b.data, "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\","
				    "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(a_chained_result),
		cmocka_unit_test(check_compares),
		cmocka_unit_test(errors_and_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
