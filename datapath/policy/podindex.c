// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podindex.c - pods by label value and namespace.  Pure.
 *
 * A list holds the pods of one namespace that have one label; a group holds the lists of one label
 * across the namespaces.  The label (NULL, NULL) stands for "whatever its labels are".  A pod knows
 * its position in each of its lists, so that adding and removing cost its number of labels.
 */
#include "datapath/policy/podindex.h"

#include <assert.h>
#include <uthash.h>
#include <utlist.h>

/* struct group - @lists: none of them empty */
struct group {
	struct label label;
	struct list *lists;
	UT_hash_handle hh;
};

struct list_key {
	const char *ns;
	struct label label;
};

struct list {
	struct list_key key;
	struct group *group;
	struct list *prev, *next; /* of the group */
	VEC(struct indexed_pod *) pods;
	UT_hash_handle hh;
};

struct podindex_place {
	struct list *list;
	uint32_t position;
};

struct podindex {
	struct group *groups;
	struct list *lists;
	ns_labels_fn *ns_labels;
	void *arg;
	size_t n;
};

static const struct label no_label;

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
	assert(!x || (!x->lists && !x->groups));
	free(x);
	return NULL;
}

static struct group *group_find(const struct podindex *x, const struct label *label)
{
	struct group *g;

	HASH_FIND(hh, x->groups, label, sizeof(*label), g);
	return g;
}

static struct list *list_find(const struct podindex *x, const struct list_key *k)
{
	struct list *l;

	HASH_FIND(hh, x->lists, k, sizeof(*k), l);
	return l;
}

static struct group *group_get(struct podindex *x, const struct label *label)
{
	struct group *g = group_find(x, label);

	if (g)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->label = *label;
	HASH_ADD(hh, x->groups, label, sizeof(g->label), g);
	return g;
}

static struct list *list_get(struct podindex *x, const char *ns, const struct label *label)
{
	const struct list_key k = {ns, *label};
	struct list *l = list_find(x, &k);

	if (l)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->key = k;
	l->group = group_get(x, label);
	DL_APPEND(l->group->lists, l);
	HASH_ADD(hh, x->lists, key, sizeof(l->key), l);
	return l;
}

static void list_free(struct podindex *x, struct list *l)
{
	struct group *g = l->group;

	DL_DELETE(g->lists, l);
	if (!g->lists) {
		HASH_DEL(x->groups, g);
		free(g);
	}
	HASH_DEL(x->lists, l);
	vec_done(&l->pods);
	free(l);
}

static void place_add(struct podindex *x, struct indexed_pod *p, const struct label *label)
{
	struct list *l = list_get(x, p->ns, label);

	p->places[p->n_places++] = (struct podindex_place){l, (uint32_t)l->pods.n};
	vec_push(&l->pods, p);
}

/* The place that a pod has in a list: places stand as the pod's labels do, which are sorted. */
static struct podindex_place *place_in(const struct indexed_pod *p, const struct list *l)
{
	uint32_t low = 0, high = p->labels->n;

	if (!l->key.label.key)
		return &p->places[0];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(p->labels->v[middle].key, l->key.label.key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return &p->places[low + 1];
}

/* The last pod of a list takes the place of the one that leaves. */
static void place_remove(struct podindex *x, const struct podindex_place *place)
{
	struct list *l = place->list;
	struct indexed_pod *last = l->pods.v[--l->pods.n];

	if (!l->pods.n) {
		list_free(x, l);
		return;
	}
	if (place->position == l->pods.n)
		return;
	l->pods.v[place->position] = last;
	place_in(last, l)->position = place->position;
}

/**
 * podindex_add() - Put a pod in
 * @x: Index
 * @p: Pod, with namespace and labels set
 */
void podindex_add(struct podindex *x, struct indexed_pod *p)
{
	x->n++;
	p->places = xcalloc(p->labels->n + 1, sizeof(*p->places));
	place_add(x, p, &no_label);
	for (uint32_t i = 0; i < p->labels->n; i++)
		place_add(x, p, &p->labels->v[i]);
}

/**
 * podindex_remove() - Take a pod out
 * @x: Index
 * @p: Pod that was added, labels unchanged since
 */
void podindex_remove(struct podindex *x, struct indexed_pod *p)
{
	x->n--;
	for (uint32_t i = 0; i < p->n_places; i++)
		place_remove(x, &p->places[i]);
	free(TAKE(p->places, NULL));
	p->n_places = 0;
}

/**
 * podindex_count() - Number of pods
 * @x: Index
 *
 * Return: the number
 */
size_t podindex_count(const struct podindex *x)
{
	return x->n;
}

/* The pods of a list share their namespace: its labels are looked at once. */
static size_t walk(const struct podindex *x, const struct list *l, const struct match *m,
		   indexed_pod_fn *fn, void *arg)
{
	if (!l || !match_ns(m, l->key.ns, m->namespaces ? x->ns_labels(x->arg, l->key.ns) : NULL))
		return 1;
	for (size_t i = 0; i < l->pods.n; i++)
		if (selector_matches(m->pods, l->pods.v[i]->labels))
			fn(arg, l->pods.v[i]);
	return l->pods.n;
}

static size_t walk_label(const struct podindex *x, const struct label *label, const struct match *m,
			 indexed_pod_fn *fn, void *arg)
{
	const struct group *g;
	size_t looked = 0;

	if (m->ns)
		return walk(x, list_find(x, &(struct list_key){m->ns, *label}), m, fn, arg);
	g = group_find(x, label);
	for (const struct list *l = g ? g->lists : NULL; l; l = l->next)
		looked += walk(x, l, m, fn, arg);
	return looked;
}

/**
 * podindex_find() - Walk all pods that a selector matches
 * @x:   Index
 * @m:   Selector
 * @fn:  Called once for each; must not change the index
 * @arg: Its first argument
 *
 * Looks at the pods that have one of the values of one In term of the podSelector, or at all if it
 * has no such term; of one namespace, or of every namespace that the namespaceSelector selects.
 *
 * Return: how many pods, and namespaces without any, it looked at
 */
size_t podindex_find(const struct podindex *x, const struct match *m, indexed_pod_fn *fn, void *arg)
{
	const struct requirement *r = selector_pivot(m->pods);
	size_t looked = 0;

	if (!r)
		looked = walk_label(x, &no_label, m, fn, arg);
	for (uint32_t i = 0; r && i < r->n_values; i++)
		looked += walk_label(x, &(struct label){r->key, r->values[i]}, m, fn, arg);
	return looked;
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
	const struct list *l = list_find(x, &(struct list_key){ns, no_label});

	for (size_t i = 0; l && i < l->pods.n; i++)
		fn(arg, l->pods.v[i]);
}
