// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_yaml.c - YAML text to documents: typing of scalars, anchors, merge keys, several documents
 * in a text, lines, and every kind of bad input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "lib/buf.h"
#include "watch/document/yaml.h"
#include "watch/document/yaml_scalar.h"

static struct value_doc *parse(const char *text)
{
	struct value_doc *d = NULL;
	struct err err = {0};

	if (yaml_parse_one(text, strlen(text), &d, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return d;
}

static void refused(const char *text, const char *message)
{
	struct value_doc *d = NULL;
	struct err err = {0};

	assert_int_equal(yaml_parse_one(text, strlen(text), &d, &err), -EINVAL);
	assert_null(d);
	assert_string_equal(err.msg, message);
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

/* --- scalars -----------------------------------------------------------------------------------
 */

/* The second column is what sigs.k8s.io/yaml 1.6.0 makes of the first. */
static void test_scalar_types(void **state _unused_)
{
	static const struct {
		const char *text;
		enum value_type type;
		const char *normal; /* NULL: as written */
	} cases[] = {
		{"", VALUE_NULL, NULL},
		{"~", VALUE_NULL, NULL},
		{"null", VALUE_NULL, NULL},
		{"Null", VALUE_NULL, NULL},
		{"nULL", VALUE_STRING, NULL},
		{"true", VALUE_BOOL, "true"},
		{"yes", VALUE_BOOL, "true"},
		{"On", VALUE_BOOL, "true"},
		{"y", VALUE_BOOL, "true"},
		{"NO", VALUE_BOOL, "false"},
		{"off", VALUE_BOOL, "false"},
		{"tRue", VALUE_STRING, NULL},
		{"0", VALUE_INT, "0"},
		{"-0", VALUE_INT, "0"},
		{"80", VALUE_INT, "80"},
		{"+80", VALUE_INT, "80"},
		{"-80", VALUE_INT, "-80"},
		{"1_000", VALUE_INT, "1000"},
		{"0x1F", VALUE_INT, "31"},
		{"-0x10", VALUE_INT, "-16"},
		{"0b101", VALUE_INT, "5"},
		{"017", VALUE_INT, "15"},
		{"0o17", VALUE_INT, "15"},
		{"08", VALUE_INT, "8"},
		{"80.0", VALUE_INT, "80"},
		{"8e1", VALUE_INT, "80"},
		{"1.", VALUE_INT, "1"},
		{"0xffffffffffffffff", VALUE_INT, "18446744073709551615"},
		{"1.5", VALUE_NUMBER, "1.5"},
		{".5", VALUE_NUMBER, ".5"},
		{"-1.5e-3", VALUE_NUMBER, "-1.5e-3"},
		{"1e21", VALUE_NUMBER, "1e21"},
		{"1e400", VALUE_STRING, NULL},
		{"0x", VALUE_STRING, NULL},
		{"0x1ffffffffffffffff", VALUE_STRING, NULL},
		{"1:30", VALUE_STRING, NULL},
		{"10.0.0.1", VALUE_STRING, NULL},
		{"10.0.0.0/8", VALUE_STRING, NULL},
		{"2001-01-01", VALUE_STRING, NULL},
		{"-", VALUE_STRING, NULL},
		{".", VALUE_STRING, NULL},
		{"1.2.3", VALUE_STRING, NULL},
		{"web", VALUE_STRING, NULL},
		{"5s", VALUE_STRING, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *normal = cases[i].normal ?: cases[i].text;
		struct yaml_scalar got;

		yaml_scalar_resolve(cases[i].text, strlen(cases[i].text), &got);
		if (got.type != cases[i].type)
			fail_msg("'%s' became %s", cases[i].text, value_type_str(got.type));
		assert_int_equal(got.len, strlen(normal));
		assert_memory_equal(got.text, normal, got.len);
		assert_false(got.not_finite);
	}
}

static void test_quoted_is_string(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("['80', \"yes\", '', !!str 5, ! 6, \"\\u00e4\\x41\", x]");
	const struct value *root = value_root(d);
	static const char *const texts[] = {"80", "yes", "", "5", "6", "\xc3\xa4\x41"};

	assert_true(root->n > ARRAY_SIZE(texts));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(root->items[i]->type, VALUE_STRING);
		assert_string_equal(root->items[i]->text, texts[i]);
	}
}

static void test_block_string(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("a: |\n  12\n  13\nb: >-\n  x\n  y\n");

	assert_string_equal(value_get(value_root(d), "a")->text, "12\n13\n");
	assert_string_equal(value_get(value_root(d), "b")->text, "x y");
}

static void test_tags(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("[!!int '5', !!float 5, !!bool 'no', !!null '', !!seq [], !!map {}]");
	struct value **items = value_root(d)->items;

	assert_int_equal(items[0]->integer, 5);
	assert_int_equal(items[1]->integer, 5);
	assert_int_equal(items[2]->type, VALUE_BOOL);
	assert_int_equal(items[3]->type, VALUE_NULL);
	assert_int_equal(items[4]->type, VALUE_SEQ);
	assert_int_equal(items[5]->type, VALUE_MAP);
	refused("a: !!int x", "line 1: 'x' does not fit its tag");
	refused("a: !!str [x]", "line 1: a list does not fit its tag");
	refused("\na: !!binary aGk=", "line 2: tag 'tag:yaml.org,2002:binary' is not supported");
	refused("a: !Ref x", "line 1: tag '!Ref' is not supported");
	refused("a: !!python/object:os.system x",
		"line 1: tag 'tag:yaml.org,2002:python/object:os.system' is not supported");
}

static void test_not_finite(void **state _unused_)
{
	refused("a: .inf", "line 1: '.inf' is not a finite number");
	refused("\n- .NaN", "line 2: '.NaN' is not a finite number");
}

static void test_out_of_range(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = parse(
		"a: 9223372036854775808\nb: -9223372036854775808\nc: 99999999999999999999999");
	const struct value *root = value_root(d);
	struct err err = {0};
	int64_t n = 7;

	assert_int_equal(value_get_int(root, "", "a", 0, INT64_MAX, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "a: 9223372036854775808 is out of range (line 1)");
	assert_int_equal(value_get_int(root, "", "c", 0, INT64_MAX, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "c: 99999999999999999999999 is out of range (line 3)");
	assert_int_equal(n, 7);
	assert_int_equal(value_get_int(root, "", "b", INT64_MIN, 0, &n, &err), 1);
	assert_true(n == INT64_MIN);
}

/* --- keys --------------------------------------------------------------------------------------
 */

static void test_keys_become_strings(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("80: a\nyes: b\n'80.5': c\n0x10: d\n? explicit\n: e\n");
	const struct value *root = value_root(d);

	assert_string_equal(value_get(root, "80")->text, "a");
	assert_string_equal(value_get(root, "true")->text, "b");
	assert_string_equal(value_get(root, "80.5")->text, "c");
	assert_string_equal(value_get(root, "16")->text, "d");
	assert_string_equal(value_get(root, "explicit")->text, "e");
}

static void test_bad_keys(void **state _unused_)
{
	refused("~: a", "line 1: '~' (null) as a key: put it in quotes");
	refused("x: y\n1.5: a", "line 2: '1.5' (a number) as a key: put it in quotes");
	refused("? [a]\n: b", "line 1: a list as a key");
	refused("? {a: b}\n: b", "line 1: a map as a key");
	refused("a: &x y\n*x : z", "line 2: an alias as a key is not supported");
	refused("&x a: b", "line 1: an anchor at a key is not supported");
}

static void test_duplicate_key(void **state _unused_)
{
	refused("a: 1\nb: 2\na: 3\n", "line 3: duplicate key 'a'");
	refused("x:\n  1: a\n  '1': b\n", "line 3: duplicate key '1'");
	refused("- {a: 1, \"a\": 2}", "line 1: duplicate key 'a'");
}

/* --- anchors and merge keys ----------------------------------------------------------------------
 */

static void test_alias_is_shared(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("a: &x {k: [1, 2]}\nb: *x\nc: &y text\nd: *y\ne: &x 5\nf: *x\n");
	const struct value *root = value_root(d);

	assert_ptr_equal(value_get(root, "a"), value_get(root, "b"));
	assert_ptr_equal(value_get(root, "c"), value_get(root, "d"));
	assert_int_equal(value_get(root, "f")->integer, 5);
	assert_int_equal(root->weight, 1 + 4 + 4 + 1 + 1 + 1 + 1);
}

static void test_bad_alias(void **state _unused_)
{
	refused("a: *x", "line 1: unknown anchor 'x'");
	refused("a: &x\n  b: *x", "line 2: an alias to a value that contains it");
	refused("&x [*x]", "line 1: an alias to a value that contains it");
}

static int nothing(void *arg _unused_, const struct value_doc *d _unused_)
{
	return 0;
}

static void test_anchor_ends_with_document(void **state _unused_)
{
	static const char text[] = "a: &x 1\n---\nb: *x\n";
	struct err err = {0};

	assert_int_equal(yaml_parse(text, strlen(text), nothing, NULL, &err), -EINVAL);
	assert_string_equal(err.msg, "line 3: unknown anchor 'x'");
}

static void test_merge(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("base: &b {a: 1, c: 3}\nmore: &m {a: 5, e: 6}\n"
		      "one:\n  a: own\n  <<: *b\n"
		      "first:\n  <<: *b\n  c: own\n"
		      "list:\n  <<: [*b, *m]\n  x: y\n"
		      "plain:\n  '<<': text\n"
		      "inline:\n  <<: {q: 1}\n");
	const struct value *root = value_root(d);

	assert_int_equal(value_path(root, "one")->n, 2);
	assert_string_equal(value_path(root, "one.a")->text, "own");
	assert_int_equal(value_path(root, "one.c")->integer, 3);
	assert_int_equal(value_path(root, "first.a")->integer, 1);
	assert_string_equal(value_path(root, "first.c")->text, "own");
	assert_int_equal(value_path(root, "list")->n, 4);
	assert_int_equal(value_path(root, "list.a")->integer, 1);
	assert_int_equal(value_path(root, "list.e")->integer, 6);
	assert_string_equal(value_path(root, "plain.<<")->text, "text");
	assert_int_equal(value_path(root, "inline.q")->integer, 1);
}

static void test_merge_of_merged(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("a: &a {x: 1}\nb: &b {<<: *a, z: 2}\nc: {<<: *b, x: 3}\n");
	const struct value *root = value_root(d);

	assert_int_equal(value_path(root, "c.x")->integer, 3);
	assert_int_equal(value_path(root, "c.z")->integer, 2);
	assert_int_equal(value_path(root, "b.x")->integer, 1);
}

static void test_bad_merge(void **state _unused_)
{
	refused("a: 1\n<<: text", "line 2: '<<' wants a map or a list of maps, found a string");
	refused("<<: [{a: 1}, 2]", "line 1: '<<' wants a map or a list of maps, found a list");
	refused("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a", "line 4: duplicate key '<<'");
	refused("a: &a\n  <<: *a", "line 2: an alias to a value that contains it");
}

/* --- anchors that explode ------------------------------------------------------------------------
 */

/* Ten levels, each of which names the one before nine times. */
static char *laughs(const char *first, bool maps)
{
	struct buf b = {0};

	buf_printf(&b, "l0: &l0 %s\n", first);
	for (int level = 1; level < 10; level++) {
		buf_printf(&b, "l%d: &l%d %c", level, level, maps ? '{' : '[');
		for (int i = 0; i < 9; i++) {
			buf_puts(&b, i ? ", " : "");
			if (maps)
				buf_printf(&b, "k%d: ", i);
			buf_printf(&b, "*l%d", level - 1);
		}
		buf_printf(&b, "%c\n", maps ? '}' : ']');
	}
	return buf_take(&b);
}

static void test_billion_laughs(void **state _unused_)
{
	_cleanup_(freep) char *lists = laughs("[lol]", false);
	_cleanup_(freep) char *maps = laughs("{lol: lol}", true);

	refused(lists, "line 6: more than 100000 values by aliases");
	refused(maps, "line 6: more than 100000 values by aliases");
}

static void test_merge_bomb(void **state _unused_)
{
	_cleanup_(freep) char *piece = repeat("a: &a {", "x: 1", 1, "}\nb:\n");
	_cleanup_(freep) char *text =
		repeat(piece, "- {<<: [*a, *a, *a, *a, *a, *a, *a, *a]}\n", 60000, "");
	struct value_doc *d = NULL;
	struct err err = {0};

	assert_int_equal(yaml_parse_one(text, strlen(text), &d, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "more than 100000 values by aliases"));
}

static void test_deep_by_aliases(void **state _unused_)
{
	struct buf b = {0};

	buf_puts(&b, "- &a0 []\n");
	for (int i = 1; i < 200; i++)
		buf_printf(&b, "- &a%d [*a%d]\n", i, i - 1);
	refused(b.data, "line 64: nested deeper than 64 levels");
	buf_done(&b);
}

/* --- documents -----------------------------------------------------------------------------------
 */

struct seen {
	size_t n;
	uint32_t lines[8];
	size_t stop_at;
};

static int note(void *arg, const struct value_doc *d)
{
	struct seen *seen = arg;

	assert_in_range(seen->n, 0, ARRAY_SIZE(seen->lines) - 1);
	seen->lines[seen->n++] = value_root(d)->line;
	return seen->n == seen->stop_at ? -ECANCELED : 0;
}

static int documents(const char *text, struct seen *seen, struct err *err)
{
	return yaml_parse(text, strlen(text), note, seen, err);
}

static void test_documents(void **state _unused_)
{
	struct seen seen = {0};

	assert_int_equal(documents("a: 1\n---\nb: 2\n---\n# c\n\nc: 3\n...\n", &seen, NULL), 0);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.lines[0], 1);
	assert_int_equal(seen.lines[1], 3);
	assert_int_equal(seen.lines[2], 7);
}

static void test_empty_documents(void **state _unused_)
{
	static const char *const texts[] = {"",
					    "\n\n",
					    "---\n---\n",
					    "# only this\n",
					    "--- ~\n",
					    "---\n...\n---\nnull\n",
					    "\xef\xbb\xbf"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(value_doc_freep) struct value_doc *d = parse(texts[i]);
		struct seen seen = {0};

		assert_int_equal(value_root(d)->type, VALUE_NULL);
		assert_int_equal(documents(texts[i], &seen, NULL), 0);
		assert_int_equal(seen.n, 0);
	}
	struct seen seen = {0};

	assert_int_equal(documents("---\n---\na: 1\n---\n---\n", &seen, NULL), 0);
	assert_int_equal(seen.n, 1);
}

static void test_broken_later(void **state _unused_)
{
	struct seen seen = {0};
	struct err err = {0};

	assert_int_equal(documents("a: 1\n---\nb: [\n", &seen, &err), -EINVAL);
	assert_int_equal(seen.n, 1);
	assert_true(str_starts(err.msg, "line "));
}

static void test_stopped(void **state _unused_)
{
	struct seen seen = {.stop_at = 2};

	assert_int_equal(documents("a: 1\n---\nb: 1\n---\nc: 1\n", &seen, NULL), -ECANCELED);
	assert_int_equal(seen.n, 2);
}

static void test_one_wants_one(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = parse("---\n---\na: 1\n---\n");

	assert_int_equal(value_path(value_root(d), "a")->integer, 1);
	refused("a: 1\n---\nb: 2\n", "line 3: a second document");
}

static void test_lines(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		parse("# head\nspec:\n  ports:\n  - port: 1\n  -\n    port: 2\n  text: |\n    x\n");
	const struct value *spec = value_path(value_root(d), "spec");
	const struct value *ports = value_get(spec, "ports");

	assert_int_equal(value_root(d)->line, 2);
	assert_int_equal(spec->line, 3);
	assert_int_equal(ports->line, 4);
	assert_int_equal(ports->items[1]->line, 6);
	assert_int_equal(value_get(ports->items[1], "port")->line, 6);
	assert_int_equal(value_get(spec, "text")->line, 7);
}

static void test_byte_order_mark(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = parse("\xef\xbb\xbf"
							       "a: 1\n");

	assert_int_equal(value_path(value_root(d), "a")->integer, 1);
}

/* --- malformed -----------------------------------------------------------------------------------
 */

static void test_malformed(void **state _unused_)
{
	static const char *const texts[] = {"a: [1, 2\n",
					    "a: {b: 1\n",
					    "a: 'x\n",
					    "a: \"x\n",
					    "a: b: c\n",
					    "\ta: 1\n",
					    "a: 1\n b: 2\n",
					    "- a\nb: 1\n",
					    "a: @x\n",
					    "a: `x\n",
					    "%YAML 9.9\n---\na: 1\n",
					    "a: \"\\q\"\n",
					    "a: \"\\ud800\"\n",
					    "a: &\n",
					    "a: *\n",
					    "]\n",
					    "a: >x\n  y\n",
					    "!<x a\n",
					    "a: 1\n---\n- ]\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct seen seen = {0};
		struct err err = {0};

		if (documents(texts[i], &seen, &err) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_true(str_starts(err.msg, "line "));
	}
}

static void test_message_of_scanner(void **state _unused_)
{
	refused("a: 1\nb: 'x\n",
		"line 3: while scanning a quoted scalar: found unexpected end of stream");
	refused("a:\n\t- 1\n", "line 2: while scanning for the next token: found character that "
			       "cannot start any token");
}

static void test_truncated(void **state _unused_)
{
	static const char text[] = "{\"kind\": Pod, list: [1, {a: null}], 't': true, u: \"v\"}";

	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		struct value_doc *d = NULL;
		struct err err = {0};

		assert_int_equal(yaml_parse_one(text, len, &d, &err), -EINVAL);
		assert_null(d);
		assert_true(str_starts(err.msg, "line "));
	}
}

static void test_bad_characters(void **state _unused_)
{
	static const char nul[] = "a: 1\nb: x\0y\n";
	struct value_doc *d = NULL;
	struct err err = {0};

	refused("a: 1\nb: \xff\n", "line 2: invalid leading UTF-8 octet");
	refused("a: \xc0\xaf\n", "line 1: invalid length of a UTF-8 sequence");
	refused("a: \"x\\0y\"\n", "line 1: a string with a NUL character");
	refused("\"x\\0y\": 1\n", "line 1: a key with a NUL character");
	refused("a: \x01\n", "line 1: control characters are not allowed");
	assert_int_equal(yaml_parse_one(nul, sizeof(nul) - 1, &d, &err), -EINVAL);
	assert_string_equal(err.msg, "line 2: control characters are not allowed");
	/* UTF-16, with its byte order mark, is not UTF-8. */
	assert_int_equal(yaml_parse_one("\xff\xfe"
					"a\0:\0",
					6, &d, &err),
			 -EINVAL);
	assert_null(d);
}

static void test_deep(void **state _unused_)
{
	_cleanup_(freep) char *flow = repeat("", "[", 1000000, "");
	_cleanup_(freep) char *block = repeat("", "- ", 100000, "");
	_cleanup_(freep) char *maps = repeat("", "{a: ", 100000, "");

	refused(flow, "line 1: nested deeper than 64 levels");
	refused(block, "line 1: nested deeper than 64 levels");
	refused(maps, "line 1: nested deeper than 64 levels");
}

static void test_long_strings(void **state _unused_)
{
	_cleanup_(freep) char *fits = repeat("a: ", "abcdefgh", VALUE_STRING_MAX / 8, "\n");
	_cleanup_(freep) char *plain = repeat("\na: ", "abcdefgh", VALUE_STRING_MAX / 8, "x\n");
	_cleanup_(freep) char *quoted = repeat("a: '", "abcdefgh", VALUE_STRING_MAX / 8, "x'\n");
	_cleanup_(freep) char *key = repeat("? ", "abcdefgh", VALUE_STRING_MAX / 8, "x\n: 1\n");
	_cleanup_(freep) char *number = repeat("a: ", "12345678", VALUE_STRING_MAX / 8, "\n");
	_cleanup_(value_doc_freep) struct value_doc *d = parse(fits), *n = parse(number);

	assert_int_equal(value_get(value_root(d), "a")->n, VALUE_STRING_MAX);
	assert_int_equal(value_get(value_root(n), "a")->type, VALUE_NUMBER);
	refused(plain, "line 2: a string of 1048577 bytes is longer than 1048576");
	refused(quoted, "line 1: a string of 1048577 bytes is longer than 1048576");
	refused(key, "line 1: a key of 1048577 bytes is longer than 1048576");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalar_types),
		cmocka_unit_test(test_quoted_is_string),
		cmocka_unit_test(test_block_string),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_not_finite),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_keys_become_strings),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_duplicate_key),
		cmocka_unit_test(test_alias_is_shared),
		cmocka_unit_test(test_bad_alias),
		cmocka_unit_test(test_anchor_ends_with_document),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_of_merged),
		cmocka_unit_test(test_bad_merge),
		cmocka_unit_test(test_billion_laughs),
		cmocka_unit_test(test_merge_bomb),
		cmocka_unit_test(test_deep_by_aliases),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_empty_documents),
		cmocka_unit_test(test_broken_later),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_one_wants_one),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_byte_order_mark),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_message_of_scanner),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_bad_characters),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_long_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
