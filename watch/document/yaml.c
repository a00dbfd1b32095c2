// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * yaml.c - YAML text to documents: libyaml's event parser drives the builder of value.h.
 *
 * Takes: text of any size, hostile.  Gives: complete documents, or a message with the line.
 * Documents without content, or of null alone, are skipped as kubectl does.
 *
 * Limits: those of value.h.  UTF-8 only.  Aliases share the value of their anchor and are counted
 * as if written out, which is what stops a document that explodes.  Anchors and aliases stand at
 * values, not at keys.  Keys are strings; integers and booleans become their text as in
 * sigs.k8s.io/yaml; other keys are refused, floats too (quote them).  Tags: str, int, float,
 * bool, null, seq, map and merge.  A key that the map has itself always wins over a merged one,
 * wherever the merge key stands (https://yaml.org/type/merge.html).  Pure.
 */
#include "watch/document/yaml.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

/* SipHash in place of uthash's own function, whose collisions are easy to make up. */
#define HASH_FUNCTION(key, len, value) (value) = (unsigned int)hash_stable(key, len)
#include <uthash.h>
#include <yaml.h>

#include "lib/hash.h"
#include "lib/utf8.h"
#include "watch/document/yaml_scalar.h"
#include "watch/document/yaml_tag.h"

#define TEXT_SHOWN_MAX 64 /* bytes of a scalar that a message quotes */

struct anchor {
	UT_hash_handle hh;
	const struct value *value;
	char name[];
};

/*
 * struct run - one text being parsed; @doc and @anchors live from document start to end
 * @fn:   NULL: one document is wanted, it goes to @only
 */
struct run {
	yaml_parser_t parser;
	const char *text;
	size_t len;
	struct value_doc *doc;
	struct value_doc *only;
	struct anchor *anchors;
	document_fn *fn;
	void *arg;
	struct err *reterr;
};

/* --- anchors -------------------------------------------------------------------------------- */

static void drop_anchors(struct run *run)
{
	struct anchor *a, *next;

	HASH_ITER (hh, run->anchors, a, next) {
		HASH_DEL(run->anchors, a);
		free(a);
	}
}

static struct anchor *find_anchor(struct run *run, const yaml_char_t *name)
{
	struct anchor *a;

	HASH_FIND_STR(run->anchors, (const char *)name, a);
	return a;
}

/* Remember the value just built under @name; a later anchor of one name replaces the earlier. */
static void set_anchor(struct run *run, const yaml_char_t *name)
{
	struct anchor *a;

	if (!name)
		return;
	a = find_anchor(run, name);
	if (!a) {
		size_t len = strlen((const char *)name);

		a = xmalloc(sizeof(*a) + len + 1);
		memset(a, 0, sizeof(*a));
		memcpy(a->name, name, len + 1);
		HASH_ADD_STR(run->anchors, name, a);
	}
	a->value = value_build_last(run->doc);
}

static int on_alias(struct run *run, uint32_t line, const yaml_char_t *name)
{
	struct anchor *a = find_anchor(run, name);

	if (value_build_wants_key(run->doc))
		return err_set(run->reterr, -EINVAL,
			       "line %" PRIu32 ": an alias as a key is not supported", line);
	if (!a)
		return err_set(run->reterr, -EINVAL, "line %" PRIu32 ": unknown anchor '%.*s'",
			       line, TEXT_SHOWN_MAX, (const char *)name);
	return value_build_alias(run->doc, line, a->value, run->reterr);
}

static int parse_tag(struct run *run, uint32_t line, const yaml_char_t *text, enum yaml_tag *ret)
{
	if (yaml_tag_parse((const char *)text, ret) == 0)
		return 0;
	return err_set(run->reterr, -EINVAL, "line %" PRIu32 ": tag '%.*s' is not supported", line,
		       TEXT_SHOWN_MAX, (const char *)text);
}

/* --- scalars --------------------------------------------------------------------------------- */

static int scalar_error(struct run *run, uint32_t line, const yaml_event_t *e, const char *what)
{
	const char *s = (const char *)e->data.scalar.value;

	return err_set(run->reterr, -EINVAL, "line %" PRIu32 ": '%.*s' %s", line,
		       (int)utf8_cut(s, e->data.scalar.length, TEXT_SHOWN_MAX), s, what);
}

/* The type of a scalar by its style, its tag and, if it is plain, its text. */
static int resolve(struct run *run, uint32_t line, const yaml_event_t *e, struct yaml_scalar *ret)
{
	const char *s = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	enum yaml_tag tag = YAML_IS_NONE;
	int r = parse_tag(run, line, e->data.scalar.tag, &tag);

	if (r < 0)
		return r;
	if (tag == YAML_IS_STR || tag == YAML_IS_LITERAL ||
	    (tag == YAML_IS_NONE && !e->data.scalar.plain_implicit)) {
		ret->type = VALUE_STRING;
		ret->text = s;
		ret->len = len;
		return 0;
	}
	yaml_scalar_resolve(s, len, ret);
	if (ret->type == VALUE_NUMBER && ret->not_finite)
		return scalar_error(run, line, e, "is not a finite number");
	if (!yaml_tag_allows(tag, ret->type))
		return scalar_error(run, line, e, "does not fit its tag");
	return 0;
}

static bool is_merge_key(const yaml_event_t *e)
{
	const yaml_char_t *tag = e->data.scalar.tag;

	if (!streq((const char *)e->data.scalar.value, "<<"))
		return false;
	return tag ? streq((const char *)tag, YAML_MERGE_TAG) : e->data.scalar.plain_implicit;
}

static int on_key(struct run *run, uint32_t line, const yaml_event_t *e)
{
	struct yaml_scalar key;
	int r;

	if (e->data.scalar.anchor)
		return err_set(run->reterr, -EINVAL,
			       "line %" PRIu32 ": an anchor at a key is not supported", line);
	if (is_merge_key(e))
		return value_build_merge(run->doc, line, run->reterr);
	r = resolve(run, line, e, &key);
	if (r < 0)
		return r;
	if (key.type == VALUE_NULL || key.type == VALUE_NUMBER)
		return scalar_error(run, line, e,
				    key.type == VALUE_NULL
					    ? "(null) as a key: put it in quotes"
					    : "(a number) as a key: put it in quotes");
	return value_build_key(run->doc, line, key.text, key.len, run->reterr);
}

static int on_scalar(struct run *run, uint32_t line, const yaml_event_t *e)
{
	struct yaml_scalar scalar;
	int r;

	if (value_build_wants_key(run->doc))
		return on_key(run, line, e);
	r = resolve(run, line, e, &scalar);
	if (r < 0)
		return r;
	r = value_build_scalar(run->doc, line, scalar.type, scalar.text, scalar.len, run->reterr);
	if (r < 0)
		return r;
	set_anchor(run, e->data.scalar.anchor);
	return 0;
}

/* --- structure -------------------------------------------------------------------------------- */

static int on_begin(struct run *run, uint32_t line, enum value_type type, const yaml_char_t *anchor,
		    const yaml_char_t *tag_text)
{
	enum yaml_tag tag = YAML_IS_NONE;
	int r;

	if (value_build_wants_key(run->doc))
		return err_set(run->reterr, -EINVAL, "line %" PRIu32 ": %s as a key", line,
			       value_type_str(type));
	r = parse_tag(run, line, tag_text, &tag);
	if (r < 0)
		return r;
	if (!yaml_tag_allows(tag, type))
		return err_set(run->reterr, -EINVAL, "line %" PRIu32 ": %s does not fit its tag",
			       line, value_type_str(type));
	r = value_build_begin(run->doc, line, type, run->reterr);
	if (r < 0)
		return r;
	set_anchor(run, anchor);
	return 0;
}

static int on_document_end(struct run *run)
{
	const struct value *root = value_root(run->doc);
	int r = 0;

	drop_anchors(run);
	if (root->type == VALUE_NULL)
		r = 0;
	else if (run->fn)
		r = run->fn(run->arg, run->doc);
	else if (run->only)
		r = err_set(run->reterr, -EINVAL, "line %" PRIu32 ": a second document",
			    root->line);
	else
		run->only = TAKE(run->doc, NULL);
	run->doc = value_doc_free(run->doc);
	return MIN(r, 0);
}

static int on_event(struct run *run, const yaml_event_t *e)
{
	uint32_t line = (uint32_t)e->start_mark.line + 1;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		run->doc = value_doc_new();
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		return on_document_end(run);
	case YAML_ALIAS_EVENT:
		return on_alias(run, line, e->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return on_scalar(run, line, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_begin(run, line, VALUE_SEQ, e->data.sequence_start.anchor,
				e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_begin(run, line, VALUE_MAP, e->data.mapping_start.anchor,
				e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return value_build_end(run->doc, run->reterr);
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_NO_EVENT:
		return 0;
	}
	return 0;
}

/* The reader reports an offset in the text, everything behind it a mark. */
static int parser_error(struct run *run)
{
	const yaml_parser_t *p = &run->parser;
	uint32_t line = (uint32_t)p->problem_mark.line + 1;

	if (p->error == YAML_MEMORY_ERROR)
		abort();
	if (p->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < MIN(p->problem_offset, run->len); i++)
			line += run->text[i] == '\n';
	}
	return err_set(run->reterr, -EINVAL, "line %" PRIu32 ": %s%s%s", line,
		       p->context ? p->context : "", p->context ? ": " : "",
		       p->problem ? p->problem : "not YAML");
}

static void run_done(struct run *run)
{
	yaml_parser_delete(&run->parser);
	(void)value_doc_free(run->doc);
	(void)value_doc_free(run->only);
	drop_anchors(run);
}

static int parse(struct run *run)
{
	bool end = false;

	if (!yaml_parser_initialize(&run->parser))
		abort();
	yaml_parser_set_encoding(&run->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&run->parser, (const unsigned char *)run->text, run->len);
	while (!end) {
		yaml_event_t e;
		int r;

		if (!yaml_parser_parse(&run->parser, &e))
			return parser_error(run);
		end = e.type == YAML_STREAM_END_EVENT;
		r = on_event(run, &e);
		yaml_event_delete(&e);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * yaml_parse() - Parse any number of documents
 * @text:   Text, UTF-8 with or without byte order mark, need not end in NUL
 * @len:    Bytes of @text
 * @fn:     Called for each complete document in order, also when a later one is broken
 * @arg:    For @fn
 * @reterr: Message that begins with the line, or NULL
 *
 * Time: O(len + values with aliases written out).  Source: YAML 1.1 as libyaml reads it.
 *
 * Return: 0, also for no document at all; -EINVAL for bad input; what @fn returned below 0
 */
int yaml_parse(const char *text, size_t len, document_fn *fn, void *arg, struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *cut = NULL;

	return yaml_salvage(text, len, fn, arg, &cut, reterr);
}

/**
 * yaml_salvage() - Parse what can be parsed of a text that is broken
 * @text:    Text
 * @len:     Bytes of @text
 * @fn:      Called for each complete document in order
 * @arg:     For @fn
 * @ret_cut: On failure: the document that broke, as far as it came; NULL when it had not begun.
 *           Free with value_doc_free()
 * @reterr:  Message that begins with the line, or NULL
 *
 * Return: as yaml_parse()
 */
int yaml_salvage(const char *text, size_t len, document_fn *fn, void *arg,
		 struct value_doc **ret_cut, struct err *reterr)
{
	_cleanup_(run_done) struct run run = {
		.text = text ?: "", .len = len, .fn = fn, .arg = arg, .reterr = reterr};
	int r = parse(&run);

	if (r < 0)
		*ret_cut = run.doc && value_build_cut(run.doc) ? TAKE(run.doc, NULL) : NULL;
	return r;
}

static struct value_doc *null_document(void)
{
	struct value_doc *d = value_doc_new();

	(void)value_build_scalar(d, 1, VALUE_NULL, NULL, 0, NULL);
	return d;
}

/**
 * yaml_parse_one() - Parse a text that is one document, such as a configuration file
 * @text:   Text, UTF-8 with or without byte order mark, need not end in NUL
 * @len:    Bytes of @text
 * @ret:    The document, its root null if the text has no content; free with value_doc_free()
 * @reterr: Message that begins with the line, or NULL
 *
 * Return: 0; -EINVAL for bad input, a second document too
 */
int yaml_parse_one(const char *text, size_t len, struct value_doc **ret, struct err *reterr)
{
	_cleanup_(run_done) struct run run = {.text = text ?: "", .len = len, .reterr = reterr};
	int r = parse(&run);

	if (r < 0)
		return r;
	*ret = run.only ? TAKE(run.only, NULL) : null_document();
	return 0;
}
