// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields.c - the tables behind fields.h.  Type numbers: enum datatypes of nftables 1.0.6
 * (include/datatype.h), which nft stores in the set and reads back to print it.  Pure.
 */
#include "datapath/nft/fields.h"

#include <assert.h>

#include "datapath/nft/kernel.h"

/* Host byte order is what nft calls the order of numbers that the kernel does not swap. */
static const struct {
	const char *name;
	uint8_t size;
	uint32_t id;
	bool host_order;
} types[] = {
	[NFT_TYPE_NONE] = {"none", 0, 0, false},
	[NFT_TYPE_IPV4] = {"ipv4_addr", 4, 7, false},
	[NFT_TYPE_IPV6] = {"ipv6_addr", 16, 8, false},
	[NFT_TYPE_ETHER] = {"ether_addr", 6, 9, false},
	[NFT_TYPE_IFNAME] = {"ifname", 16, 41, true},
	[NFT_TYPE_PROTO] = {"inet_proto", 1, 12, false},
	[NFT_TYPE_SERVICE] = {"inet_service", 2, 13, false},
	[NFT_TYPE_MARK] = {"mark", 4, 19, true},
	[NFT_TYPE_VERDICT] = {"verdict", 0, NFT_DATA_VERDICT, true},
};
static_assert(ARRAY_SIZE(types) == _NFT_TYPE_MAX, "every type has a row");

/* Offsets: RFC 791, RFC 8200, IEEE 802.3; TCP, UDP and SCTP have their ports at the same place;
 * RFC 9293. */
static const struct field_info fields[] = {
	[NFT_FIELD_NONE] = {.name = "none"},
	[NFT_IP_SADDR] = {"ip saddr", NFT_TYPE_IPV4, 4, FIELD_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER,
			  12, NFPROTO_IPV4, false, false},
	[NFT_IP_DADDR] = {"ip daddr", NFT_TYPE_IPV4, 4, FIELD_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER,
			  16, NFPROTO_IPV4, false, false},
	[NFT_IP6_SADDR] = {"ip6 saddr", NFT_TYPE_IPV6, 16, FIELD_PAYLOAD,
			   NFT_PAYLOAD_NETWORK_HEADER, 8, NFPROTO_IPV6, false, false},
	[NFT_IP6_DADDR] = {"ip6 daddr", NFT_TYPE_IPV6, 16, FIELD_PAYLOAD,
			   NFT_PAYLOAD_NETWORK_HEADER, 24, NFPROTO_IPV6, false, false},
	[NFT_ETHER_SADDR] = {"ether saddr", NFT_TYPE_ETHER, 6, FIELD_PAYLOAD, NFT_PAYLOAD_LL_HEADER,
			     6, 0, true, false},
	[NFT_L4PROTO] = {"meta l4proto", NFT_TYPE_PROTO, 1, FIELD_META, NFT_META_L4PROTO, 0, 0,
			 false, false},
	[NFT_TH_SPORT] = {"th sport", NFT_TYPE_SERVICE, 2, FIELD_PAYLOAD,
			  NFT_PAYLOAD_TRANSPORT_HEADER, 0, 0, false, false},
	[NFT_TH_DPORT] = {"th dport", NFT_TYPE_SERVICE, 2, FIELD_PAYLOAD,
			  NFT_PAYLOAD_TRANSPORT_HEADER, 2, 0, false, false},
	[NFT_ICMP6_TYPE] = {"icmpv6 type", NFT_TYPE_NONE, 1, FIELD_PAYLOAD,
			    NFT_PAYLOAD_TRANSPORT_HEADER, 0, 0, false, false},
	[NFT_TCP_FLAGS] = {"tcp flags", NFT_TYPE_NONE, 1, FIELD_PAYLOAD,
			   NFT_PAYLOAD_TRANSPORT_HEADER, 13, 0, false, true},
	[NFT_IIFNAME] = {"iifname", NFT_TYPE_IFNAME, 16, FIELD_META, NFT_META_IIFNAME, 0, 0, false,
			 false},
	[NFT_OIFNAME] = {"oifname", NFT_TYPE_IFNAME, 16, FIELD_META, NFT_META_OIFNAME, 0, 0, false,
			 false},
	[NFT_NFPROTO] = {"meta nfproto", NFT_TYPE_NONE, 1, FIELD_META, NFT_META_NFPROTO, 0, 0,
			 false, false},
	[NFT_CT_STATE] = {"ct state", NFT_TYPE_NONE, 4, FIELD_CT, NFT_KERNEL_CT_STATE, 0, 0, false,
			  true},
	[NFT_CT_STATUS] = {"ct status", NFT_TYPE_NONE, 4, FIELD_CT, NFT_KERNEL_CT_STATUS, 0, 0,
			   false, true},
};
static_assert(ARRAY_SIZE(fields) == _NFT_FIELD_MAX, "every field has a row");

/**
 * field_info() - What is known about a field
 * @f: Field
 *
 * Return: its row, static
 */
