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
#include "ipam/ipam.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <uthash.h>
#include <utlist.h>

#include "ipam/ipam_range.h"
#include "lib/vec.h"

#define RESTED_MAX 4096

enum state { STATE_USED, STATE_COOLING, STATE_RESTED };

/*
 * struct ipam_address
 * @freed, @order: time and number of the release; not while it is in use
 */
struct ipam_address {
	struct addr addr;
	enum state state;
	uint64_t freed, order;
	struct ipam_address *prev, *next;
	UT_hash_handle hh;
};

/*
 * struct ipam
 * @ranges:   in the order in which they are filled, retired ones last
 * @nowhere:  holds what no range gives: the journal's addresses of ranges that are gone
 * @releases: so far; gives @order
 */
struct ipam {
	uint64_t cooldown, releases;
	struct ipam_range ranges[IPAM_RANGES_MAX];
	size_t n;
	struct ipam_range nowhere;
	struct ipam_address *all;
};

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

/* --- records -----------------------------------------------------------------------------------
 */

static struct ipam_address *find(const struct ipam *p, const struct addr *a)
{
	struct ipam_address *found;

	HASH_FIND(hh, p->all, a, sizeof(*a), found);
	return found;
}

/* The range that accounts for an address: one in force before a retired one, else @nowhere. */
static struct ipam_range *home(struct ipam *p, const struct addr *a)
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

/* Put a record where its state says, behind those that are there. */
static void enter(struct ipam_range *r, struct ipam_address *a)
{
	switch (a->state) {
	case STATE_USED:
		r->used++;
		break;
	case STATE_COOLING:
		DL_APPEND(r->cooling, a);
		r->n_cooling++;
		break;
	case STATE_RESTED:
		DL_APPEND(r->rested, a);
		r->n_rested++;
		break;
	}
}

static void leave(struct ipam_range *r, struct ipam_address *a)
{
	switch (a->state) {
	case STATE_USED:
		r->used--;
		break;
	case STATE_COOLING:
		DL_DELETE(r->cooling, a);
		r->n_cooling--;
		break;
	case STATE_RESTED:
		DL_DELETE(r->rested, a);
		r->n_rested--;
		break;
	}
}

static void change_state(struct ipam_range *r, struct ipam_address *a, enum state state)
{
	leave(r, a);
	a->state = state;
	enter(r, a);
}

