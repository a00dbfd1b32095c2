// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * translate.c - manifests in old forms to those of today, for `manx validate --translate`.
 *
 * Takes documents, gives YAML: a NetworkPolicy of extensions/v1beta1 becomes one of
 * networking.k8s.io/v1; of a Namespace that isolates its pods by an annotation, the annotation goes
 * and a NetworkPolicy comes that denies all ingress.  Everything else is written as it is, and so
 * is what has a problem: what it means is not sure.  Lists are written item by item.
 */
#include "agent/command/translate.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/file.h"
#include "lib/intern.h"
#include "watch/document/yaml.h"
#include "watch/document/yaml_write.h"
#include "watch/folder/folder.h"
#include "watch/object/decode.h"
#include "watch/object/kind.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"

#define DENY_NAME "default-deny-ingress"

/* What becomes of an entry of a map. */
enum change { COPY, INSIDE, DROP, UPPER, TODAY };

typedef enum change change_fn(unsigned int level, const struct value_entry *e);

static enum change policy_change(unsigned int level, const struct value_entry *e)
{
	static const char *const way[][2] = {
		{"spec", "spec"}, {"ingress", "egress"}, {"ports", "ports"}};

	if (level == 0 && streq(e->key, "apiVersion"))
		return TODAY;
	if (level == ARRAY_SIZE(way))
		return streq(e->key, "protocol") && e->value->type == VALUE_STRING ? UPPER : COPY;
	return streq(e->key, way[level][0]) || streq(e->key, way[level][1]) ? INSIDE : COPY;
}

static enum change namespace_change(unsigned int level, const struct value_entry *e)
{
	if (level == 0)
		return streq(e->key, "metadata") ? INSIDE : COPY;
	if (level == 1 && streq(e->key, "annotations"))
		return e->value->n == 1 ? DROP : INSIDE;
	return level == 2 && streq(e->key, NAMESPACE_ANNOTATION) ? DROP : COPY;
}

/* --- building: a document that was read once breaks no limit ------------------------------------
 */

static void put_text(struct value_doc *d, enum value_type type, const char *text)
{
	(void)value_build_scalar(d, 0, type, text, strlen(text), NULL);
}

static void put_upper(struct value_doc *d, const char *text)
{
	_cleanup_(freep) char *upper = xstrdup(text);

	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	put_text(d, VALUE_STRING, upper);
}

static void put_value(struct value_doc *d, const struct value *v, change_fn *fn,
		      unsigned int level);

static void put_entry(struct value_doc *d, const struct value_entry *e, change_fn *fn,
		      unsigned int level)
{
	enum change change = fn ? fn(level, e) : COPY;

	if (change == DROP)
		return;
	(void)value_build_key(d, 0, e->key, strlen(e->key), NULL);
	if (change == UPPER)
		put_upper(d, e->value->text);
	else if (change == TODAY)
		put_text(d, VALUE_STRING, kind_netpol.forms->api_version);
	else
		put_value(d, e->value, change == INSIDE ? fn : NULL, level + 1);
}

static void put_value(struct value_doc *d, const struct value *v, change_fn *fn, unsigned int level)
{
	char digits[24];

	if (v->type == VALUE_MAP || v->type == VALUE_SEQ) {
		(void)value_build_begin(d, 0, v->type, NULL);
		for (uint32_t i = 0; i < v->n; i++)
			if (v->type == VALUE_MAP)
				put_entry(d, &v->entry[i], fn, level);
			else
				put_value(d, v->items[i], fn, level);
		(void)value_build_end(d, NULL);
	} else if (v->type == VALUE_INT) {
		(void)snprintf(digits, sizeof(digits), "%" PRId64, v->integer);
		put_text(d, v->type, digits);
	} else if (v->type == VALUE_BOOL) {
		put_text(d, v->type, v->boolean ? "true" : "false");
	} else {
		put_text(d, v->type, v->type == VALUE_NULL ? "" : v->text);
	}
}

static void write_changed(const struct value *root, change_fn *fn, struct buf *out)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();

	put_value(d, root, fn, 0);
	yaml_write(out, value_root(d));
}

/* --- the policy that an annotation becomes ------------------------------------------------------
 */

static bool is_taken(const struct store *known, const char *ns, const char *name)
{
	const char *interned = intern(name);
	const struct object_key key = {kind_netpol.kind, ns, interned};
	bool taken = store_get(known, &key);

	intern_put(interned);
	return taken;
}

static void write_deny(const char *ns, const struct store *known, struct buf *out)
{
	char name[sizeof(DENY_NAME) + 16] = DENY_NAME;

	for (unsigned int i = 2; is_taken(known, ns, name); i++)
		(void)snprintf(name, sizeof(name), DENY_NAME "-%u", i);
	buf_printf(out,
		   "---\napiVersion: %s\nkind: NetworkPolicy\nmetadata:\n  name: %s\n  namespace: ",
		   kind_netpol.forms->api_version, name);
	yaml_write_str(out, ns);
	buf_puts(out, "\nspec:\n  podSelector: {}\n  policyTypes:\n    - Ingress\n");
}

