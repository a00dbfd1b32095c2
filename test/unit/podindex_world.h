/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podindex_world.h - an index with pods named by letters, and what is found in it.
 *
 * An answer is the letters in order, so that a pod that is reported twice shows.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/policy/podindex.h"
#include "test/unit/sample_labels.h"

enum { LETTERS = 26, NAMESPACES = 8 };

struct entry {
	struct indexed_pod index;
	struct labels labels;
	bool in;
};

struct known {
	const char *ns;
	struct labels labels;
};

/* struct world - @asked: how often the index asked for labels of a namespace */
struct world {
	struct podindex *x;
	struct entry pods[LETTERS];
	struct known known[NAMESPACES];
	size_t asked;
};

static inline const struct labels *labels_of_ns(void *arg, const char *ns)
{
	struct world *w = arg;

	w->asked++;
	for (int i = 0; i < NAMESPACES; i++)
		if (w->known[i].ns == ns)
			return &w->known[i].labels;
	return NULL;
}

static inline void setup(struct world *w)
{
	*w = (struct world){0};
	w->x = podindex_new(labels_of_ns, w);
}

static inline void forget(struct known *k)
{
	intern_put(k->ns);
	sample_labels_done(&k->labels);
	k->ns = NULL;
}

static inline void know(struct known *k, const char *ns, const char *labels)
{
	*k = (struct known){intern(ns), sample_labels(labels)};
}

static inline void entry_add(struct podindex *x, struct entry *e, const char *ns,
			     const char *labels)
{
	assert_false(e->in);
	e->in = true;
	e->labels = sample_labels(labels);
	e->index = (struct indexed_pod){.ns = intern(ns), .labels = &e->labels};
	podindex_add(x, &e->index);
}

static inline void entry_remove(struct podindex *x, struct entry *e)
{
	assert_true(e->in);
	e->in = false;
	podindex_remove(x, &e->index);
	assert_null(e->index.places);
	intern_put(e->index.ns);
	sample_labels_done(&e->labels);
}

static inline void add(struct world *w, char name, const char *ns, const char *labels)
{
	entry_add(w->x, &w->pods[name - 'a'], ns, labels);
}

static inline void take_out(struct world *w, char name)
{
	entry_remove(w->x, &w->pods[name - 'a']);
}

static inline void teardown(struct world *w)
{
	for (int i = 0; i < LETTERS; i++)
		if (w->pods[i].in)
			entry_remove(w->x, &w->pods[i]);
	assert_null(podindex_free(w->x));
	for (int i = 0; i < NAMESPACES; i++)
		if (w->known[i].ns)
			forget(&w->known[i]);
	assert_int_equal(intern_count(), 0);
}

/* --- questions ---------------------------------------------------------------------------------
 */

/* struct answer - @pods: the world's, to tell letters from */
struct answer {
	const struct entry *pods;
	char letters[2 * LETTERS];
	size_t n;
};

static inline void tell(void *arg, struct indexed_pod *p)
{
	struct answer *a = arg;

	assert_true(a->n + 1 < sizeof(a->letters));
	a->letters[a->n++] = (char)('a' + (container_of(p, struct entry, index) - a->pods));
}

static inline void find(const struct world *w, const struct match *m, struct answer *a)
{
	*a = (struct answer){.pods = w->pods};
	podindex_find(w->x, m, tell, a);
	qsort(a->letters, a->n, 1, sample_letter_compare);
}
