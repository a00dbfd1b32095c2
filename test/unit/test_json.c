// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_json.c - JSON text to documents: types, lines, streams, and every kind of bad input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "lib/buf.h"
#include "watch/document/json.h"

static struct value_doc *parse(const char *text)
{
	struct value_doc *d = NULL;
	struct err err = {0};

	if (json_parse(text, strlen(text), &d, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return d;
}

static void assert_refused(const char *text, size_t len, const char *message)
{
	struct value_doc *d = NULL;
	struct err err = {0};

	assert_int_equal(json_parse(text, len, &d, &err), -EINVAL);
	assert_null(d);
	assert_string_equal(err.msg, message);
}

static void refused(const char *text, const char *message)
{
	assert_refused(text, strlen(text), message);
}

/* Expected: what encoding/json of Go 1.19 to 1.25 gives for a field "key" of the fitting type. */
static void test_as_go(void **state _unused_)
{
	static const struct {
		const char *text, *expected; /* NULL: absent */
	} cases[] = {
		{"{\"key\":\"a\"}", "a"},
		{"{\"Key\":\"a\"}", "a"},
		{"{\"KEY\":\"a\"}", "a"},
		{"{\"\u212aey\":\"a\"}", "a"},	/* the sign for kelvin */
		{"{\"\u017fey\":\"a\"}", NULL}, /* a long s is no k */
		{"{\"ke\":\"a\",\"keys\":\"a\",\"k\u00eby\":\"a\",\"\":\"a\"}", NULL},
		{"{\"key\":\"a\",\"KEY\":\"b\"}", "b"}, /* the last, not the best */
		{"{\"KEY\":\"b\",\"key\":\"a\"}", "a"},
		{"{\"key\":\"a\",\"key\":\"b\"}", "b"},
		{"{\"key\":\"a\",\"Key\":null}", "a"}, /* null leaves a scalar */
		{"{\"key\":null,\"Key\":\"a\"}", "a"},
		{"{\"key\":null}", NULL},
		{"{\"x\":{\"a\":1,\"a\":[{}, {}]},\"Key\":\"a\"}", "a"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(value_doc_freep) struct value_doc *d = NULL;
		const char *found = NULL, *text = cases[i].text;
		struct err err = {0};

		assert_int_equal(json_parse_as_go(text, strlen(text), &d, &err), 0);
		assert_true(value_get_str(value_root(d), "", "key", &found, &err) >= 0);
		if (!streq(found, cases[i].expected) && (found || cases[i].expected))
			fail_msg("%s: %s", text, found ? found : "absent");
	}
}

static void test_as_go_deeper(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = NULL;
	static const char text[] =
		"{\"LIST\":[{\"NumBer\":7,\"FLAG\":true}],\"gone\":[1],\"Gone\":null,"
		"\"lo\u017ft\":{},\"Lost\":null}";
	const struct value *list = NULL;
	struct err err = {0};
	int64_t n = 0;
	bool flag = false;

	assert_int_equal(json_parse_as_go(text, strlen(text), &d, &err), 0);
	assert_int_equal(value_get_seq(value_root(d), "", "list", &list, &err), 1);
	assert_int_equal(value_get_int(list->items[0], "", "number", 0, 9, &n, &err), 1);
	assert_int_equal(value_get_bool(list->items[0], "", "flag", &flag, &err), 1);
	assert_int_equal(n, 7);
	assert_true(flag);
	/* null empties a list or a map */
	assert_int_equal(value_get_seq(value_root(d), "", "gone", &list, &err), 0);
	assert_int_equal(value_get_map(value_root(d), "", "lost", &list, &err), 0);
	assert_non_null(value_path(value_root(d), "List"));
	assert_int_equal(json_parse_as_go("{} {}", 5, &d, &err), -EINVAL);
	assert_int_equal(json_parse_as_go("", 0, &d, &err), -EINVAL);
}

static void test_types(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("[null, true, false, -12, 1.0, 1e2, \"x\", [], {}, 9223372036854775807, "
		      "-9223372036854775809]");
	static const enum value_type types[] = {VALUE_NULL,   VALUE_BOOL,   VALUE_BOOL,	  VALUE_INT,
						VALUE_NUMBER, VALUE_NUMBER, VALUE_STRING, VALUE_SEQ,
						VALUE_MAP,    VALUE_INT,    VALUE_NUMBER};
	struct value **items = value_root(d)->items;

	assert_int_equal(value_root(d)->n, ARRAY_SIZE(types));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(items[i]->type, types[i]);
	assert_true(items[1]->boolean);
	assert_false(items[2]->boolean);
	assert_int_equal(items[3]->integer, -12);
	assert_string_equal(items[4]->text, "1.0");
	assert_int_equal(items[9]->integer, INT64_MAX);
	assert_string_equal(items[10]->text, "-9223372036854775809");
}

static void test_escapes(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("\"a\\n\\\"\\u00e4\\ud83d\\ude00\xc3\xb6\"");

	assert_string_equal(value_root(d)->text, "a\n\"\xc3\xa4\xf0\x9f\x98\x80\xc3\xb6");
}

static void test_lines(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("\n{\n  \"a\": 1,\n\n  \"b\": [\n    \"x\\n\",\n    2]\n}\n");
	const struct value *root = value_root(d), *b = value_get(root, "b");

	assert_int_equal(root->line, 2);
	assert_int_equal(value_get(root, "a")->line, 3);
	assert_int_equal(b->line, 5);
	assert_int_equal(b->items[0]->line, 6);
	assert_int_equal(b->items[1]->line, 7);
}

static void test_line_of_last_number(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = parse("\n\n42");

	assert_int_equal(value_root(d)->integer, 42);
	assert_int_equal(value_root(d)->line, 3);
}

static void test_truncated(void **state _unused_)
{
	static const char text[] = "{\"kind\": \"Pod\", \"list\": [1, {\"a\": null}], \"t\": true}";

	/* Cut anywhere it is refused: no half document ever gets through. */
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct value_doc *d = NULL;
		struct err err = {0};

		assert_int_equal(json_parse(text, len, &d, &err), -EINVAL);
		assert_null(d);
		assert_true(str_starts(err.msg, "line 1: "));
	}
	refused("{\n\"a\": [1,\n", "line 3: parse error: premature EOF");
}

static void test_malformed(void **state _unused_)
{
	static const char *const texts[] = {
		"{]",	   "[1,]",	"{\"a\" 1}", "{a: 1}",	 "{1: 2}",
		"[1 2]",   "'a'",	"nul",	     "01",	 "1.",
		"+1",	   ".5",	"1e",	     "NaN",	 "Infinity",
		"\"\\x\"", "\"\\u12\"", "\"\t\"",    "// no\n1", "\xef\xbb\xbf{}",
		"{} {}",   "{}x",	"\"a\nb\"",  "-",	 "[\"a\", \"b\"",
		"}"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct value_doc *d = NULL;
		struct err err = {0};

		if (json_parse(texts[i], strlen(texts[i]), &d, &err) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_true(str_starts(err.msg, "line "));
		assert_null(d);
	}
	assert_refused("[1,\0 2]", 7, "line 1: lexical error: invalid char in json text.");
}

static void test_duplicate_key(void **state _unused_)
{
	refused("{\"a\": 1,\n \"b\": 2,\n \"a\":\n 3}", "line 3: duplicate key 'a'");
	refused("{\"\\u0061\": 1, \"a\": 2}", "line 1: duplicate key 'a'");
	refused("{\"\": 1, \"\": 2}", "line 1: duplicate key ''");
	/* In the map before, b came after a; here it is expected after the wrong one. */
	refused("[{\"a\": 1, \"b\": 2},\n{\"a\": 1, \"b\": 2, \"a\": 3}]",
		"line 2: duplicate key 'a'");
}

static void test_bad_strings(void **state _unused_)
{
	refused("{\"a\":\n\"x\\u0000y\"}", "line 2: a string with a NUL character");
	refused("{\"x\\u0000y\": 1}", "line 1: a key with a NUL character");
	refused("[{\"a\": 1, \"x\": 2}, {\"a\": 1, \"x\\u0000\": 2}]",
		"line 1: a key with a NUL character");
	refused("[{\"a\": 1, \"x\": 2}, {\"a\": 1, \"\\udc00\": 2}]",
		"line 1: a key is not valid UTF-8");
	refused("[\"\\udc00\"]", "line 1: a string is not valid UTF-8");
	refused("[\n\"\xff\"]", "line 2: lexical error: invalid bytes in UTF8 string.");
	refused("[\"\xed\xa0\x80\"]", "line 1: a string is not valid UTF-8");
	refused("[\"\xc0\xaf\"]", "line 1: a string is not valid UTF-8");
}

static char *repeat(const char *head, const char *piece, size_t n, const char *tail)
{
	struct buf b = {0};

	buf_puts(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_puts(&b, piece);
	buf_puts(&b, tail);
	return buf_take(&b);
}

static void test_deep(void **state _unused_)
{
	_cleanup_(freep) char *deep = repeat("", "[", 1000000, "");
	_cleanup_(freep) char *maps = repeat("", "{\"a\":\n", 100, "");
	_cleanup_(freep) char *open = repeat("", "[", VALUE_DEPTH_MAX, "");
	_cleanup_(freep) char *full = repeat(open, "]", VALUE_DEPTH_MAX, "");
	_cleanup_(value_doc_freep) struct value_doc *d = parse(full);

	assert_int_equal(value_root(d)->height, VALUE_DEPTH_MAX);
	refused(deep, "line 1: nested deeper than 64 levels");
	refused(maps, "line 65: nested deeper than 64 levels");
}

static void test_long_strings(void **state _unused_)
{
	_cleanup_(freep) char *fits = repeat("\"", "abcdefgh", VALUE_STRING_MAX / 8, "\"");
	_cleanup_(freep) char *text = repeat("\"", "abcdefgh", VALUE_STRING_MAX / 8, "x\"");
	_cleanup_(freep) char *key = repeat("{\"", "abcdefgh", VALUE_STRING_MAX / 8, "x\": 1}");
	_cleanup_(freep) char *number = repeat("", "12345678", VALUE_STRING_MAX / 8, "9");
	_cleanup_(value_doc_freep) struct value_doc *d = parse(fits);

	assert_int_equal(value_root(d)->n, VALUE_STRING_MAX);
	refused(text, "line 1: a string of 1048577 bytes is longer than 1048576");
	refused(key, "line 1: a key of 1048577 bytes is longer than 1048576");
	refused(number, "line 1: a number of 1048577 bytes is longer than 1048576");
}

static void test_numbers_out_of_range(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("{\"a\": 99999999999999999999, \"b\": 1e999999, \"c\": 70000}");
	const struct value *root = value_root(d);
	struct err err = {0};
	int64_t n = 7;

	assert_int_equal(value_get_int(root, "", "a", 0, INT64_MAX, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "a: 99999999999999999999 is out of range (line 1)");
	assert_int_equal(value_get_int(root, "", "b", 0, INT64_MAX, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "b: 1e999999 is not an integer (line 1)");
	assert_int_equal(value_get_int(root, "", "c", 0, 65535, &n, &err), -EINVAL);
	assert_int_equal(n, 7);
}

static void test_too_many_values(void **state _unused_)
{
	_cleanup_(freep) char *text = repeat("[1", ",1", VALUE_NODES_MAX, "]");

	refused(text, "line 1: more than 1000000 values (with aliases written out)");
}

/* --- streams -----------------------------------------------------------------------------------
 */

struct seen {
	size_t n;
	int64_t last;
	uint32_t line;
	size_t stop_at;
};

static int count(void *arg, const struct value_doc *d)
{
	struct seen *seen = arg;
	const struct value *root = value_root(d);

	assert_non_null(root);
	if (root->type == VALUE_INT)
		seen->last = root->integer;
	seen->line = root->line;
	return ++seen->n == seen->stop_at ? -ECANCELED : 0;
}

static int stream(const char *text, struct seen *seen, struct err *err)
{
	return json_parse_stream(text, strlen(text), count, seen, err);
}

static void test_stream(void **state _unused_)
{
	struct seen seen = {0};

	assert_int_equal(stream("{\"a\": 1}\n[2]\n\n3 \"x\"\t12", &seen, NULL), 0);
	assert_int_equal(seen.n, 5);
	assert_int_equal(seen.last, 12);
	assert_int_equal(seen.line, 4);
}

static void test_stream_empty(void **state _unused_)
{
	struct seen seen = {0};

	assert_int_equal(stream("", &seen, NULL), 0);
	assert_int_equal(stream(" \n\t\r\n", &seen, NULL), 0);
	assert_int_equal(seen.n, 0);
}

static void test_stream_needs_space(void **state _unused_)
{
	struct seen seen = {0};
	struct err err = {0};

	assert_int_equal(stream("{}\n{}{}", &seen, &err), -EINVAL);
	assert_string_equal(err.msg, "line 2: text directly after the end of a document");
	assert_int_equal(seen.n, 2);
	assert_int_equal(stream("01", &seen, &err), -EINVAL);
}

static void test_stream_broken_later(void **state _unused_)
{
	struct seen seen = {0};
	struct err err = {0};

	assert_int_equal(stream("1\n2\n{\"a\":", &seen, &err), -EINVAL);
	assert_string_equal(err.msg, "line 3: parse error: premature EOF");
	assert_int_equal(seen.n, 2);
}

static void test_stream_stopped(void **state _unused_)
{
	struct seen seen = {.stop_at = 2};

	assert_int_equal(stream("1 2 3 4", &seen, NULL), -ECANCELED);
	assert_int_equal(seen.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_go),
		cmocka_unit_test(test_as_go_deeper),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_line_of_last_number),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_duplicate_key),
		cmocka_unit_test(test_bad_strings),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_numbers_out_of_range),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_empty),
		cmocka_unit_test(test_stream_needs_space),
		cmocka_unit_test(test_stream_broken_later),
		cmocka_unit_test(test_stream_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
