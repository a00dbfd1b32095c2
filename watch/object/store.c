// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store.c - one open-addressing table of pointers a kind: 8 bytes a slot, at most 3/4 full.
 *
 * Keys are interned, so hashing and comparing them is arithmetic on pointers.  Objects that a
 * source marked with a feed are in a list of that feed as well.  Pure.
 */
#include "watch/object/store.h"

#include <uthash.h>
#include <utlist.h>

struct slots {
	struct object **v;
	size_t n, cap; /* cap is a power of two or 0 */
};

/* struct marked - the objects of one feed */
struct marked {
	uint16_t feed;
	struct object *objects;
	UT_hash_handle hh;
};

struct store {
	struct slots kinds[_KIND_MAX];
	struct marked *marked;
};

/**
 * store_new() - Create an empty store
 *
 * Return: the store, to be freed
 */
struct store *store_new(void)
{
	return xcalloc(1, sizeof(struct store));
}

/**
 * store_free() - Free a store and its objects
 * @s: Store or NULL
 *
 * Return: NULL
 */
struct store *store_free(struct store *s)
{
	struct marked *m, *next;

	if (!s)
		return NULL;
	HASH_ITER (hh, s->marked, m, next) {
		HASH_DEL(s->marked, m);
		free(m);
	}
	for (int k = 0; k < _KIND_MAX; k++) {
		for (size_t i = 0; i < s->kinds[k].cap; i++)
			(void)object_free(s->kinds[k].v[i]);
		free(s->kinds[k].v);
	}
	free(s);
	return NULL;
}

/* --- the lists of feeds ------------------------------------------------------------------------
 */

static struct marked *find_marked(const struct store *s, uint16_t feed)
{
	struct marked *m;

	HASH_FIND(hh, s->marked, &feed, sizeof(feed), m);
	return m;
}

static void link_marked(struct store *s, struct object *o)
{
	struct marked *m;

	if (!o->feed)
		return;
	m = find_marked(s, o->feed);
	if (!m) {
		m = xcalloc(1, sizeof(*m));
		m->feed = o->feed;
		HASH_ADD(hh, s->marked, feed, sizeof(m->feed), m);
	}
	DL_APPEND(m->objects, o);
}

static void unlink_marked(struct store *s, struct object *o)
{
	struct marked *m;

	if (!o->feed)
		return;
	m = find_marked(s, o->feed);
	DL_DELETE(m->objects, o);
	if (m->objects)
		return;
	HASH_DEL(s->marked, m);
	free(m);
}

