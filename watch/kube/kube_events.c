// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube_events.c - the hands of the event queue: one POST after the other.
 */
#include "watch/kube/kube_events.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "watch/kube/kube_internal.h"
#include "watch/object/node.h"

#define ANSWER_USEC (10 * USEC_PER_SEC)	 /* then the request has failed */
#define NODE_USEC   (20 * USEC_PER_MSEC) /* all nodes together ask 50 times a second */

/*
 * struct kube_events
 * @about:     Of the event under way, for messages
 * @answer_by: When it must have ended; USEC_INFINITY: none is under way
 * @body:      Of the answer
 * @forbidden: The last one was, and it was logged
 */
struct kube_events {
	struct kube *kube;
	struct event_queue *queue;
	struct loop_source *timer;
	struct http_request *request;
	char *about;
	uint64_t answer_by;
	struct buf body;
	bool forbidden;
};

static void arm(struct kube_events *s)
{
	loop_timer_at(s->timer, MIN(s->answer_by, event_queue_deadline(s->queue)));
}

/* --- answers -----------------------------------------------------------------------------------
 */

static bool on_data(void *arg, int status _unused_, const char *bytes, size_t n)
{
	struct kube_events *s = arg;

	api_status_gather(&s->body, bytes, n);
	return true;
}

static enum event_result result_of(const struct http_result *r)
{
	if (r->status >= 200 && r->status < 300)
		return EVENT_CREATED; /* even if its text did not come whole */
	switch (r->status) {
	case 409:
		return EVENT_EXISTED;
	case 403:
		return EVENT_FORBIDDEN;
	case 0:
	case 401:
	case 408:
	case 429:
		return EVENT_FAILED;
	default:
		return r->error || r->status >= 500 ? EVENT_FAILED : EVENT_REFUSED;
	}
}

static void log_refusal(const struct kube_events *s, const char *what)
{
	struct api_status status = {0};

	if (s->body.len)
		api_status_parse(s->body.data, s->body.len, &status);
	log_warn("api", what, "about=\"%s\" err=\"%s\"", s->about, status.message);
}

static void log_result(struct kube_events *s, enum event_result result, const struct http_result *r)
{
	log_debug("api", "event", "about=\"%s\" result=%s status=%d err=\"%s\"", s->about,
		  event_result_str(result), r->status, r->error ? r->text : "");
	if (result == EVENT_REFUSED)
		log_refusal(s, "the API server refused an event");
	if (result == EVENT_FORBIDDEN && !s->forbidden)
		log_refusal(s, "events are forbidden, they will not be seen; told once");
	if (result == EVENT_FORBIDDEN)
		s->forbidden = true;
	else if (result == EVENT_CREATED || result == EVENT_EXISTED)
		s->forbidden = false;
}

static void ended(struct kube_events *s, const struct http_result *r)
{
	uint64_t dropped = event_queue_counts(s->queue)[EVENT_DROPPED];
	enum event_result result = result_of(r);

	log_result(s, result, r);
	if (r->status == 401)
		s->kube->owner.unauthorized(s->kube->owner.arg);
	event_queue_done(s->queue, result, r->retry_after * USEC_PER_SEC, monotonic_usec());
	if (event_queue_counts(s->queue)[EVENT_DROPPED] > dropped)
		log_warn("api", "event given up", "about=\"%s\" status=%d err=\"%s\"", s->about,
			 r->status, r->error ? r->text : "");
	s->request = NULL;
	s->answer_by = USEC_INFINITY;
}

static void on_done(void *arg, const struct http_result *r)
{
	struct kube_events *s = arg;

	ended(s, r);
	arm(s);
}

/* --- requests ----------------------------------------------------------------------------------
 */

/* A MicroTime of the API: RFC 3339 with six digits behind the second. */
static void write_now(char *ret, size_t size)
{
	struct timespec now;
	char date[32];
	struct tm tm;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret, size, "%s.%06ldZ", date, now.tv_nsec / 1000);
}

static void send_event(struct kube_events *s, const struct event *e)
{
	static const struct http_handler handler = {on_data, on_done};
	_cleanup_(buf_done) struct buf path = {0}, body = {0};
	struct http_call c = {.method = "POST", .accept = "application/json"};
	char when[64];

	write_now(when, sizeof(when));
	event_path(e, &path);
	event_body(e, s->kube->node, when, &body);
	c.path = path.data;
	c.body = body.data;
	buf_reset(&s->body);
	free(s->about);
	s->about = object_title(&(struct object_key){e->kind, e->ns, e->name});
	s->answer_by = monotonic_usec() + ANSWER_USEC;
	s->request = http_send(s->kube->owner.http, &c, &handler, s);
}

static void on_timer(void *arg)
{
	struct kube_events *s = arg;
	uint64_t now = monotonic_usec();
	struct event e;

	if (now >= s->answer_by) {
		http_cancel(s->request);
		ended(s, &(struct http_result){.error = -ETIMEDOUT, .text = "no answer"});
	}
	if (event_queue_next(s->queue, now, &e))
		send_event(s, &e);
	arm(s);
}

/* --- the interface -----------------------------------------------------------------------------
 */

/**
 * kube_events_new() - Create
 * @k: Cluster, borrowed for its life
 *
 * Return: to be freed, before @k
 */
struct kube_events *kube_events_new(struct kube *k)
{
	struct kube_events *s = xcalloc(1, sizeof(*s));

	s->kube = k;
	s->queue = event_queue_new(hash_stable(k->node, strlen(k->node)) ^ monotonic_usec());
	s->timer = loop_timer(k->owner.loop, "api events", on_timer, s);
	s->answer_by = USEC_INFINITY;
	return s;
}

/**
 * kube_events_free() - End; what was not told is lost
 * @s: Events or NULL
 *
 * Return: NULL
 */
struct kube_events *kube_events_free(struct kube_events *s)
{
	if (!s)
		return NULL;
	http_cancel(s->request);
	(void)loop_source_free(s->timer);
	(void)event_queue_free(s->queue);
	buf_done(&s->body);
	free(s->about);
	free(s);
	return NULL;
}

/**
 * kube_events_tell() - Something is wrong with an object
 * @s:      Events
 * @e:      What; names and uid are interned, the reason is static
 * @shared: All nodes see it, and tell it
 */
void kube_events_tell(struct kube_events *s, const struct event *e, bool shared)
{
	uint64_t spread = shared ? store_count(s->kube->owner.store, kind_node.kind) * NODE_USEC
				 : 0;

	event_queue_tell(s->queue, e, spread, monotonic_usec());
	arm(s);
}

/**
 * kube_events_right() - Nothing is wrong with an object now
 * @s: Events
 * @o: Object
 */
void kube_events_right(struct kube_events *s, const struct object *o)
{
	const struct object_key key = key_of(o);

	event_queue_right(s->queue, &key);
}

/**
 * kube_events_gone() - There is no such object any more
 * @s: Events
 * @o: Object, as it was
 */
void kube_events_gone(struct kube_events *s, const struct object *o)
{
	const struct object_key key = key_of(o);

	event_queue_gone(s->queue, &key);
}

/**
 * kube_events_clear() - Forget all objects
 * @s: Events
 */
void kube_events_clear(struct kube_events *s)
{
	event_queue_clear(s->queue);
}

/**
 * kube_events_counts() - How many ended how
 * @s: Events
 *
 * Return: numbers by enum event_result, borrowed
 */
const uint64_t *kube_events_counts(const struct kube_events *s)
{
	return event_queue_counts(s->queue);
}
