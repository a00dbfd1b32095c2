// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * open.c - OPEN (open.h).  Pure.
 */
#include "datapath/bgp/open.h"

#define PARAMETER_CAPABILITIES 2
#define PARAMETER_LONG	       255 /* RFC 9072: as the first type */
#define RESTART_R	       0x8000
#define RESTART_N	       0x4000
#define RESTART_SEC	       0x0fff
#define RESTART_F	       0x80

/* --- ours --------------------------------------------------------------------------------------
 */

static size_t begin_capability(struct buf *out, enum bgp_capability code)
{
	buf_putc(out, (char)code);
	buf_putc(out, 0);
	return out->len;
}

static void end_counted(struct buf *out, size_t from)
{
	out->data[from - 1] = (char)(out->len - from);
}

static void put_graceful(struct buf *out, const struct bgp_open *o)
{
	size_t from = begin_capability(out, BGP_CAP_GRACEFUL_RESTART);

	buf_put_be16(out,
		     (uint16_t)((o->restarting ? RESTART_R : 0) | (o->notifies ? RESTART_N : 0) |
				MIN(o->restart_sec, RESTART_SEC)));
	for (int f = 0; f < _BGP_FAMILY_MAX; f++) {
		if (!(o->restart_families >> f & 1))
			continue;
		buf_put_be16(out, bgp_afi((enum bgp_family)f));
		buf_putc(out, BGP_SAFI_UNICAST);
		buf_putc(out, (char)(o->kept_families >> f & 1 ? RESTART_F : 0));
	}
	end_counted(out, from);
}

static void put_capabilities(struct buf *out, const struct bgp_open *o)
{
	size_t from;

	for (int f = 0; f < _BGP_FAMILY_MAX; f++) {
		if (!(o->families >> f & 1))
			continue;
		from = begin_capability(out, BGP_CAP_MULTIPROTOCOL);
		buf_put_be16(out, bgp_afi((enum bgp_family)f));
		buf_putc(out, 0);
		buf_putc(out, BGP_SAFI_UNICAST);
		end_counted(out, from);
	}
	if (o->refresh)
		end_counted(out, begin_capability(out, BGP_CAP_REFRESH));
	if (o->graceful)
		put_graceful(out, o);
	if (o->as4) {
		from = begin_capability(out, BGP_CAP_AS4);
		buf_put_be32(out, o->asn);
		end_counted(out, from);
	}
}

/**
 * bgp_open_put() - Write an OPEN
 * @out: Appended to
 * @o:   What it says; @codes is not read
 */
void bgp_open_put(struct buf *out, const struct bgp_open *o)
{
	size_t from = bgp_message_begin(out, BGP_OPEN), parameters;

	buf_putc(out, BGP_VERSION);
	buf_put_be16(out, (uint16_t)(o->asn > UINT16_MAX ? BGP_AS_TRANS : o->asn));
	buf_put_be16(out, o->hold);
	buf_put_be32(out, o->id);
	buf_putc(out, 0);
	parameters = out->len;
	buf_putc(out, PARAMETER_CAPABILITIES);
	buf_putc(out, 0);
	put_capabilities(out, o);
	if (out->len == parameters + 2) {
		out->len = parameters;
	} else {
		end_counted(out, parameters + 2);
		end_counted(out, parameters);
	}
	bgp_message_end(out, from);
}

/* --- theirs ------------------------------------------------------------------------------------
 */

static bool refuse(struct bgp_notice *bad, uint8_t subcode)
{
	*bad = (struct bgp_notice){BGP_ERR_OPEN, subcode, {NULL, 0}};
	return false;
}

static bool read_multiprotocol(struct reader *r, struct bgp_open *o)
{
	uint16_t afi = reader_be16(r);
	enum bgp_family f;

	(void)reader_u8(r);
	f = bgp_family_of(afi, reader_u8(r));
	if (f < _BGP_FAMILY_MAX)
		o->families |= (uint8_t)(1 << f);
	return !r->bad && !reader_left(r);
}

/* The last one counts (RFC 4724 3); one that is cut short does not, and costs no session. */
static bool read_graceful(struct reader *r, struct bgp_open *o)
{
	uint16_t head = reader_be16(r);
	uint8_t named = 0, kept = 0;

	while (!r->bad && reader_left(r)) {
		uint16_t afi = reader_be16(r);
		enum bgp_family f = bgp_family_of(afi, reader_u8(r));
		uint8_t flags = reader_u8(r);

		if (f == _BGP_FAMILY_MAX)
			continue;
		named |= (uint8_t)(1 << f);
		if (flags & RESTART_F)
			kept |= (uint8_t)(1 << f);
	}
	if (r->bad)
		return true;
	o->graceful = true;
	o->restarting = head & RESTART_R;
	o->notifies = head & RESTART_N;
	o->restart_sec = head & RESTART_SEC;
	o->restart_families = named;
	o->kept_families = kept;
	return true;
}

static bool read_as4(struct reader *r, struct bgp_open *o)
{
	o->as4 = true;
	o->asn = reader_be32(r);
	return !r->bad && !reader_left(r);
}

