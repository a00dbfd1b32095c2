// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_bgp.c - any bytes as messages of a BGP neighbour.
 *
 * Input: a byte that says what the session agreed on (bits 0 and 1 families, 2 four-byte AS
 * numbers, 3 another AS) and whether the rest is a stream (bit 7) or the body of one message; of
 * the latter a byte for its type, then the body.  What is read and written again is read as the
 * same; an UPDATE ends a session only where RFC 7606 leaves no other way, by a check that looks at
 * the bytes alone.
 */
#include "datapath/bgp/open.h"
#include "datapath/bgp/update.h"
#include "lib/utf8.h"
#include "test/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- may it end the session? -------------------------------------------------------------------
 */

static bool prefixes_fit(struct reader *r, unsigned int bits)
{
	while (reader_left(r)) {
		uint8_t len = reader_u8(r);

		if (len > bits || !reader_bytes(r, (len + 7u) / 8))
			return false;
	}
	return !r->bad;
}

/* A multiprotocol attribute that is right, or of a family that was not agreed on. */
static bool mp_is_right(uint8_t flags, uint8_t type, struct reader v, uint8_t families)
{
	uint16_t afi = reader_be16(&v);
	uint8_t safi = reader_u8(&v), hop;

	if (v.bad)
		return false;
	if (safi != 1 || afi < 1 || afi > 2 || !(families >> (afi - 1) & 1))
		return true;
	if ((flags & 0xc0) != 0x80)
		return false;
	if (type == 14) {
		hop = reader_u8(&v);
		if (afi == 1 ? hop != 4 : hop != 16 && hop != 32)
			return false;
		if (!reader_bytes(&v, hop + 1u))
			return false;
	}
	return prefixes_fit(&v, afi == 1 ? 32 : 128);
}

static bool is_known(uint8_t type)
{
	return (type >= 1 && type <= 10) || (type >= 14 && type <= 18) || type == 32;
}

/* struct sight - what the attributes of an UPDATE look like */
struct sight {
	unsigned int reach, unreach;
	bool mp_wrong, unknown;
};

static struct sight look(struct reader r, uint8_t families)
{
	struct sight s = {0};

	while (reader_left(&r)) {
		uint8_t flags = reader_u8(&r), type = reader_u8(&r);
		size_t n = flags & 0x10 ? reader_be16(&r) : reader_u8(&r);
		struct reader v = reader_cut(&r, n);

		if (v.bad)
			break;
		s.reach += type == 14;
		s.unreach += type == 15;
		s.mp_wrong |= (type == 14 || type == 15) && !mp_is_right(flags, type, v, families);
		s.unknown |= !(flags & 0x80) && !is_known(type);
	}
	return s;
}

static bool may_reset(const uint8_t *data, size_t len, uint8_t families, bool *ret_mp_wrong)
{
	struct reader r = reader_of(data + 19, len - 19);
	struct reader withdrawn = reader_cut(&r, reader_be16(&r));
	struct reader attrs = reader_cut(&r, reader_be16(&r));
	bool announces = reader_left(&r) && families & 1;
	struct sight s;

	*ret_mp_wrong = false;
	if (r.bad)
		return true;
	s = look(attrs, families);
	*ret_mp_wrong = s.mp_wrong;
	if (families & 1 && (!prefixes_fit(&withdrawn, 32) || !prefixes_fit(&r, 32)))
		return true;
	return s.mp_wrong || s.unknown || s.reach > 1 || s.unreach > 1 || !announces;
}

/* --- UPDATE ------------------------------------------------------------------------------------
 */

/* struct again - a route that was announced, and what it is when it is written and read again */
struct again {
	const struct bgp_agreed *session;
	const struct prefix *p;
	const struct bgp_attrs *attrs;
	unsigned int routes;
};

static void read_again(void *arg, const struct prefix *p, const struct bgp_attrs *attrs)
{
	struct again *again = arg;

	again->routes++;
	must(attrs && prefix_eq(p, again->p) && bgp_attrs_equal(attrs, again->attrs));
}

