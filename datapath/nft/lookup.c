// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lookup.c - read what is wanted, for the packet simulator of the tests and for status; and what
 * the kernel holds that is not wanted, or not yet.  Pure.
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

/**
 * table_lookup() - Find the wanted element that a packet with these fields would match
 * @t:   Table
 * @set: Name of a set; NULL result if it is not wanted
 * @key: Key, as in struct nft_elem
 * @ret: Element, strings borrowed; untouched unless found
 *
 * Time: O(1); O(elements) in interval sets
 *
 * Return: true if found
 */
bool table_lookup(const struct nft_table *t, const char *set, const uint8_t *key,
		  struct nft_elem *ret)
{
	const struct nft_set *s = table_find_set(t, set);
	uint8_t *entry;
	struct nft_elem e;

	if (!s)
		return false;
	if (!s->def.interval) {
		entry = elems_find(&s->elems, key);
		if (!entry || !elem_uses(entry))
			return false;
		elems_get(&s->elems, entry, ret);
		return true;
	}
	for (entry = elems_next(&s->elems, NULL); entry; entry = elems_next(&s->elems, entry)) {
		elems_get(&s->elems, entry, &e);
		if (elem_uses(entry) && contains(&s->def, &e, key)) {
			*ret = e;
			return true;
		}
	}
	return false;
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
