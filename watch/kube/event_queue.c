// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * event_queue.c - one entry an object, in the order in which they were last heard of.  Pure.
 */
#include "watch/kube/event_queue.h"

#include <uthash.h>
#include <utlist.h>

#include "lib/intern.h"
#include "lib/random.h"

/*
 * struct entry - an object that something is wrong with, or was
 * @note:    NULL: nothing is wrong now
 * @id:      Of the event that tells it
 * @spread:  0: no other node tells it
 * @due:     When it is to be told; USEC_INFINITY: not, or it is under way
 * @tries:   That failed
 * @told:    Something was told, @told_id, at @told_at
 */
struct entry {
	struct {
		uintptr_t kind;
		const char *ns, *name;
	} key;
	const char *uid, *reason;
	char *note;
	uint64_t id, spread, due;
	uint32_t tries;
	bool told;
	uint64_t told_id, told_at;
	struct entry *prev, *next; /* last heard of last */
	UT_hash_handle hh;
};

/*
 * struct event_queue
 * @shared:    Entries with a note and a spread
 * @soonest:   No entry is due before
 * @hold:      Nothing is sent before
 * @tokens:    How many may be sent; as of @filled
 * @under_way: Some event, @sent_id; of @sending, NULL if that is forgotten
 */
struct event_queue {
	struct entry *by_key, *list;
	size_t shared;
	uint64_t random;
	uint64_t soonest, hold;
	uint64_t tokens, filled;
	bool under_way;
	struct entry *sending;
	uint64_t sent_id;
	uint64_t counts[_EVENT_RESULT_MAX];
};

/**
 * event_result_str() - Name of a result, as metrics have it
 * @r: Result
 *
 * Return: "created", "existed", ...
 */
const char *event_result_str(enum event_result r)
{
	static const char *const names[] = {"created", "existed", "forbidden",
					    "refused", "failed",  "dropped"};

	_Static_assert(ARRAY_SIZE(names) == _EVENT_RESULT_MAX, "a name for every result");
	return names[r];
}

/**
 * event_queue_new() - Create
 * @seed: Differs from node to node
 *
 * Return: the queue, to be freed
 */
struct event_queue *event_queue_new(uint64_t seed)
{
	struct event_queue *q = xcalloc(1, sizeof(*q));

	q->random = seed;
	q->soonest = USEC_INFINITY;
	q->tokens = EVENT_BURST;
	return q;
}

/**
 * event_queue_free() - Free it
 * @q: Queue or NULL
 *
 * Return: NULL
 */
struct event_queue *event_queue_free(struct event_queue *q)
{
	if (q)
		event_queue_clear(q);
	free(q);
	return NULL;
}

/* --- entries -----------------------------------------------------------------------------------
 */

static struct entry *find(const struct event_queue *q, const struct object_key *key)
{
	struct entry *found, probe = {.key = {key->kind, key->ns, key->name}};

	HASH_FIND(hh, q->by_key, &probe.key, sizeof(probe.key), found);
	return found;
}

/* Nothing is wrong with it; what was told of it is remembered. */
static void settle(struct event_queue *q, struct entry *n)
{
	q->shared -= n->note && n->spread;
	free(TAKE(n->note, NULL));
	n->due = USEC_INFINITY;
}

static void entry_free(struct event_queue *q, struct entry *n)
{
	settle(q, n);
	if (q->sending == n)
		q->sending = NULL;
	HASH_DEL(q->by_key, n);
	DL_DELETE(q->list, n);
	intern_put(n->key.ns);
	intern_put(n->key.name);
	intern_put(n->uid);
	free(n);
}

static bool waits(const struct entry *n)
{
	return n->due != USEC_INFINITY && !(n->told && n->told_id == n->id);
}

static void make_room(struct event_queue *q)
{
	if (HASH_COUNT(q->by_key) < EVENT_OBJECTS_MAX)
		return;
	q->counts[EVENT_DROPPED] += waits(q->list);
	entry_free(q, q->list);
}

static struct entry *add(struct event_queue *q, const struct event *e)
{
	struct entry *n;

	make_room(q);
	n = xcalloc(1, sizeof(*n));
	n->key.kind = e->kind;
	n->key.ns = e->ns ? intern(e->ns) : NULL;
	n->key.name = intern(e->name);
	n->due = USEC_INFINITY;
	HASH_ADD(hh, q->by_key, key, sizeof(n->key), n);
	DL_APPEND(q->list, n);
	return n;
}

static void heard_of(struct event_queue *q, struct entry *n)
{
	DL_DELETE(q->list, n);
	DL_APPEND(q->list, n);
}

/* --- what is wrong -----------------------------------------------------------------------------
 */

/* It is to be told at @at, or by chance within @bound later. */
static void schedule(struct event_queue *q, struct entry *n, uint64_t at, uint64_t bound)
{
	n->due = at + (bound ? random_below(&q->random, bound) : 0);
	q->soonest = MIN(q->soonest, n->due);
}

static void set_content(struct event_queue *q, struct entry *n, const struct event *e,
			uint64_t spread)
{
	settle(q, n);
	intern_put(n->uid);
	n->uid = e->uid ? intern(e->uid) : NULL;
	n->reason = e->reason;
	n->note = xstrdup(e->note);
	n->id = event_id(e);
	n->spread = spread;
	n->tries = 0;
	q->shared += spread > 0;
}

/**
 * event_queue_tell() - Something is wrong with an object
 * @q:      Queue
 * @e:      What is to be told; names and uid are interned, the reason is static
 * @spread: 0: only this node tells it; else microseconds, see above
 * @now:    Monotonic time
 *
 * Nothing happens if the same is told of it already.
 */
