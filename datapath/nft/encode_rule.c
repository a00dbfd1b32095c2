// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * encode_rule.c - one rule as nf_tables expressions.
 *
 * The expressions are those that nft 1.0.6 generates for the same text, dependencies included
 * (`meta nfproto` before an IP field, `meta iiftype` before an Ethernet field), because nft can
 * list what it would have written itself.  The key of a look-up is loaded into consecutive
 * registers of 4 bytes; the first field begins at register 1.
 *
 * A change here that alters what an unchanged rule means needs a new ENCODING_VERSION
 * (rulecopy.c).  Pure.
 */
#include <assert.h>
#include <net/if_arp.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>

#include "datapath/nft/encode.h"
#include "datapath/nft/kernel.h"
#include "datapath/nft/stmt.h"
#include "datapath/nft/table_priv.h"

#define UDATA_MAX   256 /* NFT_USERDATA_MAXLEN of the kernel */
#define IFNAME_SIZE 16

/**
 * must() - Out of memory aborts
 * @allocated: Result of an allocation
 *
 * Return: @allocated
 */
void *must(void *allocated)
{
	if (!allocated)
		abort();
	return allocated;
}

/**
 * program_add() - Append an expression
 * @p:    Rule
 * @name: Of its kind, as libnftnl has it
 *
 * Return: the empty expression, borrowed
 */
struct nftnl_expr *program_add(struct program *p, const char *name)
{
	struct nftnl_expr *e = must(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(p->rule, e);
	return e;
}

/**
 * program_reg() - Number of a register
 * @at: Where it begins, in bytes behind the first one
 *
 * Return: NFT_REG_x
 */
uint32_t program_reg(size_t at)
{
	return (uint32_t)(at % 16 ? NFT_REG32_00 + at / 4 : NFT_REG_1 + at / 16);
}

static void compare(struct program *p, bool equal, const void *data, size_t len)
{
	struct nftnl_expr *e = program_add(p, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, (uint32_t)len);
}

static void load_meta(struct program *p, uint32_t key, uint32_t dreg)
{
	struct nftnl_expr *e = program_add(p, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, dreg);
}

static void load_payload(struct program *p, const struct field_info *f, uint32_t dreg)
{
	struct nftnl_expr *e = program_add(p, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, dreg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, f->base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, f->offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, f->len);
}

static void load_ct(struct program *p, uint32_t key, uint32_t dreg)
{
	struct nftnl_expr *e = program_add(p, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, dreg);
}

static void load(struct program *p, const struct field_info *f, uint32_t dreg)
{
	switch (f->source) {
	case FIELD_META:
		load_meta(p, f->base, dreg);
		break;
	case FIELD_PAYLOAD:
		load_payload(p, f, dreg);
		break;
	case FIELD_CT:
		load_ct(p, f->base, dreg);
		break;
	case _FIELD_SOURCE_MAX:
		assert(false);
	}
}

/* Make sure that the packet has the headers that the fields are read from. */
static void ensure_headers(struct program *p, const struct nft_stmt *s)
{
	static const uint16_t ether = ARPHRD_ETHER;

	for (size_t i = 0; i < fields_count(s->field); i++) {
		const struct field_info *f = field_info(s->field[i]);

		if (f->nfproto && p->nfproto != f->nfproto) {
			load_meta(p, NFT_META_NFPROTO, NFT_REG_1);
			compare(p, true, &f->nfproto, sizeof(f->nfproto));
			p->nfproto = f->nfproto;
		}
		if (f->ether && !p->ether) {
			load_meta(p, NFT_META_IIFTYPE, NFT_REG_1);
			compare(p, true, &ether, sizeof(ether));
			p->ether = true;
		}
	}
}

static void load_key(struct program *p, const struct nft_stmt *s)
{
	size_t at = 0;

	ensure_headers(p, s);
	for (size_t i = 0; i < fields_count(s->field); i++) {
		const struct field_info *f = field_info(s->field[i]);

		load(p, f, program_reg(at));
		at += nft_type_len(f->type);
	}
	assert(at && at <= NFT_KEY_MAX);
}

static void match_bits(struct program *p, const struct nft_stmt *s)
{
	struct nftnl_expr *e = program_add(p, "bitwise");
	const uint32_t zero = 0;

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, s->value_len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, s->value, s->value_len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &zero, s->value_len);
	compare(p, s->negate, &zero, s->value_len);
}

