// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * path.c - AS paths: segments of a type, a count, and AS numbers (RFC 4271 4.3, RFC 6793).  Pure.
 */
#include "datapath/bgp/attrs.h"

#define SEGMENT_MAX 255

/* struct segment - one segment; @type is 0 at the end */
struct segment {
	uint8_t type, n;
	const uint8_t *as; /* @n numbers */
};

static struct segment next_segment(struct reader *r, size_t as_size)
{
	struct segment s = {.type = reader_left(r) ? reader_u8(r) : 0};

	if (!s.type)
		return s;
	s.n = reader_u8(r);
	s.as = reader_bytes(r, s.n * as_size);
	return s;
}

static uint32_t as_at(const uint8_t *p, size_t as_size, size_t i)
{
	struct reader r = reader_of(p + i * as_size, as_size);

	return as_size == 2 ? reader_be16(&r) : reader_be32(&r);
}

static struct reader reader_on(const struct bgp_span *s)
{
	return reader_of(s->p, s->n);
}

/**
 * bgp_path_valid() - Check a path as it came
 * @p:        Value of the attribute
 * @len:      Its bytes
 * @as_size:  Bytes of an AS number: 2 or 4
 * @ret_zero: Whether AS 0 is in it (RFC 7607)
 *
 * RFC 7606 7.2: no segment of another type, without an AS, or that ends behind the end.
 * Confederations (RFC 5065) are none of ours, so their segments are such types.
 *
 * Return: true if it is well formed
 */
bool bgp_path_valid(const uint8_t *p, size_t len, size_t as_size, bool *ret_zero)
{
	struct reader r = reader_of(p, len);

	*ret_zero = false;
	while (reader_left(&r)) {
		uint8_t type = *r.p;
		struct segment s = next_segment(&r, as_size);

		if (r.bad || !s.n || (type != BGP_SEGMENT_SET && type != BGP_SEGMENT_SEQUENCE))
			return false;
		for (size_t i = 0; i < s.n; i++)
			*ret_zero |= !as_at(s.as, as_size, i);
	}
	return true;
}

/**
 * bgp_path_widen() - Give a path of two-byte AS numbers four-byte ones
 * @p:   Path that bgp_path_valid() let pass
 * @len: Its bytes
 * @out: Appended to
 */
void bgp_path_widen(const uint8_t *p, size_t len, struct buf *out)
{
	struct reader r = reader_of(p, len);

	for (struct segment s; (s = next_segment(&r, 2)).type;) {
		buf_putc(out, (char)s.type);
		buf_putc(out, (char)s.n);
		for (size_t i = 0; i < s.n; i++)
			buf_put_be32(out, as_at(s.as, 2, i));
	}
}

/**
 * bgp_path_narrow() - Give a path two-byte AS numbers
 * @path: Path
 * @out:  Appended to
 *
 * Return: true if a number did not fit, and AS_TRANS stands for it: AS4_PATH has to say it
 */
bool bgp_path_narrow(const struct bgp_span *path, struct buf *out)
{
	struct reader r = reader_on(path);
	bool lost = false;

	for (struct segment s; (s = next_segment(&r, 4)).type;) {
		buf_putc(out, (char)s.type);
		buf_putc(out, (char)s.n);
		for (size_t i = 0; i < s.n; i++) {
			uint32_t asn = as_at(s.as, 4, i);

			buf_put_be16(out, (uint16_t)(asn > UINT16_MAX ? BGP_AS_TRANS : asn));
			lost |= asn > UINT16_MAX;
		}
	}
	return lost;
}

/**
 * bgp_path_length() - The length of a path for the decision
 * @path: Path
 *
 * Return: AS numbers, a set as one (RFC 4271 9.1.2.2 a)
 */
uint32_t bgp_path_length(const struct bgp_span *path)
{
	struct reader r = reader_on(path);
	uint32_t n = 0;

	for (struct segment s; (s = next_segment(&r, 4)).type;)
		n += s.type == BGP_SEGMENT_SET ? 1 : s.n;
	return n;
}

