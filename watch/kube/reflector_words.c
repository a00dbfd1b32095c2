// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reflector_words.c - the request of a reflector as text, and names for people.  Pure.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/random.h"
#include "watch/kube/reflector.h"

/**
 * reflector_state_str() - Name of a state
 * @s: State
 *
 * Return: "waiting", "watching", ...
 */
const char *reflector_state_str(enum reflector_state s)
{
	static const char *const names[] = {"waiting", "streaming", "paging", "watching"};

	_Static_assert(ARRAY_SIZE(names) == _REFLECTOR_STATE_MAX, "a name for every state");
	return names[s];
}

/**
 * reflector_describe() - Note why a request failed
 * @r: Reflector
 * @e: How it ended
 */
void reflector_describe(struct reflector *r, const struct reflector_end *e)
{
	const struct api_status *s = e->status;

	if (e->http && e->http != 200)
		(void)snprintf(r->problem, sizeof(r->problem), "HTTP %d%s%s%s%s", e->http,
			       *s->reason ? " " : "", s->reason, *s->message ? ": " : "",
			       s->message);
	else
		(void)snprintf(r->problem, sizeof(r->problem), "%.255s",
			       e->text && *e->text ? e->text : "the answer ended too early");
}

static void put_escaped(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-._~", *s))
			buf_putc(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

static void put_watch(struct reflector *r, struct buf *out)
{
	buf_printf(out, "watch=true&allowWatchBookmarks=true&timeoutSeconds=%" PRIu64,
		   REFLECTOR_WATCH_SEC + random_below(&r->random, REFLECTOR_WATCH_SEC));
	if (r->state == REFLECTOR_STREAMING)
		buf_puts(out, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	else
		buf_printf(out, "&resourceVersion=%" PRIu64, r->version);
}

/* An old list from the server's cache is good enough to begin with, and costs it less. */
static void put_page(const struct reflector *r, struct buf *out)
{
	buf_printf(out, "limit=%d", REFLECTOR_PAGE);
	if (r->continue_from) {
		buf_puts(out, "&continue=");
		put_escaped(out, r->continue_from);
	} else if (!r->consistent) {
		buf_puts(out, "&resourceVersion=0");
	}
}

static void put_selector(struct buf *out, const char *what, const char *selector)
{
	if (!selector)
		return;
	buf_printf(out, "&%s=", what);
	put_escaped(out, selector);
}

/**
 * reflector_path() - The request that is to be sent
 * @r:      Reflector that asked for REFLECTOR_SEND
 * @path:   Of the collection, "/api/v1/pods"
 * @fields: fieldSelector, as it is; NULL: none
 * @labels: labelSelector, as it is; NULL: none
 * @out:    Appended to
 */
void reflector_path(struct reflector *r, const char *path, const char *fields, const char *labels,
		    struct buf *out)
{
	buf_printf(out, "%s?", path);
	if (r->state == REFLECTOR_PAGING)
		put_page(r, out);
	else
		put_watch(r, out);
	put_selector(out, "fieldSelector", fields);
	put_selector(out, "labelSelector", labels);
}
