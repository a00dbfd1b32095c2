// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attr_write.c - path attributes for an UPDATE, in the order of their types.  Pure.
 */
#include "datapath/bgp/update.h"

#define WELL_KNOWN BGP_FLAG_TRANSITIVE
#define TRANSITIVE (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)
#define LOCAL	   BGP_FLAG_OPTIONAL

static void put(struct buf *out, uint8_t flags, enum bgp_attr type, const void *p, size_t n)
{
	buf_putc(out, (char)(flags | (n > UINT8_MAX ? BGP_FLAG_EXTENDED : 0)));
	buf_putc(out, (char)type);
	if (n > UINT8_MAX)
		buf_put_be16(out, (uint16_t)n);
	else
		buf_putc(out, (char)n);
	buf_put(out, p, n);
}

static void put_number(struct buf *out, uint8_t flags, enum bgp_attr type, uint32_t v)
{
	_cleanup_(buf_done) struct buf b = {0};

	buf_put_be32(&b, v);
	put(out, flags, type, b.data, b.len);
}

static void put_list(struct buf *out, uint8_t flags, enum bgp_attr type, const struct bgp_span *l)
{
	if (l->n)
		put(out, flags, type, l->p, l->n);
}

/* RFC 6793 4.2.2: to an old speaker AS_TRANS, and beside it the path that was meant. */
static bool put_path(struct buf *out, bool as4, const struct bgp_span *path)
{
	_cleanup_(buf_done) struct buf narrow = {0};
	bool lost;

	if (as4) {
		put(out, WELL_KNOWN, BGP_ATTR_AS_PATH, path->p, path->n);
		return false;
	}
	lost = bgp_path_narrow(path, &narrow);
	put(out, WELL_KNOWN, BGP_ATTR_AS_PATH, narrow.data, narrow.len);
	return lost;
}

static bool put_aggregator(struct buf *out, bool as4, const struct bgp_attrs *a)
{
	bool lost = !as4 && a->aggregator_as > UINT16_MAX;
	_cleanup_(buf_done) struct buf b = {0};

	if (as4)
		buf_put_be32(&b, a->aggregator_as);
	else
		buf_put_be16(&b, (uint16_t)(lost ? BGP_AS_TRANS : a->aggregator_as));
	buf_put_be32(&b, a->aggregator_id);
	put(out, TRANSITIVE, BGP_ATTR_AGGREGATOR, b.data, b.len);
	return lost;
}

static void put_aggregator4(struct buf *out, const struct bgp_attrs *a)
{
	_cleanup_(buf_done) struct buf b = {0};

	buf_put_be32(&b, a->aggregator_as);
	buf_put_be32(&b, a->aggregator_id);
	put(out, TRANSITIVE, BGP_ATTR_AS4_AGGREGATOR, b.data, b.len);
}

/**
 * bgp_attrs_put() - Write the attributes of a route
 * @out:      Appended to
 * @session:  What both agreed on; LOCAL_PREF and reflection stay within the AS
 * @a:        Attributes
 * @next_hop: NEXT_HOP too, which is IPv4; false: MP_REACH_NLRI has the next hop
 *
 * Return: false if one is too long for any message
 */
bool bgp_attrs_put(struct buf *out, const struct bgp_agreed *session, const struct bgp_attrs *a,
		   bool next_hop)
{
	const uint8_t origin = a->origin;
	bool inside = !session->external, path4, aggregator4 = false;
	size_t from = out->len;

	put(out, WELL_KNOWN, BGP_ATTR_ORIGIN, &origin, 1);
	path4 = put_path(out, session->as4, &a->list[BGP_LIST_AS_PATH]);
	if (next_hop)
		put(out, WELL_KNOWN, BGP_ATTR_NEXT_HOP, a->next_hop.b, 4);
	if (bgp_attrs_has(a, BGP_ATTR_MED))
		put_number(out, LOCAL, BGP_ATTR_MED, a->med);
	if (inside && bgp_attrs_has(a, BGP_ATTR_LOCAL_PREF))
		put_number(out, WELL_KNOWN, BGP_ATTR_LOCAL_PREF, a->local_pref);
	if (bgp_attrs_has(a, BGP_ATTR_ATOMIC))
		put(out, WELL_KNOWN, BGP_ATTR_ATOMIC, NULL, 0);
	if (bgp_attrs_has(a, BGP_ATTR_AGGREGATOR))
		aggregator4 = put_aggregator(out, session->as4, a);
	put_list(out, TRANSITIVE, BGP_ATTR_COMMUNITIES, &a->list[BGP_LIST_COMMUNITIES]);
	if (inside && bgp_attrs_has(a, BGP_ATTR_ORIGINATOR))
		put_number(out, LOCAL, BGP_ATTR_ORIGINATOR, a->originator);
	if (inside)
		put_list(out, LOCAL, BGP_ATTR_CLUSTERS, &a->list[BGP_LIST_CLUSTERS]);
	put_list(out, TRANSITIVE, BGP_ATTR_EXTENDED, &a->list[BGP_LIST_EXTENDED]);
	if (path4)
		put_list(out, TRANSITIVE, BGP_ATTR_AS4_PATH, &a->list[BGP_LIST_AS_PATH]);
	if (aggregator4)
		put_aggregator4(out, a);
	put_list(out, TRANSITIVE, BGP_ATTR_LARGE, &a->list[BGP_LIST_LARGE]);
	buf_put(out, a->list[BGP_LIST_OTHERS].p, a->list[BGP_LIST_OTHERS].n);
	return out->len - from <= BGP_MESSAGE_MAX;
}
