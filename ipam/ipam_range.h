/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipam_range.h - one range of addresses: which of it may be given out, where the next fresh one
 * is, and the queues of those that were given back.  Pure; for ipam.c and ipam_ranges.c.
 */
#pragma once

#include <uthash.h>

#include "lib/addr.h"

enum ipam_state { IPAM_USED, IPAM_COOLING, IPAM_RESTED };

/*
 * struct ipam_address - the record of an address that is not fresh
 * @freed, @order: time and number of its release; not while it is in use
 * @owner:         then: whose it was (attachment_owner()), 0 if that is not known
 * @prev, @next:   the queue it is in (utlist.h)
 */
struct ipam_address {
	struct addr addr;
	enum ipam_state state;
	uint64_t freed, order, owner;
	struct ipam_address *prev, *next;
	UT_hash_handle hh;
};

/*
 * struct ipam_range
 * @first, @end:   offsets from the network address; [first, end) is what the cursor visits
 * @cursor:        offset of the next address to try
 * @used:          addresses of the range in use
 * @n_cooling, @cooling: released not long enough ago, the first released in front
 * @n_rested, @rested:   released longer ago, in the same order
 * @retired:       not configured any more
 */
struct ipam_range {
	struct prefix prefix;
	uint64_t first, end, cursor;
	uint64_t used, n_cooling, n_rested;
	struct ipam_address *cooling, *rested;
	bool retired;
};

struct ipam_range ipam_range_of(const struct prefix *p);
uint64_t ipam_range_size(const struct ipam_range *r);
bool ipam_range_gives(const struct ipam_range *r, const struct addr *a);
bool ipam_range_has_fresh(const struct ipam_range *r);
struct addr ipam_range_step(struct ipam_range *r);
void ipam_range_enter(struct ipam_range *r, struct ipam_address *a);
void ipam_range_leave(struct ipam_range *r, struct ipam_address *a);
void ipam_range_change(struct ipam_range *r, struct ipam_address *a, enum ipam_state state);
void ipam_range_advance(struct ipam_range *r, uint64_t cooldown, uint64_t now);