void event_queue_tell(struct event_queue *q, const struct event *e, uint64_t spread, uint64_t now)
{
	const struct object_key key = {e->kind, e->ns, e->name};
	struct entry *n = find(q, &key) ?: add(q, e);
	uint64_t at = now;

	heard_of(q, n);
	if (n->note && n->id == event_id(e))
		return;
	set_content(q, n, e, spread);
	if (n->told && n->told_id == n->id)
		at = MAX(now, n->told_at + EVENT_AGAIN_USEC);
	schedule(q, n, at, n->spread * q->shared);
}

/**
 * event_queue_right() - Nothing is wrong with an object now
 * @q:   Queue
 * @key: Of the object
 *
 * It is remembered: the same problem, come again, is not told anew at once.
 */
void event_queue_right(struct event_queue *q, const struct object_key *key)
{
	struct entry *n = find(q, key);

	if (n)
		settle(q, n);
}

/**
 * event_queue_gone() - There is no such object any more
 * @q:   Queue
 * @key: Of the object
 */
void event_queue_gone(struct event_queue *q, const struct object_key *key)
{
	struct entry *n = find(q, key);

	if (n)
		entry_free(q, n);
}

/**
 * event_queue_clear() - Forget all objects
 * @q: Queue
 */
void event_queue_clear(struct event_queue *q)
{
	while (q->list)
		entry_free(q, q->list);
	q->soonest = USEC_INFINITY;
}

/* --- telling -----------------------------------------------------------------------------------
 */

/**
 * event_queue_deadline() - When event_queue_next() may have something
 * @q: Queue
 *
 * Return: monotonic time; USEC_INFINITY: never, as things are
 */
uint64_t event_queue_deadline(const struct event_queue *q)
{
	if (q->under_way || q->soonest == USEC_INFINITY)
		return USEC_INFINITY;
	return MAX(MAX(q->soonest, q->hold), q->tokens ? 0 : q->filled + EVENT_PERIOD_USEC);
}

static void fill(struct event_queue *q, uint64_t now)
{
	uint64_t n = (now - q->filled) / EVENT_PERIOD_USEC;

	q->filled += n * EVENT_PERIOD_USEC;
	q->tokens += n;
	if (q->tokens >= EVENT_BURST) {
		q->tokens = EVENT_BURST;
		q->filled = now;
	}
}

/* The one to be told first; how soon the others are is noted by the way. */
static struct entry *first_due(struct event_queue *q)
{
	struct entry *n, *first = NULL;

	DL_FOREACH (q->list, n)
		if (n->due != USEC_INFINITY && (!first || n->due < first->due))
			first = n;
	q->soonest = first ? first->due : USEC_INFINITY;
	return first;
}

/**
 * event_queue_next() - Is there something to tell now?
 * @q:   Queue
 * @now: Monotonic time
 * @ret: What; borrowed until the next call; untouched unless true
 *
 * Time: O(EVENT_OBJECTS_MAX).
 *
 * Return: true if so; then event_queue_done() must follow
 */
bool event_queue_next(struct event_queue *q, uint64_t now, struct event *ret)
{
	struct entry *n;

	fill(q, now);
	if (q->under_way || now < q->hold || !q->tokens)
		return false;
	n = first_due(q);
	if (!n || n->due > now)
		return false;
	q->tokens--;
	q->under_way = true;
	q->sending = n;
	q->sent_id = n->id;
	n->due = USEC_INFINITY;
	*ret = (struct event){
		(enum kind)n->key.kind, n->key.ns, n->key.name, n->uid, n->reason, n->note};
	return true;
}

/* How long to wait after this many failures: random, below a bound that doubles. */
static uint64_t retry_wait(struct event_queue *q, uint32_t tries)
{
	uint64_t half = EVENT_RETRY_MIN_USEC << (tries - 1) >> 1;

	return half + random_below(&q->random, half);
}

/* Will it be tried again, or is it of no interest now?  Else it was given up. */
static bool failed(struct event_queue *q, struct entry *n, uint64_t wait, uint64_t now)
{
	bool wanted = n && n->note;
	uint32_t tries = wanted ? ++n->tries : 1;

	q->hold = now + MAX(wait, retry_wait(q, tries));
	if (!wanted)
		return true;
	if (tries == EVENT_TRIES) {
		q->counts[EVENT_DROPPED]++;
		return false;
	}
	n->due = q->hold;
	q->soonest = MIN(q->soonest, n->due);
	return true;
}

/**
 * event_queue_done() - How the event under way ended
 * @q:      Queue
 * @result: Of the attempt
 * @wait:   EVENT_FAILED: microseconds that the server asks to wait; 0: it does not say
 * @now:    Monotonic time
 *
 * What was given up counts as told: it comes again with the others.
 */
void event_queue_done(struct event_queue *q, enum event_result result, uint64_t wait, uint64_t now)
{
	struct entry *n = TAKE(q->sending, NULL);

	q->under_way = false;
	q->counts[result]++;
	if ((result == EVENT_FAILED && failed(q, n, wait, now)) || !n)
		return;
	n->told = true;
	n->told_id = q->sent_id;
	n->told_at = now;
	n->tries = 0;
	if (n->note && n->id == n->told_id)
		schedule(q, n, now + EVENT_AGAIN_USEC,
			 n->spread * (result == EVENT_CREATED ? q->shared : EVENT_FOLLOW));
}

/**
 * event_queue_counts() - How many ended how
 * @q: Queue
 *
 * Return: numbers by enum event_result, borrowed
 */
const uint64_t *event_queue_counts(const struct event_queue *q)
{
	return q->counts;
}