/* Mark as in use an address that is not. */
static void take(struct ipam *p, const struct addr *addr)
{
	struct ipam_address *a = find(p, addr);

	if (a) {
		change_state(home(p, addr), a, STATE_USED);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->addr = *addr;
	a->state = STATE_USED;
	HASH_ADD(hh, p->all, addr, sizeof(a->addr), a);
	enter(home(p, addr), a);
}

/* Two at most: each release adds one, so the queue shrinks, and no call takes long. */
static void forget_rested(struct ipam *p, struct ipam_range *r)
{
	uint64_t keep = r->retired ? 0 : RESTED_MAX;

	for (int i = 0; i < 2 && r->n_rested > keep; i++) {
		struct ipam_address *oldest = r->rested;

		leave(r, oldest);
		HASH_DEL(p->all, oldest);
		free(oldest);
	}
}

static void advance_range(struct ipam *p, struct ipam_range *r, uint64_t now)
{
	while (r->cooling && now >= r->cooling->freed && now - r->cooling->freed >= p->cooldown)
		change_state(r, r->cooling, STATE_RESTED);
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
		advance_range(p, &p->ranges[i], now);
	advance_range(p, &p->nowhere, now);
}

/* --- ranges ------------------------------------------------------------------------------------
 */

static int check_ranges(const struct prefix *ranges, size_t n, struct err *reterr)
{
	char a[PREFIX_STR_MAX], b[PREFIX_STR_MAX];

	if (n > IPAM_RANGES_MAX)
		return err_set(reterr, -EINVAL, "%zu ranges, at most %d are supported", n,
			       IPAM_RANGES_MAX);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (prefix_covers(&ranges[i], &ranges[j]) ||
			    prefix_covers(&ranges[j], &ranges[i]))
				return err_set(reterr, -EINVAL, "ranges %s and %s overlap",
					       prefix_str(&ranges[i], a),
					       prefix_str(&ranges[j], b));
	return 0;
}

static int compare_order(const void *a, const void *b)
{
	const struct ipam_address *x = *(struct ipam_address *const *)a;
	const struct ipam_address *y = *(struct ipam_address *const *)b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* Account for every address anew, in the order of their release. */
static void enter_all(struct ipam *p)
{
	VEC(struct ipam_address *) all = {0};

	for (struct ipam_address *a = p->all; a; a = a->hh.next)
		vec_push(&all, a);
	vec_sort(&all, compare_order);
	for (size_t i = 0; i < all.n; i++)
		enter(home(p, &all.v[i]->addr), all.v[i]);
	vec_done(&all);
}

/* Remove retired ranges that nothing is in use of; what cools there goes on cooling nowhere. */
static void drop_empty(struct ipam *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct ipam_range *r = &p->ranges[i];

		if (!r->retired || r->used) {
			p->ranges[kept++] = *r;
			continue;
		}
		DL_CONCAT(p->nowhere.cooling, r->cooling);
		DL_CONCAT(p->nowhere.rested, r->rested);
		p->nowhere.n_cooling += r->n_cooling;
		p->nowhere.n_rested += r->n_rested;
	}
	p->n = kept;
}

static const struct ipam_range *range_find(const struct ipam_range *ranges, size_t n,
					   const struct prefix *prefix)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_eq(&ranges[i].prefix, prefix))
			return &ranges[i];
	return NULL;
}

/**
 * ipam_set_ranges() - Replace the list of ranges
 * @p:      Pool
 * @ranges: Ranges, filled in this order
 * @n:      At most IPAM_RANGES_MAX
 * @reterr: Which two overlap, or that there are too many
 *
 * A range that is not in the list any more is retired: it stays while addresses of it are in use
 * (as long as the list has room) and gives out nothing.  Time: O(n^2 + addresses * log).
 *
 * Return: 0; -EINVAL and nothing changed
 */
int ipam_set_ranges(struct ipam *p, const struct prefix *ranges, size_t n, struct err *reterr)
{
	struct ipam_range fresh[IPAM_RANGES_MAX];
	size_t n_fresh = 0;

	if (check_ranges(ranges, n, reterr) < 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const struct ipam_range *old = range_find(p->ranges, p->n, &ranges[i]);

		fresh[n_fresh] = ipam_range_of(&ranges[i]);
		if (old)
			fresh[n_fresh].cursor = old->cursor;
		n_fresh++;
	}
	for (size_t i = 0; i < p->n && n_fresh < IPAM_RANGES_MAX; i++) {
		const struct ipam_range *old = &p->ranges[i];

		if (!old->used || range_find(fresh, n, &old->prefix))
			continue;
		fresh[n_fresh] = ipam_range_of(&old->prefix);
		fresh[n_fresh].cursor = old->cursor;
		fresh[n_fresh++].retired = true;
	}
	memcpy(p->ranges, fresh, n_fresh * sizeof(*fresh));
	p->n = n_fresh;
	p->nowhere = (struct ipam_range){.retired = true};
	enter_all(p);
	drop_empty(p);
	return 0;
}

/**
 * ipam_has_family() - Is there a range of a family?
 * @p:      Pool
 * @family: AF_INET or AF_INET6
 *
 * Return: true if so, retired ones not counted
 */
bool ipam_has_family(const struct ipam *p, uint8_t family)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->ranges[i].retired && p->ranges[i].prefix.addr.family == family)
			return true;
	return false;
}

/**
 * ipam_in_range() - Is an address one that can be given out?
 * @p: Pool
 * @a: Address
 *
 * Return: true if a range that is in force gives it, in use or not
 */
