// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * refused.c - elements that the kernel refuses are left out, and all others go on (see table.h).
 *
 * The kernel takes a transaction as a whole or not at all, so that what it refuses must not be in
 * the next one.  An element that is left out stays wanted: it counts as refused until it is wanted
 * otherwise, is read from the kernel, or table_retry() says that its time has come.
 *
 * Limits: REFUSED_MAX elements; a kernel that refuses more refuses for another reason.  Pure.
 */
#include <assert.h>

#include "datapath/nft/table_priv.h"

#define REFUSED_MAX 256

static size_t find(const struct nft_table *t, const struct nft_set *s, const uint8_t *ident)
{
	size_t i = 0;

	while (i < t->refused.n && (t->refused.v[i].set != s ||
				    memcmp(t->refused.v[i].ident, ident, s->elems.ident_len) != 0))
		i++;
	return i;
}

static void drop(struct nft_table *t, size_t i)
{
	t->refused.v[i].set->n_refused--;
	free(t->refused.v[i].problem);
	t->refused.v[i] = t->refused.v[--t->refused.n];
}

/**
 * refusal_forget() - An element is about to change: it is pending as any other
 * @t:     Table
 * @s:     Its set
 * @entry: Its entry; the caller keeps the books (elem_update())
 *
 * Time: O(1); O(refused) for one that is
 */
void refusal_forget(struct nft_table *t, struct nft_set *s, uint8_t *entry)
{
	if (!(elem_flags(entry) & ELEM_REFUSED))
		return;
	drop(t, find(t, s, elem_ident(entry)));
	elem_set_flags(entry, 0, ELEM_REFUSED);
}

/**
 * refusals_forget() - As refusal_forget(), for all elements of a set
 * @t: Table
 * @s: Set; NULL: all sets, and the table is about to be freed
 */
void refusals_forget(struct nft_table *t, struct nft_set *s)
{
	for (size_t i = t->refused.n; i > 0; i--) {
		struct refusal *r = &t->refused.v[i - 1];

		if (!s) {
			free(r->problem);
		} else if (r->set == s) {
			elem_set_flags(elems_find(&s->elems, r->ident), 0, ELEM_REFUSED);
			drop(t, i - 1);
		}
	}
	if (!s)
		vec_done(&t->refused);
}

/**
 * table_refuse() - Leave out an element that the kernel refuses
 * @t:       Table
 * @op:      What it refused: of the last table_ops(), and nothing was wanted or dropped since
 * @problem: What it said
 *
 * Return: true; false, and nothing done, if @op is not about an element that is pending, or too
 * many are left out already
 */
bool table_refuse(struct nft_table *t, const struct nft_op *op, const char *problem)
{
	uint8_t ident[2 * NFT_KEY_MAX] = {0}, *entry;
	struct refusal *r;
	struct nft_set *s;

	if (op->what != NFT_OP_ELEM || t->refused.n == REFUSED_MAX)
		return false;
	HASH_FIND_STR(t->sets, op->set->name, s);
	if (!s || &s->def != op->set) /* a ghost's */
		return false;
	elems_ident(&s->elems, &op->elem, ident);
	entry = elems_find(&s->elems, ident);
	if (!entry || !elem_differs(s, entry))
		return false;
	r = vec_add(&t->refused);
	r->set = s;
	memcpy(r->ident, ident, sizeof(r->ident));
	r->problem = xstrdup(problem);
	s->n_refused++;
	elem_set_flags(entry, ELEM_REFUSED, 0);
	elem_update(t, s, entry, true);
	return true;
}

/**
 * table_retry() - What the kernel refused is pending again
 * @t: Table
 *
 * Time: O(refused)
 */
void table_retry(struct nft_table *t)
{
	while (t->refused.n) {
		const struct refusal *r = &t->refused.v[t->refused.n - 1];
		struct nft_set *s = r->set;
		uint8_t *entry = elems_find(&s->elems, r->ident);

		refusal_forget(t, s, entry);
		elem_update(t, s, entry, false);
	}
}

/**
 * table_refused() - Elements that the kernel refuses
 * @t: Table
 *
 * Return: their number
 */
size_t table_refused(const struct nft_table *t)
{
	return t->refused.n;
}

/**
 * table_each_refused() - Walk the elements that the kernel refuses
 * @t:   Table
 * @fn:  Called for each
 * @arg: Its first argument
 */
void table_each_refused(const struct nft_table *t, table_refused_fn *fn, void *arg)
{
	vec_foreach (r, &t->refused)
		fn(arg, &r->set->def, r->problem);
}

/**
 * table_settled() - Is what is wanted of an element so in the kernel?
 * @t:           Table
 * @s:           Set, wanted
 * @e:           Element; only its key (and end) matter
 * @ret_problem: What the kernel said, if it refused it; borrowed until the table changes. Untouched
 *               otherwise
 *
 * Time: O(1); O(refused) for one that is
 *
 * Return: NFT_IN_FORCE also for what is neither wanted nor in the kernel
 */
enum nft_settled table_settled(const struct nft_table *t, const struct nft_set *s,
			       const struct nft_elem *e, const char **ret_problem)
{
	uint8_t ident[2 * NFT_KEY_MAX];
	const uint8_t *entry;

	elems_ident(&s->elems, e, ident);
	entry = elems_find(&s->elems, ident);
	if (!entry)
		return NFT_IN_FORCE;
	if (elem_flags(entry) & ELEM_REFUSED) {
		*ret_problem = t->refused.v[find(t, s, ident)].problem;
		return NFT_KEY_REFUSED;
	}
	return elem_differs(s, entry) ? NFT_IN_PROGRESS : NFT_IN_FORCE;
}
