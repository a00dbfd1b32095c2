// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lookup.c - read what is wanted, for the packet simulator and for status; and what the kernel
 * holds that is not wanted, or not yet.  Pure.
 */
#include "datapath/nft/fields.h"
#include "datapath/nft/table_priv.h"

/**
 * table_chain_def() - Definition of a wanted chain
 * @t:    Table
 * @name: Name
 *
 * Return: definition, borrowed until the chain changes; NULL if it is not wanted
 */
const struct nft_chain_def *table_chain_def(const struct nft_table *t, const char *name)
{
	const struct nft_chain *c = table_find_chain(t, name);

	return c && c->wanted ? &c->def : NULL;
}

/**
 * table_set_def() - Definition of a wanted set
 * @t:    Table
 * @name: Name
 *
 * Return: definition, borrowed until the set is dropped; NULL if it is not wanted
 */
const struct nft_set_def *table_set_def(const struct nft_table *t, const char *name)
{
	const struct nft_set *s = table_find_set(t, name);

	return s ? &s->def : NULL;
}

static bool contains(const struct nft_set_def *def, const struct nft_elem *e, const uint8_t *key)
{
	size_t at = 0;

	for (size_t i = 0; i < types_count(def->key); i++) {
		size_t len = nft_type_len(def->key[i]);

		if (memcmp(key + at, e->key + at, len) < 0 ||
		    memcmp(key + at, e->end + at, len) > 0)
			return false;
		at += len;
	}
	return true;
}

static int compare_idents(const void *a, const void *b, void *len)
{
	return memcmp(a, b, *(const size_t *)len);
}

/* Are the elements disjoint when they are sorted?  They are if ranges stand in the last field. */
static bool is_sortable(const struct nft_set *s)
{
	size_t n = types_count(s->def.key), len = s->elems.key_len;
	size_t exact = len - nft_type_len(s->def.key[n - 1]);

	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
		if (memcmp(elem_ident(e), elem_ident(e) + len, exact) != 0)
			return false;
	return true;
}

static void sort_elems(struct nft_set *s)
{
	size_t len = s->elems.ident_len, n = 0;

	s->sorted = xcalloc(s->n_wanted + 1, len);
	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
		if (elem_uses(e))
			memcpy(s->sorted + n++ * len, elem_ident(e), len);
	qsort_r(s->sorted, n, len, compare_idents, &len);
}

/* The last element that does not begin behind @key. */
static const uint8_t *find_sorted(const struct nft_set *s, const uint8_t *key)
{
	size_t len = s->elems.ident_len, low = 0, high = s->n_wanted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(s->sorted + middle * len, key, s->elems.key_len) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? s->sorted + (low - 1) * len : NULL;
}

static bool take_if(const struct nft_set *s, const uint8_t *entry, const uint8_t *key,
		    struct nft_elem *ret)
{
	struct nft_elem e;

	if (!entry || !elem_uses(entry))
		return false;
	elems_get(&s->elems, entry, &e);
	if (!contains(&s->def, &e, key))
		return false;
	*ret = e;
	return true;
}

static bool lookup_interval(struct nft_set *s, const uint8_t *key, struct nft_elem *ret)
{
	const uint8_t *ident;

	if (!s->sorted && is_sortable(s))
		sort_elems(s);
	if (s->sorted) {
		ident = find_sorted(s, key);
		return ident && take_if(s, elems_find(&s->elems, ident), key, ret);
	}
	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
		if (take_if(s, e, key, ret))
			return true;
	return false;
}

/**
 * table_lookup() - Find the wanted element that a packet with these fields would match
 * @t:   Table
 * @set: Name of a set; NULL result if it is not wanted
 * @key: Key, as in struct nft_elem
 * @ret: Element, strings borrowed; untouched unless found
 *
 * Time: O(1); in interval sets O(log elements), and once after each change O(elements log elements)
 *
 * Return: true if found
 */
bool table_lookup(const struct nft_table *t, const char *set, const uint8_t *key,
		  struct nft_elem *ret)
{
	struct nft_set *s = table_find_set(t, set);
	uint8_t *entry;

	if (!s)
		return false;
	if (s->def.interval)
		return lookup_interval(s, key, ret);
	entry = elems_find(&s->elems, key);
	if (!entry || !elem_uses(entry))
		return false;
	elems_get(&s->elems, entry, ret);
	return true;
}

/**
 * table_each_unwanted() - Walk the elements of a set that the kernel has and nobody wants
 * @s:   Set
 * @fn:  Called with @arg and each element; it wants nothing while the walk goes on
 * @arg: For @fn
 */
void table_each_unwanted(const struct nft_set *s, void (*fn)(void *arg, const struct nft_elem *e),
			 void *arg)
{
	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e)) {
		struct nft_elem elem;

		if (elem_uses(e) || !(elem_flags(e) & ELEM_INSTALLED))
			continue;
		elems_get(&s->elems, e, &elem);
		fn(arg, &elem);
	}
}

/**
 * table_each_chain() - Walk the wanted chains, in no particular order
 * @t:   Table
 * @fn:  Called with @arg and each definition
 * @arg: For @fn
 */
void table_each_chain(const struct nft_table *t,
		      void (*fn)(void *arg, const struct nft_chain_def *def), void *arg)
{
	const struct nft_chain *c;

	for (c = t->chains; c; c = c->hh.next)
		if (c->wanted)
			fn(arg, &c->def);
}

/**
 * table_has_set() - Is a set that is wanted installed, in that shape?
 * @t:    Table, read from the kernel
 * @name: Name
 *
 * Return: true if so
 */
bool table_has_set(const struct nft_table *t, const char *name)
{
	const struct nft_set *s = table_find_set(t, name);

	return s && s->installed;
}

/**
 * table_chain_is_ours() - Does the kernel hold a chain that is wanted, with rules of Manx?
 * @t:    Table, read from the kernel
 * @name: Name
 *
 * Return: true if it has rules, perhaps those of another version, and none of somebody else
 */
bool table_chain_is_ours(const struct nft_table *t, const char *name)
{
	const struct nft_chain *c = table_find_chain(t, name);

	if (!c || !c->wanted || !c->installed || !c->had.n)
		return false;
	vec_foreach (digest, &c->had)
		if (!*digest)
			return false;
	return true;
}

/**
 * table_left_elem() - Find an element that is installed and not wanted
 * @s:   Set, not of ranges; its table was read from the kernel
 * @key: Key, as in struct nft_elem
 * @ret: Element as the kernel has it, strings borrowed; untouched unless found
 *
 * Of an element that is wanted, too, it is not known what the kernel has under its key.
 *
 * Return: true if found.  Time: O(1)
 */
bool table_left_elem(const struct nft_set *s, const uint8_t *key, struct nft_elem *ret)
{
	uint8_t *entry = elems_find(&s->elems, key);

	if (!entry || elem_uses(entry) || !(elem_flags(entry) & ELEM_INSTALLED))
		return false;
	elems_get(&s->elems, entry, ret);
	return true;
}

/**
 * table_each_left_chain() - Walk the chains that are installed and not wanted, but for those on
 *                           hooks
 * @t:   Table, read from the kernel
 * @fn:  Called for each, in no particular order; it may want that chain
 * @arg: Its first argument
 */
void table_each_left_chain(const struct nft_table *t, table_left_fn *fn, void *arg)
{
	const struct nft_chain *c, *next;

	for (c = t->chains; c; c = next) {
		next = c->hh.next;
		if (c->installed && !c->wanted && !c->def.hook)
			fn(arg, c->def.name, c->had.v, c->had.n);
	}
}
