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
	changed_fn *changed;
	void *arg;
};

/**
 * store_new() - Create an empty store
 * @fn:  Takes the changes; must not change the store.  NULL: nobody has to know
 * @arg: Its first argument
 *
 * Return: the store, to be freed
 */
struct store *store_new(changed_fn *fn, void *arg)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->changed = fn;
	s->arg = arg;
	return s;
}

/**
 * store_free() - Free a store and its objects, which is no change
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
static void **find(const struct store *s, const struct object_key *key)
{
	return ptr_table_find(&s->kinds[key->kind], object_key_hash(key), is_object, key);
}

static void tell(struct store *s, const struct object_key *key, struct object *old)
{
	if (s->changed)
		s->changed(s->arg, key, old);
	else
		(void)object_free(old);
}

/**
 * store_put() - Add or replace an object, unless an equal version is there
 * @s: Store
 * @o: Object, taken over; an equal version that is there gets its marks
 *
 * Return: true if anything changed
 */
bool store_put(struct store *s, struct object *o)
{
	const struct object_key key = key_of(o);
	void **slot = find(s, &key);
	struct object *old = slot ? *slot : NULL;

	if (old && object_equal(old, o)) {
		store_mark(s, old, o->feed, o->generation, o->version);
		(void)object_free(o);
		return false;
	}
	if (slot) {
		relink_marked(s, old, o);
		*slot = o;
	} else {
		link_marked(s, o);
		ptr_table_add(&s->kinds[o->kind], object_key_hash(&key), o);
	}
	tell(s, &key, old);
	return true;
}

/**
 * store_remove() - Take an object out
 * @s:   Store
 * @key: Its key; may be the object's own
 *
 * Return: false if there was none
 */
bool store_remove(struct store *s, const struct object_key *key)
{
	const struct object_key mine = *key;
	void **slot = find(s, key);
	struct object *o;

	if (!slot)
		return false;
	o = *slot;
	unlink_marked(s, o);
	ptr_table_remove(&s->kinds[mine.kind], slot);
	object_key_ref(&mine);
	tell(s, &mine, o);
	object_key_put(&mine);
	return true;
}

/**
 * store_get() - Look an object up
 * @s:   Store
 * @key: Its key, of interned names
 *
 * Return: the object, borrowed until it changes; NULL if there is none
 */
const struct object *store_get(const struct store *s, const struct object_key *key)
{
	void **slot = find(s, key);

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
	const struct object_key key = key_of(o);
	struct object *mine = *find(s, &key);

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
