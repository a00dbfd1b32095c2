// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * event.c - name, path and body of an Event.  Pure.
 *
 * Source: events.k8s.io/v1 Event; its validation, pkg/apis/core/validation/events.go; KEP-383.
 */
#include "watch/kube/event.h"

#include <stdio.h>

#include "lib/hash.h"
#include "lib/jsonw.h"
#include "lib/utf8.h"
#include "watch/object/kind.h"

#define NAME_MAX_BYTES 253 /* of a DNS-1123 subdomain */
#define SUFFIX_BYTES   17  /* a dot and 16 digits */

/**
 * event_id() - What an event says, as a number
 * @e: Event
 *
 * Return: equal for events of equal content, on every node
 */
uint64_t event_id(const struct event *e)
{
	const char *const parts[] = {kind_str(e->kind), e->ns, e->name, e->uid, e->reason, e->note};
	_cleanup_(buf_done) struct buf all = {0};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		buf_put(&all, parts[i] ?: "", strlen(parts[i] ?: "") + 1);
	return hash_stable(all.data, all.len);
}

/* That of the object; events about what has none are kept where `kubectl describe` finds them. */
static const char *namespace_of(const struct event *e)
{
	return e->ns ?: "default";
}

/* The object's name, cut where a label of it may end, and the id. */
static void put_name(const struct event *e, char *ret, size_t size)
{
	size_t n = MIN(strlen(e->name), NAME_MAX_BYTES - SUFFIX_BYTES);

	while (n && strchr(".-", e->name[n - 1]))
		n--;
	(void)snprintf(ret, size, "%.*s.%016llx", (int)n, e->name, (unsigned long long)event_id(e));
}

/**
 * event_path() - Where it is posted
 * @e:   Event
 * @out: Appended to
 */
void event_path(const struct event *e, struct buf *out)
{
	buf_printf(out, "/apis/events.k8s.io/v1/namespaces/%s/events", namespace_of(e));
}

static void put_cut(struct jsonw *w, const char *key, const char *text, size_t max)
{
	_cleanup_(freep) char *cut = xstrndup(text, utf8_cut(text, strlen(text), max));

	jsonw_str(w, key, cut);
}

static void put_regarding(struct jsonw *w, const struct event *e)
{
	jsonw_begin(w, "regarding", '{');
	jsonw_str(w, "apiVersion", kind_api_version(e->kind));
	jsonw_str(w, "kind", kind_str(e->kind));
	if (e->ns)
		jsonw_str(w, "namespace", e->ns);
	jsonw_str(w, "name", e->name);
	if (e->uid)
		jsonw_str(w, "uid", e->uid);
	jsonw_end(w, '}');
}

/**
 * event_body() - The object to post
 * @e:        Event
 * @instance: Who tells it: the node; cut to EVENT_INSTANCE_MAX bytes
 * @when:     Now, as a MicroTime: "2006-01-02T15:04:05.000000Z"
 * @out:      Appended to: JSON
 */
void event_body(const struct event *e, const char *instance, const char *when, struct buf *out)
{
	struct jsonw w = {.out = out};
	char name[NAME_MAX_BYTES + 1];

	put_name(e, name, sizeof(name));
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "apiVersion", "events.k8s.io/v1");
	jsonw_str(&w, "kind", "Event");
	jsonw_begin(&w, "metadata", '{');
	jsonw_str(&w, "name", name);
	jsonw_str(&w, "namespace", namespace_of(e));
	jsonw_end(&w, '}');
	jsonw_str(&w, "eventTime", when);
	jsonw_str(&w, "type", "Warning");
	jsonw_str(&w, "reason", e->reason);
	jsonw_str(&w, "action", "SetAside");
	put_cut(&w, "note", e->note, EVENT_NOTE_MAX);
	put_regarding(&w, e);
	jsonw_str(&w, "reportingController", EVENT_CONTROLLER);
	put_cut(&w, "reportingInstance", instance, EVENT_INSTANCE_MAX);
	jsonw_end(&w, '}');
}
