/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipam.h - which address belongs to whom on this node: ranges, allocation, cool-down.  Pure.
 *
 * Takes the ranges (Node spec.podCIDRs, configuration) and the attachments; gives addresses.
 * Time is an argument, monotonic microseconds.  The journal (journal.h) makes it durable.
 */
#pragma once

#include "ipam/attachment.h"
#include "lib/addr.h"
#include "lib/err.h"

#define IPAM_RANGES_MAX 64

struct ipam;

enum ipam_outcome {
	IPAM_OK = 0,
	IPAM_FULL,     /* every address of every range of the family is in use or cooling down */
	IPAM_TAKEN,    /* the address asked for belongs to another attachment */
	IPAM_RECENT,   /* it was another pod's until a moment ago, and cools down */
	IPAM_OUTSIDE,  /* the address asked for is in no range, or not one to be given out */
	IPAM_NO_RANGE, /* there is no range of this family */
	_IPAM_OUTCOME_MAX
};

/* struct ipam_use - the numbers of one range, for messages, metrics and `manx ipam show` */
struct ipam_use {
	struct prefix range;
	uint64_t size; /* addresses that can be given out; IPv4 network and broadcast address and
			* IPv6 subnet-router anycast address are not */
	uint64_t used;
	uint64_t cooling;
	bool retired; /* no longer configured: nothing new is given out of it */
};

struct ipam *ipam_new(uint64_t cooldown_usec);
struct ipam *ipam_free(struct ipam *p);
static inline void ipam_freep(struct ipam **p)
{
	(void)ipam_free(*p);
}
void ipam_set_cooldown(struct ipam *p, uint64_t usec);

/* See which addresses have cooled down; alloc and release do so, too. */
void ipam_advance(struct ipam *p, uint64_t now);

/* Replace the list of ranges; ranges that vanish but hold addresses stay as retired. */
int ipam_set_ranges(struct ipam *p, const struct prefix *ranges, size_t n, struct err *reterr);
bool ipam_has_family(const struct ipam *p, uint8_t family);
bool ipam_in_range(const struct ipam *p, const struct addr *a);

/* Reserve an address of @family; @want asks for a certain one or is NULL, @owner is who asks. */
enum ipam_outcome ipam_alloc(struct ipam *p, uint8_t family, const struct addr *want,
			     uint64_t owner, uint64_t now, struct addr *ret);
/* Reserve what the journal says is in use, also outside every range; false if it was in use. */
bool ipam_adopt(struct ipam *p, const struct addr *a);
/* Give an address back; it cools down from @now. False if it was not in use. */
bool ipam_release(struct ipam *p, const struct addr *a, uint64_t owner, uint64_t now);

/* Both tell what was so at the last ipam_advance(). */
size_t ipam_uses(const struct ipam *p, struct ipam_use *ret, size_t max);
/* "10.1.0.0/24: 254 of 254 in use, 0 cooling down; 10.2..." for error messages */
void ipam_describe(const struct ipam *p, uint8_t family, struct buf *out);
