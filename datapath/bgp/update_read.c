// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * update_read.c - UPDATE as it comes (update.h); its attributes: attr_read.c.  Pure.
 */
#include "datapath/bgp/update.h"

#define FIXED_LEN 23 /* header and both lengths */

/* --- prefixes ----------------------------------------------------------------------------------
 */

static uint8_t bits_max(enum bgp_family family)
{
	return family == BGP_IPV4 ? 32 : 128;
}

/**
 * bgp_nlri_len() - Bytes of a prefix on the wire
 * @p: Prefix
 *
 * Return: the number, its length byte included
 */
size_t bgp_nlri_len(const struct prefix *p)
{
	return 1 + (p->len + 7u) / 8;
}

/**
 * bgp_nlri_next() - The next prefix of a field
 * @r:      Reader of the field; bad if the prefix is
 * @family: Of the field
 * @ret:    Prefix, bits beyond its length cleared (RFC 4271 4.3: they do not matter)
 *
 * Return: false at the end
 */
bool bgp_nlri_next(struct reader *r, enum bgp_family family, struct prefix *ret)
{
	struct addr a = {.family = family == BGP_IPV4 ? AF_INET : AF_INET6};
	const uint8_t *p;
	uint8_t len;

	if (!reader_left(r))
		return false;
	len = reader_u8(r);
	r->bad |= len > bits_max(family);
	p = reader_bytes(r, (len + 7u) / 8);
	if (!p)
		return false;
	memcpy(a.b, p, (len + 7u) / 8);
	*ret = prefix_around(&a, len);
	return true;
}

/**
 * bgp_nlri_valid() - Check a field of prefixes (RFC 7606 5.3)
 * @p:      Field
 * @len:    Its bytes
 * @family: Of its prefixes
 *
 * Return: false if a prefix is longer than its family has bits, or ends behind the end
 */
bool bgp_nlri_valid(const uint8_t *p, size_t len, enum bgp_family family)
{
	struct reader r = reader_of(p, len);
	struct prefix ignored;

	while (bgp_nlri_next(&r, family, &ignored))
		;
	return !r.bad;
}

/* --- the message -------------------------------------------------------------------------------
 */

/* RFC 7606 4: too short a rest, or an attribute that ends behind the end; the rest is not read. */
static bool next_attribute(struct bgp_update *u, struct reader *r)
{
	const uint8_t *from = r->p;
	uint8_t flags = reader_u8(r), type = reader_u8(r);
	uint16_t n = flags & BGP_FLAG_EXTENDED ? reader_be16(r) : reader_u8(r);
	const uint8_t *p = reader_bytes(r, n);

	if (!p) {
		bgp_attr_fault(u, BGP_WITHDRAW, type, BGP_UPDATE_ATTRIBUTES);
		return false;
	}
	u->raw = (struct bgp_span){from, (uint16_t)(r->p - from)};
	bgp_attr_read(u, flags, type, &(struct bgp_span){p, n});
	u->raw = (struct bgp_span){NULL, 0};
	return true;
}

/* The fields of RFC 4271, IPv4. */
static void take_field(struct bgp_update *u, enum bgp_field field, const struct reader *r)
{
	size_t n = reader_left(r);

	if (!(u->session->families >> BGP_IPV4 & 1))
		return;
	if (!bgp_nlri_valid(r->p, n, BGP_IPV4))
		bgp_attr_fault(u, BGP_RESET, 0, BGP_UPDATE_NETWORK);
	else
		u->field[field] = (struct bgp_routes){BGP_IPV4, {r->p, (uint16_t)n}};
}

static bool has(const struct bgp_update *u, uint8_t type)
{
	return u->seen[type / 8] >> type % 8 & 1;
}

static bool has_routes(const struct bgp_update *u, enum bgp_field field)
{
	return u->field[field].nlri.n;
}

/* RFC 7606 3 d: what an UPDATE must have that announces something. */
static void check_mandatory(struct bgp_update *u, bool announces)
{
	static const uint8_t mandatory[] = {BGP_ATTR_ORIGIN, BGP_ATTR_AS_PATH, BGP_ATTR_NEXT_HOP};

	for (size_t i = 0; i < ARRAY_SIZE(mandatory); i++) {
		bool needed = mandatory[i] == BGP_ATTR_NEXT_HOP ? has_routes(u, BGP_FIELD_ANNOUNCED)
								: announces;

		if (needed && !has(u, mandatory[i]))
			bgp_attr_fault(u, BGP_WITHDRAW, mandatory[i], BGP_UPDATE_ATTRIBUTES);
	}
}

/* Of a family that was not agreed on nobody knows. */
static bool may_announce(const struct bgp_update *u)
{
	return has_routes(u, BGP_FIELD_ANNOUNCED) || has_routes(u, BGP_FIELD_MP_REACH) ||
	       (has(u, BGP_ATTR_MP_REACH) &&
		u->field[BGP_FIELD_MP_REACH].family == _BGP_FAMILY_MAX);
}

