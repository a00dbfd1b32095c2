// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ops.c - the pending difference as a list of operations, in an order the kernel accepts.
 *
 * The kernel looks at one operation after another: what an operation names must exist, and what it
 * removes must not be named any more.  The order of add_everything() follows from that.
 *
 * A packet that is under way when the kernel commits goes on with the rules of before, but finds
 * sets and maps as they are from then on: it could jump to a chain that was empty before, or miss
 * an element that has just gone.  So new programs are made first, with all that they look up; then
 * packets are switched over to them; then what nobody uses any more is dropped.  Source:
 * nft_do_chain() takes the generation once, nft_set_elem_active() at every look-up.
 *
 * Elements that point at others follow the rank of their sets (enum nft_rank): additions upward,
 * what is pointed at first; removals downward, each rank a transaction later.  Pure.
 */
#include <utlist.h>

#include "datapath/nft/ops_priv.h"

/**
 * nft_ops_done() - Free a list of operations
 * @ops: List; empty and usable afterwards
 */
void nft_ops_done(struct nft_ops *ops)
{
	vec_done(&ops->op);
}

/* The sets that point at no chain, those that are looked up last first. */
static void change_ranks(struct nft_table *t, bool only_fresh, struct nft_ops *ops)
{
	for (int rank = NFT_RANK_LEAF; rank < NFT_RANK_TO_CHAIN; rank++) {
		struct nft_set *s;

		DL_FOREACH (t->pending_sets, s)
			if (s->wanted && set_points(s, (enum nft_rank)rank) &&
			    (s->fresh || s->early || !only_fresh))
				ops_change_elems(s, SIZE_MAX, ops);
	}
}

static void add_set(const struct nft_set *s, struct nft_ops *ops)
{
	if (s->wanted && !s->installed)
		ops_add(ops, NFT_ADD, NFT_OP_SET, s, NULL);
}

/* A ghost's elements stand in no list. */
static void del_ghost_elems(const struct nft_set *s, struct nft_ops *ops)
{
	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e)) {
		if (!(elem_flags(e) & ELEM_INSTALLED))
			continue;
		ops_add(ops, NFT_DEL, NFT_OP_ELEM, s, NULL);
		elems_get_key(&s->elems, e, &ops->op.v[ops->op.n - 1].elem);
	}
}

/* --- a part: only what no program depends on ------------------------------------------------- */

static bool fill_set(struct nft_set *s, size_t max, struct nft_ops *ops)
{
	if (!s->wanted)
		return true;
	add_set(s, ops);
	ops_change_elems(s, max - MIN(ops->op.n, max), ops);
	return ops->op.n < max;
}

/*
 * What is looked up last first, and of it sets that no program uses yet: until a part changes
 * programs, nothing else moves.
 */
static void add_part(struct nft_table *t, size_t max, struct nft_ops *ops)
{
	for (int i = 0; i < 2 * NFT_RANK_TO_CHAIN; i++) {
		enum nft_rank rank = (enum nft_rank)(i / 2);
		bool fresh = i % 2 == 0;
		struct nft_set *s;

		DL_FOREACH (t->pending_sets, s)
			if (set_points(s, rank) && s->fresh == fresh && !fill_set(s, max, ops))
				return;
	}
}

/* --- all of it ------------------------------------------------------------------------------- */

static void del_verdicts(struct nft_table *t, struct nft_ops *ops)
{
	struct nft_set *s;

	DL_FOREACH (t->pending_sets, s)
		if (set_points(s, NFT_RANK_TO_CHAIN))
			ops_del_elems(s, ops_pick_elems(s, SIZE_MAX), ops);
	DL_FOREACH (t->ghost_sets, s)
		if (set_points(s, NFT_RANK_TO_CHAIN))
			del_ghost_elems(s, ops);
}

static void flush_chain(const struct nft_chain *c, struct nft_ops *ops)
{
	if (c->had.n)
		ops_add(ops, NFT_DEL, NFT_OP_RULES, NULL, c);
}

