// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * meddle.c - what others may do to the table in the kernel while the agent is away.  Pure.
 *
 * Everything is what `nft` would let an administrator do, and what an older version of the agent
 * may have left: other elements, other rules, objects that are not ours, objects of another shape.
 */
#include "meddle.h"

#include "lib/intern.h"

/* One operation; the kernel may refuse it. */
static void try_op(struct shadow *k, const struct nft_op *op)
{
	struct nft_ops ops = {0};
	struct err e = {0};

	vec_push(&ops.op, *op);
	(void)shadow_apply(k, &ops, &e);
	nft_ops_done(&ops);
}

static void meddle_with_elem(struct shadow *k, struct rng *r)
{
	struct shadow_set *set;
	struct nft_op op = {.verb = NFT_DEL, .what = NFT_OP_ELEM};
	struct nft_elem *e;

	if (!k->sets.n)
		return;
	set = &k->sets.v[below(r, (uint32_t)k->sets.n)];
	if (!set->elems.n)
		return;
	e = &set->elems.v[below(r, (uint32_t)set->elems.n)];
	if (set->def.data[0] == NFT_TYPE_VERDICT && chance(r, 30)) {
		intern_put(e->verdict.chain);
		e->verdict = (struct nft_verdict){NFT_V_DROP, NULL};
		return;
	}
	op.set = &set->def;
	op.elem = *e;
	if (chance(r, 50)) {
		op.verb = NFT_ADD;
		op.elem.key[nft_key_len(set->def.key) - 1] ^= (uint8_t)(1 + below(r, 255));
		memcpy(op.elem.end, op.elem.key, sizeof(op.elem.end));
	}
	try_op(k, &op);
}

static void meddle_with_rules(struct shadow *k, struct rng *r)
{
	struct shadow_chain *c;
	struct nft_rule first;

	if (!k->chains.n)
		return;
	c = &k->chains.v[below(r, (uint32_t)k->chains.n)];
	if (c->rules.n < 2 || chance(r, 40)) {
		try_op(k,
		       &(struct nft_op){.verb = NFT_DEL, .what = NFT_OP_RULES, .chain = &c->def});
		return;
	}
	first = c->rules.v[0];
	c->rules.v[0] = c->rules.v[1];
	c->rules.v[1] = first;
}

static void add_foreign(struct shadow *k)
{
	static const struct nft_rule drop = {
		.n = 1, .stmt = {{.kind = NFT_VERDICT, .verdict = {NFT_V_DROP, NULL}}}};
	static const struct nft_set_def set = {.name = "theirs", .key = {NFT_TYPE_IPV4}};
	static const struct nft_chain_def chain = {.name = "their_chain",
						   .hook = NFT_HOOK_FORWARD,
						   .priority = -1,
						   .n_rules = 1,
						   .rules = &drop};

	try_op(k, &(struct nft_op){.verb = NFT_ADD, .what = NFT_OP_SET, .set = &set});
	try_op(k, &(struct nft_op){.verb = NFT_ADD, .what = NFT_OP_CHAIN, .chain = &chain});
	try_op(k, &(struct nft_op){.verb = NFT_ADD, .what = NFT_OP_RULES, .chain = &chain});
}

/* As an older version may have had it under the same name. */
static void change_shape(struct shadow *k, struct rng *r)
{
	if (chance(r, 50) && k->chains.n) {
		k->chains.v[below(r, (uint32_t)k->chains.n)].def.priority += 5;
	} else if (k->sets.n) {
		struct shadow_set *set = &k->sets.v[below(r, (uint32_t)k->sets.n)];

		if (!set->elems.n)
			set->def.interval = !set->def.interval;
	}
}

/**
 * meddle() - Change what the kernel holds
 * @kernel: Kernel
 * @r:      Chance
 */
void meddle(struct shadow *kernel, struct rng *r)
{
	if (chance(r, 5)) {
		shadow_done(kernel);
		return;
	}
	for (uint32_t n = 1 + below(r, 8); n > 0; n--)
		switch (below(r, 8)) {
		case 0:
			add_foreign(kernel);
			break;
		case 1:
			change_shape(kernel, r);
			break;
		case 2:
		case 3:
			meddle_with_rules(kernel, r);
			break;
		default:
			meddle_with_elem(kernel, r);
		}
}
