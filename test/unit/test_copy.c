// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_copy.c - the format of the copies of manifests: what was packed comes back, what was damaged
 * does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "watch/folder/copy.h"

static void add(struct copy *c, const char *text)
{
	assert_true(copy_append(c, text, strlen(text)));
}

static void is_text(const struct copy *c, size_t i, const char *text)
{
	assert_true(i < c->texts.n);
	assert_int_equal(c->texts.v[i].len, strlen(text));
	assert_memory_equal(c->texts.v[i].s, text, strlen(text));
}

static void comes_back(void **state _unused_)
{
	_cleanup_(copy_done) struct copy c = {0}, back = {0};
	_cleanup_(buf_done) struct buf b = {0};

	add(&c, "kind: Pod\n");
	add(&c, "");
	add(&c, "5\nabc\n");
	copy_pack(&c, &b);
	assert_int_equal(copy_unpack(b.data, b.len, &back), 0);
	assert_int_equal(back.texts.n, 3);
	is_text(&back, 0, "kind: Pod\n");
	is_text(&back, 1, "");
	is_text(&back, 2, "5\nabc\n");
}

static void of_nothing(void **state _unused_)
{
	_cleanup_(copy_done) struct copy c = {0}, back = {0};
	_cleanup_(buf_done) struct buf b = {0};

	copy_pack(&c, &b);
	assert_int_equal(copy_unpack(b.data, b.len, &back), 0);
	assert_int_equal(back.texts.n, 0);
}

/* Cut anywhere, longer by anything, or any byte another one. */
static void damage_is_seen(void **state _unused_)
{
	_cleanup_(copy_done) struct copy c = {0};
	_cleanup_(buf_done) struct buf b = {0};

	add(&c, "kind: Pod\n");
	add(&c, "kind: Node\n");
	copy_pack(&c, &b);
	for (size_t i = 0; i < b.len; i++) {
		_cleanup_(copy_done) struct copy cut = {0}, flipped = {0};
		_cleanup_(freep) char *bytes = xmemdup(b.data, b.len);

		assert_int_equal(copy_unpack(b.data, i, &cut), -EBADMSG);
		bytes[i] ^= 1;
		assert_int_equal(copy_unpack(bytes, b.len, &flipped), -EBADMSG);
	}
	{
		_cleanup_(copy_done) struct copy more = {0};

		buf_puts(&b, "x");
		assert_int_equal(copy_unpack(b.data, b.len, &more), -EBADMSG);
	}
}

static void not_twice_in_a_row(void **state _unused_)
{
	_cleanup_(copy_done) struct copy c = {0};

	add(&c, "a");
	assert_false(copy_append(&c, "a", 1));
	add(&c, "b");
	add(&c, "a");
	add(&c, "ab"); /* begins alike */
	assert_int_equal(c.texts.n, 4);
}

/* The first is the last one that was right in all, the last what is in the file. */
static void the_second_oldest_goes(void **state _unused_)
{
	static const char *const texts[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
	_cleanup_(copy_done) struct copy c = {0};

	_Static_assert(ARRAY_SIZE(texts) == COPY_TEXTS_MAX + 2, "two more than there is room for");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		add(&c, texts[i]);
	assert_int_equal(c.texts.n, COPY_TEXTS_MAX);
	is_text(&c, 0, "0");
	for (size_t i = 1; i < COPY_TEXTS_MAX; i++)
		is_text(&c, i, texts[i + 2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(of_nothing),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(not_twice_in_a_row),
		cmocka_unit_test(the_second_oldest_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
