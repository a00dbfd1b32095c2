// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * blocks.c - arithmetic of address ranges.  Pure.
 */
#include "datapath/base/blocks.h"

/**
 * ranges_done() - Free a list of ranges; also a cleanup function
 * @s: List; empty and usable afterwards
 */
void ranges_done(struct ranges *s)
{
	vec_done(&s->r);
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

/**
 * ranges_add() - Add a block without its exceptions
 * @s:        List; not normalised afterwards
 * @block:    Block
 * @except:   Blocks to leave out; those outside @block have no effect
 * @n_except: Number of them; O(n log n)
 *
 * Source: networking.k8s.io/v1 IPBlock: "except is a slice of CIDRs that should not be included
 * within an IPBlock".
 */
void ranges_add(struct ranges *s, const struct prefix *block, const struct prefix *except,
		size_t n_except)
{
	_cleanup_(freep) struct prefix *hole = xmemdup(except, n_except * sizeof(*except));
	struct addr next = block->addr, last = prefix_last(block);

	if (n_except > 1)
		qsort(hole, n_except, sizeof(*hole), compare_prefixes);
	for (size_t i = 0; i < n_except; i++) {
		struct addr before = hole[i].addr, after = prefix_last(&hole[i]);

		if (addr_cmp(&after, &next) < 0 || addr_cmp(&before, &last) > 0)
			continue;
		if (addr_cmp(&before, &next) > 0) {
			(void)addr_prev(&before);
			vec_push(&s->r, (struct addr_range){next, before});
		}
		if (addr_cmp(&after, &last) >= 0)
			return;
		next = after;
		(void)addr_next(&next);
	}
	vec_push(&s->r, (struct addr_range){next, last});
}

static int compare_ranges(const void *a, const void *b)
{
	const struct addr_range *x = a, *y = b;
	int c = addr_cmp(&x->first, &y->first);

	return c ? c : addr_cmp(&x->last, &y->last);
}

/* Does @next begin inside @r, or right behind it? */
static bool reaches(const struct addr_range *r, const struct addr_range *next)
{
	struct addr behind = r->last;

	if (r->first.family != next->first.family)
		return false;
	if (addr_cmp(&next->first, &r->last) <= 0)
		return true;
	return addr_next(&behind) && addr_eq(&behind, &next->first);
}

/**
 * ranges_normalise() - Sort, and join what overlaps or touches: the fewest ranges
 * @s: List
 *
 * O(n log n).
 */
void ranges_normalise(struct ranges *s)
{
	size_t n = 0;

	vec_sort(&s->r, compare_ranges);
	vec_foreach (r, &s->r) {
		struct addr_range *top = n ? &s->r.v[n - 1] : NULL;

		if (top && reaches(top, r)) {
			if (addr_cmp(&r->last, &top->last) > 0)
				top->last = r->last;
		} else {
			s->r.v[n++] = *r;
		}
	}
	s->r.n = n;
}
