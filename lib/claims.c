// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * claims.c - a sorted list.  Pure.  Time: O(claims of the key).
 */
#include "lib/claims.h"

#include <utlist.h>

#include "lib/intern.h"

static int compare(const struct claim *a, const struct claim *b)
{
	if (a->by.rank != b->by.rank)
		return a->by.rank < b->by.rank ? -1 : 1;
	if (a->by.since != b->by.since) /* 0 - 1 is the last of all */
		return a->by.since - 1 < b->by.since - 1 ? -1 : 1;
	return strcmp(a->by.name, b->by.name);
}

/**
 * claims_find() - Look a claim up
 * @list: Claims of a key
 * @by:   Its owner; when it was created does not matter
 *
 * Return: the claim; NULL if that owner has none
 */
struct claim *claims_find(struct claim *list, const struct claimant *by)
{
	while (list && (list->by.rank != by->rank || !streq(list->by.name, by->name)))
		list = list->next;
	return list;
}

/**
 * claims_add() - Add a claim at its place
 * @list: Claims of a key; an older one of the same owner is to be removed next
 * @c:    Claim with its owner; borrowed until claims_remove(), the name is interned
 */
void claims_add(struct claim **list, struct claim *c)
{
	c->by.name = intern(c->by.name);
	LL_INSERT_INORDER(*list, c, compare);
}

/**
 * claims_remove() - Remove a claim; the next one takes over if it was the first
 * @list: Claims of a key
 * @c:    Claim of it, to be freed by the caller
 */
void claims_remove(struct claim **list, struct claim *c)
{
	LL_DELETE(*list, c);
	intern_put(c->by.name);
	c->by.name = NULL;
}
