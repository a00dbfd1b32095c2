// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * value_build.c - from the events of a parser to a tree of values, within every limit.
 *
 * Takes: begin, end, key, scalar and alias events of json.c and yaml.c.  Gives: a document in one
 * arena.  The children of all open values lie on one stack (struct value_doc, pending); the end
 * of a value moves its part of the stack into the arena.
 *
 * Every key is held once for each document, so that two keys are equal exactly when their
 * pointers are: a map of n keys is searched for duplicates in O(n), however long the keys are and
 * however often an alias repeats them.  Pure.
 */
#include "watch/document/value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "lib/utf8.h"
#include "watch/document/value_doc.h"

/**
 * value_doc_new() - Begin a document
 *
 * Return: an empty document
 */
struct value_doc *value_doc_new(void)
{
	return xcalloc(1, sizeof(struct value_doc));
}

/**
 * value_build_as_go() - Have the document read as Go reads JSON, see json_parse_as_go()
 * @d: Document, still empty
 */
void value_build_as_go(struct value_doc *d)
{
	d->as_go = true;
}

static void drop_scaffold(struct value_doc *d)
{
	vec_done(&d->pending);
	doc_keys_done(&d->keys);
}

/**
 * value_doc_free() - Free a document and all its values
 * @d: Document, complete or not, or NULL
 *
 * Return: NULL
 */
struct value_doc *value_doc_free(struct value_doc *d)
{
	if (!d)
		return NULL;
	drop_scaffold(d);
	arena_done(&d->arena);
	free(d);
	return NULL;
}

/**
 * value_root() - The outermost value
 * @d: Document
 *
 * Return: the value; NULL while the document is not complete
 */
const struct value *value_root(const struct value_doc *d)
{
	return value_build_complete(d) ? d->root : NULL;
}

/**
 * value_build_complete() - Test whether the outermost value has ended
 * @d: Document
 *
 * Return: true if it has; no further event may follow then
 */
bool value_build_complete(const struct value_doc *d)
{
	return d->root && !d->depth;
}

/**
 * value_build_wants_key() - Test whether a key comes next
 * @d: Document
 *
 * Return: true inside a map unless a key waits for its value
 */
bool value_build_wants_key(const struct value_doc *d)
{
	const struct frame *f;

	if (!d->depth)
		return false;
	f = &d->frames[d->depth - 1];
	return f->value->type == VALUE_MAP && !f->key && !f->merging;
}

/**
 * value_build_last() - The value that the last event completed or began
 * @d: Document
 *
 * Return: the value; NULL at the beginning.  The weight of an open value is 0.
 */
const struct value *value_build_last(const struct value_doc *d)
{
	return d->last;
}

/* --- keys ----------------------------------------------------------------------------------- */

static int check_text(uint32_t line, const char *what, const char *s, size_t len,
		      struct err *reterr)
{
	if (len > VALUE_STRING_MAX)
		return err_set(reterr, -EINVAL,
			       "line %" PRIu32 ": %s of %zu bytes is longer than %d", line, what,
			       len, VALUE_STRING_MAX);
	if (utf8_plain(s, len))
		return 0;
	if (memchr(s, '\0', len))
		return err_set(reterr, -EINVAL, "line %" PRIu32 ": %s with a NUL character", line,
			       what);
	if (!utf8_valid(s, len))
		return err_set(reterr, -EINVAL, "line %" PRIu32 ": %s is not valid UTF-8", line,
			       what);
	return 0;
}

/**
 * value_build_key() - A key of the open map; its value comes next
 * @d:      Document for which value_build_wants_key() holds
 * @line:   Line of the key
 * @s:      Bytes of the key, copied
 * @len:    Number of bytes
 * @reterr: Message, or NULL
 *
 * Return: 0; -EINVAL if too long, not UTF-8 or with a NUL.  A duplicate shows at the map's end.
 */
int value_build_key(struct value_doc *d, uint32_t line, const char *s, size_t len,
		    struct err *reterr)
{
	struct frame *f;
	int r;

