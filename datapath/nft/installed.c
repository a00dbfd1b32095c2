// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * installed.c - take in what was read from the kernel: all of the table, or single objects of it
 * (see table.h).
 *
 * What is told and not wanted becomes an unwanted object, what is told in another shape becomes a
 * ghost: an object with a wanted one's name that must go first.  Pure.
 */
#include <utlist.h>

#include "datapath/nft/fields.h"
#include "datapath/nft/table_priv.h"

#define COMPARE_MAX 1000000

static void forget_set(struct nft_table *t, struct nft_set *s)
{
	refusals_forget(t, s);
	s->installed = false;
	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
		elem_set_flags(e, 0, ELEM_INSTALLED | ELEM_STALE | ELEM_COVERED);
}

static void forget_chain(struct nft_chain *c)
{
	c->installed = false;
	c->had.n = 0;
}

/* @name: NULL: all */
static void drop_ghost_sets(struct nft_table *t, const char *name)
{
	struct nft_set *s, *next;

	DL_FOREACH_SAFE (t->ghost_sets, s, next) {
		if (name && !streq(s->def.name, name))
			continue;
		DL_DELETE(t->ghost_sets, s);
		t->n_objects--;
		set_free(s);
	}
}

/* @name: NULL: all */
static void drop_ghost_chains(struct nft_table *t, const char *name)
{
	struct nft_chain *c, *next;

	DL_FOREACH_SAFE (t->ghost_chains, c, next) {
		if (name && !streq(c->def.name, name))
			continue;
		DL_DELETE(t->ghost_chains, c);
		t->n_objects--;
		chain_free(c);
	}
}

static bool overlaps(const struct nft_set *s, const uint8_t *a, const uint8_t *b)
{
	const uint8_t *x = elem_ident(a), *y = elem_ident(b);
	size_t end = s->elems.key_len, at = 0;

	for (size_t i = 0; i < types_count(s->def.key); i++) {
		size_t len = nft_type_len(s->def.key[i]);

		if (memcmp(x + at, y + end + at, len) > 0 || memcmp(y + at, x + end + at, len) > 0)
			return false;
		at += len;
	}
	return true;
}

static bool is_left(const uint8_t *e)
{
	return !elem_uses(e) && (elem_flags(e) & ELEM_INSTALLED);
}

/*
 * What overlaps a range that stays cannot be added.  Ranges that many others were told of (more
 * than COMPARE_MAX pairs) are not compared: the set stays as it is.
 */
static void mark_covered(struct nft_set *s)
{
	size_t left = 0;

	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
		left += is_left(e);
	if (!left)
		return;
	for (uint8_t *w = elems_next(&s->elems, NULL); w; w = elems_next(&s->elems, w)) {
		bool covered = left * s->n_wanted > COMPARE_MAX;

		if (!elem_uses(w) || (elem_flags(w) & ELEM_INSTALLED))
			continue;
		for (uint8_t *e = elems_next(&s->elems, NULL); e && !covered;
		     e = elems_next(&s->elems, e))
			covered = is_left(e) && overlaps(s, w, e);
		if (covered)
			elem_set_flags(w, ELEM_COVERED, 0);
	}
}

/* Whoever stands in the list of what to look at is freed from there. */
static void judge_set(struct nft_table *t, struct nft_set *s)
{
	s->fresh = !s->installed;
	if (t->held && s->wanted && s->installed && s->def.interval)
		mark_covered(s);
	set_update(t, s);
	set_recount(t, s);
	if (s->wanted || s->installed || s->queued)
		return;
	HASH_DEL(t->sets, s);
	set_free(s);
}

static void judge_chain(struct nft_table *t, struct nft_chain *c)
{
	chain_update(t, c);
	if (c->wanted || c->installed || c->queued)
		return;
	HASH_DEL(t->chains, c);
	chain_free(c);
}

