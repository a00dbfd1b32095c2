// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * table.c - what is wanted: sets, chains and elements come and go (see table.h).
 *
 * Takes definitions by value and keeps its own copies.  An object that is dropped stays until the
 * kernel has let go of it too.  Limits: NFT_NAME_MAX; comments are cut (comment_intern()).  Pure.
 */
#include "datapath/nft/table.h"

#include <assert.h>
#include <utlist.h>

#include "datapath/nft/fields.h"
#include "datapath/nft/table_priv.h"
#include "lib/intern.h"

/**
 * table_new() - Create a table in which nothing is wanted yet but the table itself
 * @name: Name in the kernel, family inet
 *
 * Return: the table, to be freed
 */
struct nft_table *table_new(const char *name)
{
	struct nft_table *t = xcalloc(1, sizeof(*t));

	assert(*name && strlen(name) < NFT_NAME_MAX);
	t->name = intern(name);
	return t;
}

/**
 * table_free() - Free a table; the kernel's stays as it is
 * @t: Table or NULL
 *
 * Return: NULL
 */
struct nft_table *table_free(struct nft_table *t)
{
	struct nft_set *s, *next_set;
	struct nft_chain *c, *next_chain;

	if (!t)
		return NULL;
	HASH_ITER (hh, t->sets, s, next_set) {
		HASH_DEL(t->sets, s);
		set_free(s);
	}
	HASH_ITER (hh, t->chains, c, next_chain) {
		HASH_DEL(t->chains, c);
		chain_free(c);
	}
	DL_FOREACH_SAFE (t->ghost_sets, s, next_set)
		set_free(s);
	DL_FOREACH_SAFE (t->ghost_chains, c, next_chain)
		chain_free(c);
	refusals_forget(t, NULL);
	intern_put(t->name);
	free(t);
	return NULL;
}

/**
 * table_name() - Name of the table in the kernel
 * @t: Table
 *
 * Return: name, borrowed
 */
const char *table_name(const struct nft_table *t)
{
	return t->name;
}

/**
 * table_pending() - Number of things that differ from what is installed
 * @t: Table
 *
 * Return: the table, sets, chains and elements that wait for an operation.  Time: O(1)
 */
size_t table_pending(const struct nft_table *t)
{
	return !t->installed + t->n_objects + t->n_elems;
}

/**
 * table_hold() - Remove nothing from the kernel, or do again
 * @t:    Table; to be read from the kernel before the next table_ops()
 * @held: What is installed and not wanted stays: sets, chains and elements that a process of before
 *        made, while this one does not know yet whether it wants them
 */
void table_hold(struct nft_table *t, bool held)
{
	t->held = held;
}

/* --- sets ------------------------------------------------------------------------------------ */

/**
 * set_points() - Whether a set is of a rank
 * @s:    Set
 * @rank: Rank
 *
 * Return: true if so
 */
bool set_points(const struct nft_set *s, enum nft_rank rank)
{
	return s->def.rank == rank;
}

/**
 * set_is_plain() - Whether a set is no map
 * @s: Set
 *
 * Return: true if its elements have no data; they are counted then
 */
bool set_is_plain(const struct nft_set *s)
{
	return s->def.data[0] == NFT_TYPE_NONE;
}

/**
 * set_same_shape() - Whether one set can stand in for another
 * @a: Definition
 * @b: Definition
 *
 * Comments do not count: the kernel keeps that of the set's creation.
 *
 * Return: true if key, data and kind are the same
 */
bool set_same_shape(const struct nft_set_def *a, const struct nft_set_def *b)
{
	return a->interval == b->interval && a->dynamic == b->dynamic &&
	       memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       memcmp(a->data, b->data, sizeof(a->data)) == 0;
}

/* nft 1.0.6 stores ranges of host order fields in another way than it looks them up. */
static void check_set_def(const struct nft_set_def *def)
{
	size_t n = types_count(def->key);

	assert(def->owner < _NFT_OWNER_MAX && def->rank < _NFT_RANK_MAX &&
	       (def->rank != NFT_RANK_TO_CHAIN || def->data[0] == NFT_TYPE_VERDICT) &&
	       !(def->urgent && def->rank == NFT_RANK_TO_LEAF));

	assert(*def->name && strlen(def->name) < NFT_NAME_MAX && n);
	for (size_t i = 0; i < n; i++)
		assert(type_size(def->key[i]) &&
		       !(def->interval && type_is_host_order(def->key[i])));
}

