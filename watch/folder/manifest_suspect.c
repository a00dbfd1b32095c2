// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * manifest_suspect.c - the text of a file that cannot be taken: whom may the policies in it be for?
 *
 * Takes: a text that is broken, or none because the file cannot be read.  Gives: stand-ins, for the
 * namespaces that the documents name as far as they can be read, or for every namespace where that
 * is not known.  Not known is it for a document that breaks before its kind and namespace, and
 * when the text ends in the middle of one: nobody knows what else was behind.  Pure.
 */
#include <inttypes.h>

#include "lib/intern.h"
#include "watch/document/json.h"
#include "watch/document/yaml.h"
#include "watch/folder/manifests.h"
#include "watch/object/decode.h"
#include "watch/object/netpol.h"

/* struct suspects - @ns: interned, one use each; @every: any namespace may be concerned */
struct suspects {
	VEC(const char *) ns;
	bool every;
};

static void add(struct suspects *s, struct object *o)
{
	bool known = o == NULL;

	if (!o)
		return;
	s->every |= streq(o->ns, NS_EVERY);
	vec_foreach (ns, &s->ns)
		known |= *ns == o->ns;
	if (!known)
		vec_push(&s->ns, intern_ref(o->ns));
	(void)object_free(o);
}

static bool is_list(const struct value *root)
{
	const struct value *kind = value_get(root, "kind");
	size_t n = kind && kind->type == VALUE_STRING ? kind->n : 0;

	return n >= 4 && streq(kind->text + n - 4, "List");
}

static int take_document(void *arg, const struct value_doc *d)
{
	const struct value *root = value_root(d), *items = value_get(root, "items");

	if (!is_list(root) || !items || items->type != VALUE_SEQ) {
		add(arg, decode_stand_in(root, "", false));
		return 0;
	}
	for (uint32_t i = 0; i < items->n; i++)
		add(arg, decode_stand_in(items->items[i], "", false));
	return 0;
}

/* What came of the document that broke. */
static void take_cut(struct suspects *s, const struct value_doc *cut)
{
	if (cut)
		add(s, decode_stand_in(value_root(cut), "", true));
	else
		s->every = true;
}

/* The line of the last byte that is no white space; 0 if there is none. */
static uint32_t last_line(const char *text, size_t len)
{
	uint32_t line = 1, last = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			line++;
		else if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			last = line;
	}
	return last;
}

static uint32_t error_line(const struct err *e)
{
	return str_starts(e->msg, "line ") ? (uint32_t)strtoul(e->msg + 5, NULL, 10) : 0;
}

/* Behind an error a text cannot be read on: is anything there that looks like another object? */
static bool more_behind(const char *text, size_t len, uint32_t line)
{
	size_t at = 0;

	for (uint32_t l = 1; l < line && at < len; at++)
		l += text[at] == '\n';
	return memmem(text + at, len - at, "apiVersion", strlen("apiVersion"));
}

static void suspect_json(struct suspects *s, const char *text, size_t len)
{
	_cleanup_(value_doc_freep) struct value_doc *cut = NULL;
	struct err e = {0};

	if (json_salvage(text, len, take_document, s, &cut, &e) == 0)
		return;
	take_cut(s, cut);
	s->every |= error_line(&e) >= last_line(text, len) ||
		    more_behind(text, len, error_line(&e));
}

/* Where the next document begins: at a line of "---". */
static size_t next_document(const char *text, size_t len, size_t from)
{
	while (from < len) {
		const char *end = memchr(text + from, '\n', len - from);

		if (!end)
			return len;
		from = (size_t)(end - text) + 1;
		if (len - from >= 3 && memcmp(text + from, "---", 3) == 0 &&
		    (len - from == 3 || strchr(" \t\r\n", text[from + 3])))
			return from;
	}
	return len;
}

/* "---" at the beginning of a line begins a document whatever stands before: each by itself. */
static void suspect_yaml(struct suspects *s, const char *text, size_t len)
{
	size_t next;

	for (size_t at = 0; at < len; at = next) {
		_cleanup_(value_doc_freep) struct value_doc *cut = NULL;
		struct err e = {0};

		next = next_document(text, len, at);
		if (yaml_salvage(text + at, next - at, take_document, s, &cut, &e) == 0)
			continue;
		take_cut(s, cut);
		s->every |= more_behind(text + at, next - at, error_line(&e));
		if (next == len)
			s->every |= error_line(&e) >= last_line(text + at, next - at);
	}
}

static void push(struct manifest *m, const char *name, const char *ns)
{
	struct object *o = stand_in_new(ns);

	o->name = manifest_stand_in_name(name, "unread");
	o->problem = xstrdup("the file cannot be read");
	vec_push(&m->entries, (struct manifest_entry){o, 0});
}

/**
 * manifest_suspect() - Stand-ins for the policies that a file may hold that cannot be taken
 * @name: Name of the file
 * @text: Its content; NULL: it could not be read
 * @len:  Bytes of @text
 * @ret:  Entries are added here; none if the file certainly holds no policy
 */
void manifest_suspect(const char *name, const char *text, size_t len, struct manifest *ret)
{
	struct suspects s = {.every = !text};

	if (text && str_ends(name, ".json"))
		suspect_json(&s, text, len);
	else if (text)
		suspect_yaml(&s, text, len);
	if (s.every)
		push(ret, name, NS_EVERY);
	vec_foreach (ns, &s.ns) {
		if (!s.every)
			push(ret, name, *ns);
		intern_put(*ns);
	}
	vec_done(&s.ns);
}