/* --- all of the table -------------------------------------------------------------------------
 */

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

	drop_ghost_sets(t, NULL);
	drop_ghost_chains(t, NULL);
	HASH_ITER (hh, t->sets, s, next_set)
		forget_set(t, s);
	HASH_ITER (hh, t->chains, c, next_chain)
		forget_chain(c);
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
		t->n_objects++;
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

static uint8_t *install_elem(struct nft_set *s, const struct nft_elem *e)
{
	uint8_t ident[2 * NFT_KEY_MAX], *entry;

	elems_ident(&s->elems, e, ident);
	entry = elems_find(&s->elems, ident);
	if (!entry)
		entry = elems_add(&s->elems, ident);
	if (!elem_uses(entry))
		elems_set_data(&s->elems, entry, e);
	elem_set_flags(entry, ELEM_INSTALLED, ELEM_STALE);
	if (!elems_same_data(&s->elems, entry, e))
		elem_set_flags(entry, ELEM_STALE, 0);
	return entry;
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

	if (s && s->elems.key_len && !s->def.dynamic)
		(void)install_elem(s, e);
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
		t->n_objects++;
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

	HASH_ITER (hh, t->sets, s, next_set)
		judge_set(t, s);
	HASH_ITER (hh, t->chains, c, next_chain)
		judge_chain(t, c);
}

/* --- one object -------------------------------------------------------------------------------
 */

/**
 * table_reread_set_begin() - Forget one set, which is then told, with its elements, or is gone
 * @t:    Table
 * @name: Name of the set
 *
 * Time: O(elements of the set)
 */
void table_reread_set_begin(struct nft_table *t, const char *name)
{
	struct nft_set *s;

	drop_ghost_sets(t, name);
	HASH_FIND_STR(t->sets, name, s);
	if (s)
		forget_set(t, s);
}

/**
 * table_reread_set_end() - The set is told
 * @t:    Table
 * @name: Name of the set
 *
 * Time: O(elements of the set)
 */
void table_reread_set_end(struct nft_table *t, const char *name)
{
	struct nft_set *s;

	HASH_FIND_STR(t->sets, name, s);
	if (s)
		judge_set(t, s);
}

/**
 * table_reread_chain_begin() - Forget one chain, which is then told, with its rules, or is gone
 * @t:    Table
 * @name: Name of the chain
 */
void table_reread_chain_begin(struct nft_table *t, const char *name)
{
	struct nft_chain *c = table_find_chain(t, name);

	drop_ghost_chains(t, name);
	if (c)
		forget_chain(c);
}

/**
 * table_reread_chain_end() - The chain is told
 * @t:    Table
 * @name: Name of the chain
 */
void table_reread_chain_end(struct nft_table *t, const char *name)
{
	struct nft_chain *c = table_find_chain(t, name);

	if (c)
		judge_chain(t, c);
}

/**
 * table_reread_elem() - One element was looked up in the kernel
 * @t:     Table
 * @set:   Name of a set without ranges
 * @key:   What was looked up, in @key
 * @found: What the kernel has under that key, strings interned; NULL: nothing
 *
 * Time: O(1)
 *
 * Return: false, and nothing done, if the set is not known to be installed
 */
bool table_reread_elem(struct nft_table *t, const char *set, const struct nft_elem *key,
		       const struct nft_elem *found)
{
	uint8_t ident[2 * NFT_KEY_MAX], *entry;
	struct nft_set *s;
	bool differed;

	HASH_FIND_STR(t->sets, set, s);
	if (!s || !s->installed)
		return false;
	elems_ident(&s->elems, key, ident);
	entry = elems_find(&s->elems, ident);
	differed = entry && elem_differs(s, entry);
	if (entry)
		refusal_forget(t, s, entry);
	if (found)
		entry = install_elem(s, found);
	else if (entry)
		elem_set_flags(entry, 0, ELEM_INSTALLED | ELEM_STALE);
	if (entry)
		elem_update(t, s, entry, differed);
	return true;
}
