/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shape.h - what a struct consists of, described once: freeing, comparing and copying follow from
 * it.  Pure.
 *
 * A description names every member; test/unit/test_shape.c finds one that it does not name.
 */
#pragma once

#include "lib/addr.h"
#include "lib/util.h"

enum shape_type {
	SHAPE_TYPE_BYTES,  /* numbers, enums, addresses: compared as bytes, so without padding */
	SHAPE_TYPE_NAME,   /* const char *, interned or NULL */
	SHAPE_TYPE_LIST,   /* an array on the heap, its number of items in a uint32_t */
	SHAPE_TYPE_SOME,   /* an array inside the struct, of which the first so many items count */
	SHAPE_TYPE_SECRET, /* bytes on the heap, their number in a uint32_t: zeroed when they are
			      freed, never interned, never printed */
};

/*
 * struct shape_member
 * @at:     Offset of the member
 * @size:   Bytes of it
 * @n_at:   SHAPE_TYPE_LIST, _SOME, _SECRET: offset of the number
 * @inside: SHAPE_TYPE_LIST, _SOME: what an item is
 */
struct shape_member {
	enum shape_type type;
	uint16_t at, size, n_at;
	const struct shape *inside;
};

/*
 * struct shape - of the structs of one type
 * @size:  Bytes of one
 * @from:  Where the members begin that are described
 * @clear: Zeroes all that is between members; NULL: this compiler cannot say what is
 */
struct shape {
	size_t size, from, n;
	const struct shape_member *member;
	void (*clear)(void *s);
};

#define SHAPE_SIZE(of, m) sizeof(((of *)0)->m)

#define SHAPE_BYTES(of, m)                                                                  \
	{                                                                                   \
		.type = SHAPE_TYPE_BYTES, .at = offsetof(of, m), .size = SHAPE_SIZE(of, m), \
	}
#define SHAPE_NAME(of, m)                                                                     \
	{                                                                                     \
		.type = SHAPE_TYPE_NAME, .at = offsetof(of, m), .size = sizeof(const char *), \
	}
#define SHAPE_LIST(of, n_m, m, shape)                                                   \
	{                                                                               \
		.type = SHAPE_TYPE_LIST, .at = offsetof(of, m), .size = sizeof(void *), \
		.n_at = offsetof(of, n_m), .inside = &(shape),                          \
	}
#define SHAPE_SOME(of, n_m, m, shape)                                                      \
	{                                                                                  \
		.type = SHAPE_TYPE_SOME, .at = offsetof(of, m), .size = SHAPE_SIZE(of, m), \
		.n_at = offsetof(of, n_m), .inside = &(shape),                             \
	}
#define SHAPE_SECRET(of, n_m, m)                                                          \
	{                                                                                 \
		.type = SHAPE_TYPE_SECRET, .at = offsetof(of, m), .size = sizeof(void *), \
		.n_at = offsetof(of, n_m),                                                \
	}

#if defined(__has_builtin) && __has_builtin(__builtin_clear_padding)
#define SHAPE_CLEAR(name, type)                     \
	static void clear_##name(void *s)           \
	{                                           \
		__builtin_clear_padding((type *)s); \
	}
#define SHAPE_CLEARS(name) clear_##name
#else
#define SHAPE_CLEAR(name, type)
#define SHAPE_CLEARS(name) NULL
#endif

/*
 * SHAPE() - define a shape: SHAPE(static const, shape_x, struct x, from, members...)
 * @first: Offset of the first member described
 */
#define SHAPE(storage, name, of, first, ...)                                  \
	SHAPE_CLEAR(name, of)                                                 \
	static const struct shape_member members_of_##name[] = {__VA_ARGS__}; \
	storage struct shape name = {                                         \
		.size = sizeof(of),                                           \
		.from = (first),                                              \
		.n = ARRAY_SIZE(members_of_##name),                           \
		.member = members_of_##name,                                  \
		.clear = SHAPE_CLEARS(name),                                  \
	}

extern const struct shape shape_addr, shape_prefix;

void shape_free(const struct shape *s, void *of);
bool shape_equal(const struct shape *s, const void *a, const void *b);
void shape_own(const struct shape *s, void *of);