const struct field_info *field_info(enum nft_field f)
{
	assert(f < _NFT_FIELD_MAX);
	return &fields[f];
}

/**
 * fields_count() - Number of fields in a list
 * @f: List, ended by NFT_FIELD_NONE unless full
 *
 * Return: 0 to NFT_FIELDS_MAX
 */
size_t fields_count(const enum nft_field f[NFT_FIELDS_MAX])
{
	size_t n = 0;

	while (n < NFT_FIELDS_MAX && f[n] != NFT_FIELD_NONE)
		n++;
	return n;
}

/**
 * types_count() - Number of types in a list
 * @t: List, ended by NFT_TYPE_NONE unless full
 *
 * Return: 0 to NFT_FIELDS_MAX
 */
size_t types_count(const enum nft_type t[NFT_FIELDS_MAX])
{
	size_t n = 0;

	while (n < NFT_FIELDS_MAX && t[n] != NFT_TYPE_NONE)
		n++;
	return n;
}

/**
 * type_size() - Bytes of a value without padding
 * @t: Type
 *
 * Return: bytes; 0 for NFT_TYPE_NONE and NFT_TYPE_VERDICT
 */
size_t type_size(enum nft_type t)
{
	assert(t < _NFT_TYPE_MAX);
	return types[t].size;
}

/**
 * type_id() - Number of a type in nft's own numbering
 * @t: Type
 *
 * Return: the number that goes into NFTA_SET_KEY_TYPE or NFTA_SET_DATA_TYPE
 */
static uint32_t type_id(enum nft_type t)
{
	assert(t < _NFT_TYPE_MAX);
	return types[t].id;
}

/**
 * type_of_id() - Type with a number of nft's numbering
 * @id: Number
 *
 * Return: the type; NFT_TYPE_NONE if it is none that Manx uses
 */
enum nft_type type_of_id(uint32_t id)
{
	for (enum nft_type t = NFT_TYPE_NONE + 1; t < _NFT_TYPE_MAX; t++)
		if (types[t].id == id)
			return t;
	return NFT_TYPE_NONE;
}

/**
 * type_is_host_order() - Whether nft prints a type as a number in host byte order
 * @t: Type
 *
 * Return: true for marks, interface names and verdicts
 */
bool type_is_host_order(enum nft_type t)
{
	assert(t < _NFT_TYPE_MAX);
	return types[t].host_order;
}

/**
 * types_id() - Number of a concatenation in nft's numbering: six bits a field, first one highest
 * @t: Types
 *
 * Return: the number; for one field type_id()
 */
uint32_t types_id(const enum nft_type t[NFT_FIELDS_MAX])
{
	uint32_t id = 0;

	if (types_count(t) == 1)
		return type_id(t[0]);
	for (size_t i = 0; i < types_count(t); i++)
		id = id << 6 | type_id(t[i]);
	return id;
}

/**
 * types_wire_len() - Bytes of a key or datum in a netlink message
 * @t: Types
 *
 * A single field goes without padding, fields of a concatenation fill whole registers.
 *
 * Return: bytes
 */
size_t types_wire_len(const enum nft_type t[NFT_FIELDS_MAX])
{
	return types_count(t) == 1 ? type_size(t[0]) : nft_key_len(t);
}

/**
 * nft_type_len() - Bytes of a type in a concatenated key
 * @t: Type
 *
 * Return: bytes, a multiple of 4; 0 for NFT_TYPE_VERDICT and NFT_TYPE_NONE
 */
size_t nft_type_len(enum nft_type t)
{
	return (type_size(t) + 3) / 4 * 4;
}

/**
 * nft_key_len() - Bytes of a key, each field padded to 4
 * @types_of_key: Types of its fields, ended by NFT_TYPE_NONE unless full
 *
 * Return: bytes, a multiple of 4
 */
size_t nft_key_len(const enum nft_type types_of_key[NFT_FIELDS_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < types_count(types_of_key); i++)
		len += nft_type_len(types_of_key[i]);
	return len;
}

/**
 * nft_type_name() - Name of a type as nft prints it
 * @t: Type
 *
 * Return: static text
 */
const char *nft_type_name(enum nft_type t)
{
	assert(t < _NFT_TYPE_MAX);
	return types[t].name;
}

/**
 * nft_key_put() - Append one field to a key under construction
 * @key:       Key, room for NFT_KEY_MAX bytes (NFT_DATA_MAX for a datum)
 * @len:       Bytes used so far; grows by nft_type_len()
 * @t:         Type of the field
 * @value:     Value in the byte order of the type (table.h)
 * @value_len: Its bytes; at most those of the type, the rest is zero
 */
void nft_key_put(uint8_t *key, size_t *len, enum nft_type t, const void *value, size_t value_len)
{
	size_t room = nft_type_len(t);

	assert(value_len <= type_size(t) && *len + room <= NFT_KEY_MAX);
	memset(key + *len, 0, room);
	memcpy(key + *len, value, value_len);
	*len += room;
}
