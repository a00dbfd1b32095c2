/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptr_table.h - a hash table of pointers; whose items they are, and what makes two equal, is the
 * user's.  For tables of many items, where uthash.h takes 56 bytes in each and a miss of the cache
 * for each that it looks at on the way.
 */
#pragma once

#include "lib/util.h"

/*
 * struct ptr_table - starts zeroed
 * @hash: Of the items, 0 in free slots
 * @n:    Items
 * @cap:  Slots, a power of two or 0
 */
struct ptr_table {
	uint32_t *hash;
	void **item;
	size_t n, cap;
};

/* ptr_hash() - hash of a pointer, for tables whose keys are interned strings or objects */
static inline uint32_t ptr_hash(const void *p)
{
	return (uint32_t)((uint64_t)(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* ptr_table_equal_fn - is @item the one of @key?  Their hashes are equal. */
typedef bool ptr_table_equal_fn(const void *item, const void *key);

void **ptr_table_find(const struct ptr_table *t, uint32_t hash, ptr_table_equal_fn *equal,
		      const void *key);
void ptr_table_add(struct ptr_table *t, uint32_t hash, void *item);
void ptr_table_remove(struct ptr_table *t, void **slot);
void ptr_table_done(struct ptr_table *t);

static inline void *ptr_table_get(const struct ptr_table *t, uint32_t hash,
				  ptr_table_equal_fn *equal, const void *key)
{
	void **slot = ptr_table_find(t, hash, equal, key);

	return slot ? *slot : NULL;
}

/* ptr_table_foreach() - walk the items, in no order: ptr_table_foreach(p, &table) use(*p);  The
 * table must not change. */
#define ptr_table_foreach(p, t)                                                \
	for (void **(p) = (t)->item; (p) && (p) < (t)->item + (t)->cap; (p)++) \
		if (!*(p)) {                                                   \
		} else
