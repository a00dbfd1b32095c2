/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - a hash table of pointers; whose items they are, and what makes two equal, is the
 * user's.  For tables of many items, where uthash.h takes 56 bytes in each and a miss of the cache
 * for each that it looks at on the way.
 */
#pragma once

#include "lib/util.h"

/*
 * struct table - starts zeroed
 * @hash: Of the items, 0 in free slots
 * @n:    Items
 * @cap:  Slots, a power of two or 0
 */
struct table {
	uint32_t *hash;
	void **item;
	size_t n, cap;
};

/* table_equal_fn - is @item the one of @key?  Their hashes are equal. */
typedef bool table_equal_fn(const void *item, const void *key);

void **table_find(const struct table *t, uint32_t hash, table_equal_fn *equal, const void *key);
void table_add(struct table *t, uint32_t hash, void *item);
void table_remove(struct table *t, void **slot);
void table_done(struct table *t);

static inline void *table_get(const struct table *t, uint32_t hash, table_equal_fn *equal,
			      const void *key)
{
	void **slot = table_find(t, hash, equal, key);

	return slot ? *slot : NULL;
}

/* table_foreach() - walk the items, in no order: table_foreach(p, &table) use(*p);  The table must
 * not change. */
#define table_foreach(p, t)                                                    \
	for (void **(p) = (t)->item; (p) && (p) < (t)->item + (t)->cap; (p)++) \
		if (!*(p)) {                                                   \
		} else