static bool read_capability(uint8_t code, struct reader *r, struct bgp_open *o)
{
	o->codes[code / 32] |= 1u << code % 32;
	switch (code) {
	case BGP_CAP_MULTIPROTOCOL:
		return read_multiprotocol(r, o);
	case BGP_CAP_REFRESH:
		o->refresh = true;
		return true;
	case BGP_CAP_GRACEFUL_RESTART:
		return read_graceful(r, o);
	case BGP_CAP_AS4:
		return read_as4(r, o);
	default:
		return true;
	}
}

static bool read_capabilities(struct reader *r, struct bgp_open *o)
{
	while (reader_left(r)) {
		uint8_t code = reader_u8(r);
		struct reader value = reader_cut(r, reader_u8(r));

		if (value.bad || !read_capability(code, &value, o))
			return false;
	}
	return true;
}

static bool read_parameters(struct reader *r, bool longer, struct bgp_open *o,
			    struct bgp_notice *bad)
{
	while (reader_left(r)) {
		uint8_t type = reader_u8(r);
		struct reader value = reader_cut(r, longer ? reader_be16(r) : reader_u8(r));

		if (value.bad)
			return refuse(bad, BGP_OPEN_UNSPECIFIC);
		if (type != PARAMETER_CAPABILITIES)
			return refuse(bad, BGP_OPEN_PARAMETER);
		if (!read_capabilities(&value, o))
			return refuse(bad, BGP_OPEN_UNSPECIFIC);
	}
	return true;
}

/**
 * bgp_open_read() - Read an OPEN
 * @data: Message that bgp_frame() let pass
 * @len:  Its bytes
 * @ret:  What it says
 * @bad:  What to answer on failure
 *
 * Return: false if it is malformed
 */
bool bgp_open_read(const uint8_t *data, size_t len, struct bgp_open *ret, struct bgp_notice *bad)
{
	static const uint8_t version[2] = {0, BGP_VERSION};
	struct reader r = reader_of(data + BGP_HEADER_LEN, len - BGP_HEADER_LEN);
	bool longer = false;
	size_t n;

	*ret = (struct bgp_open){0};
	if (reader_u8(&r) != BGP_VERSION) {
		*bad = (struct bgp_notice){BGP_ERR_OPEN, BGP_OPEN_VERSION, {version, 2}};
		return false;
	}
	ret->asn = reader_be16(&r);
	ret->hold = reader_be16(&r);
	ret->id = reader_be32(&r);
	n = reader_u8(&r);
	if (n && reader_left(&r) && *r.p == PARAMETER_LONG) {
		longer = true;
		(void)reader_u8(&r);
		n = reader_be16(&r);
	}
	if (r.bad || n != reader_left(&r))
		return refuse(bad, BGP_OPEN_UNSPECIFIC);
	if (!read_parameters(&r, longer, ret, bad))
		return false;
	if (!bgp_open_has(ret, BGP_CAP_MULTIPROTOCOL))
		ret->families = 1 << BGP_IPV4;
	return true;
}

static bool is_expected_as(const struct bgp_open *o, const struct bgp_expected *want)
{
	if (!o->asn)
		return false;
	if (want->asn)
		return o->asn == want->asn;
	return (o->asn != want->ours->asn) == want->external;
}

/* RFC 5492 3: the capabilities that are missing, as we would send them. */
static bool refuse_families(uint8_t families, struct bgp_notice *bad, uint8_t scratch[static 16])
{
	uint16_t n = 0;

	for (int f = 0; f < _BGP_FAMILY_MAX; f++) {
		const uint8_t cap[] = {
			BGP_CAP_MULTIPROTOCOL, 4, 0, (uint8_t)bgp_afi((enum bgp_family)f), 0,
			BGP_SAFI_UNICAST};

		if (!(families >> f & 1))
			continue;
		memcpy(scratch + n, cap, sizeof(cap));
		n += sizeof(cap);
	}
	*bad = (struct bgp_notice){BGP_ERR_OPEN, BGP_OPEN_CAPABILITY, {scratch, n}};
	return false;
}

/**
 * bgp_open_check() - Judge a neighbour's OPEN, and agree
 * @o:       Theirs
 * @want:    What it has to say
 * @ret:     What both agree on
 * @bad:     What to answer on failure
 * @scratch: For the data of @bad
 *
 * Return: false if there is no session with it
 */
bool bgp_open_check(const struct bgp_open *o, const struct bgp_expected *want,
		    struct bgp_agreed *ret, struct bgp_notice *bad, uint8_t scratch[static 16])
{
	const struct bgp_open *ours = want->ours;

	if (!is_expected_as(o, want))
		return refuse(bad, BGP_OPEN_AS);
	/* RFC 6286 2.1: not 0, and within one AS each has its own. */
	if (!o->id || (o->id == ours->id && o->asn == ours->asn))
		return refuse(bad, BGP_OPEN_ID);
	if (o->hold == 1 || o->hold == 2)
		return refuse(bad, BGP_OPEN_HOLD);
	if (!(o->families & ours->families))
		return refuse_families(ours->families, bad, scratch);
	*ret = (struct bgp_agreed){
		.hold = MIN(o->hold, ours->hold),
		.families = o->families & ours->families,
		.as4 = o->as4 && ours->as4,
		.refresh = o->refresh && ours->refresh,
		.external = o->asn != ours->asn,
	};
	return true;
}
