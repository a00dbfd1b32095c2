// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * api_stream.c - yajl's events, most of them dropped; the rest goes to api_object.h.
 *
 * Three modes.  OUTER: around the objects, the list or the events themselves.  OBJECT: inside what
 * an object keeps.  SKIP: inside what nobody wants, where only the depth is counted; that is where
 * most of the bytes are.
 */
#include "watch/kube/api_stream.h"

#include <assert.h>
#include <errno.h>

#include "watch/document/json_events.h"
#include "watch/kube/api_object.h"

enum mode { MODE_OUTER, MODE_OBJECT, MODE_SKIP };

/* enum place - of the value that comes next around the objects */
enum place {
	PLACE_NOWHERE, /* nothing that matters */
	PLACE_TOP,
	PLACE_METADATA, /* of the list */
	PLACE_VERSION,
	PLACE_CONTINUE,
	PLACE_ITEMS,
	PLACE_ITEM,
	PLACE_TYPE,
	PLACE_OBJECT,
};

/*
 * struct api_stream
 * @mode, @skipped, @after: What is done with events; how deep, and in which mode then
 * @open:    What is open around the objects, @n_open of it
 * @place:   Of the value that comes next
 * @object:  The one under way
 * @item, @typed, @held: The event of a watch under way; its type, its object was told
 * @parser:  NULL between two events
 * @quiet:   Bytes since the parser told anything; @object_bytes: since the object began
 */
struct api_stream {
	struct json_events events;
	yajl_handle parser;
	enum api_shape shape;
	enum kind kind;
	api_item_fn *fn;
	void *arg;

	enum mode mode, after;
	uint32_t skipped;
	enum place open[3], place;
	uint32_t n_open;

	struct api_object object;
	struct api_item item;
	bool typed, held;
	struct api_status status;

	uint64_t list_version, unknown;
	char *continue_from;
	bool listed, complete, stopped, told;
	uint64_t quiet, object_bytes;
	struct err err;
};

/* What yajl wants to hear in order to stop. */
static int refuse(struct api_stream *s, const char *what)
{
	(void)err_set(&s->err, -EPROTO, "the API server's answer: %s", what);
	return 0;
}

/* --- events ------------------------------------------------------------------------------------
 */

static int deliver(struct api_stream *s)
{
	s->stopped = !s->fn(s->arg, &s->item);
	s->item = (struct api_item){0};
	s->typed = s->held = false;
	return !s->stopped;
}

static int end_event(struct api_stream *s)
{
	if ((s->shape == API_WATCH && !s->typed) || !s->held)
		return refuse(s, "an event without type or object");
	s->item.status = &s->status;
	if (s->item.event != _API_EVENT_MAX)
		return deliver(s);
	/* A type that is not known: newer servers may have some. */
	s->unknown++;
	(void)object_free(s->item.object);
	s->item = (struct api_item){0};
	s->typed = s->held = false;
	return 1;
}

static bool is_initial_end(const struct value *root)
{
	const struct value *annotations = value_path(root, "metadata.annotations");
	const char *text = NULL;

	(void)value_get_str(annotations, "", "k8s.io/initial-events-end", &text, NULL);
	return streq(text, "true");
}

/* The object is complete. */
static int take_object(struct api_stream *s)
{
	struct api_object *o = &s->object;

	s->mode = MODE_OUTER;
	s->held = true;
	s->item.version = api_object_version(o);
	if (s->item.event == API_BOOKMARK || s->item.event == API_ERROR) {
		if (!o->broken)
			s->item.initial_end = is_initial_end(value_root(o->doc));
		if (!o->broken)
			api_status_read(value_root(o->doc), &s->status);
		api_object_done(o);
	} else if (api_object_take(o, s->kind, &s->item.object, NULL) < 0) {
		s->item.event = _API_EVENT_MAX; /* without a name it is nobody */
	}
	return s->shape == API_LIST ? end_event(s) : 1;
}

/* Of what is no object. */
static const struct field status_fields[] = {FIELD("code"), FIELD("reason"), FIELD("message"),
					     FIELD("details"), FIELDS_END};
static const struct field bookmark_metadata[] = {FIELD("resourceVersion"), FIELD("annotations"),
						 FIELDS_END};
static const struct field bookmark_fields[] = {FIELD_IN("metadata", bookmark_metadata), FIELDS_END};

static const struct field *wanted_now(const struct api_stream *s)
{
	if (s->item.event == API_ERROR)
		return status_fields;
	if (s->item.event == API_BOOKMARK)
		return bookmark_fields;
	return kinds[s->kind]->fields;
}

/* --- around the objects ------------------------------------------------------------------------
 */

static bool is(const char *key, const char *s, size_t n)
{
	return strlen(key) == n && memcmp(key, s, n) == 0;
}

static enum place place_of(const struct api_stream *s, const char *key, size_t n)
{
	enum place in = s->open[s->n_open - 1];

