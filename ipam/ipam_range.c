// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipam_range.c - the arithmetic of one range.  Pure.
 *
 * The cursor visits at most the first 2^64 - 1 addresses; of an IPv6 range shorter than /64 the
 * rest is given out only to whoever asks for it by name.
 */
#include "ipam/ipam_range.h"

#include <sys/socket.h>

/**
 * ipam_range_of() - A range with nothing in use
 * @p: Its block
 *
 * Not given out: network and broadcast address of an IPv4 block (hosts outside expect it so;
 * not for /31 and /32, RFC 3021), and the subnet-router anycast address of an IPv6 block
 * (RFC 4291, 2.6.1; not for /127, RFC 6164, and /128).
 *
 * Return: the range
 */
struct ipam_range ipam_range_of(const struct prefix *p)
{
	struct ipam_range r = {.prefix = *p, .end = prefix_size(p)};

	if (r.end > 2) {
		r.first = 1;
		r.end -= p->addr.family == AF_INET;
	}
	r.cursor = r.first;
	return r;
}

/**
 * ipam_range_size() - How many addresses can be given out
 * @r: Range
 *
 * Return: the number; UINT64_MAX - 1 also stands for more
 */
uint64_t ipam_range_size(const struct ipam_range *r)
{
	return r->end - r->first;
}

/**
 * ipam_range_gives() - Is an address one of those that can be given out?
 * @r: Range
 * @a: Address
 *
 * Return: true if so, whether it is in use or not
 */
bool ipam_range_gives(const struct ipam_range *r, const struct addr *a)
{
	struct addr last;

	if (!prefix_contains(&r->prefix, a))
		return false;
	if (!r->first)
		return true;
	if (r->prefix.addr.family != AF_INET)
		return !addr_eq(a, &r->prefix.addr);
	last = prefix_last(&r->prefix);
	return !addr_eq(a, &r->prefix.addr) && !addr_eq(a, &last);
}

/**
 * ipam_range_has_fresh() - Is there an address without a record?
 * @r: Range
 *
 * Return: true if so
 */
bool ipam_range_has_fresh(const struct ipam_range *r)
{
	return r->used + r->n_cooling + r->n_rested < ipam_range_size(r);
}

/**
 * ipam_range_step() - The address under the cursor; the cursor moves on
 * @r: Range
 *
 * Behind the last address comes the first.
 *
 * Return: the address
 */
struct addr ipam_range_step(struct ipam_range *r)
{
	struct addr a = addr_add(&r->prefix.addr, r->cursor);

	if (++r->cursor == r->end)
		r->cursor = r->first;
	return a;
}
