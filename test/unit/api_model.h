/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_model.h - an API server of a few objects, with a history, that answers the requests of
 * api_world.h bit by bit: each watch is as far as chance has it.  Include behind api_world.h.
 *
 * It can be old (no streams, or streams taken for ordinary watches), forget its history, lose its
 * connections, say no, and be set back to an earlier version.
 */
#pragma once

#include <inttypes.h>

enum { MODEL_NS = 3, MODEL_NODES = 3, MODEL_POLICIES = 2, MODEL_PODS = 12 };
enum { MODEL_THINGS = MODEL_NODES + MODEL_NS + MODEL_POLICIES + MODEL_PODS };

/*
 * struct thing - one object; @node: of a pod, 0: none yet, 1: the one that asks
 * @version: Of its last change; @born: of its creation
 */
struct thing {
	enum kind kind;
	int ns, name, node;
	bool alive, finished;
	uint64_t version, born;
};

struct model_event {
	uint64_t version;
	int i;
	struct thing before, after;
};

enum model_streams { STREAMS_GOOD, STREAMS_REFUSED, STREAMS_IGNORED, _STREAMS_MAX };

/*
 * struct model
 * @oldest: The version from which on its history is known
 * @random: Where chance is; or, for a fuzzer, @bytes, @left of them, behind which come zeros
 * @calm:   Nothing fails
 */
struct model {
	struct thing things[MODEL_THINGS];
	VEC(struct model_event) history;
	uint64_t version, oldest, random;
	const uint8_t *bytes;
	size_t left;
	enum model_streams streams;
	bool calm;
};

/* struct collection - what a path asks for; -1: any */
struct collection {
	enum kind kind;
	int ns, name;
	bool own, elsewhere;
};

enum model_shape { MODEL_STREAM, MODEL_PAGE, MODEL_WATCH };

/*
 * struct answer - of a request, as far as it is given
 * @at:   The version that it tells of, or has come to
 * @next: The thing of the beginning that comes next
 * @silent: It never says that the beginning is over
 */
struct answer {
	enum model_shape shape;
	struct collection c;
	uint64_t at;
	int next;
	bool silent;
};

static inline uint32_t model_byte(struct model *m)
{
	if (!m->left)
		return 0;
	m->left--;
	return *m->bytes++;
}

/* splitmix64, or as few bytes as the number needs */
static inline uint32_t model_random(struct model *m, uint32_t below)
{
	uint64_t z;

	if (m->bytes)
		return (below > 256 ? model_byte(m) << 8 | model_byte(m) : model_byte(m)) % below;
	z = m->random += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % below);
}

static inline bool chance(struct model *m, uint32_t of_1000)
{
	return !m->calm && model_random(m, 1000) < of_1000;
}

/* Its objects, none of them there yet; the source of chance is kept. */
static inline void model_begin(struct model *m)
{
	struct thing *t = m->things;

	m->version = m->oldest = 100;
	m->streams = (enum model_streams)model_random(m, _STREAMS_MAX);
	for (int i = 0; i < MODEL_NODES; i++)
		*t++ = (struct thing){.kind = KIND_NODE, .ns = -1, .name = i + 1};
	for (int i = 0; i < MODEL_NS; i++)
		*t++ = (struct thing){.kind = KIND_NAMESPACE, .ns = -1, .name = i};
	for (int i = 0; i < MODEL_POLICIES; i++)
		*t++ = (struct thing){.kind = KIND_NETPOL, .ns = i, .name = 0};
	for (int i = 0; i < MODEL_PODS; i++)
		*t++ = (struct thing){.kind = KIND_POD, .ns = i % MODEL_NS, .name = i / MODEL_NS};
}

static inline void model_init(struct model *m, uint64_t seed)
{
	*m = (struct model){.random = seed};
	model_begin(m);
}

/* --- the world goes on ---------------------------------------------------------------------------
 */

