// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube.c - the feeds of a cluster, and when each of them begins and ends.
 */
#include "watch/kube/kube_internal.h"

#include <stdio.h>
#include <utlist.h>

#include "lib/hash.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "watch/kube/share.h"

#define CREDENTIALS_USEC (60 * USEC_PER_SEC) /* between looks at the files */

struct id_search {
	uint16_t id;
	bool found;
};

static void compare_id(void *arg, struct feed *f)
{
	struct id_search *s = arg;

	s->found |= feed_id(f) == s->id;
}

/**
 * kube_each() - Walk all feeds
 * @k:   Source
 * @fn:  Called for each
 * @arg: Its first argument
 */
void kube_each(const struct kube *k, void (*fn)(void *arg, struct feed *f), void *arg)
{
	for (int i = 0; i < _KIND_MAX; i++)
		if (k->own[i])
			fn(arg, k->own[i]);
	for (int i = 0; i < _KIND_MAX; i++)
		if (k->all[i])
			fn(arg, k->all[i]);
	kube_pods_each(k, fn, arg);
}

static bool is_used(const struct kube *k, uint16_t id)
{
	struct id_search s = {.id = id};

	kube_each(k, compare_id, &s);
	return s.found;
}

/**
 * kube_feed_new() - Create and begin a feed
 * @k:    Source
 * @spec: Collection; its id is chosen here
 *
 * Return: the feed
 */
struct feed *kube_feed_new(struct kube *k, struct feed_spec *spec)
{
	struct feed *f;

	do
		k->last_id++;
	while (!k->last_id || is_used(k, k->last_id));
	spec->id = k->last_id;
	f = feed_new(&k->owner, spec, k->seed += 0x9e3779b97f4a7c15);
	feed_start(f);
	return f;
}

static void add_counts(struct reflector_counts *sum, const struct reflector_counts *c)
{
	sum->lists += c->lists;
	sum->watches += c->watches;
	sum->failures += c->failures;
	sum->expired += c->expired;
	sum->unknown += c->unknown;
}

/**
 * kube_feed_free() - End a feed
 * @k:      Source
 * @f:      Feed or NULL
 * @forget: Remove its objects from what is in force
 *
 * Return: NULL
 */
struct feed *kube_feed_free(struct kube *k, struct feed *f, bool forget)
{
	if (!f)
		return NULL;
	add_counts(&k->past, &feed_reflector(f)->count);
	return feed_free(f, forget);
}

/**
 * kube_feed_replace() - End a feed of which others do the service now
 * @k:    Source
 * @f:    Feed or NULL
 * @heir: Whose an object is then
 * @arg:  Its first argument
 *
 * Return: NULL
 */
struct feed *kube_feed_replace(struct kube *k, struct feed *f, feed_heir_fn *heir, void *arg)
{
	if (f)
		feed_hand_over(f, heir, arg);
	return kube_feed_free(k, f, false);
}

/* --- what is always watched --------------------------------------------------------------------
 */

static void begin_own(struct kube *k, const struct kind_info *info)
{
	_cleanup_(freep) char *fields = xasprintf("%s=%s", info->node_field, k->node);
	struct feed_spec spec = {.info = info, .fields = fields, .name = info->own};

	k->own[info->kind] = kube_feed_new(k, &spec);
}

static void begin_all(struct kube *k)
{
	k->all_begun = true;
	for (int i = 0; i < _KIND_MAX; i++) {
		struct feed_spec spec = {.info = kinds[i], .name = kinds[i]->resource};

		if (kinds[i]->reach & REACH_ALL)
			k->all[i] = kube_feed_new(k, &spec);
	}
}

/* A collection that is not watched, for another took over or it is none, is no reason to wait. */
static bool are_synced(struct feed *const *feeds)
{
	for (int i = 0; i < _KIND_MAX; i++)
		if (feeds[i] && !feed_synced(feeds[i]))
			return false;
	return true;
}

