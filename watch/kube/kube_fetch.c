// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube_fetch.c - one GET of one object of this node (REACH_NAME), when CNI asks for it before the
 * watch has reported it.
 */
#include <stdio.h>
#include <utlist.h>

#include "lib/intern.h"
#include "lib/log.h"
#include "watch/document/json.h"
#include "watch/kube/kube_internal.h"
#include "watch/object/decode.h"
#include "watch/object/kind.h"

#define OBJECT_MAX  (4u << 20) /* bytes of the object; the API server takes less than half of it */
#define FETCHES_MAX 64	       /* at once; more wait for the watch */

struct fetch {
	struct kube *kube;
	struct object_key key;
	struct http_request *request;
	struct buf body;
	struct fetch *prev, *next;
};

static void fetch_free(struct fetch *f)
{
	DL_DELETE(f->kube->fetches, f);
	http_cancel(f->request);
	buf_done(&f->body);
	object_key_put(&f->key);
	free(f);
}

/**
 * kube_fetches_done() - Cancel all
 * @k: Source
 */
void kube_fetches_done(struct kube *k)
{
	struct fetch *f, *next;

	DL_FOREACH_SAFE (k->fetches, f, next)
		fetch_free(f);
}

static bool on_data(void *arg, int status _unused_, const char *bytes, size_t n)
{
	struct fetch *f = arg;

	buf_put(&f->body, bytes, n);
	return f->body.len <= OBJECT_MAX;
}

static uint64_t version_of(const struct value *root)
{
	const struct value *v = value_path(root, "metadata.resourceVersion");

	return v && v->type == VALUE_STRING ? strtoull(v->text, NULL, 10) : 0;
}

static void take_object(struct fetch *f)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct kube *k = f->kube;
	struct object *o = NULL;

	if (json_parse(f->body.data, f->body.len, &doc, NULL) < 0 ||
	    decode_kind(value_root(doc), f->key.kind, &o, NULL) < 0)
		return;
	/* Of another node, or of none yet: the watch of this node will not tell of it. */
	if (o->ns != f->key.ns || o->name != f->key.name ||
	    !streq(kinds[o->kind]->node_of(o), k->node))
		(void)object_free(o);
	else
		feed_put_ahead(k->own[o->kind], o, version_of(value_root(doc)));
}

static void on_done(void *arg, const struct http_result *r)
{
	struct fetch *f = arg;

	f->request = NULL;
	log_debug("api", "pod asked for", "pod=\"%s/%s\" status=%d", f->key.ns, f->key.name,
		  r->status);
	if (r->status == 200 && r->error == 0)
		take_object(f);
	fetch_free(f);
}

/**
 * kube_fetch() - Ask for an object of this node that the watch has not reported
 * @k:   Source
 * @key: Of a kind with REACH_NAME; its names need not be interned
 *
 * Nothing happens if it is asked for already, or if FETCHES_MAX are.
 */
void kube_fetch(struct kube *k, const struct object_key *key)
{
	static const struct http_handler handler = {on_data, on_done};
	_cleanup_(buf_done) struct buf path = {0};
	struct http_call c = {.method = "GET", .accept = "application/json"};
	struct fetch *f;
	int n = 0;

	DL_FOREACH (k->fetches, f) {
		if (++n >= FETCHES_MAX ||
		    (streq(f->key.ns, key->ns) && streq(f->key.name, key->name)))
			return;
	}
	kind_path(kinds[key->kind], key->ns, &path);
	buf_printf(&path, "/%s", key->name);
	c.path = path.data;
	f = xcalloc(1, sizeof(*f));
	f->kube = k;
	f->key = (struct object_key){key->kind, intern(key->ns), intern(key->name)};
	DL_APPEND(k->fetches, f);
	f->request = http_send(k->owner.http, &c, &handler, f);
}