static inline void change_thing(struct model *m, struct thing *t)
{
	if (!t->alive) {
		t->alive = true;
		t->finished = false;
		t->born = m->version;
		t->node = (int)model_random(m, MODEL_NODES + 1);
	} else if (model_random(m, 10) < 4) {
		t->alive = false;
	} else if (t->node == 0) {
		t->node = 1 + (int)model_random(m, MODEL_NODES);
	} else if (model_random(m, 4) == 0) {
		t->finished = true;
	}
	t->version = m->version;
}

static inline void model_change(struct model *m)
{
	struct model_event e = {.i = (int)model_random(m, MODEL_THINGS)};

	m->version += 1 + model_random(m, 3);
	e.version = m->version;
	e.before = m->things[e.i];
	change_thing(m, &m->things[e.i]);
	e.after = m->things[e.i];
	vec_push(&m->history, e);
}

/* Older versions are forgotten. */
static inline void model_compact(struct model *m)
{
	m->oldest += model_random(m, (uint32_t)(m->version - m->oldest + 1));
}

static inline struct thing thing_at(const struct model *m, int i, uint64_t version)
{
	for (size_t n = 0; n < m->history.n; n++)
		if (m->history.v[n].i == i && m->history.v[n].version > version)
			return m->history.v[n].before;
	return m->things[i];
}

/* The data are those of an earlier time. */
static inline void model_restore(struct model *m)
{
	uint64_t version = m->oldest + model_random(m, (uint32_t)(m->version - m->oldest + 1));

	for (int i = 0; i < MODEL_THINGS; i++)
		m->things[i] = thing_at(m, i, version);
	while (m->history.n && m->history.v[m->history.n - 1].version > version)
		m->history.n--;
	m->version = version;
}

/* --- what it says ------------------------------------------------------------------------------
 */

static inline bool is_selected(const struct collection *c, const struct thing *t)
{
	if (!t->alive || t->kind != c->kind || (c->ns >= 0 && t->ns != c->ns) ||
	    (c->name >= 0 && t->name != c->name))
		return false;
	if (c->own)
		return t->node == 1;
	return !c->elsewhere || (t->node > 1 && !t->finished);
}

static inline void put_thing(struct buf *b, const struct thing *t, uint64_t version)
{
	buf_printf(b, "{\"metadata\":{\"name\":\"%c%d\",", t->kind == KIND_NAMESPACE ? 's' : 'n',
		   t->name);
	if (t->ns >= 0)
		buf_printf(b, "\"namespace\":\"s%d\",", t->ns);
	buf_printf(b,
		   "\"uid\":\"%" PRIu64 "\",\"resourceVersion\":\"%" PRIu64
		   "\",\"labels\":{\"v\":\"%" PRIu64 "\"}}",
		   t->born, version, t->version);
	if (t->kind == KIND_NETPOL)
		buf_printf(b,
			   ",\"spec\":{\"podSelector\":{\"matchLabels\":{\"v\":\"%" PRIu64 "\"}}}",
			   t->version);
	if (t->kind == KIND_POD)
		buf_printf(b, ",\"spec\":{%s%.*d%s},\"status\":{\"phase\":\"%s\"}",
			   t->node ? "\"nodeName\":\"n" : "", t->node ? 1 : 0, t->node,
			   t->node ? "\"" : "", t->finished ? "Succeeded" : "Running");
	buf_putc(b, '}');
}

static inline void put_event(struct buf *b, const char *type, const struct thing *t,
			     uint64_t version)
{
	buf_printf(b, "{\"type\":\"%s\",\"object\":", type);
	put_thing(b, t, version);
	buf_puts(b, "}\n");
}

