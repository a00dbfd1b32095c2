/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proto.h - the numbers of BGP: messages, errors, attributes, families.
 *
 * Sources: RFC 4271 section 4 and 6, and of those that came later the ones named beside a line.
 */
#pragma once

#include "lib/buf.h"

#define BGP_HEADER_LEN	 19
#define BGP_MESSAGE_MAX	 4096
#define BGP_VERSION	 4
#define BGP_AS_TRANS	 23456 /* RFC 6793: stands for an AS that two bytes cannot hold */
#define BGP_SHUTDOWN_MAX 255   /* RFC 9003: bytes of text */

enum bgp_type {
	BGP_OPEN = 1,
	BGP_UPDATE = 2,
	BGP_NOTIFICATION = 3,
	BGP_KEEPALIVE = 4,
	BGP_ROUTE_REFRESH = 5, /* RFC 2918 */
	_BGP_TYPE_MAX
};

/* Error codes; the subcodes follow, each after its code. */
enum bgp_error {
	BGP_ERR_HEADER = 1,
	BGP_ERR_OPEN = 2,
	BGP_ERR_UPDATE = 3,
	BGP_ERR_HOLD = 4,
	BGP_ERR_FSM = 5,
	BGP_ERR_CEASE = 6,
	BGP_ERR_REFRESH = 7,   /* RFC 7313 */
	BGP_ERR_SEND_HOLD = 8, /* RFC 9687 */
};

enum { BGP_HEADER_MARKER = 1, BGP_HEADER_LENGTH = 2, BGP_HEADER_TYPE = 3 };

enum {
	BGP_OPEN_UNSPECIFIC = 0,
	BGP_OPEN_VERSION = 1,
	BGP_OPEN_AS = 2,
	BGP_OPEN_ID = 3,
	BGP_OPEN_PARAMETER = 4,
	BGP_OPEN_HOLD = 6,
	BGP_OPEN_CAPABILITY = 7, /* RFC 5492 */
};

enum {
	BGP_UPDATE_ATTRIBUTES = 1, /* "Malformed Attribute List" */
	BGP_UPDATE_UNKNOWN = 2,	   /* "Unrecognized Well-known Attribute" */
	BGP_UPDATE_OPTIONAL = 9,
	BGP_UPDATE_NETWORK = 10,
};

/* RFC 6608: the message that was not expected came in this state. */
enum { BGP_FSM_OPEN_SENT = 1, BGP_FSM_OPEN_CONFIRM = 2, BGP_FSM_ESTABLISHED = 3 };

/* RFC 4486; hard reset: RFC 8538. */
enum {
	BGP_CEASE_PREFIXES = 1,
	BGP_CEASE_SHUTDOWN = 2,
	BGP_CEASE_DECONFIGURED = 3,
	BGP_CEASE_RESET = 4,
	BGP_CEASE_REJECTED = 5,
	BGP_CEASE_CONFIG = 6,
	BGP_CEASE_COLLISION = 7,
	BGP_CEASE_RESOURCES = 8,
	BGP_CEASE_HARD_RESET = 9,
};

enum bgp_capability {
	BGP_CAP_MULTIPROTOCOL = 1,     /* RFC 4760 */
	BGP_CAP_REFRESH = 2,	       /* RFC 2918 */
	BGP_CAP_GRACEFUL_RESTART = 64, /* RFC 4724 */
	BGP_CAP_AS4 = 65,	       /* RFC 6793 */
};

enum bgp_attr {
	BGP_ATTR_ORIGIN = 1,
	BGP_ATTR_AS_PATH = 2,
	BGP_ATTR_NEXT_HOP = 3,
	BGP_ATTR_MED = 4,
	BGP_ATTR_LOCAL_PREF = 5,
	BGP_ATTR_ATOMIC = 6,
	BGP_ATTR_AGGREGATOR = 7,
	BGP_ATTR_COMMUNITIES = 8,     /* RFC 1997 */
	BGP_ATTR_ORIGINATOR = 9,      /* RFC 4456 */
	BGP_ATTR_CLUSTERS = 10,	      /* RFC 4456 */
	BGP_ATTR_MP_REACH = 14,	      /* RFC 4760 */
	BGP_ATTR_MP_UNREACH = 15,     /* RFC 4760 */
	BGP_ATTR_EXTENDED = 16,	      /* RFC 4360 */
	BGP_ATTR_AS4_PATH = 17,	      /* RFC 6793 */
	BGP_ATTR_AS4_AGGREGATOR = 18, /* RFC 6793 */
	BGP_ATTR_LARGE = 32,	      /* RFC 8092 */
};

enum {
	BGP_FLAG_OPTIONAL = 0x80,
	BGP_FLAG_TRANSITIVE = 0x40,
	BGP_FLAG_PARTIAL = 0x20,
	BGP_FLAG_EXTENDED = 0x10,
};

enum { BGP_ORIGIN_IGP = 0, BGP_ORIGIN_EGP = 1, BGP_ORIGIN_INCOMPLETE = 2 };
enum { BGP_SEGMENT_SET = 1, BGP_SEGMENT_SEQUENCE = 2 };

/* Families, unicast; bits of a set are 1 << family.  AFI is what the wire says, SAFI is 1. */
enum bgp_family { BGP_IPV4, BGP_IPV6, _BGP_FAMILY_MAX };
#define BGP_SAFI_UNICAST 1

/* struct bgp_span - bytes, borrowed */
struct bgp_span {
	const uint8_t *p;
	uint16_t n;
};

/*
 * struct bgp_notice - what a NOTIFICATION says
 * @code: 0: nothing is to be said
 * @data: Borrowed
 */
struct bgp_notice {
	uint8_t code, subcode;
	struct bgp_span data;
};