/* --- objects -----------------------------------------------------------------------------------
 */

/* struct object_at - the object that a document is, if it is one that is right */
struct object_at {
	struct object *o;
};

static void take_object(void *arg, enum decode_outcome outcome, struct object *o,
			const struct value *at _unused_)
{
	struct object_at *t = arg;

	if (outcome == DECODE_OK && !o->problem && !t->o)
		t->o = o;
	else
		(void)object_free(o);
}

static bool is_old(const struct value *root)
{
	const struct value *version = value_get(root, "apiVersion");

	return version && !streq(version->text, kind_netpol.forms->api_version);
}

static bool is_annotated(const struct value *root)
{
	const struct value *meta = value_get(root, "metadata"),
			   *annotations = meta ? value_get(meta, "annotations") : NULL;

	return annotations && value_get(annotations, NAMESPACE_ANNOTATION);
}

static void translate_object(const struct value *root, const struct store *known, struct buf *out)
{
	struct object_at t = {0};

	if (out->len)
		buf_puts(out, "---\n");
	(void)decode_document(root, take_object, &t, NULL);
	if (t.o && t.o->kind == kind_netpol.kind && is_old(root)) {
		write_changed(root, policy_change, out);
	} else if (t.o && t.o->kind == kind_namespace.kind && is_annotated(root)) {
		write_changed(root, namespace_change, out);
		if (as_namespace(t.o)->isolated)
			write_deny(t.o->name, known, out);
	} else {
		yaml_write(out, root);
	}
	(void)object_free(t.o);
}

/* An item need not say what it is; as a document it has to. */
static void translate_item(const struct value *item, const char *kind, const char *version,
			   const struct store *known, struct buf *out)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();

	if (item->type != VALUE_MAP) {
		translate_object(item, known, out);
		return;
	}
	(void)value_build_begin(d, 0, VALUE_MAP, NULL);
	if (*kind && !value_get(item, "apiVersion")) {
		(void)value_build_key(d, 0, "apiVersion", strlen("apiVersion"), NULL);
		put_text(d, VALUE_STRING, version);
	}
	if (*kind && !value_get(item, "kind")) {
		(void)value_build_key(d, 0, "kind", strlen("kind"), NULL);
		put_text(d, VALUE_STRING, kind);
	}
	for (uint32_t i = 0; i < item->n; i++)
		put_entry(d, &item->entry[i], NULL, 0);
	(void)value_build_end(d, NULL);
	translate_object(value_root(d), known, out);
}

static const char *text_at(const struct value *root, const char *key)
{
	const struct value *v = value_get(root, key);

	return v && v->type == VALUE_STRING ? v->text : "";
}

/**
 * translate_document() - Write a document in the forms of today
 * @root:  Document
 * @known: All objects, for a name that no policy has yet
 * @out:   Appended to, behind a line "---" if it is not empty
 */
void translate_document(const struct value *root, const struct store *known, struct buf *out)
{
	const struct value *items = root->type == VALUE_MAP ? value_get(root, "items") : NULL;
	const char *kind = root->type == VALUE_MAP ? text_at(root, "kind") : "";
	_cleanup_(freep) char *of_item = NULL;

	if (!items || items->type != VALUE_SEQ || !str_ends(kind, "List")) {
		translate_object(root, known, out);
		return;
	}
	of_item = xstrndup(kind, strlen(kind) - strlen("List"));
	for (uint32_t i = 0; i < items->n; i++)
		translate_item(items->items[i], of_item, text_at(root, "apiVersion"), known, out);
}

/* struct file - @known, @out: as of translate_document() */
struct file {
	const struct store *known;
	struct buf *out;
};

static int take_document(void *arg, const struct value_doc *d)
{
	const struct file *f = arg;

	if (value_root(d))
		translate_document(value_root(d), f->known, f->out);
	return 0;
}

/**
 * translate_file() - Write the documents of a manifest file in the forms of today
 * @path:   File, JSON by its name or YAML
 * @known:  All objects, for a name that no policy has yet
 * @out:    Appended to; on failure what came before the mistake
 * @reterr: What is wrong
 *
 * Return: 0, -errno
 */
int translate_file(const char *path, const struct store *known, struct buf *out, struct err *reterr)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct file f = {known, out};
	int r = file_load(path, FOLDER_FILE_MAX, &text, reterr);

	if (r < 0)
		return r;
	if (str_ends(path, ".json"))
		return json_parse_stream(text.data, text.len, take_document, &f, reterr);
	return yaml_parse(text.data, text.len, take_document, &f, reterr);
}