static struct feed *heir_of(void *arg, const struct object *o)
{
	return ((struct kube *)arg)->all[o->kind];
}

static void on_synced(void *arg, struct feed *f)
{
	struct kube *k = arg;

	if (!k->all_begun && are_synced(k->own))
		begin_all(k);
	/* All of the kind, those of this node included: their own feed has done its service. */
	for (int i = 0; i < _KIND_MAX; i++)
		if (f == k->all[i])
			k->own[i] = kube_feed_replace(k, k->own[i], heir_of, k);
	kube_pods_synced(k, f);
}

/**
 * kube_lists_complete() - Is everything known but for pods of other nodes?
 * @k: Source
 *
 * Return: true if so; then kube_need() is to be told what of those is needed
 */
bool kube_lists_complete(const struct kube *k)
{
	return k->all_begun && are_synced(k->own) && are_synced(k->all);
}

/* --- credentials -------------------------------------------------------------------------------
 */

static void refresh_credentials(struct kube *k)
{
	struct err e = {0};
	int r = kube_credentials_refresh(k->credentials, &e);

	free(TAKE(k->credentials_problem, NULL));
	if (r < 0) {
		k->credentials_problem = xasprintf("credentials: %s", e.msg);
		log_warn("api", "credentials not read, those of before stay", "err=\"%s\"", e.msg);
	} else if (r > 0) {
		log_info("api", "credentials read anew", "server=%s",
			 kube_credentials_server(k->credentials)->url);
		http_set_server(k->owner.http, kube_credentials_server(k->credentials));
	}
}

static void on_credentials_timer(void *arg)
{
	struct kube *k = arg;

	refresh_credentials(k);
	loop_timer_at(k->credentials_timer, monotonic_usec() + CREDENTIALS_USEC);
}

static void on_unauthorized(void *arg)
{
	refresh_credentials(arg);
}

static void list_again(void *arg _unused_, struct feed *f)
{
	feed_list_again(f);
}

static void nudge(void *arg _unused_, struct feed *f)
{
	feed_nudge(f);
}

static void on_reachable(void *arg)
{
	kube_step_reachable(arg);
	kube_each(arg, nudge, NULL);
}

/**
 * kube_backwards() - etcd was restored: what one watch has noticed others may never do
 * @arg: Source
 */
void kube_backwards(void *arg)
{
	struct kube *k = arg;

	share_distrust(k->owner.store);
	log_warn("api", "the server's versions went backwards, listing all anew", "server=%s",
		 kube_credentials_server(k->credentials)->url);
	kube_each(k, list_again, NULL);
}

/* --- the interface -----------------------------------------------------------------------------
 */

/**
 * kube_open() - Prepare a cluster as the source
 * @l:      Loop
 * @c:      Configuration
 * @store:  What is in force: written by the source, and by nobody else; borrowed
 * @ret:    Source, to be closed; untouched on failure
 * @reterr: What is wrong: with kubeconfig or credentials; the server is not asked yet
 *
 * Return: 0; -errno
 */
int kube_open(struct loop *l, const struct kube_config *c, struct store *store, struct kube **ret,
	      struct err *reterr)
{
	struct kube_credentials *credentials = NULL;
	int r = kube_credentials_open(c->kubeconfig, &credentials, reterr);
	struct kube *k;

	if (r < 0)
		return r;
	k = xcalloc(1, sizeof(*k));
	k->credentials = credentials;
	k->node = xstrdup(c->node);
	k->all_pods = c->all_pods;
	k->seed = hash_stable(c->node, strlen(c->node)) ^ monotonic_usec();
	k->owner = (struct feed_owner){
		.loop = l,
		.http = http_new(l),
		.store = store,
		.synced = on_synced,
		.unauthorized = on_unauthorized,
		.lost = kube_probe,
		.reachable = on_reachable,
		.step = kube_step,
		.backwards = kube_backwards,
		.arg = k,
	};
	http_set_server(k->owner.http, kube_credentials_server(credentials));
	k->credentials_timer = loop_timer(l, "credentials", on_credentials_timer, k);
	kube_pods_init(k);
	kube_probe_init(k);
	*ret = k;
	return 0;
}

