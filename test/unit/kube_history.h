/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kube_history.h - the whole source against a model of the API server (api_model.h): what happens,
 * and what has to hold meanwhile and when it is quiet.  Include behind api_model.h, in one file of
 * a program.
 *
 * The source of chance is the model's: a seed, or bytes.
 */
#pragma once

#include <unistd.h>

#include "watch/kube/kube.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/node.h"
#include "watch/object/pod.h"

/*
 * struct world
 * @set_back: The server was set back, and it has not been quiet since
 * @ns:       "s0", "s1", ..., interned; @needed: those asked for
 */
struct world {
	struct told told;
	struct kube *kube;
	struct model m;
	uint64_t seed;
	bool set_back;
	const char *ns[MODEL_NS];
	bool needed[MODEL_NS], all;
};

static inline bool is_wanted(const struct world *w, const struct thing *t)
{
	if (!t->alive || t->kind != KIND_POD || t->node == 1)
		return t->alive;
	return t->node > 1 && !t->finished && (w->all || w->needed[t->ns]);
}

static inline const struct thing *thing_of(const struct world *w, const struct object *o)
{
	for (int i = 0; i < MODEL_THINGS; i++) {
		const struct thing *t = &w->m.things[i];
		bool same_ns = t->ns < 0 ? !o->ns : o->ns == w->ns[t->ns];

		if (t->kind == o->kind && same_ns && t->name == o->name[1] - '0')
			return t;
	}
	fail_msg("seed %" PRIu64 ": nobody knows %s", w->seed, o->name);
	return NULL;
}

static inline uint64_t version_of(const struct object *o)
{
	const struct labels *l = o->kind == KIND_NODE	     ? &as_node(o)->labels
				 : o->kind == KIND_NAMESPACE ? &as_namespace(o)->labels
							     : &as_pod(o)->labels;
	const char *text = o->kind == KIND_NETPOL ? as_netpol(o)->selects.v[0].values[0]
						  : labels_get(l, "v");

	return strtoull(text, NULL, 10);
}

/* The promises that hold at every moment. */
static inline void change(void *arg, const struct object_key *key, struct object *old)
{
	struct world *w = arg;
	const struct object *o = store_get(w->told.store, key);
	const struct thing *t = old ? thing_of(w, old) : NULL;

	if (old && o && version_of(o) < version_of(old) && !w->set_back)
		fail_msg("seed %" PRIu64 ": %s/%s goes back from %" PRIu64 " to %" PRIu64, w->seed,
			 o->ns ?: "", o->name, version_of(old), version_of(o));
	if (old && !o && is_wanted(w, t) && t->born <= version_of(old) && !w->set_back)
		fail_msg("seed %" PRIu64 ": %s/%s of %" PRIu64 " is removed, though it is there",
			 w->seed, old->ns ?: "", old->name, version_of(old));
	told_change(&w->told, key, old);
	told_forget(&w->told);
}

/* --- quiet -------------------------------------------------------------------------------------
 */

static inline void print_feed(void *arg _unused_, const char *name, const struct reflector *r)
{
	print_error("%s: %s at %" PRIu64 ": %s\n", name, reflector_state_str(r->state), r->version,
		    r->problem);
}

struct view {
	const struct world *w;
	size_t n;
	bool quiet;
};

static inline void look_at_feed(void *arg, const char *name _unused_, const struct reflector *r)
{
	struct view *v = arg;

	v->quiet &= r->state == REFLECTOR_WATCHING && r->version == v->w->m.version;
}

static inline bool is_quiet(struct world *w)
{
	struct view v = {.w = w,
			 .quiet = kube_lists_complete(w->kube) && kube_pods_complete(w->kube)};

	kube_each_feed(w->kube, look_at_feed, &v);
	return v.quiet;
}

static inline void step_all(struct world *w)
{
	size_t n = n_asked(kube_http(w->kube));

	for (size_t i = 0; i < n && kube_http(w->kube)->requests; i++) {
		struct http_request *r = kube_http(w->kube)->requests;

		/* To the end of the line. */
		DL_DELETE(kube_http(w->kube)->requests, r);
		DL_APPEND(kube_http(w->kube)->requests, r);
		model_step(&w->m, r);
	}
}

static inline void compare(void *arg, const struct object *o)
{
	struct view *v = arg;
	const struct thing *t = thing_of(v->w, o);

	v->n++;
	if (!is_wanted(v->w, t))
		fail_msg("seed %" PRIu64 ": %s/%s of %" PRIu64 " should not be there", v->w->seed,
			 o->ns ?: "", o->name, version_of(o));
	if (version_of(o) != t->version)
		fail_msg("seed %" PRIu64 ": %s/%s is of %" PRIu64 ", not of %" PRIu64, v->w->seed,
			 o->ns ?: "", o->name, version_of(o), t->version);
}