	assert(value_build_wants_key(d));
	f = &d->frames[d->depth - 1];
	f->key_line = line;
	f->key = doc_key_guess(&d->keys, s, len); /* one that was checked before */
	if (f->key)
		return 0;
	r = check_text(line, "a key", s, len, reterr);
	if (r < 0)
		return r;
	f->key = doc_key_get(&d->keys, &d->arena, s, len);
	return 0;
}

/**
 * value_build_merge() - A merge key of the open map; its value comes next
 * @d:      Document for which value_build_wants_key() holds
 * @line:   Line of the key
 * @reterr: Message, or NULL
 *
 * Source: https://yaml.org/type/merge.html.
 *
 * Return: 0; -EINVAL for a second one in this map
 */
int value_build_merge(struct value_doc *d, uint32_t line, struct err *reterr)
{
	struct frame *f;

	assert(value_build_wants_key(d));
	f = &d->frames[d->depth - 1];
	if (f->merged)
		return err_set(reterr, -EINVAL, "line %" PRIu32 ": duplicate key '<<'", line);
	f->merging = f->merged = true;
	f->key_line = line;
	return 0;
}

/* --- values -------------------------------------------------------------------------------- */

/* Room for @weight more values and @height more levels below the open ones? */
static int check_room(struct value_doc *d, uint32_t line, uint32_t weight, uint32_t height,
		      struct err *reterr)
{
	assert(!value_build_complete(d) && !value_build_wants_key(d));
	if (d->depth + height > VALUE_DEPTH_MAX)
		return err_set(reterr, -EINVAL, "line %" PRIu32 ": nested deeper than %d levels",
			       line, VALUE_DEPTH_MAX);
	if (d->nodes + weight > VALUE_NODES_MAX)
		return err_set(reterr, -EINVAL,
			       "line %" PRIu32 ": more than %d values (with aliases written out)",
			       line, VALUE_NODES_MAX);
	d->nodes += weight;
	return 0;
}

static void attach(struct value_doc *d, struct value *v)
{
	struct frame *f;

	d->last = v;
	if (!d->depth) {
		d->root = v;
		return;
	}
	f = &d->frames[d->depth - 1];
	vec_push(&d->pending, (struct child){f->key, f->key_line, v});
	f->key = NULL;
	f->merging = false;
}

/* With @more bytes behind it. */
static struct value *new_value(struct value_doc *d, uint32_t line, enum value_type type,
			       size_t more)
{
	struct value *v = arena_alloc(&d->arena, sizeof(*v) + more);

	*v = (struct value){.type = type, .line = line, .height = 1, .weight = 1};
	return v;
}

/* There are @len + 1 bytes behind the value. */
static void set_text(struct value *v, const char *s, size_t len)
{
	char *text = (char *)(v + 1);

	memcpy(text, s, len);
	text[len] = '\0';
	v->text = text;
	v->n = (uint32_t)len;
}

static bool parse_int64(const char *s, size_t len, int64_t *ret)
{
	char copy[24], *end;
	long long n;

	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, s, len);
	copy[len] = '\0';
	errno = 0;
	n = strtoll(copy, &end, 10);
	if (errno || *end)
		return false;
	*ret = n;
	return true;
}

/**
 * value_build_scalar() - A value without children
 * @d:      Document that wants a value
 * @line:   Line it stands at
 * @type:   Neither VALUE_SEQ nor VALUE_MAP
 * @s:      Its text as described in value.h, copied; may be NULL for VALUE_NULL
 * @len:    Bytes of @s
 * @reterr: Message, or NULL
 *
 * Return: 0; -EINVAL if too long, too many, too deep, not UTF-8 or with a NUL
 */
