// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipam_ranges.c - the list of ranges and its numbers.  Pure.
 *
 * Ranges change seldom, so a change accounts for every address anew.
 */
#include "ipam/ipam_internal.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/vec.h"

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

	for (size_t i = 0; i < p->n; i++) {
		struct ipam_range *r = &p->ranges[i];

		r->cooling = r->rested = NULL;
		r->used = r->n_cooling = r->n_rested = 0;
	}
	p->nowhere = (struct ipam_range){.retired = true};
	for (struct ipam_address *a = p->all; a; a = a->hh.next)
		vec_push(&all, a);
	vec_sort(&all, compare_order);
	for (size_t i = 0; i < all.n; i++)
		ipam_range_enter(ipam_home(p, &all.v[i]->addr), all.v[i]);
	vec_done(&all);
}

static bool drop_empty(struct ipam *p)
{
	size_t before = p->n;

	p->n = 0;
	for (size_t i = 0; i < before; i++)
		if (!p->ranges[i].retired || p->ranges[i].used)
			p->ranges[p->n++] = p->ranges[i];
	return p->n < before;
}

/**
 * ipam_settle() - Put every address into the range that accounts for it
 * @p: Pool whose ranges have changed, or of which one is used no more
 *
 * Retired ranges go when nothing of them is in use; what cools there finds another home.
 * Time: O(addresses * log).
 */
void ipam_settle(struct ipam *p)
{
	do
		enter_all(p);
	while (drop_empty(p));
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
	ipam_settle(p);
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

/* --- numbers --------------------------------------------------------------------------------- */

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
