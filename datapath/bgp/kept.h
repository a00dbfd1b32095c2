/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept.h - attributes that routes keep: one copy of those that are equal, however many routes have
 * them.  Pure.
 */
#pragma once

#include "datapath/bgp/attrs.h"
#include "lib/ptr_table.h"

/*
 * struct bgp_kept - attributes in a pool; equal ones are one
 * @path_length: For the decision
 * @first_as:    The neighbouring AS
 * @data:        Next hop (@hop_len bytes: 4; 16, or 32 with the link-local address), then lists
 */
struct bgp_kept {
	uint32_t refs, hash;
	uint32_t has, med, local_pref, originator, aggregator_as, aggregator_id;
	uint32_t path_length, first_as;
	uint16_t len[_BGP_LIST_MAX];
	uint8_t origin, hop_len;
	uint8_t data[];
};

/* struct bgp_pool - starts zeroed; @bytes that its attributes take */
struct bgp_pool {
	struct ptr_table table;
	struct buf scratch;
	size_t bytes;
};

struct bgp_kept *bgp_keep(struct bgp_pool *pool, const struct bgp_attrs *a);
void bgp_kept_put(struct bgp_pool *pool, struct bgp_kept *k);
struct bgp_attrs bgp_kept_view(const struct bgp_kept *k);
struct addr bgp_kept_hop(const struct bgp_kept *k);
void bgp_pool_done(struct bgp_pool *pool);
