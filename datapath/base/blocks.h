/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blocks.h - address blocks with exceptions as minimal, disjoint, sorted ranges.  Pure.
 *
 * This is the form in which ipBlock peers and masquerade exclusions go into interval sets: the
 * kernel refuses ranges that overlap, and equal definitions must give equal elements.
 */
#pragma once

#include "lib/addr.h"
#include "lib/vec.h"

struct ranges {
	VEC(struct addr_range) r;
};

void ranges_done(struct ranges *s);
void ranges_add(struct ranges *s, const struct prefix *block, const struct prefix *except,
		size_t n_except);
void ranges_normalise(struct ranges *s);
