// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_value.c - the document tree: typed access and its messages, the builder and its limits,
 * the arena below it and the UTF-8 check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "lib/utf8.h"
#include "watch/document/arena.h"
#include "watch/document/value.h"

/* --- a small document by hand ----------------------------------------------------------------- */

static void key(struct value_doc *d, uint32_t line, const char *s)
{
	assert_int_equal(value_build_key(d, line, s, strlen(s), NULL), 0);
}

static void scalar(struct value_doc *d, uint32_t line, enum value_type type, const char *s)
{
	assert_int_equal(value_build_scalar(d, line, type, s, s ? strlen(s) : 0, NULL), 0);
}

static void begin(struct value_doc *d, uint32_t line, enum value_type type)
{
	assert_int_equal(value_build_begin(d, line, type, NULL), 0);
}

static void end(struct value_doc *d)
{
	assert_int_equal(value_build_end(d, NULL), 0);
}

/* {name: web, port: 80, on: true, none: null, big: 9223372036854775808, part: 1.5, list: [1, 2],
 *  meta: {ns: shop, a.b: dotted}}, each entry on a line of its own */
static struct value_doc *example(void)
{
	struct value_doc *d = value_doc_new();

	begin(d, 1, VALUE_MAP);
	key(d, 1, "name");
	scalar(d, 1, VALUE_STRING, "web");
	key(d, 2, "port");
	scalar(d, 2, VALUE_INT, "80");
	key(d, 3, "on");
	scalar(d, 3, VALUE_BOOL, "true");
	key(d, 4, "none");
	scalar(d, 4, VALUE_NULL, NULL);
	key(d, 5, "big");
	scalar(d, 5, VALUE_INT, "9223372036854775808");
	key(d, 6, "part");
	scalar(d, 6, VALUE_NUMBER, "1.5");
	key(d, 7, "list");
	begin(d, 7, VALUE_SEQ);
	scalar(d, 7, VALUE_INT, "1");
	scalar(d, 7, VALUE_INT, "-2");
	end(d);
	key(d, 8, "meta");
	begin(d, 8, VALUE_MAP);
	key(d, 9, "ns");
	scalar(d, 9, VALUE_STRING, "shop");
	key(d, 10, "a.b");
	scalar(d, 10, VALUE_STRING, "dotted");
	end(d);
	end(d);
	return d;
}

static void test_tree(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = example();
	const struct value *root = value_root(d), *list = value_get(root, "list");

	assert_int_equal(root->type, VALUE_MAP);
	assert_int_equal(root->n, 8);
	assert_int_equal(root->weight, 13);
	assert_int_equal(root->height, 3);
	assert_string_equal(root->entry[0].key, "name");
	assert_string_equal(root->entry[7].key, "meta");
	assert_int_equal(list->n, 2);
	assert_int_equal(list->items[1]->integer, -2);
	assert_int_equal(list->line, 7);
	assert_int_equal(value_get(root, "big")->type, VALUE_NUMBER);
	assert_string_equal(value_get(root, "big")->text, "9223372036854775808");
	assert_int_equal(value_get(root, "none")->type, VALUE_NULL);
	assert_null(value_get(root, "nam"));
	assert_null(value_get(list, "name"));
	assert_null(value_get(NULL, "name"));
}

static void test_path(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = example();
	const struct value *root = value_root(d);

	assert_string_equal(value_path(root, "meta.ns")->text, "shop");
	assert_string_equal(value_path(root, "name")->text, "web");
	assert_null(value_path(root, "meta.nope"));
	assert_null(value_path(root, "meta.a.b"));
	assert_null(value_path(root, "name.ns"));
	assert_null(value_path(root, "met.ns"));
	assert_null(value_path(NULL, "meta.ns"));
}