static uint8_t rank_of(const struct nft_set_def *def)
{
	return def->data[0] == NFT_TYPE_VERDICT ? NFT_RANK_TO_CHAIN : def->rank;
}

/**
 * set_new() - Create a set that is neither wanted nor installed
 * @t:   Table, which gets it
 * @def: Definition
 *
 * Return: the set, not yet in any of the table's lists
 */
struct nft_set *set_new(struct nft_table *t, const struct nft_set_def *def)
{
	struct nft_set *s = xcalloc(1, sizeof(*s));

	s->held = &t->held;
	s->def = *def;
	s->def.name = intern(def->name);
	s->def.comment = comment_intern(def->comment);
	s->def.rank = rank_of(def);
	/* Where the heap lies is random in each process. */
	elems_init(&s->elems, def, (uint64_t)(uintptr_t)s ^ (uint64_t)(uintptr_t)t << 20);
	return s;
}

/**
 * set_free() - Free a set
 * @s: Set that stands in no list
 */
void set_free(struct nft_set *s)
{
	elems_done(&s->elems);
	intern_put(s->def.name);
	intern_put(s->def.comment);
	free(s->list);
	free(s->sorted);
	free(s);
}

/* Take a set out of all lists and counts. */
static void detach_set(struct nft_table *t, struct nft_set *s)
{
	if (s->queued)
		DL_DELETE(t->pending_sets, s);
	refusals_forget(t, s);
	HASH_DEL(t->sets, s);
	t->n_objects -= s->differs;
	t->n_elems -= s->n_differ;
	if (!set_points(s, NFT_RANK_TO_CHAIN))
		t->n_fill -= s->n_differ;
	s->queued = s->differs = false;
	s->n_differ = 0;
}

static struct nft_set *find_any_set(const struct nft_table *t, const char *name)
{
	struct nft_set *s;

	HASH_FIND_STR(t->sets, name, s);
	return s;
}

/* A dropped set whose name is wanted for another shape before the kernel has let go of it. */
static void make_ghost_set(struct nft_table *t, struct nft_set *s)
{
	detach_set(t, s);
	DL_APPEND(t->ghost_sets, s);
	t->n_objects++;
}

/* Make or take away the room for comments in a set that was told before it was wanted. */
static void change_comments(struct nft_table *t, struct nft_set *s, bool elem_comments)
{
	struct elems old = s->elems;

	refusals_forget(t, s);
	s->def.elem_comments = elem_comments;
	elems_init(&s->elems, &s->def, old.seed);
	for (uint8_t *from = elems_next(&old, NULL); from; from = elems_next(&old, from)) {
		uint8_t *to = elems_add(&s->elems, elem_ident(from));
		struct nft_elem e;

		elems_get(&old, from, &e);
		elems_set_data(&s->elems, to, &e);
		elem_set_flags(to, elem_flags(from), 0);
		elem_set_uses(to, elem_uses(from));
	}
	elems_done(&old);
}

/**
 * table_want_set() - Want a set
 * @t:   Table
 * @def: Definition; with the name of a set that is wanted already it must have the same shape.
 *       Its comment is written when the kernel creates the set and stays: it is not updated.
 *       Interval sets cannot have fields of type ifname or mark.
 *
 * Return: the set, valid until it is dropped.  Time: O(1); O(elements) after a drop that has not
 * reached the kernel yet
 */
struct nft_set *table_want_set(struct nft_table *t, const struct nft_set_def *def)
{
	struct nft_set *s = find_any_set(t, def->name);

	check_set_def(def);
	if (s && s->wanted) {
		assert(set_same_shape(&s->def, def) && s->def.elem_comments == def->elem_comments);
		return s;
	}
	if (s && !set_same_shape(&s->def, def)) {
		make_ghost_set(t, s);
		s = NULL;
	}
	if (!s) {
		s = set_new(t, def);
		s->fresh = true;
		HASH_ADD_KEYPTR(hh, t->sets, s->def.name, strlen(s->def.name), s);
	}
	if (s->def.elem_comments != def->elem_comments)
		change_comments(t, s, def->elem_comments);
	s->def.owner = def->owner;
	s->def.rank = rank_of(def);
	s->def.urgent = def->urgent;
	s->wanted = true;
	set_update(t, s);
	set_recount(t, s);
	return s;
}

