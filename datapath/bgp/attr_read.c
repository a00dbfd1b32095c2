// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attr_read.c - path attributes out of an UPDATE, and what each error costs: the table.  Pure.
 *
 * Of RFC 7606: 3 c, e, f, g (flags, errors of RFC 4271, duplicates), 4 (lengths), 5.3 and 7 (each
 * attribute).  RFC 6793 6 and RFC 7607 2 for AS numbers, RFC 8092 5 for large communities.
 */
#include "datapath/bgp/update.h"

#define ANY	   UINT16_MAX
#define WELL_KNOWN BGP_FLAG_TRANSITIVE
#define TRANSITIVE (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)
#define LOCAL	   BGP_FLAG_OPTIONAL

/**
 * bgp_attr_fault() - Note an error; the strongest action wins (RFC 7606 3 h)
 * @u:       UPDATE
 * @action:  What it costs
 * @type:    Attribute
 * @subcode: Of a NOTIFICATION, should it come to that
 */
void bgp_attr_fault(struct bgp_update *u, enum bgp_action action, uint8_t type, uint8_t subcode)
{
	u->withdraw |= action == BGP_WITHDRAW;
	if (action <= u->action)
		return;
	u->action = action;
	u->culprit = type;
	u->notice = (struct bgp_notice){BGP_ERR_UPDATE, subcode, u->raw};
}

/* --- values ------------------------------------------------------------------------------------
 * Each takes a value of a length that the table allows; false: it is malformed.
 */

static uint32_t number(const struct bgp_span *v)
{
	struct reader r = reader_of(v->p, v->n);

	return reader_be32(&r);
}

static void note(struct bgp_update *u, enum bgp_attr type)
{
	u->attrs.has |= 1u << type;
}

static bool take_origin(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.origin = v->p[0];
	return v->p[0] <= BGP_ORIGIN_INCOMPLETE;
}

static bool take_path(struct bgp_update *u, const struct bgp_span *v)
{
	size_t as_size = u->session->as4 ? 4 : 2;
	bool zero;

	if (!bgp_path_valid(v->p, v->n, as_size, &zero) || zero)
		return false;
	if (as_size == 2)
		bgp_path_widen(v->p, v->n, &u->path);
	else
		buf_put(&u->path, v->p, v->n);
	return true;
}

/* RFC 4271 6.3: the address of a host. */
static bool is_host(const struct addr *a)
{
	if (addr_is_zero(a))
		return false;
	if (a->family == AF_INET)
		return a->b[0] && a->b[0] != 127 && a->b[0] < 224;
	return a->b[0] != 0xff && !addr_is_loopback(a);
}

static struct addr address(int family, const uint8_t *p)
{
	struct addr a = {.family = (uint8_t)family};

	memcpy(a.b, p, addr_len(&a));
	return a;
}

static bool take_next_hop(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.next_hop = address(AF_INET, v->p);
	return is_host(&u->attrs.next_hop);
}

static bool take_med(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.med = number(v);
	note(u, BGP_ATTR_MED);
	return true;
}

static bool take_local_pref(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.local_pref = number(v);
	note(u, BGP_ATTR_LOCAL_PREF);
	return true;
}

static bool take_atomic(struct bgp_update *u, const struct bgp_span *v _unused_)
{
	note(u, BGP_ATTR_ATOMIC);
	return true;
}

static bool take_aggregator(struct bgp_update *u, const struct bgp_span *v)
{
	struct reader r = reader_of(v->p, v->n);
	uint32_t asn = u->session->as4 ? reader_be32(&r) : reader_be16(&r);
	uint32_t id = reader_be32(&r);

	if (r.bad || reader_left(&r) || !asn)
		return false;
	u->attrs.aggregator_as = asn;
	u->attrs.aggregator_id = id;
	note(u, BGP_ATTR_AGGREGATOR);
	return true;
}

static bool take_originator(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.originator = number(v);
	note(u, BGP_ATTR_ORIGINATOR);
	return true;
}

static bool take_communities(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.list[BGP_LIST_COMMUNITIES] = *v;
	return true;
}

static bool take_clusters(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.list[BGP_LIST_CLUSTERS] = *v;
	return true;
}