/**
 * kube_close() - End; what is in force stays
 * @k: Source or NULL
 *
 * Return: NULL
 */
struct kube *kube_close(struct kube *k)
{
	if (!k)
		return NULL;
	kube_fetches_done(k);
	kube_probe_done(k);
	kube_pods_done(k);
	for (int i = 0; i < _KIND_MAX; i++) {
		(void)feed_free(k->own[i], false);
		(void)feed_free(k->all[i], false);
	}
	(void)loop_source_free(k->credentials_timer);
	(void)http_free(k->owner.http);
	(void)kube_credentials_close(k->credentials);
	free(k->credentials_problem);
	free(k->node);
	free(k);
	return NULL;
}

/**
 * kube_start() - Begin to ask
 * @k: Source
 */
void kube_start(struct kube *k)
{
	log_info("api", "asking the API server", "server=%s",
		 kube_credentials_server(k->credentials)->url);
	for (int i = 0; i < _KIND_MAX; i++)
		if (kinds[i]->reach & REACH_NODE)
			begin_own(k, kinds[i]);
	loop_timer_at(k->credentials_timer, monotonic_usec() + CREDENTIALS_USEC);
}

/**
 * kube_http() - The client that the feeds share
 * @k: Source
 *
 * Return: the client, borrowed
 */
struct http *kube_http(const struct kube *k)
{
	return k->owner.http;
}

/* --- for those who ask -------------------------------------------------------------------------
 */

struct telling {
	problem_fn *fn;
	void *arg;
};

static void tell_problem(void *arg, struct feed *f)
{
	const struct reflector *r = feed_reflector(f);
	uint64_t stale = reflector_stale(r, monotonic_usec());
	const struct telling *t = arg;
	_cleanup_(freep) char *text = NULL;

	if (!*r->problem)
		return;
	text = xasprintf("API server, %s: %s; not in step for %llu s", feed_name(f), r->problem,
			 (unsigned long long)(stale / USEC_PER_SEC));
	t->fn(t->arg, text);
}

/**
 * kube_each_problem() - Go through all that is wrong with the source
 * @k:   Source
 * @fn:  Takes each problem
 * @arg: Its first argument
 */
void kube_each_problem(const struct kube *k, problem_fn *fn, void *arg)
{
	struct telling t = {fn, arg};

	if (k->credentials_problem)
		fn(arg, k->credentials_problem);
	kube_each(k, tell_problem, &t);
}

struct feed_telling {
	kube_feed_fn *fn;
	void *arg;
};

static void tell_feed(void *arg, struct feed *f)
{
	const struct feed_telling *t = arg;

	t->fn(t->arg, feed_name(f), feed_reflector(f));
}

/**
 * kube_each_feed() - Walk the collections that are watched
 * @k:   Source
 * @fn:  Called for each
 * @arg: Its first argument
 */
void kube_each_feed(const struct kube *k, kube_feed_fn *fn, void *arg)
{
	struct feed_telling t = {fn, arg};

	kube_each(k, tell_feed, &t);
}

static void add_feed(void *arg, struct feed *f)
{
	struct kube_stats *s = arg;

	s->feeds++;
	s->synced += feed_synced(f);
	s->last_heard = MAX(s->last_heard, feed_heard(f));
	add_counts(&s->count, &feed_reflector(f)->count);
}

/**
 * kube_stats() - Figures
 * @k:   Source
 * @ret: Figures
 */
void kube_stats(const struct kube *k, struct kube_stats *ret)
{
	*ret = (struct kube_stats){.needed = k->n_needed, .wide = k->wide_wanted, .count = k->past};
	kube_each(k, add_feed, ret);
	http_stats(k->owner.http, &ret->http);
}