	if (in == PLACE_METADATA)
		return is("resourceVersion", key, n) ? PLACE_VERSION
		       : is("continue", key, n)	     ? PLACE_CONTINUE
						     : PLACE_NOWHERE;
	if (s->shape == API_LIST)
		return is("metadata", key, n) ? PLACE_METADATA
		       : is("items", key, n)  ? PLACE_ITEMS
					      : PLACE_NOWHERE;
	return is("type", key, n)     ? PLACE_TYPE
	       : is("object", key, n) ? PLACE_OBJECT
				      : PLACE_NOWHERE;
}

static int open_outer(struct api_stream *s, enum value_type type)
{
	enum place p = s->n_open && s->open[s->n_open - 1] == PLACE_ITEMS ? PLACE_ITEM : s->place;
	bool wanted = type == (p == PLACE_ITEMS ? VALUE_SEQ : VALUE_MAP);

	if (!s->n_open)
		p = PLACE_TOP;
	s->place = PLACE_NOWHERE;
	switch (p) {
	case PLACE_TOP:
	case PLACE_METADATA:
	case PLACE_ITEMS:
		if (!wanted)
			return refuse(s, "a map or list in the wrong place");
		s->open[s->n_open++] = p;
		s->listed |= p == PLACE_ITEMS;
		return 1;
	case PLACE_ITEM:
	case PLACE_OBJECT:
		if (!wanted || s->held || (s->shape == API_WATCH && !s->typed))
			return refuse(s, "an object in the wrong place");
		s->mode = MODE_OBJECT;
		s->object_bytes = 0;
		api_object_begin(&s->object, wanted_now(s));
		return 1;
	case PLACE_VERSION:
	case PLACE_CONTINUE:
	case PLACE_TYPE:
		return refuse(s, "a map or list in the place of a text");
	case PLACE_NOWHERE:
		break;
	}
	s->mode = MODE_SKIP;
	s->after = MODE_OUTER;
	s->skipped = 1;
	return 1;
}

static int close_outer(struct api_stream *s)
{
	if (--s->n_open)
		return 1;
	if (s->shape == API_WATCH)
		return end_event(s);
	/* Anything else (a Status, a page of a proxy) would be a list of nothing, and all would go.
	 */
	if (!s->listed)
		return refuse(s, "it is no list, it has no items");
	if (!s->list_version)
		return refuse(s, "a list without metadata.resourceVersion");
	s->complete = true;
	return 1;
}

static enum api_event event_of(const char *s, size_t n)
{
	static const char *const names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
	int e = 0;

	_Static_assert(ARRAY_SIZE(names) == _API_EVENT_MAX, "a name for every event");
	while (e < _API_EVENT_MAX && !is(names[e], s, n))
		e++;
	return (enum api_event)e;
}

static int outer_text(struct api_stream *s, const char *text, size_t n)
{
	switch (TAKE(s->place, PLACE_NOWHERE)) {
	case PLACE_TYPE:
		s->item.event = event_of(text, n);
		s->typed = true;
		break;
	case PLACE_VERSION: {
		_cleanup_(freep) char *version = xstrndup(text, n);

		s->list_version = strtoull(version, NULL, 10);
		break;
	}
	case PLACE_CONTINUE:
		if (n > API_CONTINUE_MAX)
			return refuse(s, "metadata.continue is too long");
		free(s->continue_from);
		s->continue_from = n ? xstrndup(text, n) : NULL;
		break;
	default:
		break;
	}
	return s->n_open ? 1 : refuse(s, "a text where an object was expected");
}

/* --- events of the parser ---------------------------------------------------------------------
 */

static int on_scalar(void *ctx, enum value_type type, const void *text, size_t n)
{
	struct api_stream *s = ctx;

	s->told = true;
	if (s->mode == MODE_OBJECT)
		api_object_scalar(&s->object, type, text, n);
	else if (s->mode == MODE_OUTER && type == VALUE_STRING)
		return outer_text(s, text, n);
	else if (s->mode == MODE_OUTER) /* null is an empty list of Go's */
		s->listed |= TAKE(s->place, PLACE_NOWHERE) == PLACE_ITEMS && type == VALUE_NULL;
	return s->mode != MODE_OUTER || s->n_open ? 1 : refuse(s, "no object");
}

static int on_begin(void *ctx, enum value_type type)
{
	struct api_stream *s = ctx;

	s->told = true;
	if (s->mode == MODE_SKIP) {
		s->skipped++;
		return 1;
	}
	if (s->mode == MODE_OUTER)
		return open_outer(s, type);
	if (api_object_open(&s->object, type))
		return 1;
	s->mode = MODE_SKIP;
	s->after = MODE_OBJECT;
	s->skipped = 1;
	return 1;
}

static int on_key(void *ctx, const char *key, size_t n)
{
	struct api_stream *s = ctx;

	s->told = true;
	if (s->mode == MODE_OBJECT)
		api_object_key(&s->object, key, n);
	else if (s->mode == MODE_OUTER)
		s->place = place_of(s, key, n);
	return 1;
}