bool ipam_in_range(const struct ipam *p, const struct addr *a)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->ranges[i].retired && ipam_range_gives(&p->ranges[i], a))
			return true;
	return false;
}

/* --- addresses ---------------------------------------------------------------------------------
 */

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

static enum ipam_outcome take_certain(struct ipam *p, const struct addr *want, struct addr *ret)
{
	const struct ipam_address *a = find(p, want);

	if (!ipam_in_range(p, want))
		return IPAM_OUTSIDE;
	if (a && a->state != STATE_RESTED)
		return IPAM_TAKEN;
	*ret = *want;
	take(p, ret);
	return IPAM_OK;
}

/**
 * ipam_alloc() - Reserve an address
 * @p:      Pool
 * @family: AF_INET or AF_INET6
 * @want:   The address asked for, of @family; NULL for any
 * @now:    Monotonic time, microseconds
 * @ret:    Address; untouched on failure
 *
 * Fresh addresses come first, range after range, then the one released first of those that have
 * cooled down.  One that still cools is not given out, also when asked for by name.
 * Time: O(ranges), amortised over the addresses that were adopted or asked for by name.
 *
 * Return: IPAM_OK or why not
 */
enum ipam_outcome ipam_alloc(struct ipam *p, uint8_t family, const struct addr *want, uint64_t now,
			     struct addr *ret)
{
	assert(!want || want->family == family);
	ipam_advance(p, now);
	if (want)
		return take_certain(p, want, ret);
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

	if (known && known->state == STATE_USED)
		return false;
	take(p, a);
	return true;
}

/**
 * ipam_release() - Give an address back; it begins to cool down
 * @p:   Pool
 * @a:   Address
 * @now: Monotonic time, microseconds; not before that of an earlier release
 *
 * Return: true; false if it was not in use
 */
bool ipam_release(struct ipam *p, const struct addr *a, uint64_t now)
{
	struct ipam_address *known = find(p, a);
	struct ipam_range *r = home(p, a);

	if (!known || known->state != STATE_USED)
		return false;
	known->freed = now;
	known->order = p->releases++;
	change_state(r, known, STATE_COOLING);
	ipam_advance(p, now);
	forget_rested(p, r);
	if (r->retired && !r->used)
		drop_empty(p);
	return true;
}

/* --- numbers -----------------------------------------------------------------------------------
 */

/**
 * ipam_uses() - The numbers of every range, as of the last ipam_advance()
 * @p:   Pool
 * @ret: Filled with at most @max entries
 * @max: Room in @ret
 *
 * Return: number of ranges, at most IPAM_RANGES_MAX
 */
size_t ipam_uses(const struct ipam *p, struct ipam_use *ret, size_t max)
{
	for (size_t i = 0; i < p->n && i < max; i++) {
		const struct ipam_range *r = &p->ranges[i];

		ret[i] = (struct ipam_use){.range = r->prefix,
					   .size = ipam_range_size(r),
					   .used = r->used,
					   .cooling = r->n_cooling,
					   .retired = r->retired};
	}
	return p->n;
}

/**
 * ipam_describe() - The numbers of a family in words, as of the last ipam_advance()
 * @p:      Pool
 * @family: AF_INET or AF_INET6
 * @out:    Appended to: "10.1.0.0/24: 250 of 254 in use, 4 cooling down"; nothing without a range
 */
void ipam_describe(const struct ipam *p, uint8_t family, struct buf *out)
{
	char text[PREFIX_STR_MAX];
	const char *separator = "";

	for (size_t i = 0; i < p->n; i++) {
		const struct ipam_range *r = &p->ranges[i];

		if (r->prefix.addr.family != family)
			continue;
		buf_printf(out,
			   "%s%s: %" PRIu64 " of %" PRIu64 " in use, %" PRIu64 " cooling down%s",
			   separator, prefix_str(&r->prefix, text), r->used, ipam_range_size(r),
			   r->n_cooling, r->retired ? ", not configured any more" : "");
		separator = "; ";
	}
}
