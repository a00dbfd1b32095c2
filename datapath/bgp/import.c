// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * import.c - may a route be used at all?  Pure.
 *
 * What a neighbour says never takes what is ours, and never the way out: a default route has to be
 * asked for by name.  A neighbour of another AS is believed nothing unless a filter says so (RFC
 * 8212); that default is its owner's, here BGP_IMPORT_NONE refuses all.
 */
#include <endian.h>

#include "datapath/bgp/rib.h"

/* struct martian - where no packet between hosts goes (RFC 6890) */
static const struct {
	uint8_t family, len;
	uint8_t b[4];
} martians[] = {
	{AF_INET, 8, {0}},     {AF_INET, 8, {127}},	     {AF_INET, 16, {169, 254}},
	{AF_INET, 4, {224}},   {AF_INET, 4, {240}},	     {AF_INET6, 32, {0}},
	{AF_INET6, 8, {0xff}}, {AF_INET6, 10, {0xfe, 0x80}},
};

static bool is_martian(const struct prefix *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(martians); i++) {
		struct prefix outer = {.addr.family = martians[i].family, .len = martians[i].len};

		memcpy(outer.addr.b, martians[i].b, 4);
		if (prefix_covers(&outer, p))
			return true;
	}
	return false;
}

static enum bgp_fate filter(const struct bgp_rib *r, const struct bgp_peer *peer,
			    const struct prefix *p)
{
	if (peer->import == BGP_IMPORT_NONE)
		return BGP_REFUSED_IMPORT;
	if (!p->len)
		return BGP_REFUSED_DEFAULT;
	if (is_martian(p))
		return BGP_REFUSED_MARTIAN;
	if (bgp_ranges_cover(&r->own, p))
		return BGP_REFUSED_OWN;
	if (peer->import == BGP_IMPORT_PODS && (!peer->pods || !bgp_ranges_cover(peer->pods, p)))
		return BGP_REFUSED_IMPORT;
	return BGP_USED;
}

static bool has_number(const struct bgp_span *list, uint32_t v)
{
	v = htobe32(v);
	for (size_t i = 0; i + 4 <= list->n; i += 4)
		if (memcmp(list->p + i, &v, 4) == 0)
			return true;
	return false;
}

static enum bgp_fate loop(const struct bgp_rib *r, const struct bgp_attrs *a)
{
	if (bgp_path_contains(&a->list[BGP_LIST_AS_PATH], r->asn))
		return BGP_REFUSED_LOOP;
	if (bgp_attrs_has(a, BGP_ATTR_ORIGINATOR) && a->originator == r->id)
		return BGP_REFUSED_ORIGINATOR;
	if (r->cluster && has_number(&a->list[BGP_LIST_CLUSTERS], r->cluster))
		return BGP_REFUSED_CLUSTER;
	return BGP_USED;
}

/**
 * bgp_import() - May a route be used?  Whether its next hop is reached is asked later.
 * @r:     Table
 * @peer:  Who announced it
 * @p:     Prefix
 * @attrs: Attributes
 *
 * Return: BGP_USED, or why not
 */
enum bgp_fate bgp_import(const struct bgp_rib *r, const struct bgp_peer *peer,
			 const struct prefix *p, const struct bgp_kept *attrs)
{
	const struct bgp_attrs a = bgp_kept_view(attrs);
	const struct prefix hop = prefix_host(&a.next_hop);
	enum bgp_fate f = filter(r, peer, p);

	if (f == BGP_USED)
		f = loop(r, &a);
	if (f == BGP_USED && bgp_ranges_cover(&r->own_hops, &hop))
		f = BGP_REFUSED_HOP;
	return f;
}
