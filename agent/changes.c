// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * changes.c - merged changes, in the order in which their keys first changed.  Pure.
 */
#include "agent/changes.h"

#include "lib/ptr_table.h"
#include "lib/vec.h"

/* struct change - @old is what the parts know; it left the store and is ours */
struct change {
	struct change *next;
	struct object_key key;
	struct object *old;
};

/*
 * struct changes
 * @first:  Oldest first, also indexed by @by_key
 * @end:    Tail, where the next one is appended
 * @oldest: When @first was noted
 * @done:   Old versions of drained changes
 */
struct changes {
	struct change *first, **end;
	struct ptr_table by_key;
	VEC(struct object *) done;
	uint64_t oldest;
};

static bool is_change(const void *item, const void *key)
{
	return object_key_equal(&((const struct change *)item)->key, key);
}

/**
 * changes_new() - Create an empty queue
 *
 * Return: the queue, to be freed
 */
struct changes *changes_new(void)
{
	struct changes *q = xcalloc(1, sizeof(*q));

	q->end = &q->first;
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
 * changes_free() - Free it
 * @q: Queue or NULL
 *
 * Return: NULL
 */
struct changes *changes_free(struct changes *q)
{
	if (!q)
		return NULL;
	for (struct change *c = q->first; c; c = change_free(c))
		(void)object_free(c->old);
	ptr_table_done(&q->by_key);
	changes_drained(q);
	vec_done(&q->done);
	free(q);
	return NULL;
}

/**
 * changes_add() - An object has changed
 * @q:   Queue
 * @key: Which
 * @old: The version before, taken over; NULL: there was none
 * @now: Monotonic time, microseconds
 *
 * Of several changes of one key the first @old is what the parts know; later ones nobody saw.
 */
void changes_add(struct changes *q, const struct object_key *key, struct object *old, uint64_t now)
{
	uint32_t hash = object_key_hash(key);
	struct change *c = ptr_table_get(&q->by_key, hash, is_change, key);

	if (c) {
		(void)object_free(old);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->key = *key;
	object_key_ref(key);
	c->old = old;
	if (!q->first)
		q->oldest = now;
	*q->end = c;
	q->end = &c->next;
	ptr_table_add(&q->by_key, hash, c);
}

/**
 * changes_drain() - Hand every waiting change to the parts
 * @q:     Queue
 * @store: The objects as they are now
 * @fn:    Called for each; must not add changes
 * @arg:   Its first argument
 *
 * Old versions stay readable until changes_drained().
 *
 * Return: number of changes handed over
 */
size_t changes_drain(struct changes *q, const struct store *store, changes_fn *fn, void *arg)
{
	size_t n = 0;

	for (struct change *c = q->first; c; c = change_free(c)) {
		const struct object *now = store_get(store, &c->key);

		if (c->old || now) {
			fn(arg, c->old, now);
			n++;
		}
		if (c->old)
			vec_push(&q->done, c->old);
	}
	q->first = NULL;
	q->end = &q->first;
	ptr_table_done(&q->by_key);
	return n;
}

/**
 * changes_drained() - Free the old versions: no part refers to them any more
 * @q: Queue
 */
void changes_drained(struct changes *q)
{
	vec_foreach (o, &q->done)
		(void)object_free(*o);
	q->done.n = 0;
}

/**
 * changes_length() - Changes that wait
 * @q: Queue
 *
 * Return: their number
 */
size_t changes_length(const struct changes *q)
{
	return q->by_key.n;
}

/**
 * changes_oldest() - When the oldest waiting change came
 * @q: Queue with a change
 *
 * Return: the time given with it
 */
uint64_t changes_oldest(const struct changes *q)
{
	return q->oldest;
}
