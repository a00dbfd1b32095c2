// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shape.c - the walk along a description.
 */
#include "watch/object/shape.h"

#include "lib/intern.h"

SHAPE(const, shape_addr, struct addr, 0, SHAPE_BYTES(struct addr, family),
      SHAPE_BYTES(struct addr, b));
SHAPE(const, shape_prefix, struct prefix, 0, SHAPE_BYTES(struct prefix, addr),
      SHAPE_BYTES(struct prefix, len));

static uint32_t number(const struct shape_member *m, const void *of)
{
	uint32_t n;

	memcpy(&n, (const char *)of + m->n_at, sizeof(n));
	return n;
}

static void **pointer(const struct shape_member *m, void *of)
{
	return (void **)((char *)of + m->at);
}

/* What a member of type LIST or SECRET points to; of SOME it stands here. */
static void *content(const struct shape_member *m, const void *of)
{
	char *at = (char *)of + m->at;

	return m->type == SHAPE_TYPE_SOME ? at : *(void **)at;
}

static void free_member(const struct shape_member *m, void *of)
{
	uint32_t n;

	switch (m->type) {
	case SHAPE_TYPE_BYTES:
		return;
	case SHAPE_TYPE_NAME:
		intern_put(*pointer(m, of));
		return;
	case SHAPE_TYPE_LIST:
	case SHAPE_TYPE_SOME:
		n = number(m, of);
		for (uint32_t i = 0; i < n; i++)
			shape_free(m->inside, (char *)content(m, of) + i * m->inside->size);
		break;
	case SHAPE_TYPE_SECRET:
		if (content(m, of))
			explicit_bzero(content(m, of), number(m, of));
		break;
	}
	if (m->type != SHAPE_TYPE_SOME)
		free(content(m, of));
}

/**
 * shape_free() - Free what a struct owns
 * @s:  Its shape
 * @of: Struct; not freed itself, its members mean nothing afterwards
 */
void shape_free(const struct shape *s, void *of)
{
	for (size_t i = 0; i < s->n; i++)
		free_member(&s->member[i], of);
}

static bool member_equal(const struct shape_member *m, const void *a, const void *b)
{
	const char *x = (const char *)a + m->at, *y = (const char *)b + m->at;
	uint32_t n;

	switch (m->type) {
	case SHAPE_TYPE_BYTES:
	case SHAPE_TYPE_NAME: /* interned: equal when the pointers are */
		return memcmp(x, y, m->size) == 0;
	case SHAPE_TYPE_SECRET:
		n = number(m, a);
		return n == number(m, b) && (!n || memcmp(content(m, a), content(m, b), n) == 0);
	case SHAPE_TYPE_LIST:
	case SHAPE_TYPE_SOME:
		break;
	}
	n = number(m, a);
	if (n != number(m, b))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!shape_equal(m->inside, (const char *)content(m, a) + i * m->inside->size,
				 (const char *)content(m, b) + i * m->inside->size))
			return false;
	return true;
}

/**
 * shape_equal() - Compare two structs in every member
 * @s: Their shape
 * @a: Struct
 * @b: Struct
 *
 * Return: true if all are the same
 */
bool shape_equal(const struct shape *s, const void *a, const void *b)
{
	for (size_t i = 0; i < s->n; i++)
		if (!member_equal(&s->member[i], a, b))
			return false;
	return true;
}

static void own_member(const struct shape_member *m, void *of)
{
	size_t size = m->inside ? m->inside->size : 1;
	uint32_t n = 0;

	switch (m->type) {
	case SHAPE_TYPE_BYTES:
		return;
	case SHAPE_TYPE_NAME:
		(void)intern_ref(*pointer(m, of));
		return;
	case SHAPE_TYPE_LIST:
	case SHAPE_TYPE_SECRET:
		n = number(m, of);
		*pointer(m, of) = n ? xmemdup(*pointer(m, of), n * size) : NULL;
		break;
	case SHAPE_TYPE_SOME:
		n = number(m, of);
		break;
	}
	for (uint32_t i = 0; m->inside && i < n; i++)
		shape_own(m->inside, (char *)content(m, of) + i * size);
}

/**
 * shape_own() - Make a struct that was copied byte by byte own what it has, as the original does
 * @s:  Its shape
 * @of: Copy
 */
void shape_own(const struct shape *s, void *of)
{
	for (size_t i = 0; i < s->n; i++)
		own_member(&s->member[i], of);
}
