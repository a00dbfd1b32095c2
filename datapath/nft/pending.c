// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pending.c - which sets, chains and elements differ from what is installed, and how many.
 *
 * Whoever changes an object calls elem_update(), set_update() or chain_update() afterwards; the
 * counts are then right and the object stands in the list that table_ops() walks.  Objects that
 * agree again stay in the list until pending_sweep(); each is put in at most once, so the sweep
 * costs no more than the changes did.  Pure.
 */
#include <assert.h>
#include <utlist.h>

#include "datapath/nft/table_priv.h"

/**
 * elem_differs() - Whether an element waits for an operation
 * @s:     Its set
 * @entry: Its entry
 *
 * Elements of a plain set or data map that is not wanted go with the set.  Those of a verdict map
 * go one by one, because kernels before 6.5 release the chains they name too late otherwise.
 *
 * One that the kernel refused waits for table_retry().
 *
 * Return: true if wanted and installed differ; of a table that is held, if it is wanted and not
 * installed so
 */
bool elem_differs(const struct nft_set *s, const uint8_t *entry)
{
	uint32_t flags = elem_flags(entry);
	bool wanted = s->wanted && elem_uses(entry) > 0;
	bool installed = flags & ELEM_INSTALLED;

	if (flags & ELEM_REFUSED)
		return false;
	if (!wanted && (*s->held || (!s->wanted && !set_points(s, NFT_RANK_TO_CHAIN))))
		return false;
	if (*s->held && (flags & ELEM_COVERED))
		return false;
	return wanted != installed || (wanted && (flags & ELEM_STALE));
}

static void queue_set(struct nft_table *t, struct nft_set *s)
{
	if (s->queued)
		return;
	s->queued = true;
	if (s->def.urgent)
		DL_PREPEND(t->pending_sets, s);
	else
		DL_APPEND(t->pending_sets, s);
}

static void list_elem(struct nft_table *t, struct nft_set *s, uint8_t *entry)
{
	size_t len = s->elems.ident_len;

	if (elem_flags(entry) & ELEM_LISTED)
		return;
	if (s->n_list == s->list_cap) {
		s->list_cap = MAX(s->list_cap + s->list_cap / 2, 4);
		s->list = xrealloc(s->list, s->list_cap, len);
	}
	memcpy(s->list + s->n_list++ * len, elem_ident(entry), len);
	elem_set_flags(entry, ELEM_LISTED, 0);
	queue_set(t, s);
}

static void forget_order(struct nft_set *s)
{
	free(s->sorted);
	s->sorted = NULL;
}

static void count_elems(struct nft_table *t, struct nft_set *s, size_t add, size_t sub)
{
	s->n_differ += add - sub;
	t->n_elems += add - sub;
	if (!set_points(s, NFT_RANK_TO_CHAIN))
		t->n_fill += add - sub;
}

/**
 * elem_update() - Keep the books after an element changed
 * @t:        Table
 * @s:        Set
 * @entry:    Entry; removed if nobody wants it, the kernel does not have it and no list names it
 * @differed: elem_differs() before the change; false for a new entry
 */
void elem_update(struct nft_table *t, struct nft_set *s, uint8_t *entry, bool differed)
{
	bool differs = elem_differs(s, entry);

	forget_order(s);
	count_elems(t, s, differs, differed);
	if (differs)
		list_elem(t, s, entry);
	else if (!elem_uses(entry) &&
		 !(elem_flags(entry) & (ELEM_INSTALLED | ELEM_LISTED | ELEM_REFUSED)))
		elems_remove(&s->elems, entry);
}

/**
 * elem_unlist() - Take a key that does not differ any more out of the list
 * @s: Set
 * @i: Its place; the last key takes it
 */
void elem_unlist(struct nft_set *s, size_t i)
{
	size_t len = s->elems.ident_len;
	uint8_t *entry = elems_find(&s->elems, s->list + i * len);

	assert(entry);
	elem_set_flags(entry, 0, ELEM_LISTED);
	if (!elem_uses(entry) && !(elem_flags(entry) & (ELEM_INSTALLED | ELEM_REFUSED)))
		elems_remove(&s->elems, entry);
	s->n_list--;
	if (i < s->n_list)
		memcpy(s->list + i * len, s->list + s->n_list * len, len);
}

