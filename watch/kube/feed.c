// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * feed.c - the hands of a reflector: requests out, objects in, to share.h.
 *
 * What has to be done may be known inside a callback of the HTTP client or of the stream, which
 * must not be freed there: it is then done when that has returned.
 */
#include "watch/kube/feed.h"

#include <errno.h>

#include "lib/log.h"
#include "watch/kube/api_stream.h"
#include "watch/kube/share.h"

#define ACCEPT_WHOLE	      "application/json"
#define ACCEPT_METADATA	      API_METADATA_LIST ", " ACCEPT_WHOLE
#define ACCEPT_METADATA_WATCH API_METADATA ", " ACCEPT_WHOLE

/*
 * struct feed
 * @body:       Of an answer that says no
 * @todo:       To be done when the callback under way has returned
 * @err:        What was wrong with the answer
 * @heard:      When the server last told anything
 * @said:       How the reflector stood when the owner was told
 */
struct feed {
	const struct feed_owner *owner;
	struct share share;
	const struct kind_info *info;
	char *fields, *name;
	struct buf path;

	struct reflector r;
	struct http_request *request;
	struct api_stream *stream;
	struct buf body;
	struct err err;
	struct loop_source *timer;
	unsigned int todo;
	uint64_t heard;
	enum { SAID_IN_STEP, SAID_REFUSED, SAID_AWAY } said;
};

static void act(struct feed *f, unsigned int todo);

static void say_step(struct feed *f)
{
	unsigned int now = !f->r.troubled ? SAID_IN_STEP : f->r.refused ? SAID_REFUSED : SAID_AWAY;

	if (f->said == now)
		return;
	f->said = now;
	f->owner->step(f->owner->arg, f);
}

/* --- objects -----------------------------------------------------------------------------------
 */

static void commit(struct feed *f)
{
	uint64_t began = monotonic_usec();
	size_t n = share_commit(&f->share, f->r.absent ? UINT64_MAX : f->r.version);

	log_info("api", "list complete", "of=\"%s\" changed=%zu version=%llu us=%llu", f->name, n,
		 (unsigned long long)f->r.version, (unsigned long long)(monotonic_usec() - began));
	f->owner->synced(f->owner->arg, f);
}

static unsigned int take_object(struct feed *f, const struct api_item *item)
{
	unsigned int todo = reflector_event(&f->r, item->version, f->heard);

	if (todo) {
		(void)object_free(item->object);
		return todo;
	}
	if (f->r.state == REFLECTOR_WATCHING)
		share_take(&f->share, item);
	else
		share_hold(&f->share, item);
	return 0;
}

