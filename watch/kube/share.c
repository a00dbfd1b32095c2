// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * share.c - what a list tells, held until it is complete; what a watch tells, put in force.  Pure.
 */
#include "watch/kube/share.h"

static const struct object *in_force(const struct share *s, const struct object *o)
{
	const struct object_key key = key_of(o);

	return store_get(s->store, &key);
}

/* This share's feed has told of an object that is in force. */
static void mark(struct share *s, const struct object *old, uint64_t version)
{
	store_mark(s->store, old, s->feed, s->generation, version);
}

/* Is what is in force none of this share's business, or later than what is told now? */
static bool is_behind(const struct share *s, const struct object *old, uint64_t version)
{
	if (!old)
		return false;
	return (version && version < old->version) || (s->leaving && old->feed != s->feed);
}

static void put(struct share *s, struct object *o, uint64_t version)
{
	o->feed = s->feed;
	o->generation = s->generation;
	o->version = version;
	(void)store_put(s->store, o);
}

/* Of what another feed told only a later version can be gone. */
static void drop(struct share *s, const struct object *o, uint64_t version)
{
	const struct object *old = in_force(s, o);
	const struct object_key key = key_of(o);

	if (!old || is_behind(s, old, version))
		return;
	if (old->feed == s->feed || version > old->version)
		(void)store_remove(s->store, &key);
}

/* --- lists -------------------------------------------------------------------------------------
 */

/**
 * share_hold() - A list that is not complete told of an object, or that it is gone
 * @s:    Share
 * @item: What was told; its object is taken over
 *
 * Only what differs has to be remembered.  A stream may tell of an object more than once, then the
 * last time counts; so only the first time it may be passed over.  What another feed told stays
 * that one's until then: it goes on telling.
 */
void share_hold(struct share *s, const struct api_item *item)
{
	const struct object *old = in_force(s, item->object);
	bool first = old && old->feed == s->feed && old->generation != s->generation;
	bool gone = item->event == API_DELETED;
	bool same = first && !gone && object_equal(old, item->object);

	if (first)
		mark(s, old, same ? item->version : old->version);
	if (same)
		(void)object_free(item->object);
	else
		vec_push(&s->held, (struct held){item->object, item->version, gone});
}

/**
 * share_forget() - Forget what was held: a list begins, or the share ends
 * @s: Share
 */
void share_forget(struct share *s)
{
	vec_foreach (h, &s->held)
		(void)object_free(h->o);
	vec_done(&s->held);
	s->generation++;
}

/* What another feed told, or has handed over, may be ahead of this list, of @version: it stays. */
static void settle(struct share *s, struct held *h, uint64_t version)
{
	const struct object *old = in_force(s, h->o);
	bool listed = old && old->feed == s->feed && old->version <= version;

	if (h->gone)
		drop(s, h->o, h->version);
	else if (listed || !is_behind(s, old, h->version))
		put(s, TAKE(h->o, NULL), h->version);
}

/* struct keys - of objects up to a version; each counted once more while they stand here */
struct keys {
	const struct share *share;
	uint64_t version;
	VEC(struct object_key) v;
};

static void collect_unseen(void *arg, const struct object *o)
{
	struct keys *k = arg;

	if (o->generation != k->share->generation && o->version <= k->version) {
		vec_push(&k->v, key_of(o));
		object_key_ref(&k->v.v[k->v.n - 1]);
	}
}

static void sweep(struct share *s, uint64_t version, share_heir_fn *heir, void *arg)
{
	struct keys k = {.share = s, .version = version};

	store_each_of(s->store, s->feed, collect_unseen, &k);
	vec_foreach (key, &k.v) {
		const struct object *o = store_get(s->store, key);
		const struct share *to = heir ? heir(arg, o) : NULL;

		if (to)
			store_mark(s->store, o, to->feed, (uint16_t)(to->generation - 1),
				   o->version);
		else
			(void)store_remove(s->store, key);
		object_key_put(key);
	}
	vec_done(&k.v);
}

/**
 * share_commit() - The list is complete: what was held comes in force, what was not seen goes
 * @s:       Share
 * @version: Of the list.  What is later was handed over by another feed, and may be unknown to the
 *           list: servers give old ones from their caches
 *
 * Return: number of objects that were held
 */
size_t share_commit(struct share *s, uint64_t version)
{
	size_t n = s->held.n;

	vec_foreach (h, &s->held) {
		settle(s, h, version);
		h->o = object_free(h->o);
	}
	vec_done(&s->held);
	sweep(s, version, NULL, NULL);
	return n;
}

/**
 * share_give_up() - Give up all; share_forget() comes first
 * @s:    Share
 * @heir: Whose it is then; NULL: nobody's
 * @arg:  Its first argument
 *
 * What is nobody's is removed.  A list of the heir that is on its way has not told of it yet.
 */
void share_give_up(struct share *s, share_heir_fn *heir, void *arg)
{
	sweep(s, UINT64_MAX, heir, arg);
}

static void forget_version(void *store, const struct object *o)
{
	store_mark(store, o, o->feed, o->generation, 0);
}

/**
 * share_distrust() - The versions of all objects mean nothing any more: the server's went backwards
 * @s: Store
 */
void share_distrust(struct store *s)
{
	for (int k = 0; k < _KIND_MAX; k++)
		store_each(s, (enum kind)k, forget_version, s);
}

/* --- watches -----------------------------------------------------------------------------------
 */

/**
 * share_take() - A watch told of an object, or that it is gone
 * @s:    Share
 * @item: What was told; its object is taken over
 */
void share_take(struct share *s, const struct api_item *item)
{
	struct object *o = item->object;

	if (item->event != API_DELETED && !is_behind(s, in_force(s, o), item->version)) {
		put(s, o, item->version);
		return;
	}
	if (item->event == API_DELETED)
		drop(s, o, item->version);
	(void)object_free(o);
}