static bool take_extended(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.list[BGP_LIST_EXTENDED] = *v;
	return true;
}

static bool take_large(struct bgp_update *u, const struct bgp_span *v)
{
	u->attrs.list[BGP_LIST_LARGE] = *v;
	return true;
}

/* RFC 6793 4.1: a neighbour that speaks four bytes must not send it: then it does not count. */
static bool take_path4(struct bgp_update *u, const struct bgp_span *v)
{
	bool zero;

	if (u->session->as4)
		return true;
	if (!bgp_path_valid(v->p, v->n, 4, &zero) || zero)
		return false;
	u->path4 = *v;
	return true;
}

static bool take_aggregator4(struct bgp_update *u, const struct bgp_span *v)
{
	struct reader r = reader_of(v->p, v->n);
	uint32_t asn = reader_be32(&r);

	if (u->session->as4)
		return true;
	u->aggregator4_as = asn;
	u->aggregator4_id = reader_be32(&r);
	return asn != 0;
}

/* --- multiprotocol -----------------------------------------------------------------------------
 */

/* RFC 4760 7: the attribute is wrong, and which family it is about is known. */
static void disable(struct bgp_update *u, enum bgp_family family, uint8_t type)
{
	u->disabled |= (uint8_t)(1 << family);
	bgp_attr_fault(u, u->session->families & ~u->disabled ? BGP_DISABLE : BGP_RESET, type,
		       BGP_UPDATE_OPTIONAL);
}

/* A family that was not agreed on is not looked at. */
static enum bgp_family agreed(const struct bgp_update *u, uint16_t afi, uint8_t safi)
{
	enum bgp_family f = bgp_family_of(afi, safi);

	return f < _BGP_FAMILY_MAX && u->session->families >> f & 1 ? f : _BGP_FAMILY_MAX;
}

/* 4 bytes; 16, or 32 with the link-local address (RFC 2545 3). */
static bool take_mp_next_hop(struct bgp_update *u, enum bgp_family f, const struct reader *r)
{
	size_t n = reader_left(r);

	if (r->bad || (f == BGP_IPV4 ? n != 4 : n != 16 && n != 32))
		return false;
	u->next_hop = address(f == BGP_IPV4 ? AF_INET : AF_INET6, r->p);
	if (n == 32)
		u->link_local = address(AF_INET6, r->p + 16);
	return true;
}

static bool take_routes(struct bgp_update *u, enum bgp_field field, enum bgp_family f,
			const struct reader *r)
{
	if (r->bad || !bgp_nlri_valid(r->p, reader_left(r), f))
		return false;
	u->field[field] = (struct bgp_routes){f, {r->p, (uint16_t)reader_left(r)}};
	return true;
}

static bool take_reach(struct bgp_update *u, const struct bgp_span *v)
{
	struct reader r = reader_of(v->p, v->n), hop;
	uint16_t afi = reader_be16(&r);
	enum bgp_family f = agreed(u, afi, reader_u8(&r));

	if (f == _BGP_FAMILY_MAX)
		return true;
	hop = reader_cut(&r, reader_u8(&r));
	(void)reader_u8(&r); /* reserved: ignored */
	if (!take_mp_next_hop(u, f, &hop) || !take_routes(u, BGP_FIELD_MP_REACH, f, &r))
		disable(u, f, BGP_ATTR_MP_REACH);
	else if (!is_host(&u->next_hop))
		bgp_attr_fault(u, BGP_WITHDRAW, BGP_ATTR_MP_REACH, BGP_UPDATE_OPTIONAL);
	return true;
}

static bool take_unreach(struct bgp_update *u, const struct bgp_span *v)
{
	struct reader r = reader_of(v->p, v->n);
	uint16_t afi = reader_be16(&r);
	enum bgp_family f = agreed(u, afi, reader_u8(&r));

	if (f != _BGP_FAMILY_MAX && !take_routes(u, BGP_FIELD_MP_UNREACH, f, &r))
		disable(u, f, BGP_ATTR_MP_UNREACH);
	return true;
}

/* --- the table ---------------------------------------------------------------------------------
 */

