// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_cover.c - which blocks are in no larger one; random use against looking at all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/base/cover.h"
#include "lib/buf.h"
#include "lib/vec.h"

struct prefixes {
	VEC(struct prefix) v;
};

/* struct told - blocks that hold by what was told, in no order */
struct told {
	struct prefixes holding;
	size_t differences;
};

static void take(void *arg, const struct prefix *p, bool holds)
{
	struct told *t = arg;
	struct prefixes *h = &t->holding;

	t->differences++;
	for (size_t i = 0; i < h->v.n; i++) {
		if (!prefix_eq(&h->v.v[i], p))
			continue;
		assert_false(holds);
		h->v.v[i] = h->v.v[--h->v.n];
		return;
	}
	assert_true(holds);
	vec_push(&h->v, *p);
}

static int by_address(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

static void assert_holding(struct told *t, const char *wanted)
{
	_cleanup_(buf_done) struct buf b = {0};
	char text[PREFIX_STR_MAX];

	vec_sort(&t->holding.v, by_address);
	vec_foreach (p, &t->holding.v)
		buf_printf(&b, "%s%s", b.len ? " " : "", prefix_str(p, text));
	assert_string_equal(b.data ?: "", wanted);
}

static void add(struct cover *c, const char *text)
{
	struct prefix p;

	assert_true(prefix_parse(text, &p) >= 0);
	cover_add(c, &p);
}

static void drop(struct cover *c, const char *text)
{
	struct prefix p;

	assert_true(prefix_parse(text, &p) >= 0);
	cover_remove(c, &p);
}

static void what_is_inside_shows_when_the_outer_goes(void **state _unused_)
{
	struct told t = {0};
	struct cover *c = cover_new(take, &t);

	add(c, "10.1.0.0/24");
	add(c, "10.1.0.64/26");
	assert_holding(&t, "10.1.0.0/24");
	add(c, "10.0.0.0/8");
	assert_holding(&t, "10.0.0.0/8");
	add(c, "10.1.1.0/24");
	drop(c, "10.0.0.0/8");
	assert_holding(&t, "10.1.0.0/24 10.1.1.0/24");
	drop(c, "10.1.0.0/24");
	assert_holding(&t, "10.1.0.64/26 10.1.1.0/24");
	vec_done(&t.holding.v);
	(void)cover_free(c);
}

/* Several sources name the same block: it stays until the last one goes, and nothing is told. */
static void the_same_block_twice(void **state _unused_)
{
	struct told t = {0};
	struct cover *c = cover_new(take, &t);

	add(c, "10.0.0.0/24");
	add(c, "10.0.0.0/24");
	add(c, "10.0.0.128/25");
	drop(c, "10.0.0.0/24");
	drop(c, "10.0.0.128/25");
	assert_int_equal(t.differences, 1);
	assert_holding(&t, "10.0.0.0/24");
	drop(c, "10.0.0.0/24");
	assert_holding(&t, "");
	vec_done(&t.holding.v);
	(void)cover_free(c);
}

static void the_ends_of_the_world(void **state _unused_)
{
	struct told t = {0};
	struct cover *c = cover_new(take, &t);

	add(c, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	add(c, "::/128");
	add(c, "8000::/1");
	assert_holding(&t, "::/128 8000::/1");
	add(c, "::/0");
	assert_holding(&t, "::/0");
	drop(c, "8000::/1");
	drop(c, "::/128");
	drop(c, "::/0");
	assert_holding(&t, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	vec_done(&t.holding.v);
	(void)cover_free(c);
}

/* A change far away tells nothing of the others, however many there are. */
static void only_what_is_touched_is_told(void **state _unused_)
{
	struct told t = {0};
	struct cover *c = cover_new(take, &t);
	size_t before;

	for (int i = 0; i < 1000; i++) {
		_cleanup_(freep) char *text = xasprintf("10.%d.%d.0/24", i / 256, i % 256);

		add(c, text);
	}
	assert_int_equal(t.holding.v.n, 1000);
	before = t.differences;
	add(c, "192.0.2.0/24");
	drop(c, "192.0.2.0/24");
	assert_int_equal(t.differences - before, 2);
	vec_done(&t.holding.v);
	(void)cover_free(c);
}

static bool is_outermost(const struct prefixes *all, const struct prefix *p)
{
	vec_foreach (other, &all->v)
		if (!prefix_eq(other, p) && prefix_covers(other, p))
			return false;
	return true;
}

static bool has(const struct prefixes *all, const struct prefix *p)
{
	vec_foreach (other, &all->v)
		if (prefix_eq(other, p))
			return true;
	return false;
}

static void compare(const struct told *t, const struct prefixes *in)
{
	vec_foreach (p, &t->holding.v) {
		assert_true(has(in, p));
		assert_true(is_outermost(in, p));
	}
	vec_foreach (p, &in->v)
		assert_int_equal(has(&t->holding, p), is_outermost(in, p));
}

/* In the last 64 addresses of the world, or the first. */
static struct prefix any_block(unsigned int *seed)
{
	unsigned int len = 26 + (unsigned int)rand_r(seed) % 7;
	unsigned int at = (unsigned int)rand_r(seed) % 64 & ~((1u << (32 - len)) - 1);
	struct prefix p = {.addr = {AF_INET, {0, 0, 0, (uint8_t)at}}, .len = (uint8_t)len};

	if (rand_r(seed) % 2)
		p.addr = (struct addr){AF_INET, {255, 255, 255, (uint8_t)(192 + at)}};
	return p;
}

static void random_use(void **state _unused_)
{
	struct prefixes in = {0};
	struct told t = {0};
	struct cover *c = cover_new(take, &t);
	unsigned int seed = 1;

	for (int step = 0; step < 20000; step++) {
		size_t i = in.v.n ? (size_t)rand_r(&seed) % in.v.n : 0;

		if (!in.v.n || rand_r(&seed) % (20 + (int)in.v.n) < 20) {
			vec_push(&in.v, any_block(&seed));
			cover_add(c, &in.v.v[in.v.n - 1]);
		} else {
			cover_remove(c, &in.v.v[i]);
			in.v.v[i] = in.v.v[--in.v.n];
		}
		compare(&t, &in);
	}
	vec_done(&in.v);
	vec_done(&t.holding.v);
	(void)cover_free(c);
}

static void none_is_freed(void **state _unused_)
{
	assert_null(cover_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_inside_shows_when_the_outer_goes),
		cmocka_unit_test(the_same_block_twice),
		cmocka_unit_test(the_ends_of_the_world),
		cmocka_unit_test(only_what_is_touched_is_told),
		cmocka_unit_test(random_use),
		cmocka_unit_test(none_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
