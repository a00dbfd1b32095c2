// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipam.c - addresses in use, addresses that cool down, and which one comes next.  Pure.
 *
 * An address in use, cooling or rested has a record in one hash table; every other one is fresh.
 * Each range has a cursor that steps over fresh addresses (ipam_range.c) and two queues, cooling
 * and rested; a record moves from the first to the second when its time has come.  A fresh
 * address is taken before a rested one, of the rested ones that which was released first.
 * Nothing ever walks a range: an IPv6 /64 costs no more than an IPv4 /24.
 *
 * Limits: IPAM_RANGES_MAX ranges, retired ones included.  Of a range only the RESTED_MAX rested
 * addresses released last are remembered, so that a pool does not grow for as long as it lives;
 * the forgotten ones are fresh again when the cursor comes round.  In a range of up to RESTED_MAX
 * addresses the order of release therefore holds strictly.
 */
#include "ipam/ipam_internal.h"

#include <assert.h>

#define RESTED_MAX 4096

/**
 * ipam_new() - Create a pool without ranges
 * @cooldown_usec: How long a freed address cools down
 *
 * Return: the pool, to be freed
 */
struct ipam *ipam_new(uint64_t cooldown_usec)
{
	struct ipam *p = xcalloc(1, sizeof(*p));

	p->cooldown = cooldown_usec;
	p->nowhere.retired = true;
	return p;
}

/**
 * ipam_free() - Free a pool
 * @p: Pool or NULL
 *
 * Return: NULL
 */
struct ipam *ipam_free(struct ipam *p)
{
	struct ipam_address *a, *next;

	if (!p)
		return NULL;
	HASH_ITER (hh, p->all, a, next) {
		HASH_DEL(p->all, a);
		free(a);
	}
	free(p);
	return NULL;
}

/**
 * ipam_set_cooldown() - Change how long freed addresses cool down
 * @p:    Pool
 * @usec: Microseconds; holds for addresses that are cooling, too, not for those that have cooled
 */
void ipam_set_cooldown(struct ipam *p, uint64_t usec)
{
	p->cooldown = usec;
}

/* --- records --------------------------------------------------------------------------------- */

static struct ipam_address *find(const struct ipam *p, const struct addr *a)
{
	struct ipam_address *found;

	HASH_FIND(hh, p->all, a, sizeof(*a), found);
	return found;
}

/**
 * ipam_home() - The range that accounts for an address
 * @p: Pool
 * @a: Address
 *
 * Return: the range in force that gives it, else a retired one, else @p->nowhere
 */
struct ipam_range *ipam_home(struct ipam *p, const struct addr *a)
{
	struct ipam_range *retired = &p->nowhere;

	for (size_t i = 0; i < p->n; i++) {
		if (!ipam_range_gives(&p->ranges[i], a))
			continue;
		if (!p->ranges[i].retired)
			return &p->ranges[i];
		retired = &p->ranges[i];
	}
	return retired;
}

/* Mark as in use an address that is not. */
static void take(struct ipam *p, const struct addr *addr)
{
	struct ipam_address *a = find(p, addr);

	if (a) {
		ipam_range_change(ipam_home(p, addr), a, IPAM_USED);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->addr = *addr;
	a->state = IPAM_USED;
	HASH_ADD(hh, p->all, addr, sizeof(a->addr), a);
	ipam_range_enter(ipam_home(p, addr), a);
}

/* Two at most: each release adds one, so the queue shrinks, and no call takes long. */
static void forget_rested(struct ipam *p, struct ipam_range *r)
{
	uint64_t keep = r->retired ? 0 : RESTED_MAX;

	for (int i = 0; i < 2 && r->n_rested > keep; i++) {
		struct ipam_address *oldest = r->rested;

		ipam_range_leave(r, oldest);
		HASH_DEL(p->all, oldest);
		free(oldest);
	}
}

/**
 * ipam_advance() - Let the time be what it is: see which addresses have cooled down
 * @p:   Pool
 * @now: Monotonic time, microseconds
 *
 * ipam_alloc() and ipam_release() do it themselves; before ipam_uses() and ipam_describe() it
 * makes their numbers those of now.  Time: O(ranges + addresses that have cooled since).
 */
void ipam_advance(struct ipam *p, uint64_t now)
{
	for (size_t i = 0; i < p->n; i++)
		ipam_range_advance(&p->ranges[i], p->cooldown, now);
	ipam_range_advance(&p->nowhere, p->cooldown, now);
}

/* --- addresses ------------------------------------------------------------------------------- */

static bool is_open(const struct ipam_range *r, uint8_t family)
{
	return !r->retired && r->prefix.addr.family == family;
}

/* Steps over what was adopted or asked for by name. */
static bool take_fresh(struct ipam *p, uint8_t family, struct addr *ret)
{
	struct ipam_range *r = NULL;
	struct addr a;

	for (size_t i = 0; i < p->n && !r; i++)
		if (is_open(&p->ranges[i], family) && ipam_range_has_fresh(&p->ranges[i]))
			r = &p->ranges[i];
	if (!r)
		return false;
	do
		a = ipam_range_step(r);
	while (find(p, &a));
	take(p, &a);
	*ret = a;
	return true;
}

static bool take_rested(struct ipam *p, uint8_t family, struct addr *ret)
{
	const struct ipam_address *oldest = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct ipam_address *a = p->ranges[i].rested;

		if (is_open(&p->ranges[i], family) && a && (!oldest || a->order < oldest->order))
			oldest = a;
	}
	if (!oldest)
		return false;
	*ret = oldest->addr;
	take(p, ret);
	return true;
}