/*
 * struct attr_row - an attribute
 * @flags:     Optional and Transitive as they have to be
 * @min, @max: Bytes; @of: a multiple of these
 * @bad_flags: What it costs if they are not
 * @bad:       What a wrong length or value costs
 * @internal:  From another AS it is discarded, whatever it says
 * @take:      Takes the value
 */
struct attr_row {
	uint8_t flags;
	uint16_t min, max, of;
	enum bgp_action bad_flags, bad;
	bool internal;
	bool (*take)(struct bgp_update *u, const struct bgp_span *v);
};

#define WITHDRAW BGP_WITHDRAW
#define DISCARD	 BGP_DISCARD
#define RESET	 BGP_RESET

/* clang-format off */
static const struct attr_row rows[] = {
	/*                           flags       min max  of  bad_flags bad       internal */
	[BGP_ATTR_ORIGIN]         = {WELL_KNOWN, 1,  1,   1,  WITHDRAW, WITHDRAW, false, take_origin},
	[BGP_ATTR_AS_PATH]        = {WELL_KNOWN, 0,  ANY, 1,  WITHDRAW, WITHDRAW, false, take_path},
	[BGP_ATTR_NEXT_HOP]       = {WELL_KNOWN, 4,  4,   1,  WITHDRAW, WITHDRAW, false, take_next_hop},
	[BGP_ATTR_MED]            = {LOCAL,      4,  4,   1,  WITHDRAW, WITHDRAW, false, take_med},
	[BGP_ATTR_LOCAL_PREF]     = {WELL_KNOWN, 4,  4,   1,  WITHDRAW, WITHDRAW, true,  take_local_pref},
	[BGP_ATTR_ATOMIC]         = {WELL_KNOWN, 0,  0,   1,  DISCARD,  DISCARD,  false, take_atomic},
	[BGP_ATTR_AGGREGATOR]     = {TRANSITIVE, 6,  8,   1,  DISCARD,  DISCARD,  false, take_aggregator},
	[BGP_ATTR_COMMUNITIES]    = {TRANSITIVE, 4,  ANY, 4,  WITHDRAW, WITHDRAW, false, take_communities},
	[BGP_ATTR_ORIGINATOR]     = {LOCAL,      4,  4,   1,  WITHDRAW, WITHDRAW, true,  take_originator},
	[BGP_ATTR_CLUSTERS]       = {LOCAL,      4,  ANY, 4,  WITHDRAW, WITHDRAW, true,  take_clusters},
	[BGP_ATTR_MP_REACH]       = {LOCAL,      5,  ANY, 1,  RESET,    RESET,    false, take_reach},
	[BGP_ATTR_MP_UNREACH]     = {LOCAL,      3,  ANY, 1,  RESET,    RESET,    false, take_unreach},
	[BGP_ATTR_EXTENDED]       = {TRANSITIVE, 8,  ANY, 8,  WITHDRAW, WITHDRAW, false, take_extended},
	[BGP_ATTR_AS4_PATH]       = {TRANSITIVE, 6,  ANY, 2,  WITHDRAW, DISCARD,  false, take_path4},
	[BGP_ATTR_AS4_AGGREGATOR] = {TRANSITIVE, 8,  8,   1,  WITHDRAW, DISCARD,  false, take_aggregator4},
	[BGP_ATTR_LARGE]          = {TRANSITIVE, 12, ANY, 12, WITHDRAW, WITHDRAW, false, take_large},
};
/* clang-format on */

/* Passed on with Partial, or dropped (RFC 4271 5); a well-known one has to be known (6.3). */
static void take_unknown(struct bgp_update *u, uint8_t flags, uint8_t type,
			 const struct bgp_span *v)
{
	if (!(flags & BGP_FLAG_OPTIONAL)) {
		bgp_attr_fault(u, BGP_RESET, type, BGP_UPDATE_UNKNOWN);
		return;
	}
	if (!(flags & BGP_FLAG_TRANSITIVE))
		return;
	buf_putc(&u->others, (char)(TRANSITIVE | BGP_FLAG_PARTIAL |
				    (v->n > UINT8_MAX ? BGP_FLAG_EXTENDED : 0)));
	buf_putc(&u->others, (char)type);
	if (v->n > UINT8_MAX)
		buf_put_be16(&u->others, v->n);
	else
		buf_putc(&u->others, (char)v->n);
	buf_put(&u->others, v->p, v->n);
}

