// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_base64.c - the examples of RFC 4648, and what is no base64.
 */
#include "lib/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_decodes(const char *text, const char *bytes, size_t n)
{
	_cleanup_(buf_done) struct buf b = {0};

	buf_puts(&b, "before ");
	if (base64_decode(text, strlen(text), &b) != 0)
		fail_msg("%s: refused", text);
	assert_int_equal(b.len, strlen("before ") + n);
	assert_memory_equal(b.data + strlen("before "), bytes, n);
}

/* RFC 4648, section 10; without its padding, too. */
static void examples(void **state _unused_)
{
	static const struct {
		const char *text, *bytes;
	} cases[] = {
		{"", ""},
		{"Zg==", "f"},
		{"Zm8=", "fo"},
		{"Zm9v", "foo"},
		{"Zm9vYg==", "foob"},
		{"Zm9vYmE=", "fooba"},
		{"Zm9vYmFy", "foobar"},
		{"Zg", "f"},
		{"Zm8", "fo"},
		{"Zm9vYg", "foob"},
		{"\tZm 9v\r\nYg==\n", "foob"},
		{"Zg=\n=", "f"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_decodes(cases[i].text, cases[i].bytes, strlen(cases[i].bytes));
}

static void every_value(void **state _unused_)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char bytes[48];

	for (unsigned int i = 0; i < 64; i += 4) {
		unsigned int bits = i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3);

		bytes[i / 4 * 3] = (char)(bits >> 16);
		bytes[i / 4 * 3 + 1] = (char)(bits >> 8);
		bytes[i / 4 * 3 + 2] = (char)bits;
	}
	assert_decodes(digits, bytes, sizeof(bytes));
	assert_decodes("AAAA", "\0\0\0", 3);
	assert_decodes("////", "\xff\xff\xff", 3);
}

static void what_is_none(void **state _unused_)
{
	static const char *const cases[] = {
		"A",	 "Zm9vY",  "Zg=",	 "Zm8==",
		"Z===",	 "====",   "=",		 "==",
		"Zm9v=", "Zm9v==", "Zg==Zg==",	 "Zg==Z",
		"Zm-_",	 "Zm9v!",  "Zm\xc3\xa4", "-----BEGIN CERTIFICATE-----"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_done) struct buf b = {0};

		if (base64_decode(cases[i], strlen(cases[i]), &b) != -EINVAL)
			fail_msg("%s: taken", cases[i]);
	}
}

static void the_length_is_heeded(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};

	assert_int_equal(base64_decode("Zm9vYmFy!", 4, &b), 0);
	assert_string_equal(b.data, "foo");
	assert_int_equal(base64_decode("Zm9v\0", 5, &b), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(every_value),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(the_length_is_heeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
