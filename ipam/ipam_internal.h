/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipam_internal.h - the pool, shared by ipam.c and ipam_ranges.c.
 */
#pragma once

#include "ipam/ipam.h"
#include "ipam/ipam_range.h"

/*
 * struct ipam
 * @ranges:   in the order in which they are filled, retired ones last
 * @nowhere:  accounts for what no range gives: the journal's addresses of ranges that are gone
 * @releases: so far; gives the order of release
 * @all:      every record, by address
 */
struct ipam {
	uint64_t cooldown, releases;
	struct ipam_range ranges[IPAM_RANGES_MAX];
	size_t n;
	struct ipam_range nowhere;
	struct ipam_address *all;
};

struct ipam_range *ipam_home(struct ipam *p, const struct addr *a);
void ipam_settle(struct ipam *p);
