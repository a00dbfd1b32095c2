/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * matchindex.h - which selectors may match this pod?  Pure.
 *
 * Holds selectors (of policies, of peers) and answers with the few that can match a pod, without
 * looking at the others: each selector is filed under pivots, label values at least one of which
 * a pod must have to match.  The cost of a question follows the labels of the pod and the
 * selectors filed under them.
 */
#pragma once

#include "lib/vec.h"
#include "watch/object/object.h"

/*
 * struct match - one selector, embedded in what it belongs to; the strings and selectors are
 * borrowed and must stay until the match is removed
 * @ns:         The namespace it is bound to; NULL when @namespaces decides
 * @namespaces: namespaceSelector; NULL when @ns decides; both NULL: any, also unknown namespaces
 * @pods:       podSelector
 */
struct match {
	const char *ns;
	const struct selector *namespaces;
	const struct selector *pods;
};

/* struct match_subject - a pod as selectors see it; @ns_labels NULL: namespace not known */
struct match_subject {
	const char *ns;
	const struct labels *labels;
	const struct labels *ns_labels;
};

struct matchindex;

struct match_list {
	VEC(struct match *) m;
};

struct matchindex *matchindex_new(void);
struct matchindex *matchindex_free(struct matchindex *x);
void matchindex_add(struct matchindex *x, struct match *m);
void matchindex_remove(struct matchindex *x, struct match *m);
void matchindex_find(const struct matchindex *x, const struct match_subject *s,
		     struct match_list *ret);
bool match_ns(const struct match *m, const char *ns, const struct labels *ns_labels);
const struct requirement *selector_pivot(const struct selector *s);