/* A version of the same feed takes the place of the one before. */
static void relink_marked(struct store *s, struct object *old, struct object *new)
{
	struct marked *m;

	if (!new->feed || new->feed != old->feed) {
		unlink_marked(s, old);
		link_marked(s, new);
		return;
	}
	m = find_marked(s, new->feed);
	DL_REPLACE_ELEM(m->objects, old, new);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static size_t home(const struct slots *t, const char *ns, const char *name)
{
	uint64_t h = ((uintptr_t)ns >> 4) * 0x9e3779b97f4a7c15 + ((uintptr_t)name >> 4);

	h *= 0xbf58476d1ce4e5b9;
	return (size_t)(h >> 32) & (t->cap - 1);
}

/* The slot of a key, or the empty one where it would go. */
static size_t find(const struct slots *t, const char *ns, const char *name)
{
	size_t i = home(t, ns, name);

	while (t->v[i] && (t->v[i]->ns != ns || t->v[i]->name != name))
		i = (i + 1) & (t->cap - 1);
	return i;
}

static void grow(struct slots *t)
{
	struct slots bigger = {.n = t->n, .cap = t->cap ? t->cap * 2 : 16};

	bigger.v = xcalloc(bigger.cap, sizeof(*bigger.v));
	for (size_t i = 0; i < t->cap; i++)
		if (t->v[i])
			bigger.v[find(&bigger, t->v[i]->ns, t->v[i]->name)] = t->v[i];
	free(t->v);
	*t = bigger;
}

/**
 * store_put() - Add or replace an object
 * @s:       Store
 * @o:       Object, taken over
 * @ret_old: Version replaced, now the caller's; NULL if there was none; untouched if nothing
 *           changed
 *
 * Return: true if anything changed; false if an equal version was there (then @o is freed)
 */
bool store_put(struct store *s, struct object *o, struct object **ret_old)
{
	struct slots *t = &s->kinds[o->kind];
	size_t i;

	if ((t->n + 1) * 4 > t->cap * 3)
		grow(t);
	i = find(t, o->ns, o->name);
	if (t->v[i] && object_equal(t->v[i], o)) {
		(void)object_free(o);
		return false;
	}
	*ret_old = t->v[i];
	t->n += !t->v[i];
	if (t->v[i])
		relink_marked(s, t->v[i], o);
	else
		link_marked(s, o);
	t->v[i] = o;
	return true;
}

/**
 * store_remove() - Take an object out
 * @s:    Store
 * @kind: Kind
 * @ns:   Namespace, interned or NULL
 * @name: Name, interned
 *
 * Return: the object, now the caller's; NULL if there was none
 */
struct object *store_remove(struct store *s, enum kind kind, const char *ns, const char *name)
{
	struct slots *t = &s->kinds[kind];
	struct object *o;
	size_t gap, i;

	if (!t->cap)
		return NULL;
	gap = find(t, ns, name);
	o = t->v[gap];
	if (!o)
		return NULL;
	unlink_marked(s, o);
	t->v[gap] = NULL;
	t->n--;
	/* Close the gap: move up whatever probing would no longer reach. */
	for (i = (gap + 1) & (t->cap - 1); t->v[i]; i = (i + 1) & (t->cap - 1)) {
		size_t want = home(t, t->v[i]->ns, t->v[i]->name);

		if (((i - want) & (t->cap - 1)) < ((i - gap) & (t->cap - 1)))
			continue;
		t->v[gap] = TAKE(t->v[i], NULL);
		gap = i;
	}
	return o;
}

/**
 * store_get() - Look an object up
 * @s:    Store
 * @kind: Kind
 * @ns:   Namespace, interned or NULL
 * @name: Name, interned
 *
 * Return: the object, borrowed until it changes; NULL if there is none
 */
const struct object *store_get(const struct store *s, enum kind kind, const char *ns,
			       const char *name)
{
	const struct slots *t = &s->kinds[kind];

	return t->cap ? t->v[find(t, ns, name)] : NULL;
}

/**
 * store_mark() - Set the marks of a source on an object
 * @s:          Store
 * @o:          Object of it
 * @feed:       Mark; 0: none's
 * @generation: Mark
 * @version:    Mark
 */
void store_mark(struct store *s, const struct object *o, uint16_t feed, uint16_t generation,
		uint64_t version)
{
	struct slots *t = &s->kinds[o->kind];
	struct object *mine = t->v[find(t, o->ns, o->name)];

	if (feed != mine->feed) {
		unlink_marked(s, mine);
		mine->feed = feed;
		link_marked(s, mine);
	}
	mine->generation = generation;
	mine->version = version;
}

/**
 * store_each() - Walk all objects of a kind
 * @s:    Store
 * @kind: Kind
 * @fn:   Called for each, in no particular order; must not change the store
 * @arg:  Its first argument
 */
void store_each(const struct store *s, enum kind kind, store_fn *fn, void *arg)
{
	const struct slots *t = &s->kinds[kind];

	for (size_t i = 0; i < t->cap; i++)
		if (t->v[i])
			fn(arg, t->v[i]);
}

/**
 * store_each_of() - Walk the objects that are marked with a feed
 * @s:    Store
 * @feed: Mark, not 0
 * @fn:   Called for each, keys marked first come first; must not change the store
 * @arg:  Its first argument
 */
void store_each_of(const struct store *s, uint16_t feed, store_fn *fn, void *arg)
{
	const struct marked *m = find_marked(s, feed);

	for (const struct object *o = m ? m->objects : NULL; o; o = o->next)
		fn(arg, o);
}

/**
 * store_count() - Number of objects of a kind
 * @s:    Store
 * @kind: Kind
 *
 * Return: the number
 */
size_t store_count(const struct store *s, enum kind kind)
{
	return s->kinds[kind].n;
}
