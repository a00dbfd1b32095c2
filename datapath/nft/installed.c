// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * installed.c - take in what a dump of the kernel found (see table.h).
 *
 * What is told and not wanted becomes an unwanted object, what is told in another shape becomes a
 * ghost: an object with a wanted one's name that must go first.  Pure.
 */
#include <utlist.h>

#include "datapath/nft/table_priv.h"

/**
 * table_installed_begin() - Forget what is installed
 * @t: Table
 *
 * Time: O(everything)
 */
void table_installed_begin(struct nft_table *t)
{
	struct nft_set *s, *next_set;
	struct nft_chain *c, *next_chain;

	pending_forget(t);
	DL_FOREACH_SAFE (t->ghost_sets, s, next_set) {
		DL_DELETE(t->ghost_sets, s);
		set_free(s);
	}
	DL_FOREACH_SAFE (t->ghost_chains, c, next_chain) {
		DL_DELETE(t->ghost_chains, c);
		chain_free(c);
	}
	HASH_ITER (hh, t->sets, s, next_set) {
		s->installed = false;
		for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
			elem_set_flags(e, 0, ELEM_INSTALLED | ELEM_STALE | ELEM_LISTED);
	}
	HASH_ITER (hh, t->chains, c, next_chain) {
		c->installed = false;
		c->had.n = 0;
	}
	t->installed = false;
}

/**
 * table_installed_table() - The kernel has the table
 * @t: Table
 */
void table_installed_table(struct nft_table *t)
{
	t->installed = true;
}

/**
 * table_installed_set() - The kernel has a set
 * @t:   Table
 * @def: Definition; the first key type is NFT_TYPE_NONE if it, or an element, is of a kind that we
 *       never write: the set is then removed (and added if wanted), its elements are not told
 */
void table_installed_set(struct nft_table *t, const struct nft_set_def *def)
{
	struct nft_set_def with_comments = *def;
	struct nft_set *s;

	HASH_FIND_STR(t->sets, def->name, s);
	if (s && set_same_shape(&s->def, def)) {
		s->installed = true;
		return;
	}
	/* It may be wanted later, with comments of its elements. */
	with_comments.elem_comments = true;
	if (s) {
		s = set_new(t, &with_comments);
		DL_APPEND(t->ghost_sets, s);
	} else {
		s = set_new(t, &with_comments);
		HASH_ADD_KEYPTR(hh, t->sets, s->def.name, strlen(s->def.name), s);
	}
	s->installed = true;
}

static struct nft_set *told_set(struct nft_table *t, const char *name)
{
	struct nft_set *s;

	HASH_FIND_STR(t->sets, name, s);
	if (s && s->installed)
		return s;
	DL_FOREACH (t->ghost_sets, s)
		if (streq(s->def.name, name))
			return s;
	return NULL;
}

/**
 * table_installed_elem() - The kernel has an element
 * @t:   Table
 * @set: Name of a set told before; others are ignored
 * @e:   Element; strings interned
 */
void table_installed_elem(struct nft_table *t, const char *set, const struct nft_elem *e)
{
	struct nft_set *s = told_set(t, set);
	uint8_t ident[2 * NFT_KEY_MAX], *entry;

	if (!s || !s->elems.key_len)
		return;
	elems_ident(&s->elems, e, ident);
	entry = elems_find(&s->elems, ident);
	if (!entry)
		entry = elems_add(&s->elems, ident);
	if (!elem_uses(entry))
		elems_set_data(&s->elems, entry, e);
	elem_set_flags(entry, ELEM_INSTALLED, ELEM_STALE);
	if (!elems_same_data(&s->elems, entry, e))
		elem_set_flags(entry, ELEM_STALE, 0);
}

/**
 * table_installed_chain() - The kernel has a chain
 * @t:   Table
 * @def: Definition; its rules are told by table_installed_rule()
 */
void table_installed_chain(struct nft_table *t, const struct nft_chain_def *def)
{
	struct nft_chain *c = table_find_chain(t, def->name);

	if (c && chain_same_shape(&c->def, def)) {
		c->installed = true;
		return;
	}
	if (c) {
		c = chain_new(def);
		DL_APPEND(t->ghost_chains, c);
	} else {
		c = chain_new(def);
		HASH_ADD_KEYPTR(hh, t->chains, c->def.name, strlen(c->def.name), c);
	}
	c->installed = true;
}

/**
 * table_installed_rule() - The kernel has a rule, behind those told before for the same chain
 * @t:      Table
 * @chain:  Name of the chain
 * @digest: nft_rule_digest(), or 0 when the rule carries none: it is not ours
 */
void table_installed_rule(struct nft_table *t, const char *chain, uint64_t digest)
{
	struct nft_chain *c;

	DL_FOREACH (t->ghost_chains, c)
		if (streq(c->def.name, chain))
			break;
	if (!c)
		c = table_find_chain(t, chain);
	if (c)
		vec_push(&c->had, digest);
}

/**
 * table_installed_end() - All is told: the list becomes the difference
 * @t: Table
 *
 * Time: O(everything)
 */
void table_installed_end(struct nft_table *t)
{
	struct nft_set *s, *next_set;
	struct nft_chain *c, *next_chain;

	HASH_ITER (hh, t->sets, s, next_set) {
		if (!s->wanted && !s->installed) {
			HASH_DEL(t->sets, s);
			set_free(s);
			continue;
		}
		s->fresh = !s->installed;
		set_update(t, s);
		set_recount(t, s);
	}
	HASH_ITER (hh, t->chains, c, next_chain) {
		if (!c->wanted && !c->installed) {
			HASH_DEL(t->chains, c);
			chain_free(c);
			continue;
		}
		chain_update(t, c);
	}
	DL_FOREACH (t->ghost_sets, s)
		t->n_objects++;
	DL_FOREACH (t->ghost_chains, c)
		t->n_objects++;
}
