// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * out.c - the list of out.h; what a neighbour is told of it: out_write.c.  Pure.
 */
#include "datapath/bgp/out.h"

#include "datapath/bgp/ranges.h"

static bool is_same(const void *item, const void *key)
{
	return prefix_eq(&((const struct bgp_advert *)item)->p, key);
}

static enum bgp_family family_of(const struct bgp_advert *a)
{
	return a->p.addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
}

static void unlink_advert(struct bgp_out *o, struct bgp_advert *a)
{
	enum bgp_family f = family_of(a);

	for (struct bgp_reader *r = o->readers; r; r = r->next)
		if (r->cursor[f] == a)
			r->cursor[f] = a->after;
	*(a->before ? &a->before->after : &o->first[f]) = a->after;
	*(a->after ? &a->after->before : &o->last[f]) = a->before;
}

/* To the end: everybody has to be told. */
static void link_advert(struct bgp_out *o, struct bgp_advert *a)
{
	enum bgp_family f = family_of(a);

	a->before = o->last[f];
	a->after = NULL;
	*(o->last[f] ? &o->last[f]->after : &o->first[f]) = a;
	o->last[f] = a;
	for (struct bgp_reader *r = o->readers; r; r = r->next)
		if (!r->cursor[f])
			r->cursor[f] = a;
}

static bool is_held(const struct bgp_advert *a)
{
	uint64_t any = a->few;

	for (uint32_t i = 0; i < a->n_more; i++)
		any |= a->more[i];
	return any;
}

static void free_advert(struct bgp_out *o, struct bgp_advert *a)
{
	ptr_table_remove(&o->adverts,
			 ptr_table_find(&o->adverts, bgp_prefix_hash(&a->p), is_same, &a->p));
	free(a->more);
	free(a);
}

/**
 * bgp_out_want() - Announce a prefix, or announce it otherwise
 * @o: List
 * @p: Prefix, ours
 * @a: Attributes but for what differs from neighbour to neighbour: next hop, our AS in the path
 */
void bgp_out_want(struct bgp_out *o, const struct prefix *p, const struct bgp_attrs *a)
{
	uint32_t hash = bgp_prefix_hash(p);
	struct bgp_advert *advert = ptr_table_get(&o->adverts, hash, is_same, p);
	struct bgp_kept *fresh = bgp_keep(&o->pool, a), *old = advert ? advert->attrs : NULL;

	if (fresh == old) {
		bgp_kept_put(&o->pool, fresh);
		return;
	}
	if (!advert) {
		advert = xcalloc(1, sizeof(*advert));
		advert->p = *p;
		ptr_table_add(&o->adverts, hash, advert);
	} else {
		unlink_advert(o, advert);
	}
	advert->attrs = fresh;
	bgp_kept_put(&o->pool, old);
	link_advert(o, advert);
}

/**
 * bgp_out_drop() - Withdraw a prefix
 * @o: List
 * @p: Prefix; nothing happens if it is not announced
 */
void bgp_out_drop(struct bgp_out *o, const struct prefix *p)
{
	struct bgp_advert *a = ptr_table_get(&o->adverts, bgp_prefix_hash(p), is_same, p);

	if (!a || !a->attrs)
		return;
	bgp_kept_put(&o->pool, TAKE(a->attrs, NULL));
	unlink_advert(o, a);
	if (is_held(a))
		link_advert(o, a);
	else
		free_advert(o, a);
}

/* --- who has what: out_write.c, too ------------------------------------------------------------
 */

static uint64_t *word_of(struct bgp_advert *a, uint32_t slot)
{
	uint32_t word = slot / 64;

	if (!word)
		return &a->few;
	if (word > a->n_more) {
		a->more = xrealloc(a->more, word, sizeof(*a->more));
		memset(a->more + a->n_more, 0, (word - a->n_more) * sizeof(*a->more));
		a->n_more = word;
	}
	return &a->more[word - 1];
}

/**
 * bgp_out_has() - Has a neighbour a prefix?
 * @a: Prefix
 * @r: Neighbour
 *
 * Return: true if it was announced to it and not withdrawn
 */
bool bgp_out_has(const struct bgp_advert *a, const struct bgp_reader *r)
{
	uint32_t word = r->slot / 64;

	if (word > a->n_more)
		return false;
	return (word ? a->more[word - 1] : a->few) >> r->slot % 64 & 1;
}

/**
 * bgp_out_note() - A neighbour is being told
 * @o:    List
 * @a:    Prefix; freed when it was withdrawn from the last one
 * @r:    Neighbour
 * @held: It has it from now on
 */
void bgp_out_note(struct bgp_out *o, struct bgp_advert *a, struct bgp_reader *r, bool held)
{
	bool had = bgp_out_has(a, r);
	uint64_t bit = 1ull << r->slot % 64, *word = word_of(a, r->slot);

	*word = held ? *word | bit : *word & ~bit;
	r->sent[family_of(a)] += (uint32_t)held - (uint32_t)had;
	if (a->attrs || is_held(a))
		return;
	unlink_advert(o, a);
	free_advert(o, a);
}

/**
 * bgp_out_add() - A session stands: its neighbour is told everything, and then of each change
 * @o: List
 * @r: Neighbour, zeroed but for what is the caller's; stays until bgp_out_remove()
 */
void bgp_out_add(struct bgp_out *o, struct bgp_reader *r)
{
	struct bgp_reader **slot = &o->readers;

	/* The lowest number that is free; they are in order. */
	for (r->slot = 0; *slot && (*slot)->slot == r->slot; slot = &(*slot)->next)
		r->slot++;
	r->next = *slot;
	*slot = r;
	for (int f = 0; f < _BGP_FAMILY_MAX; f++)
		r->cursor[f] = o->first[f];
}

/**
 * bgp_out_remove() - A session has ended
 * @o: List
 * @r: Neighbour that was added
 */
void bgp_out_remove(struct bgp_out *o, struct bgp_reader *r)
{
	struct bgp_reader **slot = &o->readers;

	for (int f = 0; f < _BGP_FAMILY_MAX; f++) {
		for (struct bgp_advert *a = o->first[f], *after; a; a = after) {
			after = a->after;
			if (bgp_out_has(a, r))
				bgp_out_note(o, a, r, false);
		}
	}
	while (*slot != r)
		slot = &(*slot)->next;
	*slot = r->next;
}

/**
 * bgp_out_refresh() - Tell a neighbour everything again (RFC 2918), or by another filter
 * @o: List
 * @r: Neighbour
 * @f: Family
 */
void bgp_out_refresh(struct bgp_out *o, struct bgp_reader *r, enum bgp_family f)
{
	r->cursor[f] = o->first[f];
}

/**
 * bgp_out_done() - Free the list
 * @o: List without neighbours
 */
void bgp_out_done(struct bgp_out *o)
{
	ptr_table_foreach(slot, &o->adverts)
	{
		struct bgp_advert *a = *slot;

		bgp_kept_put(&o->pool, a->attrs);
		free(a->more);
		free(a);
	}
	ptr_table_done(&o->adverts);
	bgp_pool_done(&o->pool);
	*o = (struct bgp_out){0};
}