/**
 * set_update() - Keep the books after a set's own state changed
 * @t: Table
 * @s: Set
 */
void set_update(struct nft_table *t, struct nft_set *s)
{
	bool differs = s->wanted ? !s->installed : s->installed && !t->held;

	t->n_objects += (size_t)differs - (size_t)s->differs;
	s->differs = differs;
	if (differs)
		queue_set(t, s);
}

/* Removal may move an unseen entry into the slot, which is looked at again, or one seen before. */
static void remove_unused(struct nft_set *s)
{
	uint8_t *e = elems_next(&s->elems, NULL);

	while (e) {
		if (!elem_uses(e) &&
		    !(elem_flags(e) & (ELEM_INSTALLED | ELEM_LISTED | ELEM_REFUSED))) {
			elems_remove(&s->elems, e);
			if (elem_flags(e))
				continue;
		}
		e = elems_next(&s->elems, e);
	}
}

/**
 * set_recount() - Count a set's elements anew after all of them may have changed
 * @t: Table
 * @s: Set
 *
 * Drops entries that are neither wanted nor installed.  Time: O(elements of the set)
 */
void set_recount(struct nft_table *t, struct nft_set *s)
{
	size_t differ = 0;

	forget_order(s);
	remove_unused(s);
	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e)) {
		if (!elem_differs(s, e))
			continue;
		list_elem(t, s, e);
		differ++;
	}
	count_elems(t, s, differ, s->n_differ);
}

/**
 * chain_rules_differ() - Whether a wanted chain holds other rules than are wanted
 * @c: Chain
 *
 * Return: true if its rules must be rewritten
 */
bool chain_rules_differ(const struct nft_chain *c)
{
	return c->had.n != c->def.n_rules ||
	       (c->had.n && memcmp(c->had.v, c->digest, c->had.n * sizeof(*c->digest)) != 0);
}

/**
 * chain_update() - Keep the books after a chain changed
 * @t: Table
 * @c: Chain
 */
void chain_update(struct nft_table *t, struct nft_chain *c)
{
	bool differs = c->wanted ? !c->installed || chain_rules_differ(c)
				 : c->installed && !t->held;

	t->n_objects += (size_t)differs - (size_t)c->differs;
	c->differs = differs;
	if (!differs || c->queued)
		return;
	c->queued = true;
	DL_APPEND(t->pending_chains, c);
}

static void sweep_set(struct nft_table *t, struct nft_set *s)
{
	size_t len = s->elems.ident_len;

	while (s->n_list) {
		uint8_t *last = elems_find(&s->elems, s->list + (s->n_list - 1) * len);

		if (elem_differs(s, last))
			break;
		elem_unlist(s, s->n_list - 1);
	}
	elems_trim(&s->elems);
	if (s->n_list || s->differs)
		return;
	free(s->list);
	s->list = NULL;
	s->list_cap = 0;
	s->queued = false;
	DL_DELETE(t->pending_sets, s);
	if (!s->wanted && !s->installed) {
		HASH_DEL(t->sets, s);
		set_free(s);
	}
}

/**
 * pending_sweep() - Take what agrees out of the lists, free what is gone on both sides
 * @t: Table
 *
 * Time: O(sets and chains in the lists, and keys taken out)
 */
void pending_sweep(struct nft_table *t)
{
	struct nft_set *s, *next_set;
	struct nft_chain *c, *next_chain;

	DL_FOREACH_SAFE (t->pending_sets, s, next_set)
		sweep_set(t, s);
	DL_FOREACH_SAFE (t->pending_chains, c, next_chain) {
		if (c->differs)
			continue;
		c->queued = false;
		DL_DELETE(t->pending_chains, c);
		if (!c->wanted && !c->installed) {
			HASH_DEL(t->chains, c);
			chain_free(c);
		}
	}
}
