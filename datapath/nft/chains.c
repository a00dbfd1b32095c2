// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * chains.c - what is wanted: chains with their rules (see table.h).
 *
 * A chain's rules are compared by digest and rewritten together, because chains are programs:
 * few, short, and the same for as long as no policy changes.  Pure.
 */
#include <assert.h>
#include <utlist.h>

#include "datapath/nft/table_priv.h"
#include "lib/intern.h"

/**
 * chain_same_shape() - Whether one chain can stand in for another, rules aside
 * @a: Definition
 * @b: Definition
 *
 * Return: true if hook, type and priority are the same
 */
bool chain_same_shape(const struct nft_chain_def *a, const struct nft_chain_def *b)
{
	if (a->hook != b->hook)
		return false;
	return a->hook == NFT_HOOK_NONE || (a->nat == b->nat && a->priority == b->priority);
}

/**
 * chain_new() - Create a chain that is neither wanted nor installed, without rules
 * @def: Definition
 *
 * Return: the chain, not yet in any of the table's lists
 */
struct nft_chain *chain_new(const struct nft_chain_def *def)
{
	struct nft_chain *c = xcalloc(1, sizeof(*c));

	c->def = *def;
	c->def.name = intern(def->name);
	c->def.comment = comment_intern(def->comment);
	c->def.n_rules = 0;
	c->def.rules = NULL;
	return c;
}

static void free_rules(struct nft_chain *c)
{
	rules_free(c->rules, c->def.n_rules);
	free(c->digest);
	c->rules = NULL;
	c->digest = NULL;
	c->def.rules = NULL;
	c->def.n_rules = 0;
}

/**
 * chain_free() - Free a chain
 * @c: Chain that stands in no list
 */
void chain_free(struct nft_chain *c)
{
	free_rules(c);
	vec_done(&c->had);
	intern_put(c->def.name);
	intern_put(c->def.comment);
	free(c);
}

static void set_rules(struct nft_table *t, struct nft_chain *c, const struct nft_chain_def *def)
{
	/* Copy first: @def may borrow strings from the rules that go. */
	struct nft_rule *copy = rules_copy(t, def->rules, def->n_rules);
	uint64_t *digest = xcalloc(MAX(def->n_rules, 1), sizeof(*digest));

	for (size_t i = 0; i < def->n_rules; i++)
		digest[i] = nft_rule_digest(&copy[i]);
	free_rules(c);
	c->rules = copy;
	c->digest = digest;
	c->def.rules = copy;
	c->def.n_rules = def->n_rules;
}

static void detach_chain(struct nft_table *t, struct nft_chain *c)
{
	if (c->queued)
		DL_DELETE(t->pending_chains, c);
	HASH_DEL(t->chains, c);
	t->n_objects -= c->differs;
	c->queued = c->differs = false;
}

/**
 * table_find_chain() - Find a chain, wanted or not
 * @t:    Table
 * @name: Name
 *
 * Return: the chain, or NULL
 */
struct nft_chain *table_find_chain(const struct nft_table *t, const char *name)
{
	struct nft_chain *c;

	HASH_FIND_STR(t->chains, name, c);
	return c;
}

/**
 * table_want_chain() - Want a chain with its rules
 * @t:   Table; sets that dnat statements use must be wanted before
 * @def: Definition, complete.  With the name of a chain that is wanted already it must have the
 *       same hook, type and priority; the rules replace those wanted before.  Its comment is
 *       written when the kernel creates the chain and stays: it is not updated.
 *
 * Return: the chain, valid until it is dropped.  Time: O(rules of the chain)
 */
struct nft_chain *table_want_chain(struct nft_table *t, const struct nft_chain_def *def)
{
	struct nft_chain *c = table_find_chain(t, def->name);

	assert(*def->name && strlen(def->name) < NFT_NAME_MAX && def->hook < _NFT_HOOK_MAX);
	assert(!c || !c->wanted || chain_same_shape(&c->def, def));
	if (c && !chain_same_shape(&c->def, def)) {
		detach_chain(t, c);
		DL_APPEND(t->ghost_chains, c);
		t->n_objects++;
		c = NULL;
	}
	if (!c) {
		c = chain_new(def);
		HASH_ADD_KEYPTR(hh, t->chains, c->def.name, strlen(c->def.name), c);
	}
	c->wanted = true;
	c->def.owner = def->owner;
	set_rules(t, c, def);
	chain_update(t, c);
	return c;
}

/**
 * table_drop_chain() - Want a chain no longer
 * @t: Table
 * @c: Chain from table_want_chain(); not valid afterwards
 */
void table_drop_chain(struct nft_table *t, struct nft_chain *c)
{
	assert(c->wanted);
	c->wanted = false;
	if (!c->installed) {
		detach_chain(t, c);
		chain_free(c);
		return;
	}
	free_rules(c);
	chain_update(t, c);
}
