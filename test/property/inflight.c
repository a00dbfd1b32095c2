// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * inflight.c - walk the chains of before with the sets of after.  Pure.
 */
#include "inflight.h"

#include <errno.h>

#include "lib/intern.h"

static void note_rule(struct inflight_chain *c, const struct nft_rule *r)
{
	for (uint8_t i = 0; i < r->n; i++) {
		const struct nft_stmt *st = &r->stmt[i];

		if (st->set)
			vec_push(&c->sets, intern_ref(st->set));
		if (st->verdict.chain)
			vec_push(&c->targets, intern_ref(st->verdict.chain));
	}
}

/**
 * inflight_begin() - Remember what rules and verdict maps name before a transaction
 * @f:      Zeroed; inflight_done() frees it
 * @before: Kernel
 */
void inflight_begin(struct inflight *f, const struct shadow *before)
{
	vec_foreach (c, &before->chains) {
		struct inflight_chain *mine = vec_add(&f->chains);

		mine->name = intern_ref(c->def.name);
		mine->hooked = c->def.hook != NFT_HOOK_NONE;
		mine->n_rules = c->rules.n;
		vec_foreach (r, &c->rules)
			note_rule(mine, r);
	}
	vec_foreach (s, &before->sets) {
		struct inflight_map *mine;

		if (s->def.rank == NFT_RANK_LEAF)
			continue;
		mine = vec_add(&f->maps);
		mine->name = intern_ref(s->def.name);
		vec_foreach (e, &s->elems)
			if (e->verdict.chain)
				vec_push(&mine->targets, intern_ref(e->verdict.chain));
			else
				vec_push(&mine->elems, *e);
	}
}

static void forget(const char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		intern_put(v[i]);
}

/**
 * inflight_done() - Free what was remembered
 * @f: From inflight_begin()
 */
void inflight_done(struct inflight *f)
{
	vec_foreach (c, &f->chains) {
		forget(c->sets.v, c->sets.n);
		forget(c->targets.v, c->targets.n);
		intern_put(c->name);
		vec_done(&c->sets);
		vec_done(&c->targets);
	}
	vec_foreach (m, &f->maps) {
		forget(m->targets.v, m->targets.n);
		intern_put(m->name);
		vec_done(&m->targets);
		vec_done(&m->elems);
	}
	vec_done(&f->chains);
	vec_done(&f->maps);
}

static struct inflight_chain *chain_before(struct inflight *f, const char *name)
{
	vec_foreach (c, &f->chains)
		if (c->name == name)
			return c;
	return NULL;
}

static const struct inflight_map *map_before(const struct inflight *f, const char *name)
{
	vec_foreach (m, &f->maps)
		if (m->name == name)
			return m;
	return NULL;
}

static const struct shadow_set *set_after(const struct shadow *after, const char *name)
{
	vec_foreach (s, &after->sets)
		if (s->def.name == name)
			return s;
	return NULL;
}

static bool named_before(const struct inflight_map *m, const char *chain)
{
	if (m)
		vec_foreach (t, &m->targets)
			if (*t == chain)
				return true;
	return false;
}

static bool has_key(const struct shadow_set *s, const uint8_t *key)
{
	vec_foreach (e, &s->elems)
		if (memcmp(e->key, key, nft_key_len(s->def.key)) == 0)
			return true;
	return false;
}

static int point(const struct shadow_set *map, const struct nft_elem *e, size_t n,
		 const struct shadow *after, struct err *reterr)
{
	const struct shadow_set *leaf = set_after(after, map->def.comment);

	for (size_t i = 0; i < n; i++)
		if (!leaf || !has_key(leaf, e[i].data))
			return err_set(reterr, -EINVAL, "a packet finds in %s what is not in %s",
				       map->def.name, map->def.comment);
	return 0;
}

/* Elements that a packet has just read, and those that it will read, name leaves that are there. */
static int check_leaves(const struct shadow_set *map, const struct inflight_map *before,
			const struct shadow *after, struct err *reterr)
{
	int r;

	if (map->def.rank != NFT_RANK_TO_LEAF)
		return 0;
	r = point(map, map->elems.v, map->elems.n, after, reterr);
	return r < 0 || !before ? r : point(map, before->elems.v, before->elems.n, after, reterr);
}

static int visit(struct inflight *f, struct inflight_chain *c, const struct shadow *after,
		 struct err *reterr);

static int visit_name(struct inflight *f, const char *name, const struct shadow *after,
		      struct err *reterr)
{
	struct inflight_chain *c = chain_before(f, name);

	return c ? visit(f, c, after, reterr) : 0;
}

static int look_up(struct inflight *f, const struct inflight_chain *c, const char *name,
		   const struct shadow *after, struct err *reterr)
{
	const struct shadow_set *s = set_after(after, name);
	const struct inflight_map *m = map_before(f, name);
	int r = 0;

	if (!s)
		return err_set(reterr, -EINVAL, "a packet in chain %s finds set %s gone", c->name,
			       name);
	r = check_leaves(s, c->met ? m : NULL, after, reterr);
	vec_foreach (e, &s->elems) {
		const char *to = e->verdict.chain;
		const struct inflight_chain *target = to ? chain_before(f, to) : NULL;

		if (to && !named_before(m, to) && (!target || !target->n_rules))
			return err_set(reterr, -EINVAL,
				       "a packet in chain %s jumps by %s to %s, which is empty",
				       c->name, name, to);
		if (to && r == 0)
			r = visit_name(f, to, after, reterr);
	}
	if (m)
		vec_foreach (t, &m->targets)
			if (r == 0)
				r = visit_name(f, *t, after, reterr);
	return r;
}

static int visit(struct inflight *f, struct inflight_chain *c, const struct shadow *after,
		 struct err *reterr)
{
	int r = 0;

	if (c->reached)
		return 0;
	c->reached = true;
	vec_foreach (s, &c->sets)
		if (r == 0)
			r = look_up(f, c, *s, after, reterr);
	vec_foreach (t, &c->targets)
		if (r == 0)
			r = visit_name(f, *t, after, reterr);
	return r;
}

/* Which chains could a packet be in before? */
static void meet(struct inflight *f, struct inflight_chain *c)
{
	if (!c || c->met)
		return;
	c->met = true;
	vec_foreach (t, &c->targets)
		meet(f, chain_before(f, *t));
	vec_foreach (s, &c->sets) {
		const struct inflight_map *m = map_before(f, *s);

		if (m)
			vec_foreach (t, &m->targets)
				meet(f, chain_before(f, *t));
	}
}

/**
 * inflight_check() - Is a packet safe, wherever it is when the transaction is committed?
 * @f:      From inflight_begin(), once
 * @after:  The same kernel after the transaction
 * @reterr: What it meets
 *
 * Return: 0; -EINVAL
 */
int inflight_check(struct inflight *f, const struct shadow *after, struct err *reterr)
{
	int r = 0;

	vec_foreach (c, &f->chains)
		if (c->hooked)
			meet(f, c);
	vec_foreach (c, &f->chains)
		if (c->hooked && r == 0)
			r = visit(f, c, after, reterr);
	return r;
}
