/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_world.h - a loop whose time the test moves and an HTTP client whose answers the test gives,
 * in the place of lib/loop.c and watch/kube/http.c; and a store that writes down what it is told.
 * Include after <cmocka.h>, in one file of a program.
 *
 * So waits of minutes cost nothing, and every order of events can be had.  The client keeps the
 * promises of watch/kube/http.h: a request that is cancelled hears nothing more, one that is begun
 * inside a callback begins.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <utlist.h>

#include "lib/buf.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/vec.h"
#include "watch/kube/http.h"
#include "watch/object/kind.h"
#include "watch/object/store.h"

/* --- the loop ----------------------------------------------------------------------------------
 */

struct loop {
	uint64_t now;
	struct loop_source *timers;
};

struct loop_source {
	struct loop *loop;
	loop_fn *fn;
	void *arg;
	uint64_t at;
	struct loop_source *prev, *next;
};

static struct loop the_loop;

uint64_t monotonic_usec(void)
{
	return the_loop.now;
}

uint64_t loop_now(const struct loop *l)
{
	return l->now;
}

struct loop_source *loop_timer(struct loop *l, const char *name _unused_, loop_fn *fn, void *arg)
{
	struct loop_source *s = xcalloc(1, sizeof(*s));

	*s = (struct loop_source){.loop = l, .fn = fn, .arg = arg, .at = USEC_INFINITY};
	DL_APPEND(l->timers, s);
	return s;
}

void loop_timer_at(struct loop_source *s, uint64_t at)
{
	s->at = at;
}

struct loop_source *loop_source_free(struct loop_source *s)
{
	if (!s)
		return NULL;
	DL_DELETE(s->loop->timers, s);
	free(s);
	return NULL;
}

/* The timer that is due first, if any is by then. */
static inline struct loop_source *due_first(uint64_t by)
{
	struct loop_source *s, *first = NULL;

	DL_FOREACH (the_loop.timers, s)
		if (s->at <= by && (!first || s->at < first->at))
			first = s;
	return first;
}

/* Time passes; timers fire in their order. */
static inline void pass(uint64_t usec)
{
	uint64_t until = the_loop.now + usec;
	struct loop_source *s;

	while ((s = due_first(until))) {
		the_loop.now = MAX(the_loop.now, s->at);
		s->at = USEC_INFINITY;
		s->fn(s->arg);
	}
	the_loop.now = until;
}

/* --- the client --------------------------------------------------------------------------------
 */

struct http_request {
	struct http *http;
	char *path, *accept;
	struct http_handler handler;
	void *arg;
	bool busy, cancelled;
	void *answer; /* for a test's server */
	struct http_request *prev, *next;
};

struct http {
	struct http_request *requests;
	char *url, *token;
	struct http_stats stats;
	uint64_t renewed;
	bool busy;
};

static inline void request_gone(struct http_request *r)
{
	DL_DELETE(r->http->requests, r);
	free(r->path);
	free(r->accept);
	free(r->answer);
	free(r);
}

struct http *http_new(struct loop *l _unused_)
{
	return xcalloc(1, sizeof(struct http));
}

struct http *http_free(struct http *h)
{
	assert_null(h->requests); /* whoever began one has ended it */
	free(h->url);
	free(h->token);
	free(h);
	return NULL;
}

void http_server_done(struct http_server *s)
{
	char **all[] = {&s->url,   &s->server_name, &s->ca,	  &s->cert, &s->key,
			&s->token, &s->user,	    &s->password, &s->proxy};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(TAKE(*all[i], NULL));
}

void http_set_server(struct http *h, const struct http_server *s)
{
	free(h->url);
	free(h->token);
	h->url = xstrdup(s->url);
	h->token = xstrdup(s->token ?: "");
}

struct http_request *http_send(struct http *h, const struct http_call *c,
			       const struct http_handler *handler, void *arg)
{
	struct http_request *r = xcalloc(1, sizeof(*r));

	*r = (struct http_request){.http = h,
				   .path = xstrdup(c->path),
				   .accept = xstrdup(c->accept),
				   .handler = *handler,
				   .arg = arg};
	DL_APPEND(h->requests, r);
	h->stats.requests++;
	return r;
}

void http_cancel(struct http_request *r)
{
	if (r && r->busy)
		r->cancelled = true;
	else if (r)
		request_gone(r);
}

