// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * committed.c - take in that the kernel took a list of operations.  Pure.
 */
#include <assert.h>
#include <utlist.h>

#include "datapath/nft/table_priv.h"

static struct nft_set *set_of(const struct nft_op *op)
{
	return container_of(op->set, struct nft_set, def);
}

static struct nft_chain *chain_of(const struct nft_op *op)
{
	return container_of(op->chain, struct nft_chain, def);
}

static bool is_ghost_set(const struct nft_table *t, const struct nft_set *s)
{
	const struct nft_set *g;

	DL_FOREACH (t->ghost_sets, g)
		if (g == s)
			return true;
	return false;
}

static bool is_ghost_chain(const struct nft_table *t, const struct nft_chain *c)
{
	const struct nft_chain *g;

	DL_FOREACH (t->ghost_chains, g)
		if (g == c)
			return true;
	return false;
}

static void took_elem(struct nft_table *t, const struct nft_op *op)
{
	struct nft_set *s = set_of(op);
	uint8_t ident[2 * NFT_KEY_MAX], *entry;
	bool differed;

	if (is_ghost_set(t, s))
		return;
	elems_ident(&s->elems, &op->elem, ident);
	entry = elems_find(&s->elems, ident);
	assert(entry);
	differed = elem_differs(s, entry);
	if (op->verb == NFT_ADD)
		elem_set_flags(entry, ELEM_INSTALLED, ELEM_STALE);
	else
		elem_set_flags(entry, 0, ELEM_INSTALLED | ELEM_STALE);
	elem_update(t, s, entry, differed);
}

static void took_set(struct nft_table *t, const struct nft_op *op)
{
	struct nft_set *s = set_of(op);

	if (is_ghost_set(t, s)) {
		DL_DELETE(t->ghost_sets, s);
		t->n_objects--;
		set_free(s);
		return;
	}
	s->installed = op->verb == NFT_ADD;
	set_update(t, s);
	if (s->installed)
		return;
	/* Its elements went with it. */
	refusals_forget(t, s);
	elems_done(&s->elems);
	s->n_list = 0;
	set_recount(t, s);
}

static void took_chain(struct nft_table *t, const struct nft_op *op)
{
	struct nft_chain *c = chain_of(op);

	if (is_ghost_chain(t, c)) {
		DL_DELETE(t->ghost_chains, c);
		t->n_objects--;
		chain_free(c);
		return;
	}
	c->installed = op->verb == NFT_ADD;
	chain_update(t, c);
}

static void took_rules(struct nft_table *t, const struct nft_op *op)
{
	struct nft_chain *c = chain_of(op);

	if (op->verb == NFT_DEL)
		c->had.n = 0;
	else
		for (size_t i = 0; i < c->def.n_rules; i++)
			vec_push(&c->had, c->digest[i]);
	if (!is_ghost_chain(t, c))
		chain_update(t, c);
}

/**
 * table_committed() - The kernel took these operations, all of them
 * @t:   Table
 * @ops: From the last table_ops(); what they borrow may be gone afterwards
 *
 * Time: O(operations)
 */
void table_committed(struct nft_table *t, const struct nft_ops *ops)
{
	struct nft_set *s;

	vec_foreach (op, &ops->op) {
		switch (op->what) {
		case NFT_OP_TABLE:
			t->installed = true;
			break;
		case NFT_OP_SET:
			took_set(t, op);
			break;
		case NFT_OP_CHAIN:
			took_chain(t, op);
			break;
		case NFT_OP_RULES:
			took_rules(t, op);
			break;
		case NFT_OP_ELEM:
			took_elem(t, op);
			break;
		case _NFT_OP_MAX:
			assert(false);
		}
	}
	DL_FOREACH (t->pending_sets, s)
		if (!s->n_differ)
			s->fresh = false;
	pending_sweep(t);
}
