/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipam_range.h - one range of addresses: which of it may be given out, and where the next fresh
 * one is.  Pure; for ipam.c.
 */
#pragma once

#include "lib/addr.h"

struct ipam_address;

/*
 * struct ipam_range
 * @first, @end:   offsets from the network address; [first, end) is what the cursor visits
 * @cursor:        offset of the next address to try
 * @used:          addresses of the range in use
 * @n_cooling, @cooling: released not long enough ago, the first released in front (utlist.h)
 * @n_rested, @rested:   released longer ago, in the same order
 * @retired:       not configured any more
 */
struct ipam_range {
	struct prefix prefix;
	uint64_t first, end, cursor;
	uint64_t used, n_cooling, n_rested;
	struct ipam_address *cooling, *rested;
	bool retired;
};

struct ipam_range ipam_range_of(const struct prefix *p);
uint64_t ipam_range_size(const struct ipam_range *r);
bool ipam_range_gives(const struct ipam_range *r, const struct addr *a);
bool ipam_range_has_fresh(const struct ipam_range *r);
struct addr ipam_range_step(struct ipam_range *r);
