/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subject.h - what is under test: the data path, its table, and a kernel that follows them.
 *
 * It gets objects of its own, copies that are freed as soon as its contract allows, so that
 * a sanitizer sees a pointer kept too long.  Pure.
 */
#pragma once

#include "datapath/datapath.h"
#include "shadow.h"
#include "timeline.h"

/* struct twin - an object of the timeline and the engine's copy of it */
struct twin {
	const struct object *original;
	struct object *copy;
};

/*
 * struct subject
 * @twins:  Of the objects that it knows now
 * @gone:   Copies that it may read until it has settled
 */
struct subject {
	struct datapath *datapath;
	struct nft_table *table; /* of @datapath */
	struct shadow kernel;
	VEC(struct twin) twins;
	VEC(struct object *) gone;
};

void subject_init(struct subject *s);
void subject_object(struct subject *s, const struct object *old, const struct object *new);
void subject_change(struct subject *s, const struct change *c);
int subject_settle(struct subject *s, struct rng *r, struct err *reterr);
bool subject_allows(const struct subject *s, const struct timeline *t, const struct packet *p);
void subject_build(struct subject *s, const struct timeline *t, struct rng *r);
void subject_empty(struct subject *s, const struct timeline *t);
void subject_done(struct subject *s);