static void test_get_found_and_absent(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = example();
	const struct value *root = value_root(d), *v = NULL;
	const char *s = "untouched";
	bool b = false;
	int64_t n = 7;

	assert_int_equal(value_get_str(root, "", "nope", &s, NULL), 0);
	assert_int_equal(value_get_str(root, "", "none", &s, NULL), 0);
	assert_string_equal(s, "untouched");
	assert_int_equal(value_get_str(root, "", "name", &s, NULL), 1);
	assert_string_equal(s, "web");
	assert_int_equal(value_get_bool(root, "", "on", &b, NULL), 1);
	assert_true(b);
	assert_int_equal(value_get_int(root, "", "none", 0, 100, &n, NULL), 0);
	assert_int_equal(n, 7);
	assert_int_equal(value_get_int(root, "", "port", 80, 80, &n, NULL), 1);
	assert_int_equal(n, 80);
	assert_int_equal(value_get_map(root, "", "meta", &v, NULL), 1);
	assert_int_equal(v->n, 2);
	assert_int_equal(value_get_seq(root, "", "list", &v, NULL), 1);
	assert_int_equal(v->n, 2);
}

static void test_get_wrong_type(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = example();
	const struct value *root = value_root(d), *v = NULL;
	struct err err = {0};
	const char *s = NULL;
	bool b = false;

	assert_int_equal(value_get_map(root, "spec", "name", &v, &err), -EINVAL);
	assert_string_equal(err.msg, "spec.name: expected a map, found a string (line 1)");
	assert_int_equal(err.code, -EINVAL);
	assert_int_equal(value_get_str(root, "", "port", &s, &err), -EINVAL);
	assert_string_equal(err.msg, "port: expected a string, found an integer (line 2)");
	assert_int_equal(value_get_bool(root, "a.b[3]", "meta", &b, &err), -EINVAL);
	assert_string_equal(err.msg, "a.b[3].meta: expected a boolean, found a map (line 8)");
	assert_int_equal(value_get_seq(root, "", "on", &v, &err), -EINVAL);
	assert_string_equal(err.msg, "on: expected a list, found a boolean (line 3)");
	assert_null(v);
	assert_null(s);
}