/* A name is compared with its NULs; a prefix without its '*' and no further. */
static void match_ifname(struct program *p, const struct nft_stmt *s)
{
	size_t len = strnlen((const char *)s->value, s->value_len);
	uint8_t name[IFNAME_SIZE] = {0};

	assert(len > 0 && len <= sizeof(name));
	memcpy(name, s->value, len);
	if (name[len - 1] != '*') {
		compare(p, !s->negate, name, sizeof(name));
		return;
	}
	assert(len > 1);
	compare(p, !s->negate, name, len - 1);
}

/**
 * program_match() - Compare a field with a value
 * @p: Rule
 * @s: Statement with one field and a value of its length
 */
void program_match(struct program *p, const struct nft_stmt *s)
{
	const struct field_info *f = field_info(s->field[0]);

	assert(fields_count(s->field) == 1);
	ensure_headers(p, s);
	load(p, f, NFT_REG_1);
	if (f->type == NFT_TYPE_IFNAME) {
		match_ifname(p, s);
		return;
	}
	assert(s->value_len == f->len);
	if (f->bitmask)
		match_bits(p, s);
	else
		compare(p, !s->negate, s->value, s->value_len);
	if (s->field[0] == NFT_NFPROTO && !s->negate)
		p->nfproto = s->value[0];
}

/**
 * program_lookup() - Look fields up in a set
 * @p: Rule
 * @s: Statement with fields and a set
 *
 * Return: the expression, to be told what becomes of what is found
 */
struct nftnl_expr *program_lookup(struct program *p, const struct nft_stmt *s)
{
	struct nftnl_expr *e;

	load_key(p, s);
	e = program_add(p, "lookup");
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, s->set);
	return e;
}

/**
 * verdict_number() - Number of a verdict in the kernel (netfilter.h, nf_tables.h)
 * @code: Verdict
 *
 * Return: NF_x or NFT_x
 */
int verdict_number(enum nft_verdict_code code)
{
	static const int numbers[] = {
		[NFT_V_ACCEPT] = NF_ACCEPT, [NFT_V_DROP] = NF_DROP,  [NFT_V_RETURN] = NFT_RETURN,
		[NFT_V_JUMP] = NFT_JUMP,    [NFT_V_GOTO] = NFT_GOTO,
	};
	static_assert(ARRAY_SIZE(numbers) == _NFT_V_MAX, "every verdict has a number");

	return numbers[code];
}

static void put_udata(struct nftnl_rule *to, const struct nft_rule *r)
{
	struct nftnl_udata_buf *u = must(nftnl_udata_buf_alloc(UDATA_MAX));
	uint64_t digest = nft_rule_digest(r);

	if (r->comment)
		(void)nftnl_udata_put_strz(u, NFTNL_UDATA_RULE_COMMENT, r->comment);
	(void)nftnl_udata_put(u, NFT_UDATA_RULE_DIGEST, sizeof(digest), &digest);
	nftnl_rule_set_data(to, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u),
			    nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

/**
 * encode_rule() - Write a rule's expressions, comment and digest
 * @to: Empty libnftnl rule; family, table and chain are the caller's
 * @r:  Rule; values have the length of their field, comments are safe (comment_intern())
 */
void encode_rule(struct nftnl_rule *to, const struct nft_rule *r)
{
	struct program p = {.rule = to};

	for (uint8_t i = 0; i < r->n; i++)
		stmt_row(r->stmt[i].kind)->encode(&p, r, &r->stmt[i]);
	put_udata(to, r);
}
