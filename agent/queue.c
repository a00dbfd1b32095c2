// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * queue.c - merged changes, in the order in which their keys first changed.  Pure.
 */
#include "agent/queue.h"

#include <uthash.h>

#include "lib/intern.h"
#include "lib/vec.h"

/* struct change - @old is what the parts know; it left the store and is ours */
struct change {
	struct {
		uintptr_t kind;
		const char *ns, *name;
	} key;
	struct object *old;
	UT_hash_handle hh; /* keeps the order of insertion */
};

struct queue {
	struct store *store;
	struct change *changes;
	VEC(struct object *) done; /* old versions of drained changes */
	uint64_t oldest;
};

/**
 * queue_new() - Create an empty queue over an empty store
 *
 * Return: the queue, to be freed
 */
struct queue *queue_new(void)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	q->store = store_new();
	return q;
}

static void change_free(struct queue *q, struct change *c)
{
	HASH_DEL(q->changes, c);
	intern_put(c->key.ns);
	intern_put(c->key.name);
	free(c);
}

/**
 * queue_free() - Free queue and store; the parts must have forgotten its objects
 * @q: Queue or NULL
 *
 * Return: NULL
 */
struct queue *queue_free(struct queue *q)
{
	struct change *c, *next;

	if (!q)
		return NULL;
	HASH_ITER (hh, q->changes, c, next) {
		(void)object_free(c->old);
		change_free(q, c);
	}
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
	struct change *c, probe = {.key = {kind, ns, name}};

	HASH_FIND(hh, q->changes, &probe.key, sizeof(probe.key), c);
	if (c) {
		(void)object_free(old);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->key.kind = kind;
	c->key.ns = intern_ref(ns);
	c->key.name = intern_ref(name);
	c->old = old;
	if (!q->changes)
		q->oldest = now;
	HASH_ADD(hh, q->changes, key, sizeof(c->key), c);
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
	struct change *c, *next;
	size_t n = 0;

	HASH_ITER (hh, q->changes, c, next) {
		const struct object *new =
			store_get(q->store, (enum kind)c->key.kind, c->key.ns, c->key.name);

		if (c->old || new) {
			fn(arg, c->old, new);
			n++;
		}
		if (c->old)
			vec_push(&q->done, c->old);
		change_free(q, c);
	}
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
	return HASH_COUNT(q->changes);
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
