// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_pages_address.c - the text of --http-address.
 */
#include "agent/report/pages_address.h"

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

static void test_valid(void **state _unused_)
{
	static const struct {
		const char *text, *addr;
		bool off, any;
		uint16_t port;
	} cases[] = {
		{"127.0.0.1:9109", "127.0.0.1", false, false, 9109},
		{"[::1]:9109", "::1", false, false, 9109},
		{"[fd00::5]:1", "fd00::5", false, false, 1},
		{"0.0.0.0:65535", "0.0.0.0", false, false, 65535},
		{":9109", NULL, false, true, 9109},
		{":0", NULL, false, true, 0},
		{"", NULL, true, false, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pages_address a;
		char s[ADDR_STR_MAX];

		assert_int_equal(pages_address_parse(cases[i].text, &a, NULL), 0);
		assert_int_equal(a.off, cases[i].off);
		assert_int_equal(a.any, cases[i].any);
		assert_int_equal(a.port, cases[i].port);
		if (cases[i].addr)
			assert_string_equal(addr_str(&a.addr, s), cases[i].addr);
	}
}

static void test_invalid(void **state _unused_)
{
	static const char *const texts[] = {
		"9109",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1:+1",
		"127.0.0.1:080",
		"127.0.0.1: 80",
		"::1:9109",
		"[127.0.0.1]:80",
		"[::1]",
		"[::1:80",
		"localhost:80",
		"[]:80",
		"[:80",
		"127.0.0.1:80 ",
		":",
		"1.2.3.4:5:6",
		"[::1%lo]:80",
		":123456",
		"http://127.0.0.1:80",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct pages_address a = {.port = 7};
		struct err e = {0};

		assert_int_equal(pages_address_parse(texts[i], &a, &e), -EINVAL);
		assert_non_null(strstr(e.msg, texts[i]));
		assert_int_equal(a.port, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
	};

	return cmocka_run_group_tests_name("pages_address", tests, NULL, NULL);
}
