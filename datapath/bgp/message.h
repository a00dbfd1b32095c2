/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.h - the frame of every BGP message, and the small ones: KEEPALIVE, NOTIFICATION,
 * ROUTE-REFRESH.  Pure.
 *
 * Takes bytes as they came, gives the message or what a NOTIFICATION has to answer.  No length is
 * believed before it was checked; text of others is UTF-8 without control characters or is none.
 *
 * Sources: RFC 4271 4.1, 4.4, 4.5, 6.1; RFC 2918; RFC 9003 (text of a shutdown).
 */
#pragma once

#include <sys/types.h>

#include "datapath/bgp/proto.h"

#define BGP_TEXT_MAX (BGP_SHUTDOWN_MAX + 1)

/* struct bgp_refresh - a family's AFI and SAFI as they came; @subtype is 0 in RFC 2918 */
struct bgp_refresh {
	uint16_t afi;
	uint8_t subtype, safi;
};

ssize_t bgp_frame(const uint8_t *data, size_t len, struct bgp_notice *ret);
size_t bgp_message_begin(struct buf *out, enum bgp_type type);
void bgp_message_end(struct buf *out, size_t from);

void bgp_keepalive_put(struct buf *out);
void bgp_notice_put(struct buf *out, const struct bgp_notice *n);
void bgp_notice_read(const uint8_t *data, size_t len, struct bgp_notice *ret);
const char *bgp_notice_text(const struct bgp_notice *n, char buf[static BGP_TEXT_MAX]);
size_t bgp_shutdown_data(const char *text, uint8_t buf[static BGP_TEXT_MAX]);
const char *bgp_notice_str(const struct bgp_notice *n);
void bgp_refresh_put(struct buf *out, enum bgp_family family);
bool bgp_refresh_read(const uint8_t *data, size_t len, struct bgp_refresh *ret,
		      struct bgp_notice *bad);

uint16_t bgp_afi(enum bgp_family family);
enum bgp_family bgp_family_of(uint16_t afi, uint8_t safi);
