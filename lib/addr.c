// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * addr.c - arithmetic and text of IP addresses and prefixes.  Pure.
 */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

/**
 * addr_len() - Bytes of an address
 * @a: Address
 *
 * Return: 4 or 16
 */
size_t addr_len(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

/**
 * addr_parse() - Read an address as RFC 4291 or dotted quad text
 * @s:   Text without surrounding space; leading zeros in IPv4 parts are refused
 * @ret: Address read; untouched on failure
 *
 * Return: 0, -EINVAL
 */
int addr_parse(const char *s, struct addr *ret)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, s, a.b) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, s, a.b) == 1)
		a.family = AF_INET6;
	else
		return -EINVAL;
	*ret = a;
	return 0;
}

/**
 * addr_str() - Text of an address
 * @a:   Address
 * @buf: Where to
 *
 * Return: @buf
 */
const char *addr_str(const struct addr *a, char buf[static ADDR_STR_MAX])
{
	if (!inet_ntop(a->family == AF_INET ? AF_INET : AF_INET6, a->b, buf, ADDR_STR_MAX))
		buf[0] = '\0';
	return buf;
}

/**
 * addr_cmp() - Order addresses: IPv4 before IPv6, then by value
 * @a: Address
 * @b: Address
 *
 * Return: below 0, 0 or above 0, as memcmp()
 */
int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, addr_len(a));
}

/**
 * addr_eq() - Compare addresses
 * @a: Address
 * @b: Address
 *
 * Return: true if family and value are the same
 */
bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

/**
 * addr_is_zero() - Test for the unspecified address
 * @a: Address
 *
 * Return: true for 0.0.0.0 and ::
 */
bool addr_is_zero(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, addr_len(a)) == 0;
}

/**
 * addr_is_loopback() - Test for an address that only processes of this host can reach, or have
 * @a: Address
 *
 * Return: true for 127.0.0.0/8 and ::1
 */
bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t v6[16] = {[15] = 1};

	return a->family == AF_INET ? a->b[0] == 127 : memcmp(a->b, v6, sizeof(v6)) == 0;
}

/**
 * addr_next() - Step to the address above
 * @a: Address, changed in place
 *
 * Return: false if @a was the highest address and is now the lowest
 */
bool addr_next(struct addr *a)
{
	for (size_t i = addr_len(a); i-- > 0;)
		if (++a->b[i])
			return true;
	return false;
}

/**
 * addr_prev() - Step to the address below
 * @a: Address, changed in place
 *
 * Return: false if @a was the lowest address and is now the highest
 */
bool addr_prev(struct addr *a)
{
	for (size_t i = addr_len(a); i-- > 0;)
		if (a->b[i]--)
			return true;
	return false;
}

/**
 * addr_add() - Address at an offset
 * @a:      Base
 * @offset: Addresses to go up; wraps at the end of the family's space
 *
 * Return: the sum
 */
struct addr addr_add(const struct addr *a, uint64_t offset)
{
	struct addr sum = *a;

	for (size_t i = addr_len(a); i-- > 0 && offset;) {
		uint64_t part = (offset & 0xff) + sum.b[i];

		sum.b[i] = (uint8_t)part;
		offset = (offset >> 8) + (part >> 8);
	}
	return sum;
}

/* Clear the bits beyond @len; true if all of them were clear already. */
static bool mask_host_bits(struct addr *a, unsigned int len)
{
	bool clean = true;

	for (unsigned int bit = len; bit < addr_len(a) * 8; bit++) {
		uint8_t m = (uint8_t)(0x80 >> (bit % 8));

		if (a->b[bit / 8] & m)
			clean = false;
		a->b[bit / 8] &= (uint8_t)~m;
	}
	return clean;
}

/**
 * prefix_parse() - Read "address/length"
 * @s:   Text; the length is required, decimal, without leading zeros or sign
 * @ret: Prefix read, host bits cleared as the API server does for ipBlock; untouched on failure
 *
 * Return: 0; 1 if host bits were set and have been cleared; -EINVAL
 */
