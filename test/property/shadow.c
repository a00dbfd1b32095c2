// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shadow.c - a kernel for tests.  Pure.
 */
#include "shadow.h"

#include <errno.h>

#include "lib/intern.h"

static const char *ref(const char *s)
{
	return s ? intern(s) : NULL;
}

/* --- finding -----------------------------------------------------------------------------------
 */

static struct shadow_set *find_set(const struct shadow *s, const char *name)
{
	vec_foreach (set, &s->sets)
		if (streq(set->def.name, name))
			return set;
	return NULL;
}

static struct shadow_chain *find_chain(const struct shadow *s, const char *name)
{
	vec_foreach (c, &s->chains)
		if (streq(c->def.name, name))
			return c;
	return NULL;
}

static const uint8_t *last_of(const struct nft_set_def *def, const struct nft_elem *e)
{
	return def->interval ? e->end : e->key;
}

/* Ranges meet when they do in every field, as in a pipapo set. */
static bool overlap(const struct nft_set_def *def, const struct nft_elem *a,
		    const struct nft_elem *b)
{
	size_t at = 0;

	for (int i = 0; i < NFT_FIELDS_MAX && def->key[i] != NFT_TYPE_NONE; i++) {
		size_t len = (nft_type_len(def->key[i]) + 3) / 4 * 4;

		if (memcmp(a->key + at, last_of(def, b) + at, len) > 0 ||
		    memcmp(b->key + at, last_of(def, a) + at, len) > 0)
			return false;
		at += len;
	}
	return true;
}

static struct nft_elem *find_overlap(struct shadow_set *set, const struct nft_elem *e)
{
	vec_foreach (have, &set->elems)
		if (overlap(&set->def, have, e))
			return have;
	return NULL;
}

static bool same_key(const struct nft_set_def *def, const struct nft_elem *a,
		     const struct nft_elem *b)
{
	size_t len = nft_key_len(def->key);

	return memcmp(a->key, b->key, len) == 0 &&
	       memcmp(last_of(def, a), last_of(def, b), len) == 0;
}

/* --- who refers to whom ------------------------------------------------------------------------
 */

static bool verdict_names(const struct nft_verdict *v, const char *chain)
{
	return (v->code == NFT_V_JUMP || v->code == NFT_V_GOTO) && streq(v->chain, chain);
}

static bool rule_names(const struct nft_rule *r, const char *set, const char *chain)
{
	for (int i = 0; i < r->n; i++) {
		const struct nft_stmt *st = &r->stmt[i];

		if (set && streq(st->set, set))
			return true;
		if (chain && verdict_names(&st->verdict, chain))
			return true;
	}
	return false;
}

static bool is_named(const struct shadow *s, const char *set, const char *chain)
{
	vec_foreach (c, &s->chains)
		vec_foreach (r, &c->rules)
			if (rule_names(r, set, chain))
				return true;
	if (!chain)
		return false;
	vec_foreach (m, &s->sets) {
		if (m->def.data[0] != NFT_TYPE_VERDICT)
			continue;
		vec_foreach (e, &m->elems)
			if (verdict_names(&e->verdict, chain))
				return true;
	}
	return false;
}

static bool verdict_resolves(const struct shadow *s, const struct nft_verdict *v)
{
	const struct shadow_chain *to;

	if (v->code != NFT_V_JUMP && v->code != NFT_V_GOTO)
		return true;
	to = find_chain(s, v->chain);
	return to && to->def.hook == NFT_HOOK_NONE;
}

static bool rule_resolves(const struct shadow *s, const struct nft_rule *r)
{
	for (int i = 0; i < r->n; i++) {
		const struct nft_stmt *st = &r->stmt[i];

		if (st->set && !find_set(s, st->set))
			return false;
		if (!verdict_resolves(s, &st->verdict))
			return false;
	}
	return true;
}

/* --- elements ----------------------------------------------------------------------------------
 */

static void put_elem(struct nft_elem *e)
{
	intern_put(e->verdict.chain);
	intern_put(e->comment);
}

static int add_elem(struct shadow *s, struct shadow_set *set, const struct nft_elem *e,
		    struct err *reterr)
{
	bool verdicts = set->def.data[0] == NFT_TYPE_VERDICT;
	struct nft_elem copy = *e;

