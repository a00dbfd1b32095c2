// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ptr_table.c - open addressing, 12 bytes a slot, at most 7/8 full.  Pure.
 *
 * The hashes stand beside the pointers: neither looking for what is not there nor growing touches
 * an item.
 */
#include "lib/ptr_table.h"

#define CAP_MIN 16

/* 0 marks a free slot. */
static uint32_t mark_of(uint32_t hash)
{
	return hash ? hash : 1;
}

static size_t next(const struct ptr_table *t, size_t i)
{
	return (i + 1) & (t->cap - 1);
}

static void put(struct ptr_table *t, uint32_t mark, void *item)
{
	size_t i = mark & (t->cap - 1);

	while (t->hash[i])
		i = next(t, i);
	t->hash[i] = mark;
	t->item[i] = item;
}

static void grow(struct ptr_table *t)
{
	struct ptr_table bigger = {.n = t->n, .cap = t->cap ? t->cap * 2 : CAP_MIN};

	bigger.hash = xcalloc(bigger.cap, sizeof(*bigger.hash));
	bigger.item = xcalloc(bigger.cap, sizeof(*bigger.item));
	for (size_t i = 0; i < t->cap; i++)
		if (t->hash[i])
			put(&bigger, t->hash[i], t->item[i]);
	ptr_table_done(t);
	*t = bigger;
}

/**
 * ptr_table_find() - Look an item up
 * @t:     Table
 * @hash:  Of @key; its low bits have to differ
 * @equal: Tells whether it is the one
 * @key:   For @equal
 *
 * Return: where it stands, until the next addition or removal: another item of the same key may
 *         take its place; NULL if there is none
 */
void **ptr_table_find(const struct ptr_table *t, uint32_t hash, ptr_table_equal_fn *equal,
		      const void *key)
{
	uint32_t mark = mark_of(hash);

	if (!t->cap)
		return NULL;
	for (size_t i = mark & (t->cap - 1); t->hash[i]; i = next(t, i))
		if (t->hash[i] == mark && equal(t->item[i], key))
			return &t->item[i];
	return NULL;
}

/**
 * ptr_table_add() - Add an item
 * @t:    Table without one of its key
 * @hash: Of its key
 * @item: Item, not NULL
 */
void ptr_table_add(struct ptr_table *t, uint32_t hash, void *item)
{
	if ((t->n + 1) * 8 > t->cap * 7)
		grow(t);
	put(t, mark_of(hash), item);
	t->n++;
}

/**
 * ptr_table_remove() - Take an item out
 * @t:    Table
 * @slot: From ptr_table_find()
 */
void ptr_table_remove(struct ptr_table *t, void **slot)
{
	size_t gap = (size_t)(slot - t->item);

	/* Close the gap: move up whatever probing would no longer reach. */
	for (size_t i = next(t, gap); t->hash[i]; i = next(t, i)) {
		size_t want = t->hash[i] & (t->cap - 1);

		if (((i - want) & (t->cap - 1)) < ((i - gap) & (t->cap - 1)))
			continue;
		t->hash[gap] = t->hash[i];
		t->item[gap] = t->item[i];
		gap = i;
	}
	t->hash[gap] = 0;
	t->item[gap] = NULL;
	t->n--;
}

/**
 * ptr_table_done() - Free the table, not its items
 * @t: Table; empty and usable again afterwards
 */
void ptr_table_done(struct ptr_table *t)
{
	free(t->hash);
	free(t->item);
	*t = (struct ptr_table){0};
}
