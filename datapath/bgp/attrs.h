/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attrs.h - what a route says beside its prefix: path attributes as values.  Pure.
 *
 * struct bgp_attrs is a view: what is long is borrowed, from a message or from attributes that are
 * kept (kept.h).  AS numbers have four bytes here, whatever the neighbour speaks; a path is the
 * wire's segments.  Lists are in network byte order and stay in the order in which they came.
 */
#pragma once

#include <sys/socket.h>

#include "datapath/bgp/proto.h"
#include "lib/addr.h"

/* What is long, in the order of types. */
enum bgp_list {
	BGP_LIST_AS_PATH,
	BGP_LIST_COMMUNITIES, /* 4 bytes each */
	BGP_LIST_CLUSTERS,    /* 4 bytes each */
	BGP_LIST_EXTENDED,    /* 8 bytes each */
	BGP_LIST_LARGE,	      /* 12 bytes each */
	BGP_LIST_OTHERS,      /* attributes that we do not know, whole, with Partial */
	_BGP_LIST_MAX
};

/*
 * struct bgp_attrs - attributes of a route
 * @has:        Bits, 1 << type, of those that a route may lack and that are no list
 * @link_local: Of the next hop, if it came; else family 0
 */
struct bgp_attrs {
	uint32_t has;
	uint8_t origin;
	struct addr next_hop, link_local;
	uint32_t med, local_pref, originator;
	uint32_t aggregator_as, aggregator_id;
	struct bgp_span list[_BGP_LIST_MAX];
};

static inline bool bgp_attrs_has(const struct bgp_attrs *a, enum bgp_attr type)
{
	return a->has >> type & 1;
}

bool bgp_attrs_equal(const struct bgp_attrs *a, const struct bgp_attrs *b);

bool bgp_path_valid(const uint8_t *p, size_t len, size_t as_size, bool *ret_zero);
void bgp_path_widen(const uint8_t *p, size_t len, struct buf *out);
bool bgp_path_narrow(const struct bgp_span *path, struct buf *out);
void bgp_path_merge(const struct bgp_span *path, const struct bgp_span *path4, struct buf *out);
void bgp_path_prepend(const struct bgp_span *path, uint32_t asn, unsigned int times,
		      struct buf *out);
uint32_t bgp_path_length(const struct bgp_span *path);
uint32_t bgp_path_first(const struct bgp_span *path);
bool bgp_path_contains(const struct bgp_span *path, uint32_t asn);
