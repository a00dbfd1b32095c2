// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * spans.c - a sweep over the spans of each protocol.  Pure.
 *
 * Time: O(s log s) for s spans, plus the spans over each piece.
 */
#include "watch/object/spans.h"

#include <uthash.h>

/* struct group_set - groups that a piece belongs to; @groups is the hash key */
struct group_set {
	uint32_t *groups;
	uint32_t number;
	UT_hash_handle hh;
};

/* struct sweep - @groups: room for those of all active spans */
struct sweep {
	struct span *active;
	size_t n_active;
	uint32_t *groups;
	struct group_set *sets;
	piece_fn *fn;
	void *arg;
	bool stopped;
};

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->protocol != y->protocol)
		return x->protocol - y->protocol;
	if (x->first != y->first)
		return x->first - y->first;
	return x->last - y->last;
}

static int compare_groups(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The groups of the active spans; gives their number. */
static size_t sort_groups(struct sweep *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_active; i++)
		w->groups[i] = w->active[i].group;
	qsort(w->groups, w->n_active, sizeof(*w->groups), compare_groups);
	for (size_t i = 0; i < w->n_active; i++)
		if (!kept || w->groups[kept - 1] != w->groups[i])
			w->groups[kept++] = w->groups[i];
	return kept;
}

static void emit(struct sweep *w, unsigned int first, uint16_t last)
{
	struct piece p = {w->active[0].protocol, (uint16_t)first, last, w->groups, 0, 0, false};
	struct group_set *set;

	p.n = sort_groups(w);
	HASH_FIND(hh, w->sets, w->groups, p.n * sizeof(*w->groups), set);
	p.is_new = !set;
	if (!set) {
		set = xcalloc(1, sizeof(*set));
		set->number = HASH_COUNT(w->sets);
		set->groups = xmemdup(w->groups, p.n * sizeof(*w->groups));
		HASH_ADD_KEYPTR(hh, w->sets, set->groups, p.n * sizeof(*w->groups), set);
	}
	p.set = set->number;
	w->stopped = !w->fn(w->arg, &p);
}

/* Keep the spans that reach @from or beyond; gives the lowest end among them. */
static uint16_t expire(struct sweep *w, unsigned int from)
{
	uint16_t end = UINT16_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < w->n_active; i++) {
		if (w->active[i].last < from)
			continue;
		end = MIN(end, w->active[i].last);
		w->active[kept++] = w->active[i];
	}
	w->n_active = kept;
	return end;
}

/* Cut the spans of one protocol, @n of them sorted by first port. */
static void sweep(struct sweep *w, const struct span *spans, size_t n)
{
	unsigned int from = 0;
	size_t next = 0;

	w->n_active = 0;
	while (from <= UINT16_MAX && !w->stopped) {
		uint16_t last;

		(void)expire(w, from);
		if (!w->n_active) {
			if (next == n)
				return;
			from = spans[next].first;
		}
		while (next < n && spans[next].first <= from)
			w->active[w->n_active++] = spans[next++];
		last = expire(w, from);
		if (next < n && spans[next].first <= last)
			last = (uint16_t)(spans[next].first - 1);
		emit(w, from, last);
		from = last + 1u;
	}
}

static void forget_sets(struct sweep *w)
{
	struct group_set *set, *next;

	HASH_ITER (hh, w->sets, set, next) {
		HASH_DEL(w->sets, set);
		free(set->groups);
		free(set);
	}
}

/**
 * spans_cut() - Cut spans into pieces
 * @s:   Spans, in any order; sorted afterwards
 * @fn:  Called for each piece, by protocol and port
 * @arg: Its first argument
 */
void spans_cut(struct spans *s, piece_fn *fn, void *arg)
{
	_cleanup_(freep) struct span *active = xcalloc(s->s.n + 1, sizeof(*active));
	_cleanup_(freep) uint32_t *groups = xcalloc(s->s.n + 1, sizeof(*groups));
	struct sweep w = {.active = active, .groups = groups, .fn = fn, .arg = arg};

	vec_sort(&s->s, compare_spans);
	for (size_t i = 0, end; i < s->s.n; i = end) {
		for (end = i; end < s->s.n; end++)
			if (s->s.v[end].protocol != s->s.v[i].protocol)
				break;
		sweep(&w, &s->s.v[i], end - i);
	}
	forget_sets(&w);
}
