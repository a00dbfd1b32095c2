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

struct podindex *podindex_new(ns_labels_fn *ns_labels, void *arg);
struct podindex *podindex_free(struct podindex *x);
void podindex_add(struct podindex *x, struct indexed_pod *p);
void podindex_remove(struct podindex *x, struct indexed_pod *p);
size_t podindex_count(const struct podindex *x);
size_t podindex_find(const struct podindex *x, const struct match *m, indexed_pod_fn *fn,
		     void *arg);
void podindex_each_in(const struct podindex *x, const char *ns, indexed_pod_fn *fn, void *arg);