int prefix_parse(const char *s, struct prefix *ret)
{
	const char *slash = strchr(s, '/');
	char text[ADDR_STR_MAX];
	struct prefix p = {0};
	unsigned int len = 0;

	if (!slash || (size_t)(slash - s) >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	if (addr_parse(text, &p.addr) < 0)
		return -EINVAL;
	if (!slash[1] || (slash[1] == '0' && slash[2]) || strlen(slash + 1) > 3)
		return -EINVAL;
	for (const char *d = slash + 1; *d; d++) {
		if (*d < '0' || *d > '9')
			return -EINVAL;
		len = len * 10 + (unsigned int)(*d - '0');
	}
	if (len > addr_len(&p.addr) * 8)
		return -EINVAL;
	p.len = (uint8_t)len;
	*ret = p;
	return mask_host_bits(&ret->addr, len) ? 0 : 1;
}

/**
 * prefix_around() - The block of an address
 * @a:   Address
 * @len: Length of the prefix in bits, at most that of an address
 *
 * Return: the block, bits beyond @len cleared
 */
struct prefix prefix_around(const struct addr *a, uint8_t len)
{
	struct prefix p = {.addr = *a, .len = len};

	(void)mask_host_bits(&p.addr, len);
	return p;
}

/**
 * prefix_str() - Text of a prefix
 * @p:   Prefix
 * @buf: Where to
 *
 * Return: @buf
 */
const char *prefix_str(const struct prefix *p, char buf[static PREFIX_STR_MAX])
{
	char text[ADDR_STR_MAX];

	(void)snprintf(buf, PREFIX_STR_MAX, "%s/%u", addr_str(&p->addr, text), p->len);
	return buf;
}

/**
 * prefix_contains() - Test whether an address lies in a block
 * @p: Block
 * @a: Address; another family is never inside
 *
 * Return: true if inside
 */
bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct addr net = *a;

	if (p->addr.family != a->family)
		return false;
	(void)mask_host_bits(&net, p->len);
	return addr_eq(&net, &p->addr);
}

/**
 * prefix_covers() - Test whether one block lies inside another
 * @outer: Block
 * @inner: Block
 *
 * Return: true if every address of @inner is in @outer
 */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->addr);
}

/**
 * prefix_cmp() - Order prefixes by address, then by length
 * @a: Prefix
 * @b: Prefix
 *
 * Return: below 0, 0 or above 0, as memcmp()
 */
int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int c = addr_cmp(&a->addr, &b->addr);

	return c ? c : (int)a->len - (int)b->len;
}

/**
 * prefix_eq() - Compare prefixes
 * @a: Prefix
 * @b: Prefix
 *
 * Return: true if both name the same block
 */
bool prefix_eq(const struct prefix *a, const struct prefix *b)
{
	return prefix_cmp(a, b) == 0;
}

/**
 * prefix_last() - Highest address of a block
 * @p: Block
 *
 * Return: the address with all host bits set
 */
struct addr prefix_last(const struct prefix *p)
{
	struct addr last = p->addr;

	for (unsigned int bit = p->len; bit < addr_len(&last) * 8; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
	return last;
}

/**
 * prefix_size() - Number of addresses in a block
 * @p: Block
 *
 * Return: the number; UINT64_MAX where it is larger
 */
uint64_t prefix_size(const struct prefix *p)
{
	unsigned int bits = (unsigned int)addr_len(&p->addr) * 8 - p->len;

	return bits >= 64 ? UINT64_MAX : 1ULL << bits;
}

/**
 * prefix_host() - The block that holds one address only
 * @a: Address
 *
 * Return: @a/32 or @a/128
 */
struct prefix prefix_host(const struct addr *a)
{
	return (struct prefix){.addr = *a, .len = (uint8_t)(addr_len(a) * 8)};
}

/**
 * mac_parse() - Read "aa:bb:cc:dd:ee:ff"
 * @s:   Text, six pairs of hexadecimal digits with colons
 * @ret: Address read; untouched on failure
 *
 * Return: 0, -EINVAL
 */
int mac_parse(const char *s, struct mac *ret)
{
	struct mac m = {0};
	int end = 0;

	if (sscanf(s, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &m.b[0], &m.b[1], &m.b[2], &m.b[3],
		   &m.b[4], &m.b[5], &end) != 6 ||
	    end != MAC_STR_MAX - 1 || s[end])
		return -EINVAL;
	*ret = m;
	return 0;
}

/**
 * mac_str() - Text of a MAC address
 * @m:   Address
 * @buf: Where to
 *
 * Return: @buf
 */
const char *mac_str(const struct mac *m, char buf[static MAC_STR_MAX])
{
	(void)snprintf(buf, MAC_STR_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2],
		       m->b[3], m->b[4], m->b[5]);
	return buf;
}