static inline void assert_equal(struct world *w)
{
	struct view v = {.w = w};
	size_t wanted = 0;

	for (int i = 0; i < MODEL_THINGS; i++)
		wanted += is_wanted(w, &w->m.things[i]);
	for (int k = 0; k < _KIND_MAX; k++)
		store_each(w->told.store, (enum kind)k, compare, &v);
	if (v.n != wanted)
		fail_msg("seed %" PRIu64 ": %zu objects, not %zu", w->seed, v.n, wanted);
}

/* Nothing happens any more and nothing fails, until all is told and what lingered is gone. */
static inline void settle(struct world *w)
{
	uint64_t lingering = the_loop.now + 11 * USEC_PER_SEC;
	int tries = 0;

	w->m.calm = true;
	while (!is_quiet(w) || the_loop.now < lingering) {
		if (++tries > 2000) {
			kube_each_feed(w->kube, print_feed, NULL);
			fail_msg("seed %" PRIu64 ": it does not become quiet at %" PRIu64, w->seed,
				 w->m.version);
		}
		step_all(w);
		pass(200 * USEC_PER_MSEC);
	}
	assert_equal(w);
	w->m.calm = w->set_back = false;
}

/* --- what happens ------------------------------------------------------------------------------
 */

static inline void step_any(struct world *w)
{
	size_t n = n_asked(kube_http(w->kube));
	struct http_request *r = kube_http(w->kube)->requests;

	if (!n)
		return;
	for (uint32_t i = model_random(&w->m, (uint32_t)n); i; i--)
		r = r->next;
	model_step(&w->m, r);
}

static inline void lose_all_connections(struct world *w)
{
	struct http_request *r, *next, *old = kube_http(w->kube)->requests;

	DL_FOREACH (old, r)
		r->busy = true;
	DL_FOREACH_SAFE (old, r, next)
		if (r->busy)
			break_off(r);
}

static inline void change_needs(struct world *w)
{
	uint32_t i = model_random(&w->m, MODEL_NS + 1);

	if (i == MODEL_NS)
		kube_need(w->kube, NULL, w->all = !w->all);
	else
		kube_need(w->kube, w->ns[i], w->needed[i] = !w->needed[i]);
}

static inline void fetch(struct world *w)
{
	char name[] = "n0";

	name[1] = (char)('0' + model_random(&w->m, MODEL_PODS / MODEL_NS));
	kube_fetch(w->kube,
		   &(struct object_key){KIND_POD, w->ns[model_random(&w->m, MODEL_NS)], name});
}

static inline void happen(struct world *w)
{
	static const uint32_t msec[] = {1, 100, 1000, 5000, 31000, 121000};
	uint32_t what = model_random(&w->m, 1000);

	if (what < 350)
		model_change(&w->m);
	else if (what < 880)
		step_any(w);
	else if (what < 930)
		pass(model_random(&w->m, msec[model_random(&w->m, ARRAY_SIZE(msec))]) *
		     USEC_PER_MSEC);
	else if (what < 950)
		change_needs(w);
	else if (what < 970)
		fetch(w);
	else if (what < 985)
		model_compact(&w->m);
	else if (what < 995)
		lose_all_connections(w);
	else
		settle(w);
}

/* Clients can see it only if they know later versions, and before those have come again. */
static inline void set_back(struct world *w)
{
	settle(w);
	change_needs(w);
	for (uint32_t i = model_random(&w->m, 20); i; i--)
		step_any(w);
	model_restore(&w->m);
	w->set_back = true;
	lose_all_connections(w);
	for (uint32_t i = model_random(&w->m, 40); i; i--) {
		step_any(w);
		pass(model_random(&w->m, 1000) * USEC_PER_MSEC);
	}
	settle(w);
}

static inline void history_begin(struct world *w, const char *kubeconfig)
{
	const struct kube_config c = {.kubeconfig = kubeconfig, .node = "n1"};
	struct err e = {0};

	the_loop = (struct loop){.now = 1000 * USEC_PER_SEC};
	for (int i = 0; i < MODEL_NS; i++) {
		char name[] = "s0";

		name[1] = (char)('0' + i);
		w->ns[i] = intern(name);
	}
	w->told.store = store_new(change, w);
	for (int i = 0; i < 30; i++)
		model_change(&w->m);
	assert_int_equal(kube_open(&the_loop, &c, w->told.store, &w->kube, &e), 0);
	kube_start(w->kube);
}

static inline void history_end(struct world *w)
{
	settle(w);
	w->kube = kube_close(w->kube);
	(void)store_free(w->told.store);
	vec_done(&w->m.history);
	for (int i = 0; i < MODEL_NS; i++)
		intern_put(w->ns[i]);
	assert_int_equal(intern_count(), 0);
	assert_null(the_loop.timers);
}

/* Write the configuration that leads to the model; @path is a template of mkstemp(). */
static inline void history_kubeconfig(char *path)
{
	static const char text[] =
		"{current-context: c, contexts: [{name: c, context: {cluster: k}}], "
		"clusters: [{name: k, cluster: {server: 'http://api'}}]}";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}