/**
 * bgp_path_merge() - Make one path of AS_PATH and AS4_PATH (RFC 6793 4.2.3)
 * @path:  AS_PATH, widened
 * @path4: AS4_PATH, well formed
 * @out:   Appended to
 *
 * What AS_PATH is longer by is put before AS4_PATH; one that is longer than AS_PATH does not count.
 */
void bgp_path_merge(const struct bgp_span *path, const struct bgp_span *path4, struct buf *out)
{
	uint32_t n = bgp_path_length(path), n4 = bgp_path_length(path4);
	struct reader r = reader_on(path);
	uint32_t before = n < n4 ? n : n - n4;

	while (before) {
		struct segment s = next_segment(&r, 4);
		uint32_t counts = s.type == BGP_SEGMENT_SET ? 1 : s.n;
		uint8_t take = counts <= before ? s.n : (uint8_t)before;

		buf_putc(out, (char)s.type);
		buf_putc(out, (char)take);
		buf_put(out, s.as, take * 4u);
		before -= MIN(counts, before);
	}
	if (n >= n4)
		buf_put(out, path4->p, path4->n);
}

/**
 * bgp_path_prepend() - Put an AS before a path (RFC 4271 5.1.2)
 * @path:  Path
 * @asn:   AS
 * @times: How often, 1 to 255
 * @out:   Appended to
 */
void bgp_path_prepend(const struct bgp_span *path, uint32_t asn, unsigned int times,
		      struct buf *out)
{
	struct reader r = reader_on(path);
	struct segment s = next_segment(&r, 4);
	bool joins = s.type == BGP_SEGMENT_SEQUENCE && s.n + times <= SEGMENT_MAX;

	buf_putc(out, BGP_SEGMENT_SEQUENCE);
	buf_putc(out, (char)(times + (joins ? s.n : 0)));
	for (unsigned int i = 0; i < times; i++)
		buf_put_be32(out, asn);
	if (joins)
		buf_put(out, path->p + 2, path->n - 2u);
	else
		buf_put(out, path->p, path->n);
}

/**
 * bgp_path_first() - The neighbouring AS
 * @path: Path
 *
 * Return: the AS that the path begins with (RFC 4271 9.1.2.2 c); 0 if it is empty or begins with a
 * set
 */
uint32_t bgp_path_first(const struct bgp_span *path)
{
	struct reader r = reader_on(path);
	struct segment s = next_segment(&r, 4);

	return s.type == BGP_SEGMENT_SEQUENCE ? as_at(s.as, 4, 0) : 0;
}

/**
 * bgp_path_contains() - Look for an AS, which would be a loop
 * @path: Path
 * @asn:  AS
 *
 * Return: true if it is in a segment
 */
bool bgp_path_contains(const struct bgp_span *path, uint32_t asn)
{
	struct reader r = reader_on(path);

	for (struct segment s; (s = next_segment(&r, 4)).type;)
		for (size_t i = 0; i < s.n; i++)
			if (as_at(s.as, 4, i) == asn)
				return true;
	return false;
}

/**
 * bgp_attrs_equal() - Compare attributes
 * @a: Attributes
 * @b: Attributes
 *
 * Return: true if they say the same
 */
bool bgp_attrs_equal(const struct bgp_attrs *a, const struct bgp_attrs *b)
{
	if (a->has != b->has || a->origin != b->origin || a->med != b->med ||
	    a->local_pref != b->local_pref || a->originator != b->originator ||
	    a->aggregator_as != b->aggregator_as || a->aggregator_id != b->aggregator_id ||
	    memcmp(&a->next_hop, &b->next_hop, sizeof(a->next_hop)) != 0 ||
	    memcmp(&a->link_local, &b->link_local, sizeof(a->link_local)) != 0)
		return false;
	for (int i = 0; i < _BGP_LIST_MAX; i++)
		if (a->list[i].n != b->list[i].n ||
		    (a->list[i].n && memcmp(a->list[i].p, b->list[i].p, a->list[i].n) != 0))
			return false;
	return true;
}
