// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube_pods.c - pods of other nodes: of a few namespaces one by one, or of all as one collection.
 *
 * A namespace that is not needed any more is watched a little longer: policies are often changed by
 * being deleted and made anew.  When all namespaces become one collection, the small ones go on
 * until that is complete, and the other way round, so that no pod is missing in between.  Who goes
 * hands its pods over to who stays: the watches of the two are never equally far (feed.h).
 */
#include "watch/kube/kube_internal.h"

#include <stdio.h>
#include <utlist.h>

#include "lib/intern.h"
#include "lib/log.h"
#include "watch/object/pod.h"

#define LINGER_USEC (10 * USEC_PER_SEC)

static void on_drop_timer(void *arg);

/**
 * kube_pods_init() - Prepare
 * @k: Source
 */
void kube_pods_init(struct kube *k)
{
	/* Not ours, on a node at all, and not finished: the address of such may be another's. */
	k->elsewhere = xasprintf("spec.nodeName!=%s,spec.nodeName!=,status.phase!=Succeeded,"
				 "status.phase!=Failed",
				 k->node);
	k->drop_timer = loop_timer(k->owner.loop, "api drop", on_drop_timer, k);
}

static void need_free(struct kube *k, struct need *n, bool forget)
{
	if (!n->needed)
		DL_DELETE(k->unneeded, n);
	k->n_syncing -= n->syncing;
	n->feed = kube_feed_free(k, n->feed, forget);
	HASH_DEL(k->needs, n);
	intern_put(n->ns);
	free(n);
}

/**
 * kube_pods_done() - Free all; what is in force stays
 * @k: Source
 */
void kube_pods_done(struct kube *k)
{
	struct need *n, *next;

	HASH_ITER (hh, k->needs, n, next)
		need_free(k, n, false);
	k->wide = kube_feed_free(k, k->wide, false);
	(void)loop_source_free(k->drop_timer);
	free(k->elsewhere);
}

/* --- one namespace -----------------------------------------------------------------------------
 */

static void open_narrow(struct kube *k, struct need *n)
{
	_cleanup_(freep) char *name = xasprintf("pods of namespace %s", n->ns);
	struct feed_spec spec = {
		.info = &kind_pod, .ns = n->ns, .fields = k->elsewhere, .name = name};

	if (n->feed)
		return;
	n->syncing = true;
	k->n_syncing++;
	n->feed = kube_feed_new(k, &spec);
}

static struct feed *wide_heir(void *arg, const struct object *o _unused_)
{
	return ((struct kube *)arg)->wide;
}

static void close_all_narrow(struct kube *k)
{
	struct need *n, *next;

	HASH_ITER (hh, k->needs, n, next) {
		n->feed = kube_feed_replace(k, n->feed, wide_heir, k);
		k->n_syncing -= n->syncing;
		n->syncing = false;
	}
}

/* Then its namespaces may be needed as some of all: none is given up before. */
static bool is_wide_coming(const struct kube *k)
{
	return k->wide_wanted && k->wide_syncing;
}

static void arm_drop(struct kube *k)
{
	uint64_t at = k->unneeded && !is_wide_coming(k) ? k->unneeded->drop_at : USEC_INFINITY;

	/* What is past waits for the namespaces that are not complete, not for time. */
	if (k->wide && !k->wide_wanted && k->wide_drop_at > monotonic_usec())
		at = MIN(at, k->wide_drop_at);
	loop_timer_at(k->drop_timer, at);
}

/* --- all namespaces ----------------------------------------------------------------------------
 */

static void open_wide(struct kube *k)
{
	struct feed_spec spec = {
		.info = &kind_pod, .fields = k->elsewhere, .name = "pods of other nodes"};

	k->wide_syncing = true;
	if (!k->wide) {
		k->wide = kube_feed_new(k, &spec);
		return;
	}
	/* It was about to go, and let others tell of some of its pods. */
	feed_leave(k->wide, false);
	feed_list_again(k->wide);
	close_all_narrow(k);
}

static struct feed *narrow_heir(void *arg, const struct object *o)
{
	struct kube *k = arg;
	struct need *n;

	HASH_FIND_PTR(k->needs, &o->ns, n);
	return n ? n->feed : NULL;
}

static void leave_wide(struct kube *k)
{
	k->wide_drop_at = monotonic_usec() + LINGER_USEC;
	if (k->wide_syncing) /* it has told nothing that the others did not */
		k->wide = kube_feed_replace(k, k->wide, narrow_heir, k);
	else
		feed_leave(k->wide, true);
	k->wide_syncing = false;
}

