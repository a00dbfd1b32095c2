// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * matchindex.c - selectors filed under pivots.  Pure.
 *
 * The pivot of a selector is, in this order: the In term of its podSelector with the fewest
 * values (filed under each of them, within its namespace or across all), its namespace, the In
 * term of its namespaceSelector, or nothing: then every question looks at it.
 */
#include "datapath/policy/matchindex.h"

#include <uthash.h>

enum pivot_kind { PIVOT_POD_LABEL, PIVOT_NAMESPACE, PIVOT_NAMESPACE_LABEL, PIVOT_NONE };

/* struct pivot - all pointers are interned strings or NULL, so that bytes can be compared */
struct pivot {
	uintptr_t kind;
	const char *ns, *key, *value;
};

struct bucket {
	struct pivot pivot;
	VEC(struct match *) m;
	UT_hash_handle hh;
};

struct matchindex {
	struct bucket *buckets;
};

/**
 * matchindex_new() - Create an empty index
 *
 * Return: the index, to be freed
 */
struct matchindex *matchindex_new(void)
{
	return xcalloc(1, sizeof(struct matchindex));
}

static void bucket_free(struct matchindex *x, struct bucket *b)
{
	HASH_DEL(x->buckets, b);
	vec_done(&b->m);
	free(b);
}

/**
 * matchindex_free() - Free an index; the matches belong to others
 * @x: Index or NULL
 *
 * Return: NULL
 */
struct matchindex *matchindex_free(struct matchindex *x)
{
	struct bucket *b, *next;

	if (!x)
		return NULL;
	HASH_ITER (hh, x->buckets, b, next)
		bucket_free(x, b);
	free(x);
	return NULL;
}

/**
 * selector_pivot() - The term that narrows a selector most
 * @s: Selector
 *
 * Return: the In term with the fewest values, borrowed; NULL if there is none
 */
const struct requirement *selector_pivot(const struct selector *s)
{
	const struct requirement *best = NULL;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct requirement *r = &s->v[i];

		if (r->op == SELECTOR_IN && (!best || r->n_values < best->n_values))
			best = r;
	}
	return best;
}

static struct bucket *bucket_find(const struct matchindex *x, const struct pivot *p)
{
	struct bucket *b;

	HASH_FIND(hh, x->buckets, p, sizeof(*p), b);
	return b;
}

static void file_under(struct matchindex *x, const struct pivot *p, struct match *m)
{
	struct bucket *b = bucket_find(x, p);

	if (!b) {
		b = xcalloc(1, sizeof(*b));
		b->pivot = *p;
		HASH_ADD(hh, x->buckets, pivot, sizeof(b->pivot), b);
	}
	vec_push(&b->m, m);
}

static void unfile(struct matchindex *x, const struct pivot *p, struct match *m)
{
	struct bucket *b = bucket_find(x, p);

	for (size_t i = 0; b && i < b->m.n; i++) {
		if (b->m.v[i] != m)
			continue;
		b->m.v[i] = b->m.v[--b->m.n];
		if (!b->m.n)
			bucket_free(x, b);
		return;
	}
}

typedef void pivot_fn(struct matchindex *x, const struct pivot *p, struct match *m);

static void each_value(struct matchindex *x, struct match *m, struct pivot p,
		       const struct requirement *r, pivot_fn *fn)
{
	p.key = r->key;
	for (uint32_t i = 0; i < r->n_values; i++) {
		p.value = r->values[i];
		fn(x, &p, m);
	}
}

static void each_pivot(struct matchindex *x, struct match *m, pivot_fn *fn)
{
	const struct requirement *r = selector_pivot(m->pods);

	if (r) {
		each_value(x, m, (struct pivot){PIVOT_POD_LABEL, m->ns, NULL, NULL}, r, fn);
		return;
	}
	if (m->ns) {
		fn(x, &(struct pivot){PIVOT_NAMESPACE, m->ns, NULL, NULL}, m);
		return;
	}
	r = m->namespaces ? selector_pivot(m->namespaces) : NULL;
	if (r)
		each_value(x, m, (struct pivot){PIVOT_NAMESPACE_LABEL, NULL, NULL, NULL}, r, fn);
	else
		fn(x, &(struct pivot){PIVOT_NONE, NULL, NULL, NULL}, m);
}

/**
 * matchindex_add() - File a selector
 * @x: Index
 * @m: Selector; stays where it is until removed
 */
void matchindex_add(struct matchindex *x, struct match *m)
{
	each_pivot(x, m, file_under);
}

/**
 * matchindex_remove() - Take a selector out
 * @x: Index
 * @m: Selector that was added, unchanged since
 */
void matchindex_remove(struct matchindex *x, struct match *m)
{
	each_pivot(x, m, unfile);
}

/**
 * match_ns() - Decide the namespace's part of a selector
 * @m:         Selector
 * @ns:        Namespace, interned
 * @ns_labels: Its labels; NULL: not known
 *
 * A namespace that is not known is matched by no namespaceSelector: its labels cannot be guessed,
 * and an allowance must not rest on a guess.
 *
 * Return: true if its pods may be selected
 */
bool match_ns(const struct match *m, const char *ns, const struct labels *ns_labels)
{
	if (m->ns && m->ns != ns)
		return false;
	return !m->namespaces || (ns_labels && selector_matches(m->namespaces, ns_labels));
}

static bool match_holds(const struct match *m, const struct match_subject *s)
{
	return match_ns(m, s->ns, s->ns_labels) && selector_matches(m->pods, s->labels);
}

static void collect(const struct matchindex *x, const struct pivot *p,
		    const struct match_subject *s, struct match_list *ret)
{
	const struct bucket *b = bucket_find(x, p);

	for (size_t i = 0; b && i < b->m.n; i++)
		if (match_holds(b->m.v[i], s))
			vec_push(&ret->m, b->m.v[i]);
}

/**
 * matchindex_find() - All selectors that match a pod
 * @x:   Index
 * @s:   Pod
 * @ret: Appended to, each selector once, in no particular order
 */
void matchindex_find(const struct matchindex *x, const struct match_subject *s,
		     struct match_list *ret)
{
	for (uint32_t i = 0; i < s->labels->n; i++) {
		const struct label *l = &s->labels->v[i];

		collect(x, &(struct pivot){PIVOT_POD_LABEL, s->ns, l->key, l->value}, s, ret);
		collect(x, &(struct pivot){PIVOT_POD_LABEL, NULL, l->key, l->value}, s, ret);
	}
	collect(x, &(struct pivot){PIVOT_NAMESPACE, s->ns, NULL, NULL}, s, ret);
	for (uint32_t i = 0; s->ns_labels && i < s->ns_labels->n; i++) {
		const struct label *l = &s->ns_labels->v[i];

		collect(x, &(struct pivot){PIVOT_NAMESPACE_LABEL, NULL, l->key, l->value}, s, ret);
	}
	collect(x, &(struct pivot){PIVOT_NONE, NULL, NULL, NULL}, s, ret);
}
