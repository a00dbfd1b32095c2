// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_conflist.c - our configuration list edited where others have edited it, and theirs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/conflist.h"

#define VERSIONS                                                                                   \
	"\"cniVersion\":\"1.0.0\",\"cniVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1." \
	"0\"]"
#define HEAD   VERSIONS ",\"name\":\"manx\""
#define CAPS   "\"capabilities\":{\"portMappings\":true,\"ips\":true,\"mac\":true}"
#define SOCKET "\"socket\":\"/run/manx/cni.sock\""
#define ENTRY  "{\"type\":\"manx\"," SOCKET "," CAPS "}"
#define MESH   "{\"type\":\"istio-cni\",\"kubernetes\":{\"n\":1.50}}"
#define FRESH  "{" HEAD ",\"plugins\":[" ENTRY "]}\n"

static void plan_is(const char *text, enum conflist_verdict verdict, const char *expected)
{
	_cleanup_(buf_done) struct buf out = {0};
	_cleanup_(buf_done) struct buf again = {0};
	struct err e = {0};
	enum conflist_verdict v = conflist_plan(text, strlen(text), "/run/manx", &out, &e);

	if (v != verdict || !streq(out.data, expected))
		fail_msg("%s: verdict %d, %s", text, (int)v, out.data ? out.data : "nothing");
	assert_int_equal(v == CONFLIST_BROKEN, *e.msg != '\0');
	if (out.data) /* what was written is right */
		assert_int_equal(conflist_plan(out.data, out.len, "/run/manx", &again, &e),
				 CONFLIST_RIGHT);
}

static void what_is_right_stays(void **state _unused_)
{
	static const char *const right[] = {
		FRESH,
		"{" HEAD ",\"plugins\":[" ENTRY "," MESH "]}",
		"{" HEAD ",\"disableCheck\":true,\"plugins\":[" ENTRY "]}",
		/* the keys' order and case, more of them in our entry, versions that somebody chose
		 */
		"{\"Plugins\":[{\"x\":1," CAPS ",\"TYPE\":\"manx\"," SOCKET "}],\"NAME\":\"other\","
		"\"cniVersions\":[\"0.4.0\"],\"CNIVersion\":\"0.4.0\"}",
		"{" HEAD ",\"plugins\":[" MESH "," ENTRY "]}",
		/* that with our socket, of two */
		"{" HEAD ",\"plugins\":[{\"type\":\"manx\",\"socket\":\"/x\"}," ENTRY "]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(right); i++)
		plan_is(right[i], CONFLIST_RIGHT, NULL);
}

static void our_part_is_put_in_its_place(void **state _unused_)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"", FRESH},
		/* by an earlier version, with a mesh chained into it */
		{"{\"cniVersion\":\"1.1.0\",\"disableGC\":false,\"name\":\"manx\",\"plugins\":["
		 "{\"capabilities\":{\"ips\":true},\"socket\":\"/old\",\"type\":\"manx\"}," MESH
		 "]}",
		 "{" HEAD ",\"disableGC\":false,\"plugins\":[" ENTRY "," MESH "]}\n"},
		/* our entry is gone, the others stay behind it */
		{"{" HEAD ",\"plugins\":[" MESH "]}",
		 "{" HEAD ",\"plugins\":[" ENTRY "," MESH "]}\n"},
		{"{" HEAD ",\"a\":[1,null,{\"b\":\"\\u00e4\"}],\"plugins\":[]}",
		 "{" HEAD ",\"a\":[1,null,{\"b\":\"\xc3\xa4\"}],\"plugins\":[" ENTRY "]}\n"},
		/* in its place, and what others wrote into it stays */
		{"{" HEAD ",\"plugins\":[" MESH
		 ",{\"type\":\"manx\",\"socket\":\"/old\",\"args\":{\"x\":7},"
		 "\"capabilities\":{\"dns\":true,\"ips\":false}}," MESH "]}",
		 "{" HEAD ",\"plugins\":[" MESH ",{\"type\":\"manx\"," SOCKET ",\"capabilities\":{"
		 "\"portMappings\":true,\"ips\":true,\"mac\":true,\"dns\":true},\"args\":{\"x\":7}}"
		 "," MESH "]}\n"},
		{"{\"cniVersions\":[\"1.0.0\"],\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":"
		 "[" MESH "]}",
		 "{\"cniVersions\":[\"1.0.0\"],\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":"
		 "[" ENTRY "," MESH "]}\n"},
		{"{\"name\":\"n\",\"plugins\":[" ENTRY "]}",
		 "{" VERSIONS ",\"name\":\"n\",\"plugins\":[" ENTRY "]}\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		plan_is(cases[i].text, CONFLIST_EDIT, cases[i].expected);
}