/* RFC 7606 5.2: an error that withdraws routes, and there are none: nobody knows which. */
static void check_withdrawn(struct bgp_update *u)
{
	if (u->action != BGP_WITHDRAW || may_announce(u))
		return;
	u->action = BGP_RESET;
}

/* RFC 4724 2: nothing at all, or an MP_UNREACH_NLRI alone that has no routes. */
static enum bgp_family end_of_rib(const struct bgp_update *u, size_t len, size_t attributes)
{
	const struct bgp_routes *un = &u->field[BGP_FIELD_MP_UNREACH];

	if (len == FIXED_LEN)
		return u->field[BGP_FIELD_ANNOUNCED].family;
	if (len == FIXED_LEN + attributes && u->alone && un->family != _BGP_FAMILY_MAX &&
	    !un->nlri.n)
		return un->family;
	return _BGP_FAMILY_MAX;
}

static void begin(struct bgp_update *u, const struct bgp_agreed *session)
{
	struct buf path = u->path, others = u->others;

	buf_reset(&path);
	buf_reset(&others);
	*u = (struct bgp_update){
		.session = session, .path = path, .others = others, .ended = _BGP_FAMILY_MAX};
	for (int i = 0; i < _BGP_FIELD_MAX; i++)
		u->field[i].family = _BGP_FAMILY_MAX;
}

/**
 * bgp_update_read() - Read an UPDATE
 * @u:       Zeroed, or read before; borrows from @data
 * @data:    Message that bgp_frame() let pass
 * @len:     Its bytes
 * @session: What both agreed on; families that were disabled since are not in it
 */
void bgp_update_read(struct bgp_update *u, const uint8_t *data, size_t len,
		     const struct bgp_agreed *session)
{
	struct reader r = reader_of(data + BGP_HEADER_LEN, len - BGP_HEADER_LEN);
	struct reader withdrawn = reader_cut(&r, reader_be16(&r));
	struct reader attributes = reader_cut(&r, reader_be16(&r));
	size_t n = reader_left(&attributes), count = 0;

	begin(u, session);
	if (r.bad) { /* RFC 7606 3 b */
		bgp_attr_fault(u, BGP_RESET, 0, BGP_UPDATE_ATTRIBUTES);
		return;
	}
	take_field(u, BGP_FIELD_WITHDRAWN, &withdrawn);
	while (reader_left(&attributes) && next_attribute(u, &attributes))
		count++;
	u->alone = count == 1 && has(u, BGP_ATTR_MP_UNREACH);
	take_field(u, BGP_FIELD_ANNOUNCED, &r);
	bgp_attr_finish(u);
	check_mandatory(u, has_routes(u, BGP_FIELD_ANNOUNCED) || has_routes(u, BGP_FIELD_MP_REACH));
	check_withdrawn(u);
	if (u->action == BGP_ACCEPT)
		u->ended = end_of_rib(u, len, n);
}

static void each(const struct bgp_update *u, enum bgp_field field, const struct bgp_attrs *attrs,
		 bgp_route_fn *route, void *arg)
{
	const struct bgp_routes *f = &u->field[field];
	struct reader r = reader_of(f->nlri.p, f->nlri.n);
	struct prefix p;

	if (f->family == _BGP_FAMILY_MAX || u->disabled >> f->family & 1)
		return;
	while (bgp_nlri_next(&r, f->family, &p))
		route(arg, &p, attrs);
}

/**
 * bgp_update_each() - Walk the routes of an UPDATE
 * @u:     As it was read
 * @route: Called for each; what is withdrawn comes first, so that a prefix that is in both counts
 *         as announced (RFC 4271 4.3)
 * @arg:   For @route
 */
void bgp_update_each(const struct bgp_update *u, bgp_route_fn *route, void *arg)
{
	struct bgp_attrs mp = u->attrs;

	if (u->action == BGP_RESET)
		return;
	mp.next_hop = u->next_hop;
	mp.link_local = u->link_local;
	each(u, BGP_FIELD_WITHDRAWN, NULL, route, arg);
	each(u, BGP_FIELD_MP_UNREACH, NULL, route, arg);
	each(u, BGP_FIELD_ANNOUNCED, u->withdraw ? NULL : &u->attrs, route, arg);
	each(u, BGP_FIELD_MP_REACH, u->withdraw ? NULL : &mp, route, arg);
}

/**
 * bgp_update_done() - Free what reading took
 * @u: UPDATE; empty and usable again afterwards
 */
void bgp_update_done(struct bgp_update *u)
{
	buf_done(&u->path);
	buf_done(&u->others);
	*u = (struct bgp_update){0};
}
