// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * walk.c - visit every value of a document, through the accessors that decoders use, and abort
 * where an invariant of watch/document/value.h does not hold; then decode it.
 */
#include "test/fuzz/walk.h"

#include <stdio.h>

#include "lib/intern.h"
#include "lib/utf8.h"
#include "test/fuzz/must.h"
#include "watch/object/decode.h"

static void check_text(const char *s, size_t len)
{
	must(strlen(s) == len);
	must(len <= VALUE_STRING_MAX);
	must(utf8_valid(s, len));
}

static void check_get(const struct value *map, const struct value_entry *e)
{
	const struct value *child = NULL;
	struct err err = {0};
	const char *s = NULL;
	int64_t n = 0;
	bool b = false;

	must(value_get(map, e->key) == e->value);
	must(value_get_map(map, "x", e->key, &child, &err) == 1 || !child);
	must(value_get_seq(map, "x", e->key, &child, &err) == 1 || !child ||
	     child->type == VALUE_MAP);
	must(value_get_str(map, "x", e->key, &s, &err) == 1 || !s);
	must(value_get_bool(map, "x", e->key, &b, &err) == 1 || !b);
	if (value_get_int(map, "x", e->key, 1, 65535, &n, &err) == 1)
		must(n >= 1 && n <= 65535);
	must(err.code == 0 || err.msg[0]);
}

static void walk(const struct value *v, uint32_t depth)
{
	uint32_t weight = 1, height = 0;

	must(depth <= VALUE_DEPTH_MAX && v->line >= 1 && v->type < _VALUE_MAX);
	if (v->type == VALUE_STRING || v->type == VALUE_NUMBER)
		check_text(v->text, v->n);
	if (v->type != VALUE_SEQ && v->type != VALUE_MAP) {
		must(v->weight == 1 && v->height == 1);
		return;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *c = v->type == VALUE_MAP ? v->entry[i].value : v->items[i];

		if (v->type == VALUE_MAP) {
			check_text(v->entry[i].key, strlen(v->entry[i].key));
			if (v->n < 1000) /* quadratic */
				check_get(v, &v->entry[i]);
		}
		walk(c, depth + 1);
		weight += c->weight;
		height = MAX(height, c->height);
	}
	must(v->weight == weight && v->height == height + 1);
	must(weight <= VALUE_NODES_MAX);
}

static void take_object(void *arg _unused_, enum decode_outcome outcome, struct object *o,
			const struct value *at)
{
	must((outcome != DECODE_UNKNOWN_KIND) == (o != NULL));
	must(at->line >= 1);
	if (o)
		must((o->name != NULL) == (outcome == DECODE_OK) && o->kind < _KIND_MAX &&
		     object_equal(o, o));
	(void)object_free(o);
}

/**
 * walk_document() - Check a complete document and what the decoder makes of it
 * @d: Document
 *
 * Aborts if anything does not hold.
 */
void walk_document(const struct value_doc *d)
{
	const struct value *root = value_root(d);
	struct err err = {0};

	must(value_build_complete(d) && root);
	walk(root, 1);
	(void)value_path(root, "metadata.labels.app");
	if (decode_document(root, take_object, NULL, &err) < 0)
		must(err.msg[0]);
	must(intern_count() == 0);
}