static int on_end(void *ctx)
{
	struct api_stream *s = ctx;

	s->told = true;
	if (s->mode == MODE_SKIP) {
		if (!--s->skipped)
			s->mode = s->after;
		return 1;
	}
	if (s->mode == MODE_OUTER)
		return close_outer(s);
	return api_object_close(&s->object) ? take_object(s) : 1;
}

/* --- the interface -----------------------------------------------------------------------------
 */

/**
 * api_stream_new() - Begin to read an answer
 * @shape: Of the answer
 * @kind:  Of its objects
 * @fn:    Takes the events; must not feed or free the stream
 * @arg:   Its first argument
 *
 * Return: the stream, to be freed
 */
struct api_stream *api_stream_new(enum api_shape shape, enum kind kind, api_item_fn *fn, void *arg)
{
	struct api_stream *s = xcalloc(1, sizeof(*s));

	s->shape = shape;
	s->kind = kind;
	s->fn = fn;
	s->arg = arg;
	s->events = (struct json_events){on_scalar, on_begin, on_key, on_end};
	return s;
}

/**
 * api_stream_free() - Free a stream
 * @s: Stream or NULL
 *
 * Return: NULL
 */
struct api_stream *api_stream_free(struct api_stream *s)
{
	if (!s)
		return NULL;
	if (s->parser)
		yajl_free(s->parser);
	api_object_done(&s->object);
	(void)object_free(s->item.object);
	free(s->continue_from);
	free(s);
	return NULL;
}

static int parser_error(struct api_stream *s, const char *bytes, size_t n)
{
	unsigned char *text = yajl_get_error(s->parser, 0, (const unsigned char *)bytes, n);
	int r = err_set(&s->err, -EPROTO, "the API server's answer: %.*s",
			(int)strcspn((char *)text, "\n"), (char *)text);

	yajl_free_error(s->parser, text);
	return r;
}

/* Once wrong, always wrong. */
static int result(const struct api_stream *s, struct err *reterr)
{
	if (s->err.code && reterr)
		*reterr = s->err;
	return s->err.code;
}

static void make_parser(struct api_stream *s)
{
	s->parser = json_events_parser(&s->events);
	(void)yajl_config(s->parser, yajl_allow_multiple_values, s->shape == API_WATCH);
	/* What is kept is checked when it is built. */
	(void)yajl_config(s->parser, yajl_dont_validate_strings, 1);
}

/*
 * A watch waits between two events for most of its time, and needs no parser there: 4 KB each.  No
 * token goes on behind the end of a line.
 */
static void rest(struct api_stream *s, const char *bytes, size_t n)
{
	if (s->shape == API_LIST || s->err.code || s->n_open || !n || bytes[n - 1] != '\n')
		return;
	yajl_free(s->parser);
	s->parser = NULL;
}

/**
 * api_stream_feed() - The next bytes
 * @s:      Stream
 * @bytes:  Bytes
 * @n:      Their number
 * @reterr: What is wrong
 *
 * Time: O(n).
 *
 * Return: 0; 1: the taker had enough; -EPROTO: this is not such an answer, or it breaks a limit
 */
int api_stream_feed(struct api_stream *s, const char *bytes, size_t n, struct err *reterr)
{
	yajl_status status;

	if (s->err.code || s->stopped)
		return s->stopped ? 1 : result(s, reterr);
	s->told = false;
	s->object_bytes += n;
	if (!s->parser)
		make_parser(s);
	status = yajl_parse(s->parser, (const unsigned char *)bytes, n);
	if (s->stopped)
		return 1;
	if (status != yajl_status_ok && !s->err.code)
		(void)parser_error(s, bytes, n);
	s->quiet = s->told ? 0 : s->quiet + n;
	if (s->quiet > API_TOKEN_MAX)
		(void)refuse(s, "a text is longer than 4 MiB");
	if (s->mode != MODE_OUTER && s->object_bytes > API_OBJECT_MAX)
		(void)refuse(s, "an object is larger than 16 MiB");
	rest(s, bytes, n);
	return result(s, reterr);
}

/**
 * api_stream_end() - There are no more bytes
 * @s:      Stream
 * @ret:    API_LIST: what it says of itself; borrowed from the stream; untouched on failure
 * @reterr: What is wrong
 *
 * Return: 0: it was complete (a watch may end behind any event); -EPROTO
 */
int api_stream_end(struct api_stream *s, struct api_list_end *ret, struct err *reterr)
{
	bool whole = s->shape == API_LIST ? s->complete : !s->n_open;

	if (!s->err.code && !whole)
		(void)refuse(s, "it ends in the middle");
	if (s->err.code)
		return result(s, reterr);
	if (s->shape == API_LIST)
		*ret = (struct api_list_end){s->list_version, s->continue_from};
	return 0;
}

/**
 * api_stream_take_unknown() - Events of types that are not known, and objects without a name
 * @s: Stream
 *
 * Return: how many were left out since this was asked last
 */
uint64_t api_stream_take_unknown(struct api_stream *s)
{
	return TAKE(s->unknown, 0);
}
