// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store.c - one table of objects a kind.
 *
 * Keys are interned, so hashing and comparing them is arithmetic on pointers.  Objects that a
 * source marked with a feed are in a list of that feed as well.  Pure.
 */
#include "watch/object/store.h"

#include <uthash.h>
#include <utlist.h>

#include "lib/ptr_table.h"

/* struct marked - the objects of one feed */
struct marked {
	uint16_t feed;
	struct object *objects;
	UT_hash_handle hh;
};

struct store {
	struct ptr_table kinds[_KIND_MAX];
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
		ptr_table_foreach(o, &s->kinds[k])(void) object_free(*o);
		ptr_table_done(&s->kinds[k]);
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

static bool is_object(const void *item, const void *key)
{
	const struct object *o = item;
	const struct object_key *k = key;

	return o->ns == k->ns && o->name == k->name;
}

/* Where the object of a key stands, or NULL. */
static void **find(const struct store *s, enum kind kind, const char *ns, const char *name)
{
	const struct object_key key = {kind, ns, name};

	return ptr_table_find(&s->kinds[kind], object_key_hash(&key), is_object, &key);
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
	const struct object_key key = {o->kind, o->ns, o->name};
	void **slot = find(s, o->kind, o->ns, o->name);
	struct object *old = slot ? *slot : NULL;

	if (old && object_equal(old, o)) {
		(void)object_free(o);
		return false;
	}
	*ret_old = old;
	if (!slot) {
		link_marked(s, o);
		ptr_table_add(&s->kinds[o->kind], object_key_hash(&key), o);
		return true;
	}
	relink_marked(s, old, o);
	*slot = o;
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
	void **slot = find(s, kind, ns, name);
	struct object *o;

	if (!slot)
		return NULL;
	o = *slot;
	unlink_marked(s, o);
	ptr_table_remove(&s->kinds[kind], slot);
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
	void **slot = find(s, kind, ns, name);

	return slot ? *slot : NULL;
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
	struct object *mine = *find(s, o->kind, o->ns, o->name);

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
	ptr_table_foreach(o, &s->kinds[kind]) fn(arg, *o);
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
