// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_shape.c - every member of every kind is described, and what is described is compared,
 * copied and freed.  A kind that is new is tested by having a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/intern.h"
#include "watch/object/kind.h"

#define ITEMS 2 /* of each list */

/* --- described ---------------------------------------------------------------------------------
 */

static void mark(uint8_t *marks, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		assert_int_equal(marks[i], 0); /* twice in one shape */
		marks[i] = 1;
	}
}

static void expect_described(const char *of, const struct shape *s)
{
	_cleanup_(freep) uint8_t *marks = xcalloc(1, s->size), *bytes = xmalloc(s->size);

	for (size_t i = 0; i < s->n; i++) {
		const struct shape_member *m = &s->member[i];

		mark(marks, m->at, m->size);
		if (m->type >= SHAPE_TYPE_LIST)
			mark(marks, m->n_at, sizeof(uint32_t));
		if (m->inside)
			expect_described(of, m->inside);
	}
	memset(bytes, 0xff, s->size);
	s->clear(bytes);
	for (size_t i = s->from; i < s->size; i++)
		if (bytes[i] && !marks[i])
			fail_msg("%s: byte %zu of a struct of %zu belongs to no member described",
				 of, i, s->size);
	for (size_t i = 0; i < s->size; i++)
		assert_true(bytes[i] || !marks[i]); /* padding must not be compared */
}

static void every_member_of_every_kind_is_described(void **state _unused_)
{
	for (int k = 0; k < _KIND_MAX; k++) {
		assert_int_equal(kinds[k]->kind, k);
		assert_int_equal(kinds[k]->shape->from, sizeof(struct object));
		if (!kinds[k]->shape->clear)
			skip(); /* gcc can say what is padding, clang 14 cannot */
		expect_described(kinds[k]->forms->kind, kinds[k]->shape);
	}
}

/* --- compared, copied, freed -------------------------------------------------------------------
 */

/* struct secret - of no kind yet: something to keep and bytes to hide */
struct secret {
	const char *name;
	uint32_t n;
	char *bytes;
};
SHAPE(static const, shape_secret, struct secret, 0, SHAPE_NAME(struct secret, name),
      SHAPE_SECRET(struct secret, n, bytes));

static const char *next_name(uint32_t *seed)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "name-%u", ++*seed);
	return intern(text);
}

static void fill(const struct shape *s, void *of, uint32_t *seed);

static void fill_member(const struct shape_member *m, void *of, uint32_t *seed)
{
	char *at = (char *)of + m->at;
	uint32_t *n = (uint32_t *)(void *)((char *)of + m->n_at);

	switch (m->type) {
	case SHAPE_TYPE_BYTES:
		memset(at, (int)(++*seed & 0x7f), m->size);
		return;
	case SHAPE_TYPE_NAME:
		*(const char **)(void *)at = next_name(seed);
		return;
	case SHAPE_TYPE_SECRET:
		*n = 3;
		*(char **)(void *)at = xmemdup("\x01\x02\x03", 3);
		return;
	case SHAPE_TYPE_LIST:
		*n = ITEMS;
		at = *(char **)(void *)at = xcalloc(ITEMS, m->inside->size);
		break;
	case SHAPE_TYPE_SOME:
		*n = (uint32_t)(m->size / m->inside->size);
		break;
	}
	for (uint32_t i = 0; i < *n; i++)
		fill(m->inside, at + i * m->inside->size, seed);
}

/* Everything has a value, and no two the same. */
static void fill(const struct shape *s, void *of, uint32_t *seed)
{
	for (size_t i = 0; i < s->n; i++)
		fill_member(&s->member[i], of, seed);
}

static bool change(const struct shape *s, void *of, size_t *which);

static void change_number(const struct shape_member *m, uint32_t *n, char *items)
{
	--*n;
	if (m->inside)
		shape_free(m->inside, items + *n * m->inside->size);
}

static bool change_member(const struct shape_member *m, void *of, size_t *which)
{
	char *at = (char *)of + m->at;
	uint32_t *n = (uint32_t *)(void *)((char *)of + m->n_at), seed = 1000000;

	if (m->type >= SHAPE_TYPE_LIST) {
		char *items = m->type == SHAPE_TYPE_SOME ? at : *(char **)(void *)at;

		for (uint32_t i = 0; m->inside && i < *n; i++)
			if (change(m->inside, items + i * m->inside->size, which))
				return true;
		if ((*which)-- == 0) {
			change_number(m, n, items);
			return true;
		}
		at = items + *n - 1;
	}
	if (m->inside || (*which)-- != 0)
		return false;
	if (m->type == SHAPE_TYPE_NAME) {
		intern_put(*(const char **)(void *)at);
		*(const char **)(void *)at = next_name(&seed);
	} else {
		*at ^= 1;
	}
	return true;
}

/* Change one thing of all that there are; false: there are not so many. */
static bool change(const struct shape *s, void *of, size_t *which)
{
	for (size_t i = 0; i < s->n; i++)
		if (change_member(&s->member[i], of, which))
			return true;
	return false;
}

static void every_member_of_every_kind_is_compared_copied_and_freed(void **state _unused_)
{
	for (int k = 0; k < _KIND_MAX; k++) {
		const struct shape *s = kinds[k]->shape;
		struct object *o = xcalloc(1, s->size), *copy;
		uint32_t seed = 0;
		size_t changes = 0;
		bool any = true;

		o->kind = (enum kind)k;
		o->name = intern("x");
		fill(s, o, &seed);
		for (; any; changes++) {
			size_t which = changes;

			copy = object_copy(o);
			assert_true(object_equal(o, copy));
			any = change(s, copy, &which);
			if (any && (object_equal(o, copy) || object_equal(copy, o)))
				fail_msg("%s: change %zu is not seen", kinds[k]->forms->kind,
					 changes);
			(void)object_free(copy);
		}
		assert_in_range(changes, s->n + 1, 10000);
		copy = object_copy(o);
		(void)object_free(o);
		(void)object_free(copy); /* it stood alone */
		assert_int_equal(intern_count(), 0);
	}
}

/* --- secrets -----------------------------------------------------------------------------------
 */

static size_t wiped;

/* In the place of libc's: what was asked for is all that can be seen of memory that is freed. */
void explicit_bzero(void *p, size_t n)
{
	wiped += n;
	memset(p, 0, n);
}

static void secrets_are_wiped_and_never_interned(void **state _unused_)
{
	struct secret s = {0}, copy;
	uint32_t seed = 0;
	size_t which;

	fill(&shape_secret, &s, &seed);
	assert_int_equal(intern_count(), 1);
	for (size_t i = 0; i < 3; i++) { /* the name, the number, a byte */
		copy = s;
		shape_own(&shape_secret, &copy);
		assert_int_equal(intern_count(), 1);
		assert_ptr_not_equal(copy.bytes, s.bytes);
		assert_true(shape_equal(&shape_secret, &s, &copy));
		which = i;
		assert_true(change(&shape_secret, &copy, &which));
		assert_false(shape_equal(&shape_secret, &s, &copy));
		wiped = 0;
		shape_free(&shape_secret, &copy);
		assert_int_equal(wiped, i == 1 ? 2 : 3);
	}
	shape_free(&shape_secret, &s);
	copy = (struct secret){0};
	shape_own(&shape_secret, &copy); /* none is none */
	assert_null(copy.bytes);
	shape_free(&shape_secret, &copy);
	assert_int_equal(intern_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_of_every_kind_is_described),
		cmocka_unit_test(every_member_of_every_kind_is_compared_copied_and_freed),
		cmocka_unit_test(secrets_are_wiped_and_never_interned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
