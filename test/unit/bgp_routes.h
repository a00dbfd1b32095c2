/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp_routes.h - routes by hand, for tests of the table.
 */
#pragma once

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/bgp/rib.h"

/* struct route - attributes with the path in them */
struct route {
	struct bgp_attrs a;
	uint8_t path[2 + 4 * 8];
	uint8_t clusters[16];
};

static inline struct prefix prefix_of_text(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(s, &p), 0);
	return p;
}

static inline struct addr addr_of_text(const char *s)
{
	struct addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

/* route() - by a next hop, through @n ASes from @first on */
static inline void route(struct route *r, const char *hop, uint32_t first, unsigned int n)
{
	*r = (struct route){.a.next_hop = addr_of_text(hop), .path = {2, (uint8_t)n}};
	for (unsigned int i = 0; i < n; i++) {
		uint32_t asn = htobe32(first + i);

		memcpy(r->path + 2 + 4 * i, &asn, 4);
	}
	r->a.list[BGP_LIST_AS_PATH] = (struct bgp_span){r->path, (uint16_t)(n ? 2 + 4 * n : 0)};
}
