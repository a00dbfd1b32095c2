// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * message.c - frames and small messages (message.h).  Pure.
 */
#include "datapath/bgp/message.h"

#include <errno.h>

#include "lib/utf8.h"

#define MARKER_LEN 16

/* The shortest message of each type, RFC 4271 6.1 and RFC 2918 3. */
static const uint16_t length_min[_BGP_TYPE_MAX] = {
	[BGP_OPEN] = 29,      [BGP_UPDATE] = 23,	[BGP_NOTIFICATION] = 21,
	[BGP_KEEPALIVE] = 19, [BGP_ROUTE_REFRESH] = 19,
};

static ssize_t refuse(struct bgp_notice *ret, uint8_t subcode, const uint8_t *data, uint16_t n)
{
	*ret = (struct bgp_notice){BGP_ERR_HEADER, subcode, {data, n}};
	return -EPROTO;
}

/**
 * bgp_frame() - How long the message is that begins here, and whether its header holds
 * @data: What came
 * @len:  Its bytes
 * @ret:  What to answer on failure, its data within @data
 *
 * What is wrong is said as soon as the bytes that are wrong are there.  A ROUTE-REFRESH of another
 * length than 23 is an error of that message (RFC 7313 5), not of the header.
 *
 * Return: bytes of the message, perhaps more than @len; 0 if the header is not complete; -EPROTO
 */
ssize_t bgp_frame(const uint8_t *data, size_t len, struct bgp_notice *ret)
{
	uint16_t n;
	uint8_t type;

	for (size_t i = 0; i < MIN(len, MARKER_LEN); i++)
		if (data[i] != 0xff)
			return refuse(ret, BGP_HEADER_MARKER, NULL, 0);
	if (len < BGP_HEADER_LEN)
		return 0;
	n = (uint16_t)(data[16] << 8 | data[17]);
	type = data[18];
	if (n < BGP_HEADER_LEN || n > BGP_MESSAGE_MAX)
		return refuse(ret, BGP_HEADER_LENGTH, data + 16, 2);
	if (type >= _BGP_TYPE_MAX || !length_min[type])
		return refuse(ret, BGP_HEADER_TYPE, data + 18, 1);
	if (n < length_min[type] || (type == BGP_KEEPALIVE && n != BGP_HEADER_LEN))
		return refuse(ret, BGP_HEADER_LENGTH, data + 16, 2);
	return n;
}

/**
 * bgp_message_begin() - Write a header whose length is not known yet
 * @out:  Appended to
 * @type: Of the message
 *
 * Return: for bgp_message_end()
 */