	if (find_overlap(set, e))
		return err_set(reterr, -EEXIST, "add element to %s: it meets one that is there",
			       set->def.name);
	if (verdicts && !verdict_resolves(s, &e->verdict))
		return err_set(reterr, -ENOENT, "add element to %s: no chain %s", set->def.name,
			       e->verdict.chain);
	if (e->comment && !set->def.elem_comments)
		return err_set(reterr, -EINVAL, "add element to %s: it has no comments",
			       set->def.name);
	copy.comment = ref(e->comment);
	copy.verdict = (struct nft_verdict){0};
	if (verdicts)
		copy.verdict = (struct nft_verdict){e->verdict.code, ref(e->verdict.chain)};
	vec_push(&set->elems, copy);
	return 0;
}

static int del_elem(struct shadow_set *set, const struct nft_elem *e, struct err *reterr)
{
	struct nft_elem *have = find_overlap(set, e);

	if (!have || !same_key(&set->def, have, e))
		return err_set(reterr, -ENOENT, "delete element of %s: there is none",
			       set->def.name);
	put_elem(have);
	*have = set->elems.v[--set->elems.n];
	return 0;
}

static int do_elem(struct shadow *s, const struct nft_op *op, struct err *reterr)
{
	struct shadow_set *set = find_set(s, op->set->name);

	if (!set)
		return err_set(reterr, -ENOENT, "element: no set %s", op->set->name);
	return op->verb == NFT_ADD ? add_elem(s, set, &op->elem, reterr)
				   : del_elem(set, &op->elem, reterr);
}

/* --- sets --------------------------------------------------------------------------------------
 */

static void drop_set(struct shadow_set *set)
{
	vec_foreach (e, &set->elems)
		put_elem(e);
	vec_done(&set->elems);
	intern_put(set->def.name);
	intern_put(set->def.comment);
}

static int do_set(struct shadow *s, const struct nft_op *op, struct err *reterr)
{
	struct shadow_set *set = find_set(s, op->set->name);

	if (op->verb == NFT_ADD) {
		struct shadow_set add = {.def = *op->set};

		if (set)
			return err_set(reterr, -EEXIST, "add set %s: it exists", op->set->name);
		add.def.name = ref(op->set->name);
		add.def.comment = ref(op->set->comment);
		vec_push(&s->sets, add);
		return 0;
	}
	if (!set)
		return err_set(reterr, -ENOENT, "delete set %s: there is none", op->set->name);
	if (is_named(s, set->def.name, NULL))
		return err_set(reterr, -EBUSY, "delete set %s: it is in use", op->set->name);
	drop_set(set);
	*set = s->sets.v[--s->sets.n];
	return 0;
}

/* --- chains and rules --------------------------------------------------------------------------
 */

static void flush(struct shadow_chain *c)
{
	vec_foreach (r, &c->rules) {
		for (int i = 0; i < r->n; i++) {
			intern_put(r->stmt[i].set);
			intern_put(r->stmt[i].verdict.chain);
		}
		intern_put(r->comment);
	}
	c->rules.n = 0;
}

static void drop_chain(struct shadow_chain *c)
{
	flush(c);
	vec_done(&c->rules);
	intern_put(c->def.name);
	intern_put(c->def.comment);
}

static int do_chain(struct shadow *s, const struct nft_op *op, struct err *reterr)
{
	struct shadow_chain *c = find_chain(s, op->chain->name);

	if (op->verb == NFT_ADD) {
		struct shadow_chain add = {.def = *op->chain};

		if (c)
			return err_set(reterr, -EEXIST, "add chain %s: it exists", op->chain->name);
		add.def.name = ref(op->chain->name);
		add.def.comment = ref(op->chain->comment);
		add.def.rules = NULL;
		add.def.n_rules = 0;
		vec_push(&s->chains, add);
		return 0;
	}
	if (!c)
		return err_set(reterr, -ENOENT, "delete chain %s: there is none", op->chain->name);
	if (is_named(s, NULL, c->def.name))
		return err_set(reterr, -EBUSY, "delete chain %s: it is in use", op->chain->name);
	drop_chain(c);
	*c = s->chains.v[--s->chains.n];
	return 0;
}

