// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ops_elems.c - elements as operations, see ops.c: which of a set's may go now, and those that an
 * ADD waits for.  Pure.
 */
#include <utlist.h>

#include "datapath/nft/ops_priv.h"

/**
 * ops_add() - Append an operation
 * @ops:  Operations
 * @verb: What to do
 * @what: With what
 * @s:    Set, or NULL
 * @c:    Chain, or NULL
 */
void ops_add(struct nft_ops *ops, enum nft_verb verb, enum nft_what what, const struct nft_set *s,
	     const struct nft_chain *c)
{
	struct nft_op *op = vec_add(&ops->op);

	op->verb = verb;
	op->what = what;
	op->set = s ? &s->def : NULL;
	op->chain = c ? &c->def : NULL;
}

static uint8_t *listed(const struct nft_set *s, size_t i)
{
	return elems_find(&s->elems, s->list + i * s->elems.ident_len);
}

/* Of a set that others point at: what goes waits until those point elsewhere. */
static bool waits(const struct nft_set *s, const uint8_t *entry)
{
	return s->pointed && !elem_uses(entry);
}

/**
 * ops_pick_elems() - Pick what waits at the end of a set's list
 * @s:   Set
 * @max: At most so many elements, those aside that may not go yet
 *
 * Return: where it begins
 */
size_t ops_pick_elems(struct nft_set *s, size_t max)
{
	size_t i = s->n_list;

	for (size_t found = 0; i && found < max;) {
		i--;
		if (elem_differs(s, listed(s, i)))
			found += !waits(s, listed(s, i));
		else
			elem_unlist(s, i);
	}
	return i;
}

/**
 * ops_del_elems() - What is picked and in the kernel goes
 * @s:    Set
 * @from: From ops_pick_elems()
 * @ops:  Appended to
 */
void ops_del_elems(struct nft_set *s, size_t from, struct nft_ops *ops)
{
	for (size_t i = from; i < s->n_list; i++) {
		const uint8_t *entry = listed(s, i);

		if (!(elem_flags(entry) & ELEM_INSTALLED) || waits(s, entry))
			continue;
		ops_add(ops, NFT_DEL, NFT_OP_ELEM, s, NULL);
		elems_get_key(&s->elems, entry, &ops->op.v[ops->op.n - 1].elem);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct nft_op *x = a, *y = b;

	return memcmp(x->elem.key, y->elem.key, sizeof(x->elem.key));
}

/**
 * ops_add_elems() - What is picked and wanted comes
 * @s:    Set
 * @from: From ops_pick_elems()
 * @ops:  Appended to
 */
void ops_add_elems(struct nft_set *s, size_t from, struct nft_ops *ops)
{
	size_t first = ops->op.n;

	for (size_t i = from; i < s->n_list; i++) {
		const uint8_t *entry = listed(s, i);

		if (!elem_uses(entry))
			continue;
		ops_add(ops, NFT_ADD, NFT_OP_ELEM, s, NULL);
		elems_get(&s->elems, entry, &ops->op.v[ops->op.n - 1].elem);
	}
	/* Ranges go in as nft sends them; old kernels look for overlaps on the way. */
	if (s->def.interval && ops->op.n - first > 1)
		qsort(&ops->op.v[first], ops->op.n - first, sizeof(*ops->op.v), by_key);
}

/**
 * ops_change_elems() - Out with the old, in with the new
 * @s:   Set
 * @max: At most so many elements
 * @ops: Appended to
 */
void ops_change_elems(struct nft_set *s, size_t max, struct nft_ops *ops)
{
	size_t from = ops_pick_elems(s, max);

	ops_del_elems(s, from, ops);
	ops_add_elems(s, from, ops);
}

/**
 * ops_mark() - Which sets may lose elements, and which have to get theirs early?
 * @t: Table, before its operations are collected
 *
 * Leaves lose nothing while an element of the same owner that may point there is to change, or was
 * refused.
 */
void ops_mark(struct nft_table *t)
{
	bool points[_NFT_OWNER_MAX] = {false}, fresh[_NFT_OWNER_MAX] = {false};
	struct nft_set *s;

	DL_FOREACH (t->pending_sets, s) {
		if (!set_points(s, NFT_RANK_TO_LEAF))
			continue;
		points[s->def.owner] |= s->n_differ || (!s->wanted && s->differs);
		fresh[s->def.owner] |= s->fresh && s->n_differ;
	}
	vec_foreach (r, &t->refused)
		points[r->set->def.owner] |= set_points(r->set, NFT_RANK_TO_LEAF);
	DL_FOREACH (t->pending_sets, s) {
		s->pointed = set_points(s, NFT_RANK_LEAF) && points[s->def.owner];
		s->early = set_points(s, NFT_RANK_LEAF) && fresh[s->def.owner];
	}
}

/* --- what an ADD waits for -------------------------------------------------------------------- */

/* A program that packets may be sent to, whatever else is pending. */
static bool chain_is_ready(const struct nft_table *t, const char *name)
{
	const struct nft_chain *c = name ? table_find_chain(t, name) : NULL;

	return !name || (c && c->installed && !c->differs);
}

static bool may_go(const struct nft_table *t, const struct nft_set *s, const uint8_t *entry)
{
	struct nft_elem e;

	if (!elem_differs(s, entry) || waits(s, entry))
		return false;
	elems_get(&s->elems, entry, &e);
	return !elem_uses(entry) || chain_is_ready(t, e.verdict.chain);
}

static void urgent_elems(const struct nft_table *t, const struct nft_set *s, enum nft_verb verb,
			 struct nft_ops *ops)
{
	for (size_t i = 0; i < s->n_list; i++) {
		const uint8_t *entry = listed(s, i);
		bool has = verb == NFT_ADD ? elem_uses(entry) > 0
					   : elem_flags(entry) & ELEM_INSTALLED;

		if (!has || !may_go(t, s, entry))
			continue;
		ops_add(ops, verb, NFT_OP_ELEM, s, NULL);
		elems_get(&s->elems, entry, &ops->op.v[ops->op.n - 1].elem);
	}
}

/**
 * ops_add_urgent() - What an ADD waits for, as far as it may go by itself
 * @t:   Table
 * @ops: Appended to
 */
void ops_add_urgent(struct nft_table *t, struct nft_ops *ops)
{
	struct nft_set *s;

	for (int verb = NFT_DEL; verb >= NFT_ADD; verb--)
		DL_FOREACH (t->pending_sets, s) {
			if (!s->def.urgent)
				break;
			if (s->wanted && s->installed && !s->def.interval)
				urgent_elems(t, s, (enum nft_verb)verb, ops);
		}
}
