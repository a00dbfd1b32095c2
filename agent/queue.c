// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * queue.c - merged changes, in the order in which their keys first changed.  Pure.
 */
#include "agent/queue.h"

#include "lib/intern.h"
#include "lib/ptr_table.h"
#include "lib/vec.h"

/* struct change - @old is what the parts know; it left the store and is ours */
struct change {
	struct change *next;
	struct object_key key;
	struct object *old;
};

/* struct queue - @changes, the first first, are in @by_key too; @end: where the next goes */
struct queue {
	struct store *store;
	struct change *changes, **end;
	struct ptr_table by_key;
	VEC(struct object *) done; /* old versions of drained changes */
	uint64_t oldest;
};

static bool is_change(const void *item, const void *key)
{
	return object_key_equal(&((const struct change *)item)->key, key);
}

/**
 * queue_new() - Create an empty queue over an empty store
 *
 * Return: the queue, to be freed
 */
struct queue *queue_new(void)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	q->store = store_new();
	q->end = &q->changes;
	return q;
}

/* The change waits no longer: the next one. */
static struct change *change_free(struct change *c)
{
	struct change *next = c->next;

	object_key_put(&c->key);
	free(c);
	return next;
}

/**
 * queue_free() - Free queue and store; the parts must have forgotten its objects
 * @q: Queue or NULL
 *
 * Return: NULL
 */
struct queue *queue_free(struct queue *q)
{
	if (!q)
		return NULL;
	for (struct change *c = q->changes; c; c = change_free(c))
		(void)object_free(c->old);
	ptr_table_done(&q->by_key);
	queue_drained(q);
	vec_done(&q->done);
	(void)store_free(q->store);
	free(q);
	return NULL;
}

/**
 * queue_store() - The objects as they are now
 * @q: Queue
 *
 * Return: the store, borrowed
 */
struct store *queue_store(const struct queue *q)
{
	return q->store;
}

/* @old left the store: the first one of a key is what the parts know, later ones nobody saw. */
static void note(struct queue *q, enum kind kind, const char *ns, const char *name,
		 struct object *old, uint64_t now)
{
	const struct object_key key = {kind, ns, name};
	uint32_t hash = object_key_hash(&key);
	struct change *c = ptr_table_get(&q->by_key, hash, is_change, &key);

	if (c) {
		(void)object_free(old);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->key = key;
	object_key_ref(&key);
	c->old = old;
	if (!q->changes)
		q->oldest = now;
	*q->end = c;
	q->end = &c->next;
	ptr_table_add(&q->by_key, hash, c);
}

/**
 * queue_put() - An object appeared or changed
 * @q:   Queue
 * @o:   Object, taken over
 * @now: Monotonic time, microseconds
 */
void queue_put(struct queue *q, struct object *o, uint64_t now)
{
	const char *ns = intern_ref(o->ns), *name = intern_ref(o->name);
	enum kind kind = o->kind;
	struct object *old = NULL;

	if (store_put(q->store, o, &old))
		note(q, kind, ns, name, old, now);
	intern_put(ns);
	intern_put(name);
}

/**
 * queue_remove() - An object vanished
 * @q:    Queue
 * @kind: Kind
 * @ns:   Namespace, interned or NULL
 * @name: Name, interned
 * @now:  Monotonic time, microseconds
 */
void queue_remove(struct queue *q, enum kind kind, const char *ns, const char *name, uint64_t now)
{
	struct object *old = store_remove(q->store, kind, ns, name);

	if (old)
		note(q, kind, old->ns, old->name, old, now);
}

/**
 * queue_drain() - Hand every waiting change to the parts
 * @q:   Queue
 * @fn:  Called for each; must not add changes
 * @arg: Its first argument
 *
 * Old versions stay readable until queue_drained().
 *
 * Return: number of changes handed over
 */
size_t queue_drain(struct queue *q, queue_fn *fn, void *arg)
{
	size_t n = 0;

	for (struct change *c = q->changes; c; c = change_free(c)) {
		const struct object *new = store_get(q->store, c->key.kind, c->key.ns, c->key.name);

		if (c->old || new) {
			fn(arg, c->old, new);
			n++;
		}
		if (c->old)
			vec_push(&q->done, c->old);
	}
	q->changes = NULL;
	q->end = &q->changes;
	ptr_table_done(&q->by_key);
	return n;
}

/**
 * queue_drained() - Free the old versions: no part refers to them any more
 * @q: Queue
 */
void queue_drained(struct queue *q)
{
	vec_foreach (o, &q->done)
		(void)object_free(*o);
	q->done.n = 0;
}

/**
 * queue_length() - Changes that wait
 * @q: Queue
 *
 * Return: their number
 */
size_t queue_length(const struct queue *q)
{
	return q->by_key.n;
}

/**
 * queue_oldest() - When the oldest waiting change came
 * @q: Queue with a change
 *
 * Return: the time given with it
 */
uint64_t queue_oldest(const struct queue *q)
{
	return q->oldest;
}
