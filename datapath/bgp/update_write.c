// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * update_write.c - UPDATE as it is sent: as many prefixes in one as fit.  Pure.
 *
 * IPv4 with an IPv4 next hop goes into the fields of RFC 4271, which every speaker takes; all else
 * into the multiprotocol attribute, which comes first (RFC 7606 5.1).
 */
#include "datapath/bgp/update.h"

#define MP_REACH_HEAD	9 /* flags, type, length, AFI, SAFI, length of the next hop, reserved */
#define MP_UNREACH_HEAD 7 /* flags, type, length, AFI, SAFI */
#define LENGTHS		4 /* of what is withdrawn, and of the attributes */

static enum bgp_family family_of(const struct prefix *p)
{
	return p->addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
}

/* How many of @n prefixes fit into @room bytes, and @ret_len how many bytes they take. */
static size_t fitting(const struct prefix *p, size_t n, size_t room, size_t *ret_len)
{
	size_t i = 0;

	for (*ret_len = 0; i < n && *ret_len + bgp_nlri_len(&p[i]) <= room; i++)
		*ret_len += bgp_nlri_len(&p[i]);
	return i;
}

static void put_prefixes(struct buf *out, const struct prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_putc(out, (char)p[i].len);
		buf_put(out, p[i].addr.b, bgp_nlri_len(&p[i]) - 1);
	}
}

static void put_mp_head(struct buf *out, enum bgp_attr type, size_t value, enum bgp_family family)
{
	buf_putc(out, (char)(BGP_FLAG_OPTIONAL | BGP_FLAG_EXTENDED));
	buf_putc(out, (char)type);
	buf_put_be16(out, (uint16_t)value);
	buf_put_be16(out, bgp_afi(family));
	buf_putc(out, BGP_SAFI_UNICAST);
}

static void put_reach(struct buf *out, const struct bgp_attrs *a, size_t hop, size_t nlri)
{
	put_mp_head(out, BGP_ATTR_MP_REACH, MP_REACH_HEAD - 4 + hop + nlri, BGP_IPV6);
	buf_putc(out, (char)hop);
	buf_put(out, a->next_hop.b, 16);
	buf_put(out, a->link_local.b, hop - 16);
	buf_putc(out, 0);
}

/**
 * bgp_update_put() - Write one UPDATE that announces routes
 * @out:     Appended to
 * @session: What both agreed on
 * @a:       Attributes of them all; the next hop is of their family
 * @p:       Prefixes of one family
 * @n:       Their number, not 0
 *
 * Return: how many of the first are in it; 0, and nothing written: the attributes leave no room
 */
size_t bgp_update_put(struct buf *out, const struct bgp_agreed *session, const struct bgp_attrs *a,
		      const struct prefix *p, size_t n)
{
	bool classic = family_of(p) == BGP_IPV4;
	size_t hop = a->link_local.family ? 32 : 16, head = classic ? 0 : MP_REACH_HEAD + hop;
	size_t fixed = BGP_HEADER_LEN + LENGTHS + head, taken, nlri, from;
	_cleanup_(buf_done) struct buf attrs = {0};

	if (!bgp_attrs_put(&attrs, session, a, classic) || fixed + attrs.len > BGP_MESSAGE_MAX)
		return 0;
	taken = fitting(p, n, BGP_MESSAGE_MAX - fixed - attrs.len, &nlri);
	if (!taken)
		return 0;
	from = bgp_message_begin(out, BGP_UPDATE);
	buf_put_be16(out, 0);
	buf_put_be16(out, (uint16_t)(attrs.len + (classic ? 0 : head + nlri)));
	if (!classic) {
		put_reach(out, a, hop, nlri);
		put_prefixes(out, p, taken);
	}
	buf_put(out, attrs.data, attrs.len);
	if (classic)
		put_prefixes(out, p, taken);
	bgp_message_end(out, from);
	return taken;
}

static void put_unreach(struct buf *out, enum bgp_family family, const struct prefix *p, size_t n,
			size_t nlri)
{
	buf_put_be16(out, 0);
	buf_put_be16(out, (uint16_t)(MP_UNREACH_HEAD + nlri));
	put_mp_head(out, BGP_ATTR_MP_UNREACH, MP_UNREACH_HEAD - 4 + nlri, family);
	put_prefixes(out, p, n);
}

/**
 * bgp_withdraw_put() - Write one UPDATE that withdraws routes
 * @out: Appended to
 * @p:   Prefixes of one family
 * @n:   Their number, not 0
 *
 * Return: how many of the first are in it, at least 1
 */
size_t bgp_withdraw_put(struct buf *out, const struct prefix *p, size_t n)
{
	bool classic = family_of(p) == BGP_IPV4;
	size_t room = BGP_MESSAGE_MAX - BGP_HEADER_LEN - LENGTHS - (classic ? 0 : MP_UNREACH_HEAD);
	size_t nlri, taken = fitting(p, n, room, &nlri), from = bgp_message_begin(out, BGP_UPDATE);

	if (classic) {
		buf_put_be16(out, (uint16_t)nlri);
		put_prefixes(out, p, taken);
		buf_put_be16(out, 0);
	} else {
		put_unreach(out, BGP_IPV6, p, taken, nlri);
	}
	bgp_message_end(out, from);
	return taken;
}

/**
 * bgp_end_of_rib_put() - Write the UPDATE that ends the first table of a family (RFC 4724 2)
 * @out:    Appended to
 * @family: Family
 */
void bgp_end_of_rib_put(struct buf *out, enum bgp_family family)
{
	size_t from = bgp_message_begin(out, BGP_UPDATE);

	if (family == BGP_IPV4)
		buf_put_be32(out, 0);
	else
		put_unreach(out, family, NULL, 0, 0);
	bgp_message_end(out, from);
}