static int do_rules(struct shadow *s, const struct nft_op *op, struct err *reterr)
{
	struct shadow_chain *c = find_chain(s, op->chain->name);

	if (!c)
		return err_set(reterr, -ENOENT, "rules: no chain %s", op->chain->name);
	if (op->verb == NFT_DEL) {
		flush(c);
		return 0;
	}
	for (size_t i = 0; i < op->chain->n_rules; i++) {
		struct nft_rule r = op->chain->rules[i];

		if (!rule_resolves(s, &r))
			return err_set(reterr, -ENOENT, "rule %zu of %s: no such set or chain", i,
				       op->chain->name);
		for (int j = 0; j < r.n; j++) {
			r.stmt[j].set = ref(r.stmt[j].set);
			r.stmt[j].verdict.chain = ref(r.stmt[j].verdict.chain);
		}
		r.comment = ref(r.comment);
		vec_push(&c->rules, r);
	}
	return 0;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static int do_table(struct shadow *s, const struct nft_op *op, struct err *reterr)
{
	if (s->table == (op->verb == NFT_ADD))
		return err_set(reterr, -EEXIST, "the table is there already, or is not");
	s->table = op->verb == NFT_ADD;
	return 0;
}

static int do_op(struct shadow *s, const struct nft_op *op, struct err *reterr)
{
	if (op->what != NFT_OP_TABLE && !s->table)
		return err_set(reterr, -ENOENT, "an operation without a table");
	switch (op->what) {
	case NFT_OP_TABLE:
		return do_table(s, op, reterr);
	case NFT_OP_SET:
		return do_set(s, op, reterr);
	case NFT_OP_CHAIN:
		return do_chain(s, op, reterr);
	case NFT_OP_RULES:
		return do_rules(s, op, reterr);
	case NFT_OP_ELEM:
		return do_elem(s, op, reterr);
	case _NFT_OP_MAX:
		break;
	}
	abort();
}

/**
 * shadow_apply() - Take one batch
 * @s:      Shadow
 * @ops:    Operations, obeyed in their order
 * @reterr: What the kernel would have refused, and why
 *
 * Time: O(operations * (sets + chains + elements of the set))
 *
 * Return: 0; -EEXIST, -ENOENT, -EBUSY, -EINVAL: what follows the operation at fault is not done
 */
int shadow_apply(struct shadow *s, const struct nft_ops *ops, struct err *reterr)
{
	for (size_t i = 0; i < ops->op.n; i++) {
		int r = do_op(s, &ops->op.v[i], reterr);

		if (r < 0)
			return err_prefix(reterr, "operation %zu of %zu: ", i + 1, ops->op.n);
	}
	return 0;
}

/**
 * shadow_render() - What it holds, as text
 * @s:     Shadow
 * @table: Name for the table
 * @out:   As table_render() writes it
 */
void shadow_render(const struct shadow *s, const char *table, struct buf *out)
{
	_cleanup_(table_freep) struct nft_table *t = table_new(table);

	vec_foreach (set, &s->sets)
		(void)table_want_set(t, &set->def);
	vec_foreach (c, &s->chains) {
		struct nft_chain_def def = c->def;

		def.n_rules = c->rules.n;
		def.rules = c->rules.v;
		(void)table_want_chain(t, &def);
	}
	vec_foreach (set, &s->sets)
		vec_foreach (e, &set->elems)
			table_want_elem(t, table_find_set(t, set->def.name), e);
	table_render(t, out);
}

/**
 * shadow_tell() - Tell a table what it holds, as a dump of the kernel does at start
 * @s: Shadow
 * @t: Table
 */
void shadow_tell(const struct shadow *s, struct nft_table *t)
{
	table_installed_begin(t);
	if (s->table)
		table_installed_table(t);
	vec_foreach (set, &s->sets)
		table_installed_set(t, &set->def);
	vec_foreach (c, &s->chains)
		table_installed_chain(t, &c->def);
	vec_foreach (set, &s->sets)
		vec_foreach (e, &set->elems)
			table_installed_elem(t, set->def.name, e);
	vec_foreach (c, &s->chains)
		vec_foreach (r, &c->rules)
			table_installed_rule(t, c->def.name, nft_rule_digest(r));
	table_installed_end(t);
}

/**
 * shadow_done() - Forget everything
 * @s: Shadow; empty and usable afterwards
 */
void shadow_done(struct shadow *s)
{
	vec_foreach (set, &s->sets)
		drop_set(set);
	vec_foreach (c, &s->chains)
		drop_chain(c);
	vec_done(&s->sets);
	vec_done(&s->chains);
	s->table = false;
}
