// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields.c - documents compared with the fields of their kind.  Pure.
 *
 * Source: k8s.io/apimachinery meta/v1 ObjectMeta.
 */
#include "watch/object/fields.h"

#include <errno.h>

#include "lib/near.h"
#include "watch/object/decode_internal.h"

#define SLIPS_MAX 2 /* for "did you mean"; nothing is meant by a word that is all slips */

const struct field field_all[] = {FIELDS_END};

const struct field fields_metadata[] = {FIELDS_METADATA, FIELDS_METADATA_UNREAD, FIELDS_END};

/**
 * field_wanted() - Is a key of a map kept, and what inside?
 * @in:  Fields of the map; field_all: every one is
 * @key: Key, not NUL-terminated
 * @n:   Its bytes
 *
 * Return: what is kept inside its value; NULL: it is dropped
 */
const struct field *field_wanted(const struct field *in, const char *key, size_t n)
{
	if (in == field_all)
		return in;
	for (; in->key; in++) {
		if (in->n != n || memcmp(in->key, key, n) != 0)
			continue;
		if (in->use == FIELD_USE_KNOWN)
			return NULL;
		return in->use == FIELD_USE_READ && in->inside ? in->inside : field_all;
	}
	return NULL;
}

/* --- comparing ---------------------------------------------------------------------------------
 */

static const struct field *find(const struct field *fields, const char *key)
{
	for (; fields->key; fields++)
		if (streq(fields->key, key))
			return fields;
	return NULL;
}

/* The field that was meant, at most @slips away; NULL if none is near enough. */
static const char *meant(const struct field *fields, const char *key, unsigned int slips)
{
	unsigned int best = slips + 1;
	const char *found = NULL;

	for (; fields->key; fields++) {
		unsigned int d = near_distance(fields->key, key);

		if (d >= best || d >= strlen(fields->key))
			continue;
		best = d;
		found = fields->key;
	}
	return found;
}

/* struct walk - @open: unknown fields are nothing, those that are near a known one go to @fn */
struct walk {
	bool open;
	field_fn *fn;
	void *arg;
	struct err *reterr;
};

static int unknown(const struct walk *w, const struct value_entry *e, const struct field *fields,
		   const char *path)
{
	const char *guess = meant(fields, e->key, w->open ? 1 : SLIPS_MAX);
	const char *dot = *path ? "." : "";
	_cleanup_(freep) char *text = NULL;

	if (!w->open)
		return err_set(w->reterr, -EINVAL, "%s%s%.*s: unknown field%s%s%s (line %u)", path,
			       dot, SHOWN(e->key), guess ? ", did you mean '" : "", guess ?: "",
			       guess ? "'?" : "", e->line);
	if (!guess)
		return 0;
	text = xasprintf("%s%s%.*s: not a field that is read, did you mean '%s'?", path, dot,
			 SHOWN(e->key), guess);
	w->fn(w->arg, text, e->line);
	return 0;
}

static int check_map(const struct walk *w, const struct value *map, const struct field *fields,
		     const char *path);

static int check_inside(const struct walk *w, const struct value_entry *e,
			const struct field *inside, const char *path)
{
	const struct value *v = e->value;
	struct decode_path here;
	int r = 0;

	if (v->type != VALUE_SEQ) {
		(void)decode_path(&here, path, e->key);
		return check_map(w, v, inside, *path ? here.s : e->key);
	}
	for (uint32_t i = 0; i < v->n && r == 0; i++) {
		decode_path_item(&here, path, e->key, i);
		r = check_map(w, v->items[i], inside, here.s);
	}
	return r;
}

/* What is no map has no fields: its type is the decoder's business. */
static int check_map(const struct walk *w, const struct value *map, const struct field *fields,
		     const char *path)
{
	if (map->type != VALUE_MAP)
		return 0;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct value_entry *e = &map->entry[i];
		const struct field *f = find(fields, e->key);
		int r = 0;

		if (!f)
			r = unknown(w, e, fields, path);
		else if (f->inside)
			r = check_inside(w, e, f->inside, path);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * fields_check() - Look for fields that a closed schema does not have
 * @root:   Document, a map
 * @fields: All that it may have
 * @reterr: "spec.ingress[0].form: unknown field, did you mean 'from'? (line 9)": the first of them
 *
 * Return: 0, -EINVAL
 */
int fields_check(const struct value *root, const struct field *fields, struct err *reterr)
{
	return check_map(&(struct walk){.reterr = reterr}, root, fields, "");
}

/**
 * fields_known() - Test whether a map has known fields only
 * @map:    Map; what is inside of its fields is not looked at
 * @fields: All that it may have
 *
 * Return: true if so; false: an unknown one may be meant to be any
 */
bool fields_known(const struct value *map, const struct field *fields)
{
	for (uint32_t i = 0; i < map->n; i++)
		if (!find(fields, map->entry[i].key))
			return false;
	return true;
}

/**
 * fields_check_namespace() - Look for a misspelled metadata.namespace
 * @map:    metadata
 * @reterr: What is wrong
 *
 * Return: 0; -EINVAL if a field may be meant to be the namespace, which is not there itself
 */
int fields_check_namespace(const struct value *map, struct err *reterr)
{
	if (value_get(map, "namespace"))
		return 0;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct value_entry *e = &map->entry[i];
		const char *guess = find(fields_metadata, e->key)
					    ? NULL
					    : meant(fields_metadata, e->key, SLIPS_MAX);

		if (guess && streq(guess, "namespace"))
			return unknown(&(struct walk){.reterr = reterr}, e, fields_metadata,
				       "metadata");
	}
	return 0;
}

/**
 * fields_each_near() - Go through fields that look like one that is read, misspelled
 * @root:   Document, a map
 * @fields: What is read; other fields are no business of this program
 * @fn:     Takes each
 * @arg:    For @fn
 */
void fields_each_near(const struct value *root, const struct field *fields, field_fn *fn, void *arg)
{
	(void)check_map(&(struct walk){.open = true, .fn = fn, .arg = arg}, root, fields, "");
}
