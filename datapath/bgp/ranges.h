/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ranges.h - a set of prefixes that is asked whether one of them covers another.  Pure.
 *
 * Costs a look for each length that is in the set, of which there are few.
 */
#pragma once

#include "lib/addr.h"
#include "lib/ptr_table.h"

/* struct bgp_ranges - starts zeroed; @n of each length and family, IPv6 behind IPv4 */
struct bgp_ranges {
	struct ptr_table table;
	uint32_t n[33 + 129];
};

uint32_t bgp_prefix_hash(const struct prefix *p);
void bgp_ranges_add(struct bgp_ranges *r, const struct prefix *p);
void bgp_ranges_remove(struct bgp_ranges *r, const struct prefix *p);
bool bgp_ranges_cover(const struct bgp_ranges *r, const struct prefix *p);
void bgp_ranges_done(struct bgp_ranges *r);
