/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields.h - what is known about each type and field: sizes, names, and where the kernel finds it.
 *
 * Gives the one table that text (render.c), encoding (encode_rule.c) and decoding (decode.c) share,
 * so that a type or field is added in one place.  Limits: the types and fields of table.h.  Pure.
 */
#pragma once

#include "datapath/nft/table.h"

/* enum field_source - how the kernel reads a field */
enum field_source {
	FIELD_META,    /* @base: enum nft_meta_keys */
	FIELD_PAYLOAD, /* @base: enum nft_payload_bases, @offset */
	FIELD_CT,      /* @base: enum nft_ct_keys */
	_FIELD_SOURCE_MAX
};

/*
 * struct field_info - one field
 * @name:    As nft prints it
 * @type:    Type of its value in a set; NFT_TYPE_NONE if it cannot be part of a key
 * @len:     Bytes that the kernel loads
 * @nfproto: NFPROTO_x that must be ensured before it is read, or 0
 * @ether:   The input interface must be Ethernet
 * @bitmask: Compared as "any of these bits"
 */
struct field_info {
	const char *name;
	enum nft_type type;
	uint8_t len;
	enum field_source source;
	uint32_t base, offset;
	uint8_t nfproto;
	bool ether, bitmask;
};

const struct field_info *field_info(enum nft_field f);
size_t fields_count(const enum nft_field f[NFT_FIELDS_MAX]);

size_t types_count(const enum nft_type t[NFT_FIELDS_MAX]);
size_t type_size(enum nft_type t);
enum nft_type type_of_id(uint32_t id);
bool type_is_host_order(enum nft_type t);
uint32_t types_id(const enum nft_type t[NFT_FIELDS_MAX]);
size_t types_wire_len(const enum nft_type t[NFT_FIELDS_MAX]);
