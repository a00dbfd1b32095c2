// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lookup.c - read what is wanted: for the packet simulator of the tests and for status.  Pure.
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