/*
 * Objects of another shape go before those of the same name come, and for that nothing may name
 * them: all chains are emptied.  It happens after an upgrade, or when someone else meddled.
 */
static void del_ghosts(struct nft_table *t, struct nft_ops *ops)
{
	struct nft_set *s;
	struct nft_chain *c, *next;

	HASH_ITER (hh, t->chains, c, next)
		if (c->wanted || !t->held)
			flush_chain(c, ops);
	DL_FOREACH (t->ghost_chains, c)
		flush_chain(c, ops);
	DL_FOREACH (t->ghost_sets, s)
		ops_add(ops, NFT_DEL, NFT_OP_SET, s, NULL);
	DL_FOREACH (t->ghost_chains, c)
		ops_add(ops, NFT_DEL, NFT_OP_CHAIN, NULL, c);
}

static void write_rules(const struct nft_chain *c, bool flushed, struct nft_ops *ops)
{
	if (!c->wanted || (!flushed && !chain_rules_differ(c)))
		return;
	if (!flushed)
		flush_chain(c, ops);
	if (c->def.n_rules)
		ops_add(ops, NFT_ADD, NFT_OP_RULES, NULL, c);
}

static void add_programs(struct nft_table *t, bool ghosts, struct nft_ops *ops)
{
	struct nft_chain *c, *next;

	if (ghosts)
		HASH_ITER (hh, t->chains, c, next)
			write_rules(c, true, ops);
	else
		DL_FOREACH (t->pending_chains, c)
			write_rules(c, false, ops);
}

/* Where the kernel refuses to send packets elsewhere, they go on to a program of before. */
static bool old_is_in_use(const struct nft_table *t)
{
	vec_foreach (r, &t->refused)
		if (set_points(r->set, NFT_RANK_TO_CHAIN) &&
		    (elem_flags(elems_find(&r->set->elems, r->ident)) & ELEM_INSTALLED))
			return true;
	return false;
}

static void del_unwanted(struct nft_table *t, bool ghosts, struct nft_ops *ops)
{
	struct nft_chain *c;
	struct nft_set *s;

	if (t->held || old_is_in_use(t))
		return;
	if (!ghosts)
		DL_FOREACH (t->pending_chains, c)
			if (!c->wanted && c->installed)
				flush_chain(c, ops);
	DL_FOREACH (t->pending_sets, s)
		if (!s->wanted && s->installed)
			ops_add(ops, NFT_DEL, NFT_OP_SET, s, NULL);
	DL_FOREACH (t->pending_chains, c)
		if (!c->wanted && c->installed)
			ops_add(ops, NFT_DEL, NFT_OP_CHAIN, NULL, c);
}

/* Chains, plain elements, rules, elements with verdicts; those that go or change are out already.
 */
static void bring_in(struct nft_table *t, bool ghosts, struct nft_ops *ops)
{
	struct nft_set *s;
	struct nft_chain *c;

	DL_FOREACH (t->pending_chains, c)
		if (c->wanted && !c->installed)
			ops_add(ops, NFT_ADD, NFT_OP_CHAIN, NULL, c);
	change_ranks(t, false, ops);
	add_programs(t, ghosts, ops);
	DL_FOREACH (t->pending_sets, s)
		if (s->wanted && set_points(s, NFT_RANK_TO_CHAIN))
			ops_add_elems(s, 0, ops);
}

static void add_everything(struct nft_table *t, struct nft_ops *ops)
{
	bool ghosts = t->ghost_sets || t->ghost_chains;
	struct nft_set *s;

	del_verdicts(t, ops);
	if (ghosts)
		del_ghosts(t, ops);
	DL_FOREACH (t->pending_sets, s)
		add_set(s, ops);
	bring_in(t, ghosts, ops);
	del_unwanted(t, ghosts, ops);
}

/* --- step by step ---------------------------------------------------------------------------- */

/* A program that is new, or that somebody else has emptied. */
static bool is_unwritten(const struct nft_chain *c)
{
	return c->wanted && !c->had.n && !c->def.hook;
}

