/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decoding.h - YAML text to objects, for the tests of decoders and of what works on objects.
 * Include after <cmocka.h>.
 */
#pragma once

#include "lib/intern.h"
#include "lib/vec.h"
#include "watch/document/yaml.h"
#include "watch/object/decode.h"

/* struct decoded - @e is the first thing wrong of all documents, @r its code or 0 */
struct decoded {
	VEC(struct object *) o, stand_ins;
	size_t unknown;
	struct err e;
	int r;
};

static inline void decoded_object(void *arg, enum decode_outcome outcome, struct object *o,
				  const struct value *at)
{
	struct decoded *d = arg;

	assert_true(at->line >= 1);
	if (outcome == DECODE_UNKNOWN_KIND)
		d->unknown++;
	else if (outcome == DECODE_STAND_IN)
		vec_push(&d->stand_ins, o);
	else
		vec_push(&d->o, o);
}

static inline int decoded_document(void *arg, const struct value_doc *doc)
{
	struct decoded *d = arg;
	struct err e = {0};
	int r = decode_document(value_root(doc), decoded_object, d, &e);

	if (r < 0 && d->r == 0) {
		d->r = r;
		d->e = e;
	}
	return 0;
}

static inline struct decoded decode(const char *yaml)
{
	struct decoded d = {0};
	struct err e = {0};

	if (yaml_parse(yaml, strlen(yaml), decoded_document, &d, &e) < 0)
		fail_msg("%s", e.msg);
	return d;
}

/* Free, and prove that no object lost a string. */
static inline void decoded_done(struct decoded *d)
{
	for (size_t i = 0; i < d->o.n; i++)
		(void)object_free(d->o.v[i]);
	for (size_t i = 0; i < d->stand_ins.n; i++)
		(void)object_free(d->stand_ins.v[i]);
	vec_done(&d->o);
	vec_done(&d->stand_ins);
	assert_int_equal(intern_count(), 0);
}

/* One object, with or without a problem. */
static inline struct decoded decode_one(const char *yaml)
{
	struct decoded d = decode(yaml);

	if (d.r)
		fail_msg("%s: %s", d.e.msg, yaml);
	assert_int_equal(d.o.n, 1);
	return d;
}

static inline void assert_problem(const struct object *o, const char *problem)
{
	if (!o->problem)
		fail_msg("%s %s was accepted, not '%s'", kind_str(o->kind), o->name, problem);
	assert_string_equal(o->problem, problem);
}

static inline void assert_no_problem(const struct object *o)
{
	if (o->problem)
		fail_msg("%s %s: %s", kind_str(o->kind), o->name, o->problem);
}