static bool on_item(void *arg, const struct api_item *item)
{
	struct feed *f = arg;
	unsigned int todo;

	switch (item->event) {
	case API_BOOKMARK:
		todo = reflector_bookmark(&f->r, item->version, item->initial_end, f->heard);
		break;
	case API_ERROR:
		todo = reflector_error(&f->r, item->status, f->heard);
		break;
	default:
		todo = take_object(f, item);
	}
	if (todo & REFLECTOR_COMMIT)
		commit(f);
	f->todo = todo & ~(unsigned int)REFLECTOR_COMMIT;
	return !f->todo;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static bool on_data(void *arg, int status, const char *bytes, size_t n)
{
	struct feed *f = arg;
	int r;

	f->heard = loop_now(f->owner->loop);
	if (n == 0 && reflector_answered(&f->r))
		f->owner->reachable(f->owner->arg);
	if (status == 200 && n == 0)
		reflector_accepted(&f->r);
	if (status != 200) {
		api_status_gather(&f->body, bytes, n);
		return true;
	}
	if (n)
		reflector_bytes(&f->r, f->heard);
	r = api_stream_feed(f->stream, bytes, n, &f->err);
	f->r.count.unknown += api_stream_take_unknown(f->stream);
	if (f->todo)
		act(f, TAKE(f->todo, 0));
	else
		loop_timer_at(f->timer, f->r.deadline);
	say_step(f);
	return r >= 0;
}

static unsigned int answer_ended(struct feed *f, const struct http_result *result, uint64_t now)
{
	struct api_status status = {0};
	struct reflector_end e = {.http = result->status,
				  .error = result->error,
				  .text = result->text,
				  .status = &status,
				  .retry_after = result->retry_after};
	struct api_list_end end = {0};

	if (result->status != 200 && f->body.len)
		api_status_parse(f->body.data, f->body.len, &status);
	if (result->status == 200 && result->error == 0)
		(void)api_stream_end(f->stream, &end, &f->err);
	if (f->err.code) {
		e.error = f->err.code;
		e.text = f->err.msg;
	}
	if (result->status == 200 && !e.error && f->r.state == REFLECTOR_PAGING)
		return reflector_page(&f->r, end.version, end.continue_from, now);
	return reflector_ended(&f->r, &e, now);
}

static void on_done(void *arg, const struct http_result *result)
{
	struct feed *f = arg;
	unsigned int todo;

	f->request = NULL;
	if (result->error && f->r.state == REFLECTOR_WATCHING)
		f->owner->lost(f->owner->arg);
	todo = answer_ended(f, result, monotonic_usec());
	act(f, todo);
}

/* --- requests ----------------------------------------------------------------------------------
 */

static void end_request(struct feed *f)
{
	http_cancel(TAKE(f->request, NULL));
	f->stream = api_stream_free(f->stream);
	buf_done(&f->body);
	f->err = (struct err){0};
}

static void send_request(struct feed *f)
{
	static const struct http_handler handler = {on_data, on_done};
	_cleanup_(buf_done) struct buf path = {0};
	bool paging = f->r.state == REFLECTOR_PAGING;
	struct http_call c = {.method = "GET", .accept = ACCEPT_WHOLE};

	end_request(f);
	reflector_path(&f->r, f->path.data, f->fields, f->info->selector, &path);
	c.path = path.data;
	if (f->info->metadata_only)
		c.accept = paging ? ACCEPT_METADATA : ACCEPT_METADATA_WATCH;
	f->stream = api_stream_new(paging ? API_LIST : API_WATCH, f->share.kind, on_item, f);
	f->request = http_send(f->owner->http, &c, &handler, f);
}

/* Not inside the stream. */
static void act(struct feed *f, unsigned int todo)
{
	if (todo & REFLECTOR_CANCEL)
		end_request(f);
	if (todo & REFLECTOR_FORGET)
		share_forget(&f->share);
	if (todo & REFLECTOR_COMMIT)
		commit(f);
	if (todo & REFLECTOR_CREDENTIALS)
		f->owner->unauthorized(f->owner->arg);
	if (todo & REFLECTOR_DISTRUST)
		f->owner->backwards(f->owner->arg);
	if (todo & REFLECTOR_RENEW) {
		log_warn("api", "the connection has gone silent, opening another", "of=\"%s\"",
			 f->name);
		http_fresh_connections(f->owner->http);
	}
	if (todo & REFLECTOR_SEND)
		send_request(f);
	loop_timer_at(f->timer, f->r.deadline);
	say_step(f);
}

static void on_timer(void *arg)
{
	struct feed *f = arg;

	act(f, reflector_timer(&f->r, monotonic_usec()));
}

/* --- the interface -----------------------------------------------------------------------------
 */

/**
 * feed_new() - Create a feed; feed_start() begins
 * @owner: Borrowed for its life
 * @spec:  Collection
 * @seed:  For random waits
 *
 * Return: the feed, to be freed
 */
struct feed *feed_new(const struct feed_owner *owner, const struct feed_spec *spec, uint64_t seed)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->owner = owner;
	f->share =
		(struct share){.store = owner->store, .kind = spec->info->kind, .feed = spec->id};
	f->info = spec->info;
	kind_path(f->info, spec->ns, &f->path);
	f->fields = spec->fields ? xstrdup(spec->fields) : NULL;
	f->name = xstrdup(spec->name);
	f->timer = loop_timer(owner->loop, "api feed", on_timer, f);
	reflector_init(&f->r, seed);
	/* What an old cache does not know yet would be taken out of the kernel. */
	f->r.consistent = f->info->fails_closed;
	f->r.optional = f->info->optional;
	return f;
}

/**
 * feed_start() - Begin to list and watch
 * @f: Feed, not started before
 */
void feed_start(struct feed *f)
{
	act(f, reflector_start(&f->r, monotonic_usec()));
}