static enum ipam_outcome take_certain(struct ipam *p, const struct addr *want, uint64_t owner,
				      struct addr *ret)
{
	const struct ipam_address *a = find(p, want);

	if (!ipam_in_range(p, want))
		return IPAM_OUTSIDE;
	if (a && a->state == IPAM_USED)
		return IPAM_TAKEN;
	if (a && a->state == IPAM_COOLING && (!owner || a->owner != owner))
		return IPAM_RECENT;
	*ret = *want;
	take(p, ret);
	return IPAM_OK;
}

/**
 * ipam_alloc() - Reserve an address
 * @p:      Pool
 * @family: AF_INET or AF_INET6
 * @want:   The address asked for, of @family; NULL for any
 * @owner:  Who asks: attachment_owner(), or 0
 * @now:    Monotonic time, microseconds
 * @ret:    Address; untouched on failure
 *
 * Fresh addresses come first, range after range, then the one released first of those that have
 * cooled down.  One that still cools is not given out, unless it was the owner's own and is asked
 * for by name.
 * Time: O(ranges), amortised over the addresses that were adopted or asked for by name.
 *
 * Return: IPAM_OK or why not
 */
enum ipam_outcome ipam_alloc(struct ipam *p, uint8_t family, const struct addr *want,
			     uint64_t owner, uint64_t now, struct addr *ret)
{
	assert(!want || want->family == family);
	ipam_advance(p, now);
	if (want)
		return take_certain(p, want, owner, ret);
	if (!ipam_has_family(p, family))
		return IPAM_NO_RANGE;
	return take_fresh(p, family, ret) || take_rested(p, family, ret) ? IPAM_OK : IPAM_FULL;
}

/**
 * ipam_adopt() - Reserve what is in use already, in a range or not
 * @p: Pool
 * @a: Address
 *
 * Return: true; false if it was in use
 */
bool ipam_adopt(struct ipam *p, const struct addr *a)
{
	const struct ipam_address *known = find(p, a);

	if (known && known->state == IPAM_USED)
		return false;
	take(p, a);
	return true;
}

/**
 * ipam_release() - Give an address back; it begins to cool down
 * @p:     Pool
 * @a:     Address
 * @owner: Whose it was: attachment_owner(), or 0
 * @now:   Monotonic time, microseconds; not before that of an earlier release
 *
 * Return: true; false if it was not in use
 */
bool ipam_release(struct ipam *p, const struct addr *a, uint64_t owner, uint64_t now)
{
	struct ipam_address *known = find(p, a);
	struct ipam_range *r = ipam_home(p, a);

	if (!known || known->state != IPAM_USED)
		return false;
	known->freed = now;
	known->owner = owner;
	known->order = p->releases++;
	ipam_range_change(r, known, IPAM_COOLING);
	ipam_advance(p, now);
	forget_rested(p, r);
	if (r != &p->nowhere && r->retired && !r->used)
		ipam_settle(p);
	return true;
}