size_t bgp_message_begin(struct buf *out, enum bgp_type type)
{
	static const uint8_t marker[MARKER_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	size_t from = out->len;

	buf_put(out, marker, sizeof(marker));
	buf_put_be16(out, 0);
	buf_putc(out, (char)type);
	return from;
}

/**
 * bgp_message_end() - Write the length of a message that is complete
 * @out:  Whose end is the message's, of at most BGP_MESSAGE_MAX bytes
 * @from: From bgp_message_begin()
 */
void bgp_message_end(struct buf *out, size_t from)
{
	size_t n = out->len - from;

	if (n > BGP_MESSAGE_MAX)
		abort();
	out->data[from + 16] = (char)(n >> 8);
	out->data[from + 17] = (char)n;
}

/**
 * bgp_keepalive_put() - Write a KEEPALIVE
 * @out: Appended to
 */
void bgp_keepalive_put(struct buf *out)
{
	bgp_message_end(out, bgp_message_begin(out, BGP_KEEPALIVE));
}

/* --- NOTIFICATION ------------------------------------------------------------------------------
 */

/**
 * bgp_notice_put() - Write a NOTIFICATION
 * @out: Appended to
 * @n:   What it says; data that do not fit into a message are cut
 */
void bgp_notice_put(struct buf *out, const struct bgp_notice *n)
{
	size_t from = bgp_message_begin(out, BGP_NOTIFICATION);

	buf_putc(out, (char)n->code);
	buf_putc(out, (char)n->subcode);
	buf_put(out, n->data.p, MIN(n->data.n, BGP_MESSAGE_MAX - BGP_HEADER_LEN - 2));
	bgp_message_end(out, from);
}

/**
 * bgp_notice_read() - Read a NOTIFICATION
 * @data: Message that bgp_frame() let pass
 * @len:  Its bytes
 * @ret:  What it says, its data borrowed
 */
void bgp_notice_read(const uint8_t *data, size_t len, struct bgp_notice *ret)
{
	*ret = (struct bgp_notice){data[19], data[20], {data + 21, (uint16_t)(len - 21)}};
}

static bool has_text(const struct bgp_notice *n)
{
	return n->code == BGP_ERR_CEASE &&
	       (n->subcode == BGP_CEASE_SHUTDOWN || n->subcode == BGP_CEASE_RESET);
}

/**
 * bgp_notice_text() - The text that a neighbour's administrator gave for a shutdown
 * @n:   NOTIFICATION
 * @buf: Where to
 *
 * RFC 9003 2: one byte for the length, then UTF-8.  Text that is cut short, is not UTF-8 or has a
 * control character, which could forge a line of the log, counts as none.
 *
 * Return: @buf; "" if there is no text
 */
const char *bgp_notice_text(const struct bgp_notice *n, char buf[static BGP_TEXT_MAX])
{
	struct reader r = reader_of(n->data.p, n->data.n);
	uint8_t len = n->data.n && has_text(n) ? reader_u8(&r) : 0;
	const uint8_t *p = reader_bytes(&r, len);

	buf[0] = '\0';
	if (!p || !utf8_valid((const char *)p, len))
		return buf;
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return buf;
	memcpy(buf, p, len);
	buf[len] = '\0';
	return buf;
}

/**
 * bgp_shutdown_data() - The data of a Cease with a text
 * @text: UTF-8; what goes beyond 255 bytes is cut between characters
 * @buf:  Where to
 *
 * Return: bytes of the data
 */
size_t bgp_shutdown_data(const char *text, uint8_t buf[static BGP_TEXT_MAX])
{
	size_t n = strnlen(text, BGP_SHUTDOWN_MAX + 1);

	if (n > BGP_SHUTDOWN_MAX)
		for (n = BGP_SHUTDOWN_MAX; n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80;)
			n--;
	buf[0] = (uint8_t)n;
	memcpy(buf + 1, text, n);
	return n + 1;
}

/* Names as RFC 4271 4.5, RFC 4486, RFC 6608, RFC 7313, RFC 8538 and RFC 9687 give them. */
static const struct {
	uint8_t code, subcode;
	const char *name;
} names[] = {
	{1, 0, "message header error"},
	{1, 1, "connection not synchronized"},
	{1, 2, "bad message length"},
	{1, 3, "bad message type"},
	{2, 0, "OPEN message error"},
	{2, 1, "unsupported version"},
	{2, 2, "bad peer AS"},
	{2, 3, "bad BGP identifier"},
	{2, 4, "unsupported optional parameter"},
	{2, 6, "unacceptable hold time"},
	{2, 7, "unsupported capability"},
	{3, 0, "UPDATE message error"},
	{3, 1, "malformed attribute list"},
	{3, 2, "unrecognized well-known attribute"},
	{3, 3, "missing well-known attribute"},
	{3, 4, "attribute flags error"},
	{3, 5, "attribute length error"},
	{3, 6, "invalid ORIGIN"},
	{3, 8, "invalid NEXT_HOP"},
	{3, 9, "optional attribute error"},
	{3, 10, "invalid network field"},
	{3, 11, "malformed AS_PATH"},
	{4, 0, "hold timer expired"},
	{5, 0, "finite state machine error"},
	{5, 1, "unexpected message in OpenSent"},
	{5, 2, "unexpected message in OpenConfirm"},
	{5, 3, "unexpected message in Established"},
	{6, 0, "cease"},
	{6, 1, "maximum number of prefixes reached"},
	{6, 2, "administrative shutdown"},
	{6, 3, "peer de-configured"},
	{6, 4, "administrative reset"},
	{6, 5, "connection rejected"},
	{6, 6, "other configuration change"},
	{6, 7, "connection collision resolution"},
	{6, 8, "out of resources"},
	{6, 9, "hard reset"},
	{7, 0, "ROUTE-REFRESH message error"},
	{7, 1, "invalid ROUTE-REFRESH length"},
	{8, 0, "send hold timer expired"},
};

/**
 * bgp_notice_str() - The name of an error
 * @n: NOTIFICATION
 *
 * Return: static text; that of the code alone where the subcode is not known
 */
const char *bgp_notice_str(const struct bgp_notice *n)
{
	const char *code = "unknown error";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].code != n->code)
			continue;
		if (names[i].subcode == n->subcode)
			return names[i].name;
		if (!names[i].subcode)
			code = names[i].name;
	}
	return code;
}

/* --- ROUTE-REFRESH -----------------------------------------------------------------------------
 */

/**
 * bgp_refresh_put() - Write a ROUTE-REFRESH
 * @out:    Appended to
 * @family: That is to be sent again
 */
void bgp_refresh_put(struct buf *out, enum bgp_family family)
{
	size_t from = bgp_message_begin(out, BGP_ROUTE_REFRESH);

	buf_put_be16(out, bgp_afi(family));
	buf_putc(out, 0);
	buf_putc(out, BGP_SAFI_UNICAST);
	bgp_message_end(out, from);
}

/**
 * bgp_refresh_read() - Read a ROUTE-REFRESH
 * @data: Message that bgp_frame() let pass
 * @len:  Its bytes
 * @ret:  What it says
 * @bad:  What to answer on failure
 *
 * Return: false if its length is wrong (RFC 7313 5)
 */
bool bgp_refresh_read(const uint8_t *data, size_t len, struct bgp_refresh *ret,
		      struct bgp_notice *bad)
{
	struct reader r = reader_of(data + BGP_HEADER_LEN, len - BGP_HEADER_LEN);

	ret->afi = reader_be16(&r);
	ret->subtype = reader_u8(&r);
	ret->safi = reader_u8(&r);
	if (!r.bad && !reader_left(&r))
		return true;
	*bad = (struct bgp_notice){BGP_ERR_REFRESH, 1, {data, (uint16_t)len}};
	return false;
}

/* --- families ----------------------------------------------------------------------------------
 */

/**
 * bgp_afi() - The number of a family on the wire
 * @family: Family
 *
 * Return: its AFI
 */
uint16_t bgp_afi(enum bgp_family family)
{
	return family == BGP_IPV4 ? 1 : 2;
}

/**
 * bgp_family_of() - The family of numbers on the wire
 * @afi:  AFI
 * @safi: SAFI
 *
 * Return: the family; _BGP_FAMILY_MAX if it is none that we know
 */
enum bgp_family bgp_family_of(uint16_t afi, uint8_t safi)
{
	if (safi != BGP_SAFI_UNICAST || afi < 1 || afi > 2)
		return _BGP_FAMILY_MAX;
	return afi == 1 ? BGP_IPV4 : BGP_IPV6;
}
