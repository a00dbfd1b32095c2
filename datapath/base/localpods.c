// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * localpods.c - addresses and ranges of local pods as blocks.  Pure.
 *
 * A pod's address inside a range costs no element; it gets one when the range is taken out while
 * the pod runs.
 */
#include "datapath/base/localpods.h"

/**
 * localpods_init() - Begin with none
 * @l: Filled in
 * @t: Table
 * @b: Sets of the fixed program
 */
void localpods_init(struct localpods *l, struct nft_table *t, const struct base *b)
{
	*l = (struct localpods){0};
	for (int six = 0; six < 2; six++)
		coverset_init(&l->addresses[six], t, b->local[six]);
}

/**
 * localpods_done() - Forget all; the elements stay wanted
 * @l: Addresses
 */
void localpods_done(struct localpods *l)
{
	for (int six = 0; six < 2; six++)
		coverset_done(&l->addresses[six]);
	vec_done(&l->ranges);
}

/**
 * localpods_ranges() - Replace the ranges
 * @l:      Addresses
 * @ranges: Ranges; copied
 * @n:      Their number
 */
void localpods_ranges(struct localpods *l, const struct prefix *ranges, size_t n)
{
	/* New ones first: what is in both never leaves. */
	for (size_t i = 0; i < n; i++)
		cover_add(coverset_of(l->addresses, &ranges[i]), &ranges[i]);
	vec_foreach (old, &l->ranges)
		cover_remove(coverset_of(l->addresses, old), old);
	l->ranges.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push(&l->ranges, ranges[i]);
}

/**
 * localpods_change() - A pod's addresses come or go
 * @l:      Addresses
 * @a:      Its attachment
 * @change: cover_add or cover_remove
 */
void localpods_change(struct localpods *l, const struct attachment *a, cover_change *change)
{
	for (uint32_t i = 0; i < a->n_addrs; i++) {
		const struct prefix host = prefix_host(&a->addrs[i]);

		change(coverset_of(l->addresses, &host), &host);
	}
}
