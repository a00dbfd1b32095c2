// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * value_close.c - what happens at the end of a map or sequence: its children move from the stack
 * of the builder into the arena, duplicate keys are found, merge keys are worked in.
 *
 * Keys are equal exactly when their pointers are (doc_keys.h).  A map that ends takes a serial
 * number and leaves it in each of its keys: a key that bears it already is there twice.  Pure.
 */
#include <errno.h>
#include <inttypes.h>

#include "lib/utf8.h"
#include "watch/document/value_doc.h"

#define KEY_SHOWN_MAX 64 /* bytes of a key that a message quotes */

static void end_seq(struct value_doc *d, struct value *v, const struct child *child)
{
	v->items = arena_alloc(&d->arena, v->n * sizeof(struct value *));
	for (uint32_t i = 0; i < v->n; i++)
		v->items[i] = child[i].value;
}

/* The maps of a merge key's value, as an array; NULL if it is not a map or a list of maps. */
static struct value **merge_sources(const struct child *c, uint32_t *ret_n)
{
	struct value *v = c->value;

	if (v->type == VALUE_MAP) {
		*ret_n = 1;
		return (struct value **)&c->value;
	}
	if (v->type != VALUE_SEQ)
		return NULL;
	for (uint32_t i = 0; i < v->n; i++)
		if (v->items[i]->type != VALUE_MAP)
			return NULL;
	*ret_n = v->n;
	return v->items;
}

/* Add what the map of serial number @map does not have yet. */
static void merge_map(struct value *v, const struct value *source, uint64_t map)
{
	for (uint32_t i = 0; i < source->n; i++) {
		struct doc_key *key = container_of(source->entry[i].key, struct doc_key, s);

		if (key->in_map == map)
			continue;
		key->in_map = map;
		v->entry[v->n++] = source->entry[i];
	}
}

static int merge(struct value_doc *d, struct value *v, const struct child *c, uint64_t map,
		 struct err *reterr)
{
	struct value_entry *own = v->entry, *all;
	struct value **sources;
	uint32_t n, more = 0;

	sources = merge_sources(c, &n);
	if (!sources)
		return err_set(reterr, -EINVAL,
			       "line %" PRIu32 ": '<<' wants a map or a list of maps, found %s",
			       c->key_line, value_type_str(c->value->type));
	for (uint32_t i = 0; i < n; i++)
		more += sources[i]->n;
	all = arena_alloc(&d->arena, (v->n + more) * sizeof(*all));
	memcpy(all, own, v->n * sizeof(*all));
	v->entry = all;
	for (uint32_t i = 0; i < n; i++)
		merge_map(v, sources[i], map);
	return 0;
}

static int end_map(struct value_doc *d, struct value *v, const struct child *child, uint32_t n,
		   struct err *reterr)
{
	const struct child *merged = NULL;
	uint64_t map = ++d->maps;

	v->entry = arena_alloc(&d->arena, n * sizeof(*v->entry));
	v->n = 0;
	v->as_go = d->as_go;
	for (uint32_t i = 0; i < n; i++) {
		const struct child *c = &child[i];

		if (!c->key) {
			merged = c;
			continue;
		}
		if (c->key->in_map == map && !d->as_go)
			return err_set(reterr, -EINVAL, "line %" PRIu32 ": duplicate key '%.*s'",
				       c->key_line,
				       (int)utf8_cut(c->key->s, strlen(c->key->s), KEY_SHOWN_MAX),
				       c->key->s);
		c->key->in_map = map;
		v->entry[v->n++] = (struct value_entry){c->key->s, c->value, c->key_line};
	}
	return merged ? merge(d, v, merged, map, reterr) : 0;
}

static void measure(struct value *v)
{
	uint32_t weight = 1, height = 0;

	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *c = v->type == VALUE_MAP ? v->entry[i].value : v->items[i];

		weight += c->weight;
		height = MAX(height, c->height);
	}
	v->weight = weight;
	v->height = height + 1;
}

/**
 * value_close() - Give an open value its children
 * @d:      Document
 * @f:      Its innermost open value, all children of which lie on the stack
 * @reterr: Message, or NULL
 *
 * Time: O(entries, with those merged).
 *
 * Return: 0; -EINVAL for a duplicate key, or a merge key without maps
 */
int value_close(struct value_doc *d, const struct frame *f, struct err *reterr)
{
	uint32_t n = (uint32_t)(d->pending.n - f->first);
	const struct child *child = n ? &d->pending.v[f->first] : NULL;
	struct value *v = f->value;
	int r;

	v->n = n;
	if (v->type == VALUE_MAP) {
		r = end_map(d, v, child, n, reterr);
		if (r < 0)
			return r;
	} else {
		end_seq(d, v, child);
	}
	measure(v);
	return 0;
}