/**
 * table_drop_set() - Want a set and its elements no longer
 * @t: Table
 * @s: Set from table_want_set(); not valid afterwards
 *
 * Time: O(elements of the set)
 */
void table_drop_set(struct nft_table *t, struct nft_set *s)
{
	assert(s->wanted);
	refusals_forget(t, s);
	s->wanted = false;
	s->n_wanted = 0;
	if (!s->installed) {
		detach_set(t, s);
		set_free(s);
		return;
	}
	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
		elem_set_uses(e, 0);
	set_update(t, s);
	set_recount(t, s);
}

/**
 * table_find_set() - Find a wanted set
 * @t:    Table
 * @name: Name
 *
 * Return: the set, or NULL
 */
struct nft_set *table_find_set(const struct nft_table *t, const char *name)
{
	struct nft_set *s = find_any_set(t, name);

	return s && s->wanted ? s : NULL;
}

/**
 * set_name() - Name of a set
 * @s: Set
 *
 * Return: name, interned, borrowed
 */
const char *set_name(const struct nft_set *s)
{
	return s->def.name;
}

/**
 * set_count() - Number of elements wanted
 * @s: Set
 *
 * Return: the number.  Time: O(1)
 */
size_t set_count(const struct nft_set *s)
{
	return s->n_wanted;
}

/* --- elements -------------------------------------------------------------------------------- */

static void store_data(struct nft_set *s, uint8_t *entry, const struct nft_elem *given)
{
	struct nft_elem e = *given;

	e.comment = s->def.elem_comments ? comment_intern(e.comment) : NULL;
	if (!elems_same_data(&s->elems, entry, &e)) {
		if (elem_flags(entry) & ELEM_INSTALLED)
			elem_set_flags(entry, ELEM_STALE, 0);
		elems_set_data(&s->elems, entry, &e);
	}
	intern_put(e.comment);
}

/**
 * table_want_elem() - Want an element
 * @t: Table
 * @s: Set
 * @e: Element.  In plain sets wants are counted, and the comment is that of the first; in maps the
 *     datum, verdict and comment replace those wanted before.
 *
 * Time: O(1) amortised
 */
void table_want_elem(struct nft_table *t, struct nft_set *s, const struct nft_elem *e)
{
	uint8_t ident[2 * NFT_KEY_MAX], *entry;
	bool differed = false;
	uint32_t uses;

	assert(s->wanted && !s->def.dynamic);
	elems_ident(&s->elems, e, ident);
	entry = elems_find(&s->elems, ident);
	if (entry)
		differed = elem_differs(s, entry);
	else
		entry = elems_add(&s->elems, ident);
	refusal_forget(t, s, entry);
	uses = elem_uses(entry);
	if (!uses || !set_is_plain(s))
		store_data(s, entry, e);
	elem_set_uses(entry, set_is_plain(s) ? uses + 1 : 1);
	s->n_wanted += !uses;
	elem_update(t, s, entry, differed);
}

/**
 * table_drop_elem() - Want an element no longer
 * @t: Table
 * @s: Set
 * @e: Element; only its key (and end) matter.  In plain sets one want is taken back, and it is a
 *     programming error if there is none; in maps the key goes whatever its datum, and nothing
 *     happens if it is not there.
 *
 * Time: O(1) amortised
 */
void table_drop_elem(struct nft_table *t, struct nft_set *s, const struct nft_elem *e)
{
	uint8_t ident[2 * NFT_KEY_MAX], *entry;
	bool differed;

	elems_ident(&s->elems, e, ident);
	entry = elems_find(&s->elems, ident);
	if (!entry || !elem_uses(entry)) {
		assert(!set_is_plain(s));
		return;
	}
	differed = elem_differs(s, entry);
	refusal_forget(t, s, entry);
	elem_set_uses(entry, elem_uses(entry) - 1);
	s->n_wanted -= !elem_uses(entry);
	elem_update(t, s, entry, differed);
}
