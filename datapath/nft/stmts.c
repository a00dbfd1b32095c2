// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stmts.c - the rows of stmt.h, each behind what it says.  Pure.
 */
#include <assert.h>
#include <linux/netfilter/nf_nat.h>
#include <stdio.h>

#include <libnftnl/expr.h>

#include "datapath/nft/encode.h"
#include "datapath/nft/kernel.h"
#include "datapath/nft/render.h"
#include "datapath/nft/stmt.h"
#include "datapath/nft/table_priv.h"

/* --- field (==|!=) value ---------------------------------------------------------------------- */

static void encode_match(struct program *p, const struct nft_rule *r _unused_,
			 const struct nft_stmt *s)
{
	program_match(p, s);
}

static void print_match(const struct nft_rule *r _unused_, const struct nft_stmt *s,
			struct buf *out)
{
	render_match(s, out);
}

static bool run_match(const struct sim *x, const struct nft_stmt *s, enum outcome *o _unused_)
{
	return sim_match(x, s);
}

/* --- field . field ... (in|!=) @set ----------------------------------------------------------- */

static void encode_lookup(struct program *p, const struct nft_rule *r _unused_,
			  const struct nft_stmt *s)
{
	struct nftnl_expr *e = program_lookup(p, s);

	if (s->negate)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void print_lookup(const struct nft_rule *r _unused_, const struct nft_stmt *s,
			 struct buf *out)
{
	render_fields(s->field, out);
	buf_printf(out, " %s@%s", s->negate ? "!= " : "", s->set);
}

static bool run_lookup(const struct sim *x, const struct nft_stmt *s, enum outcome *o _unused_)
{
	struct nft_elem found;

	return sim_lookup(x, s, &found);
}

/* --- field . field ... vmap @set -------------------------------------------------------------- */

static void encode_vmap(struct program *p, const struct nft_rule *r _unused_,
			const struct nft_stmt *s)
{
	nftnl_expr_set_u32(program_lookup(p, s), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static void print_vmap(const struct nft_rule *r _unused_, const struct nft_stmt *s, struct buf *out)
{
	render_fields(s->field, out);
	buf_printf(out, " vmap @%s", s->set);
}

static bool run_vmap(const struct sim *x, const struct nft_stmt *s, enum outcome *o)
{
	struct nft_elem found;

	assert(!s->negate && table_set_def(x->t, s->set)->data[0] == NFT_TYPE_VERDICT);
	if (!sim_lookup(x, s, &found))
		return false;
	*o = sim_obey(x, &found.verdict);
	return true;
}

/* --- dnat ip|ip6 to field . field ... map @set ------------------------------------------------ */

/* The table knows the map, which says the family. */
static void copy_dnat(const struct nft_table *t, const struct nft_rule *r, struct nft_stmt *s)
{
	const struct nft_set_def *def = table_set_def(t, s->set);

	if (def)
		s->value_len = def->data[0] == NFT_TYPE_IPV6 ? 16 : 4;
	else
		s->value_len = rule_dnat_is_ip6(r, s) ? 16 : 4;
}

static void encode_dnat(struct program *p, const struct nft_rule *r, const struct nft_stmt *s)
{
	bool ip6 = rule_dnat_is_ip6(r, s);
	struct nftnl_expr *e;

	nftnl_expr_set_u32(program_lookup(p, s), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
	e = program_add(p, "nat");
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, ip6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, program_reg(ip6 ? 16 : 4));
}

static void print_dnat(const struct nft_rule *r, const struct nft_stmt *s, struct buf *out)
{
	buf_printf(out, "dnat %s to ", rule_dnat_is_ip6(r, s) ? "ip6" : "ip");
	render_fields(s->field, out);
	buf_printf(out, " map @%s", s->set);
}

/* It would change the packet: the tests have no host port where they look. */
static bool run_dnat(const struct sim *x, const struct nft_stmt *s, enum outcome *o _unused_)
{
	struct nft_elem found;

	assert(!sim_lookup(x, s, &found));
	return false;
}

/* --- masquerade fully-random (kernel: random-fully) ------------------------------------------- */

static void encode_masquerade(struct program *p, const struct nft_rule *r _unused_,
			      const struct nft_stmt *s _unused_)
{
	nftnl_expr_set_u32(program_add(p, "masq"), NFTNL_EXPR_MASQ_FLAGS,
			   NF_NAT_RANGE_PROTO_RANDOM_FULLY);
}

static void print_masquerade(const struct nft_rule *r _unused_, const struct nft_stmt *s _unused_,
			     struct buf *out)
{
	buf_puts(out, "masquerade fully-random");
}

static bool run_masquerade(const struct sim *x _unused_, const struct nft_stmt *s _unused_,
			   enum outcome *o)
{
	*o = OUTCOME_ACCEPT;
	return true;
}

/* --- counter ---------------------------------------------------------------------------------- */

static void encode_counter(struct program *p, const struct nft_rule *r _unused_,
			   const struct nft_stmt *s _unused_)
{
	(void)program_add(p, "counter");
}

static void print_counter(const struct nft_rule *r _unused_, const struct nft_stmt *s _unused_,
			  struct buf *out)
{
	buf_puts(out, "counter packets 0 bytes 0");
}

static bool run_counter(const struct sim *x _unused_, const struct nft_stmt *s _unused_,
			enum outcome *o _unused_)
{
	return true;
}

/* --- verdict ---------------------------------------------------------------------------------- */

static void encode_verdict(struct program *p, const struct nft_rule *r _unused_,
			   const struct nft_stmt *s)
{
	struct nftnl_expr *e = program_add(p, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict_number(s->verdict.code));
	if (s->verdict.chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, s->verdict.chain);
}

static void print_verdict(const struct nft_rule *r _unused_, const struct nft_stmt *s,
			  struct buf *out)
{
	render_verdict(&s->verdict, out);
}

static bool run_verdict(const struct sim *x, const struct nft_stmt *s, enum outcome *o)
{
	*o = sim_obey(x, &s->verdict);
	return true;
}

/* --- all -------------------------------------------------------------------------------------- */

/**
 * stmt_row() - What is known about a kind of statement
 * @kind: Kind
 *
 * Return: its row
 */
const struct stmt_row *stmt_row(enum nft_stmt_kind kind)
{
	static const struct stmt_row rows[] = {
		[NFT_MATCH] = {.encode = encode_match,
			       .render = print_match,
			       .run = run_match,
			       .has_value = true},
		[NFT_LOOKUP] = {.encode = encode_lookup, .render = print_lookup, .run = run_lookup},
		[NFT_VMAP] = {.encode = encode_vmap, .render = print_vmap, .run = run_vmap},
		[NFT_DNAT] = {.encode = encode_dnat,
			      .render = print_dnat,
			      .run = run_dnat,
			      .copy = copy_dnat,
			      .shows_family = true},
		[NFT_MASQUERADE] = {.encode = encode_masquerade,
				    .render = print_masquerade,
				    .run = run_masquerade},
		[NFT_COUNTER] = {.encode = encode_counter,
				 .render = print_counter,
				 .run = run_counter},
		[NFT_VERDICT] = {.encode = encode_verdict,
				 .render = print_verdict,
				 .run = run_verdict},
	};
	static_assert(ARRAY_SIZE(rows) == _NFT_STMT_MAX, "a row for every kind of statement");

	assert(kind < _NFT_STMT_MAX);
	return &rows[kind];
}