static bool is_known(uint8_t type)
{
	return type < ARRAY_SIZE(rows) && rows[type].take;
}

static bool is_multiprotocol(uint8_t type)
{
	return type == BGP_ATTR_MP_REACH || type == BGP_ATTR_MP_UNREACH;
}

/* Of two the first counts; two of these two are no list of attributes (RFC 7606 3 g). */
static bool is_repeated(struct bgp_update *u, uint8_t type)
{
	uint8_t bit = (uint8_t)(1 << type % 8);

	if (!(u->seen[type / 8] & bit)) {
		u->seen[type / 8] |= bit;
		return false;
	}
	bgp_attr_fault(u, is_multiprotocol(type) ? BGP_RESET : BGP_DISCARD, type,
		       BGP_UPDATE_ATTRIBUTES);
	return true;
}

/* Wrong in a way that leaves its family readable: that family, as RFC 4760 7 has it. */
static void refuse_multiprotocol(struct bgp_update *u, uint8_t type, const struct bgp_span *v)
{
	struct reader r = reader_of(v->p, v->n);
	uint16_t afi = reader_be16(&r);
	enum bgp_family f = agreed(u, afi, reader_u8(&r));

	if (r.bad)
		bgp_attr_fault(u, BGP_RESET, type, BGP_UPDATE_OPTIONAL);
	else if (f != _BGP_FAMILY_MAX)
		disable(u, f, type);
}

static void refuse(struct bgp_update *u, enum bgp_action action, uint8_t type,
		   const struct bgp_span *v)
{
	if (is_multiprotocol(type))
		refuse_multiprotocol(u, type, v);
	else
		bgp_attr_fault(u, action, type, BGP_UPDATE_ATTRIBUTES);
}

/**
 * bgp_attr_read() - Take an attribute
 * @u:     UPDATE; @u->raw is the attribute whole
 * @flags: Its flags
 * @type:  Its type
 * @value: Its value
 */
void bgp_attr_read(struct bgp_update *u, uint8_t flags, uint8_t type, const struct bgp_span *value)
{
	const struct attr_row *row = &rows[is_known(type) ? type : 0];

	if (is_repeated(u, type))
		return;
	if (!is_known(type))
		take_unknown(u, flags, type, value);
	else if (row->internal && u->session->external)
		bgp_attr_fault(u, BGP_DISCARD, type, 0);
	else if ((flags & TRANSITIVE) != row->flags)
		refuse(u, row->bad_flags, type, value);
	else if (value->n < row->min || value->n > row->max || value->n % row->of ||
		 !row->take(u, value))
		refuse(u, row->bad, type, value);
}

static struct bgp_span span_of(const struct buf *b)
{
	return (struct bgp_span){(const uint8_t *)b->data, (uint16_t)b->len};
}

/**
 * bgp_attr_finish() - All attributes have been taken
 * @u: UPDATE
 *
 * AS4_AGGREGATOR and AS4_PATH count unless an old speaker has aggregated since (RFC 6793 4.2.3).
 */
void bgp_attr_finish(struct bgp_update *u)
{
	struct bgp_attrs *a = &u->attrs;
	bool aggregated = bgp_attrs_has(a, BGP_ATTR_AGGREGATOR);
	_cleanup_(buf_done) struct buf merged = {0};

	a->list[BGP_LIST_AS_PATH] = span_of(&u->path);
	if (u->path4.n && (!aggregated || a->aggregator_as == BGP_AS_TRANS)) {
		bgp_path_merge(&a->list[BGP_LIST_AS_PATH], &u->path4, &merged);
		buf_reset(&u->path);
		buf_put(&u->path, merged.data, merged.len);
		a->list[BGP_LIST_AS_PATH] = span_of(&u->path);
	}
	if (u->aggregator4_as && aggregated && a->aggregator_as == BGP_AS_TRANS) {
		a->aggregator_as = u->aggregator4_as;
		a->aggregator_id = u->aggregator4_id;
	}
	a->list[BGP_LIST_OTHERS] = span_of(&u->others);
}