/**
 * feed_list_again() - List once more, whatever the watch told
 * @f: Feed, started; not from within its own callbacks.  Nothing happens if a list is on its way
 */
void feed_list_again(struct feed *f)
{
	if (f->r.version)
		act(f, reflector_again(&f->r, monotonic_usec()));
}

/**
 * feed_nudge() - The server answers others again
 * @f: Feed; if it got no answer the last time it tries again at once
 */
void feed_nudge(struct feed *f)
{
	reflector_nudge(&f->r, monotonic_usec());
	loop_timer_at(f->timer, f->r.deadline);
}

/**
 * feed_leave() - Others begin to tell the same: touch nothing that they told
 * @f:       Feed
 * @leaving: false: it is needed after all
 */
void feed_leave(struct feed *f, bool leaving)
{
	f->share.leaving = leaving;
}

struct hand_over {
	feed_heir_fn *heir;
	void *arg;
};

/* Does the heir still have to be told of the object, by its watch or by the list on its way? */
static const struct share *inherit(void *arg, const struct object *o)
{
	const struct hand_over *h = arg;
	const struct feed *heir = h->heir(h->arg, o);

	if (!heir || (heir->r.version && o->version <= heir->r.version))
		return NULL;
	return &heir->share;
}

/**
 * feed_hand_over() - Give its objects to other feeds; feed_free() follows
 * @f:    Feed; not from within its own callbacks
 * @heir: Who tells of an object from now on
 * @arg:  Its first argument
 *
 * What an heir does not know though it should, by the version that it has come to, is gone: it is
 * removed.  An heir that lists anew keeps all until the list is complete.
 */
void feed_hand_over(struct feed *f, feed_heir_fn *heir, void *arg)
{
	struct hand_over h = {heir, arg};

	share_forget(&f->share);
	share_give_up(&f->share, inherit, &h);
}

/**
 * feed_free() - End a feed
 * @f:      Feed or NULL; not from within its own callbacks
 * @forget: Remove its objects from what is in force
 *
 * Return: NULL
 */
struct feed *feed_free(struct feed *f, bool forget)
{
	if (!f)
		return NULL;
	end_request(f);
	share_forget(&f->share);
	if (forget)
		share_give_up(&f->share, NULL, NULL);
	(void)loop_source_free(f->timer);
	reflector_done(&f->r);
	buf_done(&f->path);
	free(f->fields);
	free(f->name);
	free(f);
	return NULL;
}

/**
 * feed_synced() - Has a list been complete once?
 * @f: Feed
 *
 * Return: true if so
 */
bool feed_synced(const struct feed *f)
{
	return f->r.synced;
}

/**
 * feed_reflector() - How the feed stands
 * @f: Feed
 *
 * Return: its reflector, borrowed
 */
const struct reflector *feed_reflector(const struct feed *f)
{
	return &f->r;
}

/**
 * feed_id() - The mark of its objects
 * @f: Feed
 *
 * Return: its id
 */
uint16_t feed_id(const struct feed *f)
{
	return f->share.feed;
}

/**
 * feed_name() - What it feeds, for people
 * @f: Feed
 *
 * Return: name, borrowed
 */
const char *feed_name(const struct feed *f)
{
	return f->name;
}

/**
 * feed_decides() - Do its objects say who may talk to whom?
 * @f: Feed
 *
 * Return: true for pods, namespaces and policies; false for nodes
 */
bool feed_decides(const struct feed *f)
{
	return f->info->decides;
}

/**
 * feed_heard() - When the server last told anything
 * @f: Feed
 *
 * Return: monotonic time, microseconds; 0: never
 */
uint64_t feed_heard(const struct feed *f)
{
	return f->heard;
}

/**
 * feed_put_ahead() - An object came by another way than the watch, perhaps before it
 * @f:       Feed that it belongs to
 * @o:       Object; taken over
 * @version: Its version; the watch may be ahead of it, too
 *
 * While a list is on its way nothing happens: only that knows whether the object is there still.
 */
void feed_put_ahead(struct feed *f, struct object *o, uint64_t version)
{
	const struct api_item item = {.event = API_ADDED, .object = o, .version = version};

	if (!f->r.version || version <= f->r.version)
		(void)object_free(o);
	else
		share_take(&f->share, &item);
}