int value_build_scalar(struct value_doc *d, uint32_t line, enum value_type type, const char *s,
		       size_t len, struct err *reterr)
{
	struct value *v;
	int r;

	assert(type < VALUE_SEQ);
	r = check_room(d, line, 1, 1, reterr);
	if (r < 0)
		return r;
	if (type >= VALUE_INT) {
		r = check_text(line, type == VALUE_STRING ? "a string" : "a number", s, len,
			       reterr);
		if (r < 0)
			return r;
	}
	v = new_value(d, line, type, type >= VALUE_INT ? len + 1 : 0);
	if (type == VALUE_BOOL)
		v->boolean = len > 0 && s[0] == 't';
	else if (type == VALUE_INT && !parse_int64(s, len, &v->integer))
		v->type = VALUE_NUMBER;
	if (v->type == VALUE_NUMBER || v->type == VALUE_STRING)
		set_text(v, s, len);
	attach(d, v);
	return 0;
}

/**
 * value_build_begin() - A map or sequence begins
 * @d:          Document that wants a value
 * @line:       Line it begins at
 * @seq_or_map: VALUE_SEQ or VALUE_MAP
 * @reterr:     Message, or NULL
 *
 * Return: 0; -EINVAL if too many or too deep
 */
int value_build_begin(struct value_doc *d, uint32_t line, enum value_type seq_or_map,
		      struct err *reterr)
{
	struct value *v;
	int r;

	assert(seq_or_map == VALUE_SEQ || seq_or_map == VALUE_MAP);
	r = check_room(d, line, 1, 1, reterr);
	if (r < 0)
		return r;
	v = new_value(d, line, seq_or_map, 0);
	v->weight = 0;
	attach(d, v);
	d->frames[d->depth++] = (struct frame){.value = v, .first = d->pending.n};
	return 0;
}

/**
 * value_build_alias() - An earlier value stands here again
 * @d:      Document that wants a value
 * @line:   Line of the alias
 * @v:      Value of the same document; shared, so its own line stays that of the anchor
 * @reterr: Message, or NULL
 *
 * Return: 0; -EINVAL if @v is still open (it would contain itself), or if the tree written out
 * would have too many values or levels
 */
int value_build_alias(struct value_doc *d, uint32_t line, const struct value *v, struct err *reterr)
{
	int r;

	if (!v->weight)
		return err_set(reterr, -EINVAL,
			       "line %" PRIu32 ": an alias to a value that contains it", line);
	if (d->by_aliases + v->weight > VALUE_ALIAS_MAX)
		return err_set(reterr, -EINVAL, "line %" PRIu32 ": more than %d values by aliases",
			       line, VALUE_ALIAS_MAX);
	d->by_aliases += v->weight;
	r = check_room(d, line, v->weight, v->height, reterr);
	if (r < 0)
		return r;
	attach(d, (struct value *)v);
	return 0;
}

/**
 * value_build_end() - The innermost open map or sequence ends
 * @d:      Document with one open, no key of which waits for its value
 * @reterr: Message, or NULL
 *
 * Time: O(entries, with those merged).
 *
 * Return: 0; -EINVAL for a duplicate key, or a merge key without maps
 */
int value_build_end(struct value_doc *d, struct err *reterr)
{
	struct frame *f;
	int r;

	assert(d->depth > 0);
	f = &d->frames[d->depth - 1];
	assert(!f->key && !f->merging);
	r = value_close(d, f, reterr);
	if (r < 0)
		return r;
	d->pending.n = f->first;
	d->last = f->value;
	d->depth--;
	if (!d->depth)
		drop_scaffold(d);
	return 0;
}

/**
 * value_build_cut() - End everything that is open
 * @d: Document that its parser gave up, perhaps complete
 *
 * A key without its value goes, and so do the entries of a map that could not end (duplicate keys).
 *
 * Return: the outermost value; NULL when none had begun
 */
const struct value *value_build_cut(struct value_doc *d)
{
	while (d->depth) {
		struct frame *f = &d->frames[d->depth - 1];

		f->key = NULL;
		f->merging = false;
		if (value_build_end(d, NULL) == 0)
			continue;
		d->pending.n = f->first;
		(void)value_build_end(d, NULL);
	}
	return d->root;
}