static void test_get_int_bounds(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = example();
	const struct value *root = value_root(d);
	struct err err = {0};
	int64_t n = 7;

	assert_int_equal(value_get_int(root, "spec", "port", 1, 79, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "spec.port: 80 is above 79 (line 2)");
	assert_int_equal(value_get_int(root, "spec", "port", 81, 99, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "spec.port: 80 is below 81 (line 2)");
	assert_int_equal(value_get_int(root, "", "big", 1, INT64_MAX, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "big: 9223372036854775808 is out of range (line 5)");
	assert_int_equal(value_get_int(root, "", "part", 1, 9, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "part: 1.5 is not an integer (line 6)");
	assert_int_equal(value_get_int(root, "", "name", 1, 9, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "name: expected an integer, found a string (line 1)");
	assert_int_equal(n, 7);
}

/* --- the builder -------------------------------------------------------------------------------
 */

static void test_progress(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();

	assert_false(value_build_complete(d));
	assert_false(value_build_wants_key(d));
	assert_null(value_root(d));
	assert_null(value_build_last(d));
	begin(d, 1, VALUE_MAP);
	assert_true(value_build_wants_key(d));
	key(d, 1, "a");
	assert_false(value_build_wants_key(d));
	begin(d, 1, VALUE_SEQ);
	assert_false(value_build_wants_key(d));
	assert_int_equal(value_build_last(d)->type, VALUE_SEQ);
	end(d);
	assert_true(value_build_wants_key(d));
	assert_null(value_root(d));
	end(d);
	assert_true(value_build_complete(d));
	assert_ptr_equal(value_root(d), value_build_last(d));
}

static void test_duplicate_key(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	struct err err = {0};

	begin(d, 1, VALUE_MAP);
	key(d, 2, "a");
	begin(d, 2, VALUE_MAP); /* the same key one level below is another one */
	key(d, 3, "a");
	scalar(d, 3, VALUE_INT, "1");
	end(d);
	key(d, 4, "b");
	scalar(d, 4, VALUE_INT, "1");
	key(d, 5, "a");
	scalar(d, 6, VALUE_INT, "2");
	assert_int_equal(value_build_end(d, &err), -EINVAL);
	assert_string_equal(err.msg, "line 5: duplicate key 'a'");
}

static void test_many_keys(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	char name[16];

	begin(d, 1, VALUE_MAP);
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "key%d", i);
		key(d, 1, name);
		scalar(d, 1, VALUE_NULL, NULL);
	}
	end(d);
	assert_int_equal(value_root(d)->n, 20000);
	assert_string_equal(value_root(d)->entry[19999].key, "key19999");
	assert_non_null(value_get(value_root(d), "key12345"));
}

static void test_depth(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	struct err err = {0};

	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		begin(d, 1, VALUE_SEQ);
	assert_int_equal(value_build_begin(d, 3, VALUE_SEQ, &err), -EINVAL);
	assert_string_equal(err.msg, "line 3: nested deeper than 64 levels");
	assert_int_equal(value_build_scalar(d, 4, VALUE_NULL, NULL, 0, &err), -EINVAL);
	assert_string_equal(err.msg, "line 4: nested deeper than 64 levels");
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		end(d);
	assert_int_equal(value_root(d)->height, VALUE_DEPTH_MAX);
}

static void test_depth_through_alias(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	const struct value *deep;
	struct err err = {0};

	begin(d, 1, VALUE_SEQ);
	for (int i = 0; i < 40; i++)
		begin(d, 1, VALUE_SEQ);
	for (int i = 0; i < 40; i++)
		end(d);
	deep = value_build_last(d);
	assert_int_equal(deep->height, 40);
	for (int i = 0; i < 23; i++)
		begin(d, 2, VALUE_SEQ);
	assert_int_equal(value_build_alias(d, 2, deep, NULL), 0); /* level 24 + 40 */
	begin(d, 2, VALUE_SEQ);
	assert_int_equal(value_build_alias(d, 9, deep, &err), -EINVAL);
	assert_string_equal(err.msg, "line 9: nested deeper than 64 levels");
}

static void test_alias_weight(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	const struct value *last;
	struct err err = {0};
	int r = 0, doublings = 0;

	begin(d, 1, VALUE_SEQ);
	begin(d, 1, VALUE_SEQ);
	end(d);
	last = value_build_last(d);
	while (r == 0 && doublings < 60) {
		begin(d, 2, VALUE_SEQ);
		r = value_build_alias(d, 2, last, &err);
		if (r == 0)
			r = value_build_alias(d, 2, last, &err);
		if (r == 0) {
			end(d);
			last = value_build_last(d);
			doublings++;
		}
	}
	assert_int_equal(r, -EINVAL);
	assert_in_range(doublings, 12, 17);
	assert_string_equal(err.msg, "line 2: more than 100000 values by aliases");
}

static void test_too_many_values(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	struct err err = {0};
	int r = 0, n = 1;

	begin(d, 1, VALUE_SEQ);
	for (; r == 0; n++)
		r = value_build_scalar(d, 3, VALUE_INT, "1", 1, &err);
	assert_int_equal(n, VALUE_NODES_MAX + 1);
	assert_string_equal(err.msg, "line 3: more than 1000000 values (with aliases written out)");
}

static void test_alias_to_itself(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	struct err err = {0};

	begin(d, 1, VALUE_SEQ);
	assert_int_equal(value_build_alias(d, 2, value_build_last(d), &err), -EINVAL);
	assert_string_equal(err.msg, "line 2: an alias to a value that contains it");
}

static void test_bad_text(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	_cleanup_(freep) char *big = xmalloc(VALUE_STRING_MAX + 1);
	struct err err = {0};

	memset(big, 'x', VALUE_STRING_MAX + 1);
	begin(d, 1, VALUE_MAP);
	assert_int_equal(value_build_key(d, 2, "a\0b", 3, &err), -EINVAL);
	assert_string_equal(err.msg, "line 2: a key with a NUL character");
	assert_int_equal(value_build_key(d, 3, "\xff", 1, &err), -EINVAL);
	assert_string_equal(err.msg, "line 3: a key is not valid UTF-8");
	assert_int_equal(value_build_key(d, 4, big, VALUE_STRING_MAX + 1, &err), -EINVAL);
	assert_string_equal(err.msg, "line 4: a key of 1048577 bytes is longer than 1048576");
	key(d, 5, "k");
	assert_int_equal(value_build_scalar(d, 5, VALUE_STRING, big, VALUE_STRING_MAX + 1, &err),
			 -EINVAL);
	assert_string_equal(err.msg, "line 5: a string of 1048577 bytes is longer than 1048576");
	assert_int_equal(value_build_scalar(d, 6, VALUE_STRING, "\xc3", 1, &err), -EINVAL);
	assert_string_equal(err.msg, "line 6: a string is not valid UTF-8");
	assert_int_equal(value_build_scalar(d, 7, VALUE_STRING, big, VALUE_STRING_MAX, &err), 0);
	end(d);
	assert_int_equal(value_get(value_root(d), "k")->n, VALUE_STRING_MAX);
}

static void test_long_duplicate_key_message(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	char name[201] = {0};
	struct err err = {0};

	for (int i = 0; i < 100; i++)
		memcpy(name + 2 * i, "\xc3\xa4", 2); /* the cut must not split a character */
	name[0] = 'x';
	name[1] = 'x';
	begin(d, 1, VALUE_MAP);
	for (uint32_t i = 1; i <= 2; i++) {
		key(d, i, name);
		scalar(d, i, VALUE_NULL, NULL);
	}
	assert_int_equal(value_build_end(d, &err), -EINVAL);
	assert_true(utf8_valid(err.msg, strlen(err.msg)));
	assert_true(strlen(err.msg) < 100);
}

/* --- below -------------------------------------------------------------------------------------
 */

static void test_arena(void **state _unused_)
{
	struct arena a = {0};
	uint64_t *p[200];

	assert_non_null(arena_alloc(&a, 0));
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		size_t size = 1 + i * i * 10; /* small ones, and those with a chunk of their own */

		p[i] = arena_alloc(&a, MAX(size, sizeof(uint64_t)));
		assert_int_equal((uintptr_t)p[i] % sizeof(uint64_t), 0);
		memset(p[i], (int)i, MAX(size, sizeof(uint64_t)));
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		assert_int_equal(*(unsigned char *)p[i], i);
	arena_done(&a);
	assert_int_equal(a.used, 0);
	arena_done(&a);
}

static void test_utf8(void **state _unused_)
{
	static const char *const good[] = {"",
					   "abc",
					   "\xc2\x80",
					   "\xdf\xbf",
					   "\xe0\xa0\x80",
					   "\xed\x9f\xbf",
					   "\xee\x80\x80",
					   "\xef\xbf\xbf",
					   "\xf0\x90\x80\x80",
					   "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80",
					  "\xc0\x80",
					  "\xc1\xbf",
					  "\xc2",
					  "\xc2\x41",
					  "\xe0\x9f\xbf",
					  "\xed\xa0\x80",
					  "\xe2\x82",
					  "\xf0\x8f\xbf\xbf",
					  "\xf4\x90\x80\x80",
					  "\xf5\x80\x80\x80",
					  "\xff",
					  "a\xf0\x9f\x98"};
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	(void)err_set(&err, -EINVAL, "caf\xc3\xa9, \xff and '%.1s'", "\xe2\x82\xac");
	assert_string_equal(err.msg, "caf\xc3\xa9, ? and '?'");
	assert_int_equal(utf8_cut("abc", 3, 3), 3);
	assert_int_equal(utf8_cut("abc", 3, 2), 2);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 4, 3), 1);
	assert_int_equal(utf8_cut("\xe2\x82\xac", 3, 2), 0);
}

/* Wherever it stands in a short or a long text. */
static void test_utf8_plain(void **state _unused_)
{
	char text[32];

	assert_true(utf8_plain("", 0));
	for (size_t len = 1; len <= sizeof(text); len++)
		for (size_t i = 0; i < len; i++)
			for (int c = 0; c <= UINT8_MAX; c++) {
				memset(text, c % 2 ? '\x01' : '\x7f', sizeof(text));
				text[i] = (char)c;
				assert_int_equal(utf8_plain(text, len), c > 0 && c < 0x80);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_get_found_and_absent),
		cmocka_unit_test(test_get_wrong_type),
		cmocka_unit_test(test_get_int_bounds),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_duplicate_key),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_depth_through_alias),
		cmocka_unit_test(test_alias_weight),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_alias_to_itself),
		cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_long_duplicate_key_message),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
