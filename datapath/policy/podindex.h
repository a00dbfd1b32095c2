/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podindex.h - which pods may match this selector?  Pure.  The other direction of matchindex.h.
 *
 * Holds pods by namespace and label and walks the shortest lists that must contain all matches.
 */
#pragma once

#include "datapath/policy/matchindex.h"

struct podindex;
struct podindex_place;

/*
 * struct indexed_pod - embedded in the owner's record of a pod; places are the index's own
 * @ns, @labels: borrowed until the pod is removed
 */
struct indexed_pod {
	const char *ns;
	const struct labels *labels;
	uint32_t n_places;
	struct podindex_place *places;
};

/* struct ns_labels_of - how the index learns the labels of a namespace, NULL when not known */
typedef const struct labels *ns_labels_fn(void *arg, const char *ns);
typedef void indexed_pod_fn(void *arg, struct indexed_pod *p);

/*
 * struct podindex_walk - where a walk has got to; the index may change between two of its pieces
 * @match: Selector, borrowed until the walk ends
 * @list:  Pods that it is at; NULL: those of the next value
 * @left:  The first so many of them were not looked at
 * @value: Next value of the selector's pivot
 */
struct podindex_walk {
	const struct match *match;
	const struct pod_list *list;
	size_t left;
	uint32_t value;
	struct podindex_walk *prev, *next;
};

struct podindex *podindex_new(ns_labels_fn *ns_labels, void *arg);
struct podindex *podindex_free(struct podindex *x);
void podindex_add(struct podindex *x, struct indexed_pod *p);
void podindex_remove(struct podindex *x, struct indexed_pod *p);
size_t podindex_count(const struct podindex *x);
bool podindex_knows(const struct podindex *x, const char *ns);
size_t podindex_find(struct podindex *x, const struct match *m, indexed_pod_fn *fn, void *arg);
void podindex_walk_begin(struct podindex *x, struct podindex_walk *w, const struct match *m);
bool podindex_walk_on(struct podindex *x, struct podindex_walk *w, size_t max, indexed_pod_fn *fn,
		      void *arg, size_t *ret_looked);
void podindex_walk_end(struct podindex *x, struct podindex_walk *w);
