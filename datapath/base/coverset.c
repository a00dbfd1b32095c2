// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * coverset.c - what a cover tells, as elements of a set.  Pure.
 */
#include "datapath/base/coverset.h"

#include <sys/socket.h>

#include "datapath/base/blocksets.h"

static void on_block(void *arg, const struct prefix *p, bool holds)
{
	const struct addr_range r = {p->addr, prefix_last(p)};
	const struct coverset *c = arg;
	struct nft_elem e;

	if (c->hidden)
		return;
	range_elem(&r, &e);
	if (holds)
		table_want_elem(c->table, c->set, &e);
	else
		table_drop_elem(c->table, c->set, &e);
}

/**
 * coverset_init() - Begin without a block
 * @c:   Filled in
 * @t:   Table
 * @set: Interval set of one address; its elements are the cover's alone
 */
void coverset_init(struct coverset *c, struct nft_table *t, struct nft_set *set)
{
	*c = (struct coverset){.table = t, .set = set, .cover = cover_new(on_block, c)};
}

/**
 * coverset_done() - Forget the blocks; the elements stay wanted
 * @c: Set
 */
void coverset_done(struct coverset *c)
{
	c->cover = cover_free(c->cover);
}

/**
 * coverset_show() - Want the blocks as elements, or none of them
 * @c:    Set; it shows them from the beginning
 * @show: Whether they are wanted
 *
 * Time: O(blocks) if that changes.
 */
void coverset_show(struct coverset *c, bool show)
{
	if (c->hidden == !show)
		return;
	c->hidden = false;
	cover_each(c->cover, show);
	c->hidden = !show;
}

/**
 * coverset_of() - The blocks of a prefix's family
 * @c: IPv4, IPv6
 * @p: Prefix
 *
 * Return: its cover
 */
struct cover *coverset_of(const struct coverset c[2], const struct prefix *p)
{
	return c[p->addr.family != AF_INET].cover;
}
