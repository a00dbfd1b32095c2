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
	struct pod_list *lists;
	UT_hash_handle hh;
};

struct list_key {
	const char *ns;
	struct label label;
};

struct pod_list {
	struct list_key key;
	struct group *group;
	struct pod_list *prev, *next; /* of the group */
	VEC(struct indexed_pod *) pods;
	UT_hash_handle hh;
};

struct podindex_place {
	struct pod_list *list;
	uint32_t position;
};

struct podindex {
	struct group *groups;
	struct pod_list *lists;
	ns_labels_fn *ns_labels;
	void *arg;
	size_t n;
	struct podindex_walk *walks; /* that are not at their end; few */
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
	assert(!x || (!x->lists && !x->groups && !x->walks));
	free(x);
	return NULL;
}

static struct group *group_find(const struct podindex *x, const struct label *label)
{
	struct group *g;

	HASH_FIND(hh, x->groups, label, sizeof(*label), g);
	return g;
}

static struct pod_list *list_find(const struct podindex *x, const struct list_key *k)
{
	struct pod_list *l;

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

static struct pod_list *list_get(struct podindex *x, const char *ns, const struct label *label)
{
	const struct list_key k = {ns, *label};
	struct pod_list *l = list_find(x, &k);

	if (l)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->key = k;
	l->group = group_get(x, label);
	DL_APPEND(l->group->lists, l);
	HASH_ADD(hh, x->lists, key, sizeof(l->key), l);
	return l;
}

static bool in_namespace(const struct podindex *x, const struct match *m, const struct pod_list *l)
{
	return match_ns(m, l->key.ns, m->namespaces ? x->ns_labels(x->arg, l->key.ns) : NULL);
}

/* Go to the first list, from @l on, of a namespace that the selector allows. */
static size_t walk_enter(const struct podindex *x, struct podindex_walk *w,
			 const struct pod_list *l)
{
	size_t looked = 0;

	for (; l && !in_namespace(x, w->match, l); l = w->match->ns ? NULL : l->next)
		looked++;
	w->list = l;
	w->left = l ? l->pods.n : 0;
	return looked;
}

static void list_free(struct podindex *x, struct pod_list *l)
{
	struct group *g = l->group;
	struct podindex_walk *w;

	DL_FOREACH (x->walks, w)
		if (w->list == l)
			(void)walk_enter(x, w, w->match->ns ? NULL : l->next);
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
	struct pod_list *l = list_get(x, p->ns, label);

	p->places[p->n_places++] = (struct podindex_place){l, (uint32_t)l->pods.n};
	vec_push(&l->pods, p);
}

/* The place that a pod has in a list: places stand as the pod's labels do, which are sorted. */
static struct podindex_place *place_in(const struct indexed_pod *p, const struct pod_list *l)
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

/*
 * The last pod of a list takes the place of the one that leaves.  A walk goes down: the last one it
 * has seen already, or it stays among those that are left.
 */
static void place_remove(struct podindex *x, const struct podindex_place *place)
{
	struct pod_list *l = place->list;
	struct indexed_pod *last = l->pods.v[--l->pods.n];
	struct podindex_walk *w;

	DL_FOREACH (x->walks, w)
		if (w->list == l)
			w->left = MIN(w->left, l->pods.n);
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

/**
 * podindex_knows() - Is a pod of this namespace in the index?
 * @x:  Index
 * @ns: Namespace, interned
 *
 * Return: true if so
 */
bool podindex_knows(const struct podindex *x, const char *ns)
{
	return list_find(x, &(struct list_key){ns, no_label});
}

/* --- walks -------------------------------------------------------------------------------------
 */

/**
 * podindex_walk_begin() - Begin to walk all pods that a selector matches
 * @x: Index
 * @w: The walk; in the index's hands until podindex_walk_end()
 * @m: Selector, borrowed until then
 */
void podindex_walk_begin(struct podindex *x, struct podindex_walk *w, const struct match *m)
{
	*w = (struct podindex_walk){.match = m};
	DL_APPEND(x->walks, w);
}

/**
 * podindex_walk_end() - Have done with a walk, at its end or before
 * @x: Index
 * @w: Walk
 */
void podindex_walk_end(struct podindex *x, struct podindex_walk *w)
{
	DL_DELETE(x->walks, w);
}

/* The label whose pods come next; false: there is none. */
static bool next_label(struct podindex_walk *w, struct label *ret)
{
	const struct requirement *r = selector_pivot(w->match->pods);

	if (w->value >= (r ? r->n_values : 1))
		return false;
	*ret = r ? (struct label){r->key, r->values[w->value]} : no_label;
	w->value++;
	return true;
}

static const struct pod_list *first_list(const struct podindex *x, const struct match *m,
					 const struct label *label)
{
	const struct group *g;

	if (m->ns)
		return list_find(x, &(struct list_key){m->ns, *label});
	g = group_find(x, label);
	return g ? g->lists : NULL;
}

/**
 * podindex_walk_on() - A piece of a walk
 * @x:          Index
 * @w:          Walk
 * @max:        How many pods to look at, and one more or less
 * @fn:         Called for each that matches; must not change the index
 * @arg:        Its first argument
 * @ret_looked: How many pods, and namespaces and labels without any, it looked at
 *
 * Looks at the pods that have one of the values of one In term of the podSelector, or at all if it
 * has no such term; of one namespace, or of every namespace that the namespaceSelector selects.
 *
 * Between two pieces pods and namespaces may change as they like.  A pod that is there and matches
 * all the time is found, perhaps twice; one that came or changed meanwhile may be passed over.
 *
 * Return: true if there is more to do
 */
bool podindex_walk_on(struct podindex *x, struct podindex_walk *w, size_t max, indexed_pod_fn *fn,
		      void *arg, size_t *ret_looked)
{
	struct label label;
	size_t looked = 0;

	if (w->list && !in_namespace(x, w->match, w->list)) /* its labels have changed */
		w->left = 0;
	while (looked < max) {
		if (w->left) {
			struct indexed_pod *p = w->list->pods.v[--w->left];

			looked++;
			if (selector_matches(w->match->pods, p->labels))
				fn(arg, p);
		} else if (w->list) {
			looked += walk_enter(x, w, w->match->ns ? NULL : w->list->next);
		} else if (next_label(w, &label)) {
			looked += 1 + walk_enter(x, w, first_list(x, w->match, &label));
		} else {
			*ret_looked = looked;
			return false;
		}
	}
	*ret_looked = looked;
	return true;
}

/**
 * podindex_find() - Walk all pods that a selector matches, in one go
 * @x:   Index
 * @m:   Selector
 * @fn:  Called once for each; must not change the index
 * @arg: Its first argument
 *
 * Return: how many pods, and namespaces without any, it looked at; see podindex_walk_on()
 */
size_t podindex_find(struct podindex *x, const struct match *m, indexed_pod_fn *fn, void *arg)
{
	struct podindex_walk w;
	size_t looked;

	podindex_walk_begin(x, &w, m);
	(void)podindex_walk_on(x, &w, SIZE_MAX, fn, arg, &looked);
	podindex_walk_end(x, &w);
	return looked;
}
