// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipam_range.c - the arithmetic and the queues of one range.  Pure.
 *
 * The cursor visits at most the first 2^64 - 1 addresses; of an IPv6 range shorter than /64 the
 * rest is given out only to whoever asks for it by name.
 */
#include "ipam/ipam_range.h"

#include <sys/socket.h>

#include <utlist.h>

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

/**
 * ipam_range_enter() - Account for an address, behind those of its state
 * @r: Range
 * @a: Address; in no range
 */
void ipam_range_enter(struct ipam_range *r, struct ipam_address *a)
{
	switch (a->state) {
	case IPAM_USED:
		r->used++;
		break;
	case IPAM_COOLING:
		DL_APPEND(r->cooling, a);
		r->n_cooling++;
		break;
	case IPAM_RESTED:
		DL_APPEND(r->rested, a);
		r->n_rested++;
		break;
	}
}

/**
 * ipam_range_leave() - Account for an address no more
 * @r: The range that holds it
 * @a: Address
 */
void ipam_range_leave(struct ipam_range *r, struct ipam_address *a)
{
	switch (a->state) {
	case IPAM_USED:
		r->used--;
		break;
	case IPAM_COOLING:
		DL_DELETE(r->cooling, a);
		r->n_cooling--;
		break;
	case IPAM_RESTED:
		DL_DELETE(r->rested, a);
		r->n_rested--;
		break;
	}
}

/**
 * ipam_range_change() - Change the state of an address
 * @r:     The range that holds it
 * @a:     Address
 * @state: New state; it goes behind those that have it
 */
void ipam_range_change(struct ipam_range *r, struct ipam_address *a, enum ipam_state state)
{
	ipam_range_leave(r, a);
	a->state = state;
	ipam_range_enter(r, a);
}

/**
 * ipam_range_advance() - Move on what has cooled down
 * @r:        Range
 * @cooldown: How long it takes, microseconds
 * @now:      Monotonic time, microseconds
 */
void ipam_range_advance(struct ipam_range *r, uint64_t cooldown, uint64_t now)
{
	while (r->cooling && now >= r->cooling->freed && now - r->cooling->freed >= cooldown)
		ipam_range_change(r, r->cooling, IPAM_RESTED);
}