static void write_again(void *arg, const struct prefix *p, const struct bgp_attrs *attrs)
{
	struct again again = {arg, p, attrs, 0};
	_cleanup_(buf_done) struct buf b = {0};
	struct bgp_update u = {0};
	struct bgp_notice bad;

	must(p->len <= addr_len(&p->addr) * 8);
	if (!attrs) {
		must(bgp_withdraw_put(&b, p, 1) == 1);
	} else if (!bgp_update_put(&b, again.session, attrs, p, 1)) {
		must(!b.len);
		return;
	}
	must(bgp_frame((const uint8_t *)b.data, b.len, &bad) == (ssize_t)b.len);
	bgp_update_read(&u, (const uint8_t *)b.data, b.len, again.session);
	must(u.action == BGP_ACCEPT);
	if (attrs) {
		bgp_update_each(&u, read_again, &again);
		must(again.routes == 1);
	}
	bgp_update_done(&u);
}

static void take_update(const uint8_t *data, size_t len, struct bgp_agreed *session)
{
	struct bgp_update u = {0};
	bool mp_wrong;

	bgp_update_read(&u, data, len, session);
	if (u.action == BGP_RESET)
		must(u.notice.code == 3 && u.notice.subcode);
	if (!may_reset(data, len, session->families, &mp_wrong))
		must(u.action != BGP_RESET);
	if (u.action == BGP_DISABLE)
		must(mp_wrong && u.disabled & session->families && session->families & ~u.disabled);
	bgp_update_each(&u, write_again, session);
	bgp_update_done(&u);
}

/* --- the other messages ------------------------------------------------------------------------
 */

static void take_open(const uint8_t *data, size_t len)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct bgp_open o, again;
	struct bgp_notice bad = {0};

	if (!bgp_open_read(data, len, &o, &bad)) {
		must(bad.code == BGP_ERR_OPEN);
		return;
	}
	if (!o.families) /* would be written as IPv4 */
		return;
	bgp_open_put(&b, &o);
	must(bgp_frame((const uint8_t *)b.data, b.len, &bad) == (ssize_t)b.len);
	must(bgp_open_read((const uint8_t *)b.data, b.len, &again, &bad));
	memcpy(o.codes, again.codes, sizeof(o.codes));
	must(memcmp(&o, &again, sizeof(o)) == 0);
}

static void take_notice(const uint8_t *data, size_t len)
{
	_cleanup_(buf_done) struct buf b = {0};
	char text[BGP_TEXT_MAX];
	struct bgp_notice n;

	bgp_notice_read(data, len, &n);
	must(bgp_notice_text(&n, text) == text && utf8_valid(text, strlen(text)));
	for (const char *c = text; *c; c++)
		must((uint8_t)*c >= 0x20 && *c != 0x7f);
	must(*bgp_notice_str(&n));
	bgp_notice_put(&b, &n);
	must(b.len == len && memcmp(b.data, data, len) == 0);
}

static void take_refresh(const uint8_t *data, size_t len)
{
	struct bgp_notice bad = {0};
	struct bgp_refresh q;

	if (!bgp_refresh_read(data, len, &q, &bad))
		must(bad.code == BGP_ERR_REFRESH);
	else
		must(len == 23);
}

static void take(const uint8_t *data, size_t len, struct bgp_agreed *session)
{
	switch (data[18]) {
	case BGP_OPEN:
		take_open(data, len);
		break;
	case BGP_UPDATE:
		take_update(data, len, session);
		break;
	case BGP_NOTIFICATION:
		take_notice(data, len);
		break;
	case BGP_ROUTE_REFRESH:
		take_refresh(data, len);
		break;
	default:
		must(data[18] == BGP_KEEPALIVE && len == 19);
	}
}

static void take_stream(const uint8_t *data, size_t size, struct bgp_agreed *session)
{
	struct bgp_notice bad = {0};
	ssize_t n;

	while ((n = bgp_frame(data, size, &bad)) > 0 && (size_t)n <= size) {
		take(data, (size_t)n, session);
		data += n;
		size -= (size_t)n;
	}
	if (n < 0)
		must(bad.code == BGP_ERR_HEADER && bad.subcode);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct bgp_agreed session;
	size_t from;

	if (size < 2)
		return 0;
	session = (struct bgp_agreed){
		.families = data[0] & 3, .as4 = data[0] & 4, .external = data[0] & 8};
	if (data[0] & 0x80) {
		take_stream(data + 1, size - 1, &session);
		return 0;
	}
	from = bgp_message_begin(&b, (enum bgp_type)(data[1] % _BGP_TYPE_MAX));
	buf_put(&b, data + 2, MIN(size - 2, BGP_MESSAGE_MAX - BGP_HEADER_LEN));
	bgp_message_end(&b, from);
	take_stream((const uint8_t *)b.data, b.len, &session);
	return 0;
}