/* What no packet reaches yet. */
static void make_new(struct nft_table *t, struct nft_ops *ops)
{
	struct nft_set *s;
	struct nft_chain *c;

	DL_FOREACH (t->pending_sets, s)
		add_set(s, ops);
	DL_FOREACH (t->pending_chains, c)
		if (is_unwritten(c) && !c->installed)
			ops_add(ops, NFT_ADD, NFT_OP_CHAIN, NULL, c);
	change_ranks(t, true, ops);
	DL_FOREACH (t->pending_chains, c)
		if (is_unwritten(c))
			write_rules(c, false, ops);
	DL_FOREACH (t->pending_sets, s)
		if (s->wanted && s->fresh && set_points(s, NFT_RANK_TO_CHAIN))
			ops_change_elems(s, SIZE_MAX, ops);
}

/* What packets meet: elements of sets and maps in use, rules of chains in use, hooks. */
static void switch_over(struct nft_table *t, struct nft_ops *ops)
{
	struct nft_set *s;

	DL_FOREACH (t->pending_sets, s)
		if (s->wanted && set_points(s, NFT_RANK_TO_CHAIN))
			ops_del_elems(s, ops_pick_elems(s, SIZE_MAX), ops);
	bring_in(t, false, ops);
}

/* What no packet reaches any more. */
static void drop_old(struct nft_table *t, struct nft_ops *ops)
{
	if (old_is_in_use(t))
		return;
	del_verdicts(t, ops);
	del_unwanted(t, false, ops);
}

static bool has_more(const struct nft_table *t, bool switched)
{
	const struct nft_set *s;
	const struct nft_chain *c;

	DL_FOREACH (t->pending_sets, s)
		if (s->wanted ? (!switched || s->pointed) && !s->fresh && s->n_differ : s->differs)
			return true;
	DL_FOREACH (t->pending_chains, c)
		if (c->wanted ? !switched && c->differs && !is_unwritten(c) : c->differs)
			return true;
	return false;
}

static bool leaves_wait(const struct nft_table *t)
{
	const struct nft_set *s;

	DL_FOREACH (t->pending_sets, s)
		if (s->pointed && s->n_differ)
			return true;
	return false;
}

static bool add_step(struct nft_table *t, struct nft_ops *ops)
{
	make_new(t, ops);
	if (ops->op.n)
		return !has_more(t, false);
	switch_over(t, ops);
	if (ops->op.n)
		return !has_more(t, true);
	drop_old(t, ops);
	return !ops->op.n || !leaves_wait(t);
}

/**
 * table_ops() - The pending difference as operations
 * @t:   Table; nothing may be wanted or dropped between this and table_committed()
 * @max: 0: all at once.  Else about how many operations at most: elements of plain sets and data
 *       maps are split off until the rest, elements and programs together, fits; the programs
 *       themselves are never split.  That rest comes in steps: what is new, what packets meet, what
 *       goes.  A table with objects of another shape comes all at once.  What is urgent comes
 *       before what has to be split off.
 * @ret: Operations; strings and definitions are borrowed until table_committed()
 *
 * Time: O(what differs)
 *
 * Return: true if this is all that is pending
 */
bool table_ops(struct nft_table *t, size_t max, struct nft_ops *ret)
{
	struct nft_ops ops = {0};
	bool ghosts = t->ghost_sets || t->ghost_chains;
	bool all = !max || ghosts;
	size_t first;

	pending_sweep(t);
	ops_mark(t);
	if (!t->installed)
		ops_add(&ops, NFT_ADD, NFT_OP_TABLE, NULL, NULL);
	first = ops.op.n;
	if (all)
		add_everything(t, &ops);
	else if (t->n_fill > max)
		ops_add_urgent(t, &ops);
	if (!all && t->n_fill > max && ops.op.n == first)
		add_part(t, max, &ops);
	if (!all && ops.op.n == first)
		all = add_step(t, &ops);
	*ret = ops;
	return all;
}