static void open_all_narrow(struct kube *k)
{
	struct need *n, *next;

	HASH_ITER (hh, k->needs, n, next)
		if (n->needed)
			open_narrow(k, n);
}

/* The other way is complete: this one has done its service. */
static void close_other(struct kube *k)
{
	if (k->wide_wanted && !k->wide_syncing)
		close_all_narrow(k);
	else if (!k->wide_wanted && !k->n_syncing && k->wide_drop_at <= monotonic_usec())
		k->wide = kube_feed_replace(k, k->wide, narrow_heir, k);
}

/* Enough namespaces to be one collection?  Not back at once when they become fewer. */
static bool is_wide_better(const struct kube *k)
{
	size_t enough = k->wide_wanted ? KUBE_NARROW_MAX / 2 : KUBE_NARROW_MAX;

	return k->all_pods || k->need_all || k->n_needed > enough;
}

static void on_drop_timer(void *arg)
{
	struct kube *k = arg;
	uint64_t now = monotonic_usec();

	while (k->unneeded && k->unneeded->drop_at <= now)
		need_free(k, k->unneeded, true);
	close_other(k);
	arm_drop(k);
}

static void choose(struct kube *k)
{
	bool wide = is_wide_better(k);

	if (wide == k->wide_wanted)
		return;
	k->wide_wanted = wide;
	log_info("api",
		 wide ? "watching pods of all namespaces as one" : "watching pods by namespace",
		 "namespaces=%zu", k->n_needed);
	if (wide) {
		open_wide(k);
	} else {
		open_all_narrow(k);
		leave_wide(k);
	}
}

/* --- the interface -----------------------------------------------------------------------------
 */

static struct need *need_get(struct kube *k, const char *ns)
{
	struct need *n;

	HASH_FIND_PTR(k->needs, &ns, n);
	if (n)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->ns = intern_ref(ns);
	n->drop_at = USEC_INFINITY;
	HASH_ADD_PTR(k->needs, ns, n);
	DL_APPEND(k->unneeded, n);
	return n;
}

static void set_needed(struct kube *k, struct need *n, bool needed)
{
	if (n->needed == needed)
		return;
	n->needed = needed;
	if (needed) {
		DL_DELETE(k->unneeded, n);
		k->n_needed++;
		return;
	}
	k->n_needed--;
	n->drop_at = monotonic_usec() + LINGER_USEC;
	DL_APPEND(k->unneeded, n);
}

/**
 * kube_need() - Are pods of a namespace needed, that are not on this node?
 * @k:      Source
 * @ns:     Namespace, interned; NULL: all, counted
 * @needed: They are; false: no longer
 */
void kube_need(struct kube *k, const char *ns, bool needed)
{
	struct need *n = ns ? need_get(k, ns) : NULL;

	if (n)
		set_needed(k, n, needed);
	else
		k->need_all += needed ? 1 : -(size_t)1;
	choose(k);
	if (n && needed && !k->wide_wanted)
		open_narrow(k, n);
	arm_drop(k);
}

/**
 * kube_pods_complete() - Are all pods known that are needed?
 * @k: Source
 *
 * Return: true if so
 */
bool kube_pods_complete(const struct kube *k)
{
	if (k->wide_wanted)
		return !k->wide_syncing;
	return !k->n_syncing;
}

/**
 * kube_pods_synced() - A feed has become complete, perhaps once more
 * @k: Source
 * @f: Feed, of any kind
 */
void kube_pods_synced(struct kube *k, struct feed *f)
{
	struct need *n, *next;

	if (f == k->wide)
		k->wide_syncing = false;
	if (k->n_syncing)
		HASH_ITER (hh, k->needs, n, next) {
			if (n->feed != f || !n->syncing)
				continue;
			n->syncing = false;
			k->n_syncing--;
		}
	if (k->all_pods && !k->wide && kube_lists_complete(k))
		choose(k);
	close_other(k);
	arm_drop(k);
}

/**
 * kube_pods_each() - Walk the feeds of pods of other nodes
 * @k:   Source
 * @fn:  Called for each
 * @arg: Its first argument
 */
void kube_pods_each(const struct kube *k, void (*fn)(void *arg, struct feed *f), void *arg)
{
	if (k->wide)
		fn(arg, k->wide);
	for (const struct need *n = k->needs; n; n = n->hh.next)
		if (n->feed)
			fn(arg, n->feed);
}