static inline void put_bookmark(struct buf *b, uint64_t version, bool initial_end)
{
	buf_printf(b,
		   "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"%" PRIu64
		   "\"%s}}}\n",
		   version,
		   initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
}

static inline void put_status(struct buf *b, int code)
{
	buf_printf(
		b,
		"{\"kind\":\"Status\",\"code\":%d,\"reason\":\"Reason\",\"details\":{\"causes\":["
		"{\"reason\":\"%s\"}]}}",
		code, code == 504 ? "ResourceVersionTooLarge" : "None");
}

/* In pieces, as networks do; false: the request is over. */
static inline bool send_text(struct model *m, struct http_request *r, int status,
			     const struct buf *b)
{
	size_t piece = chance(m, 300) ? 1 + model_random(m, 40) : b->len;

	for (size_t i = 0; i < b->len; i += piece)
		if (!answer_bytes(r, status, b->data + i, MIN(piece, b->len - i)))
			return false;
	return true;
}

static inline void say_no(struct model *m, struct http_request *r, int code)
{
	_cleanup_(buf_done) struct buf b = {0};

	put_status(&b, code);
	if (send_text(m, r, code, &b))
		answer_end(r, (struct http_result){.status = code,
						   .retry_after = code == 429 ? 2 : 0});
}

static inline void break_off(struct http_request *r)
{
	answer_end(r, (struct http_result){r->answer ? 200 : 0, -EIO, "reset by peer", 0});
}

/* --- requests ----------------------------------------------------------------------------------
 */

static inline uint64_t number_behind(const char *path, const char *key)
{
	const char *p = strstr(path, key);

	return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

static inline struct collection collection_of(const char *path)
{
	struct collection c = {.kind = KIND_NAMESPACE, .ns = -1, .name = -1};
	const char *ns = strstr(path, "/namespaces/s");

	if (ns) {
		c.kind = KIND_POD;
		c.ns = ns[strlen("/namespaces/s")] - '0';
	}
	for (int k = 0; k < _KIND_MAX; k++) {
		_cleanup_(buf_done) struct buf all = {0};

		kind_path(kinds[k], NULL, &all);
		if (str_starts(path, all.data) && path[all.len] == '?')
			c.kind = (enum kind)k;
	}
	if (strstr(path, "metadata.name%3Dn1"))
		c.name = 1;
	c.own = strstr(path, "=spec.nodeName%3Dn1");
	c.elsewhere = strstr(path, "=spec.nodeName%21");
	return c;
}

static inline void give_pod(struct model *m, struct http_request *r)
{
	struct collection c = collection_of(r->path);
	_cleanup_(buf_done) struct buf b = {0};

	c.name = strstr(r->path, "/pods/n")[strlen("/pods/n")] - '0';
	for (int i = 0; i < MODEL_THINGS; i++)
		if (is_selected(&c, &m->things[i]))
			put_thing(&b, &m->things[i], m->things[i].version);
	if (!b.len)
		say_no(m, r, 404);
	else if (send_text(m, r, 200, &b))
		answer_end(r, (struct http_result){.status = 200});
}

/* The whole of it at once: at most two selected ones a page. */
static inline void give_page(struct model *m, struct http_request *r)
{
	struct collection c = collection_of(r->path);
	uint64_t at = number_behind(r->path, "&continue=");
	int i = (int)number_behind(r->path, "%3A"), n = 0;
	_cleanup_(buf_done) struct buf b = {0};

	if (!at && strstr(r->path, "&resourceVersion=0") && !m->calm) /* from an old cache */
		at = m->oldest + model_random(m, (uint32_t)(m->version - m->oldest + 1));
	at = at ?: m->version;
	if (at < m->oldest || at > m->version) {
		say_no(m, r, 410);
		return;
	}
	buf_puts(&b, "{\"items\":[");
	for (; i < MODEL_THINGS && n < 2; i++) {
		struct thing t = thing_at(m, i, at);

		if (!is_selected(&c, &t))
			continue;
		buf_puts(&b, n++ ? "," : "");
		put_thing(&b, &t, t.version);
	}
	buf_printf(&b, "],\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"", at);
	if (i < MODEL_THINGS)
		buf_printf(&b, ",\"continue\":\"%" PRIu64 ":%d\"", at, i);
	buf_puts(&b, "}}");
	if (chance(m, 100))
		b.len /= 2;
	if (send_text(m, r, 200, &b))
		answer_end(r,
			   (struct http_result){.status = 200, .error = chance(m, 50) ? -EIO : 0});
}

/* A watch of a version that is not known: as an answer, or as an event. */
static inline void refuse_version(struct model *m, struct http_request *r, int code)
{
	_cleanup_(buf_done) struct buf b = {0};

	if (model_random(m, 2)) {
		say_no(m, r, code);
		return;
	}
	buf_puts(&b, "{\"type\":\"ERROR\",\"object\":");
	put_status(&b, code);
	buf_puts(&b, "}\n");
	assert_false(send_text(m, r, 200, &b));
}

static inline void begin_watch(struct model *m, struct http_request *r)
{
	struct answer *a = xcalloc(1, sizeof(*a));
	bool stream = strstr(r->path, "sendInitialEvents=true");

	*a = (struct answer){.shape = stream ? MODEL_STREAM : MODEL_WATCH,
			     .c = collection_of(r->path),
			     .at = stream ? m->version
					  : number_behind(r->path, "&resourceVersion="),
			     .silent = stream && m->streams == STREAMS_IGNORED};
	r->answer = a;
	if (stream && m->streams == STREAMS_REFUSED)
		say_no(m, r, 422);
	else if (a->at < m->oldest)
		refuse_version(m, r, 410);
	else if (a->at > m->version)
		refuse_version(m, r, 504);
}

static inline void begin_answer(struct model *m, struct http_request *r)
{
	static const int codes[] = {401, 403, 429, 500, 503};

	if (chance(m, 50))
		break_off(r);
	else if (chance(m, 100))
		say_no(m, r, codes[model_random(m, ARRAY_SIZE(codes))]);
	else if (strstr(r->path, "/pods/"))
		give_pod(m, r);
	else if (strstr(r->path, "limit="))
		give_page(m, r);
	else
		begin_watch(m, r);
}

/* One object of the beginning, or its end. */
static inline void go_on_with_stream(struct model *m, struct http_request *r, struct answer *a)
{
	_cleanup_(buf_done) struct buf b = {0};

	for (; a->next < MODEL_THINGS && !b.len; a->next++) {
		struct thing t = thing_at(m, a->next, a->at);

		if (is_selected(&a->c, &t))
			put_event(&b, "ADDED", &t, t.version);
	}
	if (a->next == MODEL_THINGS && !b.len) {
		a->shape = MODEL_WATCH;
		if (!a->silent)
			put_bookmark(&b, a->at, true);
	}
	(void)send_text(m, r, 200, &b);
}

/* One event, or how far it is. */
static inline void go_on_with_watch(struct model *m, struct http_request *r, struct answer *a)
{
	_cleanup_(buf_done) struct buf b = {0};

	for (size_t i = 0; i < m->history.n && !b.len; i++) {
		const struct model_event *e = &m->history.v[i];
		bool was = is_selected(&a->c, &e->before), is = is_selected(&a->c, &e->after);

		if (e->version <= a->at)
			continue;
		a->at = e->version;
		if (was || is)
			put_event(&b,
				  !was ? "ADDED"
				  : is ? "MODIFIED"
				       : "DELETED",
				  is ? &e->after : &e->before, e->version);
	}
	if (!b.len && !a->silent)
		put_bookmark(&b, a->at = m->version, false);
	(void)send_text(m, r, 200, &b);
}

/* The next bit of an answer. */
static inline void model_step(struct model *m, struct http_request *r)
{
	struct answer *a = r->answer;

	if (!a)
		begin_answer(m, r);
	else if (chance(m, 10))
		break_off(r);
	else if (chance(m, 10))
		answer_end(r, (struct http_result){.status = 200});
	else if (a->shape == MODEL_STREAM)
		go_on_with_stream(m, r, a);
	else
		go_on_with_watch(m, r, a);
}