/* The request is over; the owner is told. */
static inline void answer_end(struct http_request *r, struct http_result result)
{
	const struct http_handler handler = r->handler;
	void *arg = r->arg;

	if (!result.text)
		result.text = "";
	request_gone(r);
	handler.done(arg, &result);
}

/* Bytes of an answer; false: the request is over. */
static inline bool answer_bytes(struct http_request *r, int status, const char *bytes, size_t n)
{
	bool more;

	r->busy = r->http->busy = true;
	r->http->stats.bytes += n;
	more = r->handler.data(r->arg, status, bytes, n);
	r->busy = r->http->busy = false;
	if (r->cancelled)
		request_gone(r);
	else if (!more)
		answer_end(r, (struct http_result){status, -EIO, "the owner wants no more", 0});
	else
		return true;
	return false;
}

void http_fresh_connections(struct http *h)
{
	struct http_request *r, *next, *old = h->requests;

	assert_false(h->busy);
	h->renewed++;
	DL_FOREACH (old, r)
		r->busy = true; /* those that are begun meanwhile are not meant */
	DL_FOREACH_SAFE (old, r, next)
		if (r->busy)
			answer_end(r, (struct http_result){0, -ESTALE, "gone silent", 0});
}

void http_stats(const struct http *h, struct http_stats *ret)
{
	*ret = h->stats;
}

/* The only request under way whose path begins so. */
static inline struct http_request *asked(struct http *h, const char *path)
{
	struct http_request *r, *found = NULL;

	DL_FOREACH (h->requests, r) {
		if (!str_starts(r->path, path))
			continue;
		if (found)
			fail_msg("two requests: %s and %s", found->path, r->path);
		found = r;
	}
	if (!found) {
		DL_FOREACH (h->requests, r)
			print_error("under way: %s\n", r->path);
		fail_msg("no request for %s", path);
	}
	return found;
}

static inline size_t n_asked(const struct http *h)
{
	struct http_request *r;
	size_t n = 0;

	DL_COUNT(h->requests, r, n);
	return n;
}

#define BITS_TOLD (1u << KIND_NODE | 1u << KIND_NAMESPACE | 1u << KIND_NETPOL)

/* How many kinds are watched whole. */
static inline size_t n_whole(void)
{
	size_t n = 0;

	for (int k = 0; k < _KIND_MAX; k++)
		n += (kinds[k]->reach & REACH_ALL) != 0;
	return n;
}

/* Kinds that a test of Nodes, Namespaces and NetworkPolicies does not speak of: there are none. */
static inline void say_to_the_rest(struct http *h, const char *text)
{
	for (int k = 0; k < _KIND_MAX; k++) {
		_cleanup_(buf_done) struct buf path = {0};
		struct http_request *r;

		if (!(kinds[k]->reach & REACH_ALL) || BITS_TOLD >> k & 1)
			continue;
		kind_path(kinds[k], NULL, &path);
		buf_putc(&path, '?');
		DL_FOREACH (h->requests, r)
			if (str_starts(r->path, path.data))
				break;
		assert_non_null(r);
		assert_true(answer_bytes(r, 200, text, strlen(text)));
	}
}

/* --- what is in force --------------------------------------------------------------------------
 */

/* struct told - a store, and the changes of it: "+ns/name" new, "~" changed, "-" gone */
struct told {
	struct store *store;
	VEC(char *) words;
	size_t calls;
};

static inline void told_word(struct told *t, char how, const char *ns, const char *name)
{
	char *word = xasprintf("%c%s%s%s", how, ns ?: "", ns ? "/" : "", name);

	vec_push(&t->words, word);
}

/* A changed_fn */
static inline void told_change(void *arg, const struct object_key *key, struct object *old)
{
	struct told *t = arg;
	const struct object *now = store_get(t->store, key);

	t->calls++;
	assert_true(now || old);
	told_word(t, !now ? '-' : old ? '~' : '+', key->ns, key->name);
	(void)object_free(old);
}

static inline void told_forget(struct told *t)
{
	vec_foreach (w, &t->words)
		free(*w);
	vec_done(&t->words);
	t->calls = 0;
}

static inline int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that was told since the last time, sorted: "+n/a -n/b". */
static inline void assert_told(struct told *t, const char *expected)
{
	_cleanup_(buf_done) struct buf b = {0};

	vec_sort(&t->words, by_text);
	vec_foreach (w, &t->words)
		buf_printf(&b, "%s%s", b.len ? " " : "", *w);
	assert_string_equal(b.data ?: "", expected);
	told_forget(t);
}
