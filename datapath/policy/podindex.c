// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podindex.c - pods by namespace and by label value.  Pure.
 *
 * A pod stands in one list for its namespace and one for each of its labels, and knows its
 * position in each, so that adding and removing cost its number of labels.
 */
#include "datapath/policy/podindex.h"

#include <assert.h>
#include <uthash.h>

/* struct place_key - a namespace (@key NULL), a label (@ns NULL), or everything (all NULL) */
struct place_key {
	const char *ns, *key, *value;
};

struct list {
	struct place_key key;
	VEC(struct indexed_pod *) pods;
	UT_hash_handle hh;
};

struct podindex_place {
	struct list *list;
	uint32_t position;
};

struct podindex {
	struct list *lists;
	ns_labels_fn *ns_labels;
	void *arg;
};

/**
 * podindex_new() - Create an empty index
 * @ns_labels: Tells the labels of a namespace
 * @arg:       Its first argument
 *
 * Return: the index, to be freed
 */
struct podindex *podindex_new(ns_labels_fn *ns_labels, void *arg)
{
	struct podindex *x = xcalloc(1, sizeof(*x));

	x->ns_labels = ns_labels;
	x->arg = arg;
	return x;
}

/**
 * podindex_free() - Free an index, which must be empty
 * @x: Index or NULL
 *
 * Return: NULL
 */
struct podindex *podindex_free(struct podindex *x)
{
	assert(!x || !x->lists);
	free(x);
	return NULL;
}

static struct list *list_find(const struct podindex *x, const struct place_key *k)
{
	struct list *l;

	HASH_FIND(hh, x->lists, k, sizeof(*k), l);
	return l;
}

static void place_add(struct podindex *x, struct indexed_pod *p, struct place_key k)
{
	struct list *l = list_find(x, &k);

	if (!l) {
		l = xcalloc(1, sizeof(*l));
		l->key = k;
		HASH_ADD(hh, x->lists, key, sizeof(l->key), l);
	}
	p->places[p->n_places++] = (struct podindex_place){l, (uint32_t)l->pods.n};
	vec_push(&l->pods, p);
}

/* The last pod of a list takes the place of the one that leaves. */
static void place_remove(struct podindex *x, const struct podindex_place *place)
{
	struct list *l = place->list;
	struct indexed_pod *last = l->pods.v[--l->pods.n];

	if (!l->pods.n) {
		HASH_DEL(x->lists, l);
		vec_done(&l->pods);
		free(l);
		return;
	}
	if (place->position == l->pods.n)
		return;
	l->pods.v[place->position] = last;
	for (uint32_t i = 0; i < last->n_places; i++)
		if (last->places[i].list == l)
			last->places[i].position = place->position;
}

/**
 * podindex_add() - Put a pod in
 * @x: Index
 * @p: Pod, with namespace and labels set
 */
void podindex_add(struct podindex *x, struct indexed_pod *p)
{
	p->places = xcalloc(p->labels->n + 2, sizeof(*p->places));
	place_add(x, p, (struct place_key){0});
	place_add(x, p, (struct place_key){.ns = p->ns});
	for (uint32_t i = 0; i < p->labels->n; i++)
		place_add(x, p,
			  (struct place_key){NULL, p->labels->v[i].key, p->labels->v[i].value});
}

/**
 * podindex_remove() - Take a pod out
 * @x: Index
 * @p: Pod that was added, labels unchanged since
 */
void podindex_remove(struct podindex *x, struct indexed_pod *p)
{
	for (uint32_t i = 0; i < p->n_places; i++)
		place_remove(x, &p->places[i]);
	free(TAKE(p->places, NULL));
	p->n_places = 0;
}

static void walk(const struct podindex *x, const struct list *l, const struct match *m,
		 indexed_pod_fn *fn, void *arg)
{
	for (size_t i = 0; l && i < l->pods.n; i++) {
		struct indexed_pod *p = l->pods.v[i];
		const struct match_subject s = {p->ns, p->labels, x->ns_labels(x->arg, p->ns)};

		if (match_holds(m, &s))
			fn(arg, p);
	}
}

/* Pods that hold any of the values of an In term. */
static size_t pivot_size(const struct podindex *x, const struct requirement *r)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->n_values; i++) {
		const struct list *l =
			list_find(x, &(struct place_key){NULL, r->key, r->values[i]});

		n += l ? l->pods.n : 0;
	}
	return n;
}

/**
 * podindex_find() - Walk all pods that a selector matches
 * @x:   Index
 * @m:   Selector
 * @fn:  Called once for each; must not change the index
 * @arg: Its first argument
 *
 * Looks at the namespace's pods or at the pods with the values of one In term, whichever are
 * fewer; at all pods only for a selector without either.
 */
void podindex_find(const struct podindex *x, const struct match *m, indexed_pod_fn *fn, void *arg)
{
	const struct requirement *r = selector_pivot(m->pods);
	const struct list *by_ns = list_find(x, &(struct place_key){.ns = m->ns});

	if (!by_ns)
		return;
	if (!r || by_ns->pods.n <= pivot_size(x, r)) {
		walk(x, by_ns, m, fn, arg);
		return;
	}
	for (uint32_t i = 0; i < r->n_values; i++)
		walk(x, list_find(x, &(struct place_key){NULL, r->key, r->values[i]}), m, fn, arg);
}

/**
 * podindex_each_in() - Walk all pods of a namespace
 * @x:   Index
 * @ns:  Namespace, interned
 * @fn:  Called once for each; must not change the index
 * @arg: Its first argument
 */
void podindex_each_in(const struct podindex *x, const char *ns, indexed_pod_fn *fn, void *arg)
{
	const struct list *l = list_find(x, &(struct place_key){.ns = ns});

	for (size_t i = 0; l && i < l->pods.n; i++)
		fn(arg, l->pods.v[i]);
}