static void what_is_no_list(void **state _unused_)
{
	static const char *const broken[] = {
		" ",
		"older",
		"null",
		"[]",
		"{" HEAD,
		"{" HEAD "}",
		"{" HEAD ",\"plugins\":{}}",
		"{" HEAD ",\"plugins\":null}",
		"{" HEAD ",\"plugins\":[7]}",
		"{" HEAD ",\"plugins\":[" ENTRY ",null]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		plan_is(broken[i], CONFLIST_BROKEN, FRESH);
}

static bool ours(const char *text)
{
	return conflist_is_ours(text, strlen(text), "/run/manx");
}

static void whose_it_is(void **state _unused_)
{
	assert_true(ours(FRESH));
	assert_true(ours("{\"plugins\":[" MESH "," ENTRY "]}"));
	assert_false(ours("{\"plugins\":[" MESH "]}"));
	assert_false(
		ours("{\"plugins\":[{\"type\":\"manx\",\"socket\":\"/run/other/cni.sock\"}]}"));
	assert_false(ours("older"));
}

static bool leads(const char *text)
{
	return conflist_leads_to(text, strlen(text), "10-manx.conflist", "/run/manx");
}

static void multus_leads_to_us(void **state _unused_)
{
	assert_true(
		leads("{\"type\":\"multus\",\"delegates\":[{\"name\":\"manx\",\"plugins\":[" ENTRY
		      "]}]}"));
	assert_true(leads("{\"type\":\"multus-shim\",\"clusterNetwork\":\"/host/etc/cni/net.d/"
			  "10-manx.conflist\"}"));
	assert_true(leads("{\"type\":\"multus\",\"clusterNetwork\":\"manx\"}"));
	assert_false(leads("{\"name\":\"manx\",\"type\":\"bridge\"}"));
	assert_false(
		leads("{\"plugins\":[{\"type\":\"manx\",\"socket\":\"/run/other/cni.sock\"}]}"));
	assert_false(leads("{\"clusterNetwork\":\"/etc/cni/net.d/05-other.conflist\"}"));
	assert_false(leads("10-manx.conflist"));
	assert_false(leads(""));
}

static void names_and_endings(void **state _unused_)
{
	_cleanup_(freep) char *name = conflist_network("{\"Name\":\"other\"}", 16);

	assert_string_equal(name, "other");
	assert_null(conflist_network("{\"name\":7}", 10));
	assert_null(conflist_network("{", 1));
	assert_true(conflist_is_read("a.conf"));
	assert_true(conflist_is_read("a.conflist"));
	assert_true(conflist_is_read(".json"));
	assert_false(conflist_is_read("a"));
	assert_false(conflist_is_read("a.conf.set-aside"));
	assert_false(conflist_is_read("a.CONF"));
	assert_false(conflist_is_read(".10-manx.conflist.abcdef"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_stays),
		cmocka_unit_test(our_part_is_put_in_its_place),
		cmocka_unit_test(what_is_no_list),
		cmocka_unit_test(whose_it_is),
		cmocka_unit_test(multus_leads_to_us),
		cmocka_unit_test(names_and_endings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
