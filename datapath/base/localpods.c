// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * localpods.c - see localpods.h.
 *
 * A pod's address inside a range costs no element; it gets one when the range is taken out while
 * the pod runs.
 */
#include "datapath/base/localpods.h"

#include <assert.h>
#include <uthash.h>

#include "datapath/base/podrows.h"

struct localpod {
	char *key; /* container and interface */
	struct attachment *at;
	UT_hash_handle hh;
};

/**
 * localpods_init() - Begin with none
 * @l: Filled in
 * @t: Table
 * @b: Sets of the fixed program, borrowed
 * @m: Is given the pods' addresses
 */
void localpods_init(struct localpods *l, struct nft_table *t, const struct base *b,
		    struct masquerade *m)
{
	*l = (struct localpods){.table = t, .base = b, .masquerade = m};
	for (int six = 0; six < 2; six++)
		coverset_init(&l->addresses[six], t, b->local[six]);
}

/**
 * localpods_done() - Forget the ranges; every attachment must have been removed
 * @l: Local pods
 */
void localpods_done(struct localpods *l)
{
	assert(!l->pods);
	for (int six = 0; six < 2; six++)
		coverset_done(&l->addresses[six]);
	vec_done(&l->ranges);
}

/**
 * localpods_ranges() - Replace the ranges whose addresses only local pods have
 * @l:      Local pods
 * @ranges: Ranges; copied
 * @n:      Their number
 */
void localpods_ranges(struct localpods *l, const struct prefix *ranges, size_t n)
{
	/* New ones first: what is in both never leaves. */
	for (size_t i = 0; i < n; i++)
		cover_add(coverset_of(l->addresses, &ranges[i]), &ranges[i]);
	vec_foreach (old, &l->ranges)
		cover_remove(coverset_of(l->addresses, old), old);
	l->ranges.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push(&l->ranges, ranges[i]);
}

/**
 * localpods_hold_link() - Hold an interface as if it were a local pod's, or no longer
 * @l:      Local pods
 * @ifname: Its name
 * @hold:   What comes out of it is dropped, unless an attachment explains it
 */
void localpods_hold_link(struct localpods *l, const char *ifname, bool hold)
{
	struct nft_elem elem;

	link_elem(ifname, &elem);
	(hold ? table_want_elem : table_drop_elem)(l->table, l->base->links, &elem);
}

static void change_addresses(struct localpods *l, const struct attachment *a, cover_change *change)
{
	for (uint32_t i = 0; i < a->n_addrs; i++) {
		const struct prefix host = prefix_host(&a->addrs[i]);

		change(coverset_of(l->addresses, &host), &host);
		masquerade_own(l->masquerade, &host, change);
	}
}

static char *key_of(const char *id, const char *ifname)
{
	return xasprintf("%s/%s", id, ifname);
}

/**
 * localpods_add() - A local pod got its addresses
 * @l: Local pods
 * @a: Attachment; copied; no other of its container and interface may be there
 *
 * Return: the copy, borrowed until it is removed
 */
const struct attachment *localpods_add(struct localpods *l, const struct attachment *a)
{
	struct localpod *p = xcalloc(1, sizeof(*p));

	p->key = key_of(a->id, a->ifname);
	p->at = attachment_copy(a);
	HASH_ADD_KEYPTR(hh, l->pods, p->key, strlen(p->key), p);
	podrows_want(l->table, l->base, p->at);
	change_addresses(l, p->at, cover_add);
	return p->at;
}

/**
 * localpods_remove() - A local pod's interface is going
 * @l:      Local pods
 * @id:     Container
 * @ifname: Interface
 *
 * Return: the attachment, to be freed; NULL if there is none
 */
struct attachment *localpods_remove(struct localpods *l, const char *id, const char *ifname)
{
	_cleanup_(freep) char *key = key_of(id, ifname);
	struct attachment *at;
	struct localpod *p;

	HASH_FIND_STR(l->pods, key, p);
	if (!p)
		return NULL;
	HASH_DEL(l->pods, p);
	at = p->at;
	free(p->key);
	free(p);
	podrows_drop(l->table, l->base, at);
	change_addresses(l, at, cover_remove);
	return at;
}

/**
 * localpods_in() - How many addresses of local pods are in a range?
 * @l:     Local pods
 * @range: Range
 *
 * Time: O(pods)
 *
 * Return: their number
 */
size_t localpods_in(const struct localpods *l, const struct prefix *range)
{
	size_t n = 0;

	for (const struct localpod *p = l->pods; p; p = p->hh.next)
		for (uint32_t i = 0; i < p->at->n_addrs; i++)
			n += prefix_contains(range, &p->at->addrs[i]);
	return n;
}

/**
 * localpods_settled() - Are the rows of a local pod in force?
 * @l:           Local pods
 * @a:           Attachment, as it was added
 * @ret_problem: As of table_settled()
 *
 * Return: of all rows the worst, as podrows_settled()
 */
enum nft_settled localpods_settled(const struct localpods *l, const struct attachment *a,
				   const char **ret_problem)
{
	return podrows_settled(l->table, l->base, a, ret_problem);
}
