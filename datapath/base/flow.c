// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flow.c - lists of tracked connections.  Pure.
 */
#include "datapath/base/flow.h"

/**
 * flow_compare() - Order flows; fits qsort() and bsearch()
 * @a: struct flow
 * @b: struct flow
 *
 * Return: below, at or above zero; 0 if they are the same flow
 */
int flow_compare(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;
	int c = addr_cmp(&x->src, &y->src);

	if (!c)
		c = addr_cmp(&x->dst, &y->dst);
	if (!c)
		c = addr_cmp(&x->back, &y->back);
	if (!c)
		c = x->protocol - y->protocol;
	if (!c)
		c = x->port - y->port;
	return c ? c : x->expected - y->expected;
}

/**
 * flow_list_sort() - Make a list ready for flow_list_has()
 * @l: List; what stands in it twice is left out once
 */
void flow_list_sort(struct flow_list *l)
{
	size_t n = 0;

	vec_sort(&l->f, flow_compare);
	vec_foreach (f, &l->f) {
		if (!n || flow_compare(&l->f.v[n - 1], f) != 0)
			l->f.v[n++] = *f;
	}
	l->f.n = n;
}

/**
 * flow_list_has() - Is a flow in a list?
 * @sorted: List
 * @f:      Flow
 *
 * Return: true if so
 */
bool flow_list_has(const struct flow_list *sorted, const struct flow *f)
{
	return sorted->f.n && bsearch(f, sorted->f.v, sorted->f.n, sizeof(*f), flow_compare);
}

/**
 * flow_list_done() - Free a list; also a cleanup function
 * @l: List; empty and usable afterwards
 */
void flow_list_done(struct flow_list *l)
{
	vec_done(&l->f);
}
