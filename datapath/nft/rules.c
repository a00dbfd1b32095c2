// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules.c - the statement writers.  Pure.  Strings are interned by them and given back by
 * rules_done(); table_want_chain() makes its own copy.
 */
#include "datapath/nft/rules.h"

#include <assert.h>

#include "lib/intern.h"

/**
 * rules_add() - Begin a rule
 * @rs: Rules of the chain
 *
 * Return: the empty rule, borrowed until the next one is begun
 */
struct nft_rule *rules_add(struct rules *rs)
{
	return vec_add(&rs->r);
}

/**
 * rules_done() - Free the rules; also a cleanup function
 * @rs: Rules; empty and usable afterwards
 */
void rules_done(struct rules *rs)
{
	vec_foreach (r, &rs->r) {
		for (uint8_t i = 0; i < r->n; i++) {
			intern_put(r->stmt[i].set);
			intern_put(r->stmt[i].verdict.chain);
		}
		intern_put(r->comment);
	}
	vec_done(&rs->r);
}

static struct nft_stmt *add_stmt(struct nft_rule *r, enum nft_stmt_kind kind)
{
	assert(r->n < NFT_STMTS_MAX);
	r->stmt[r->n].kind = kind;
	return &r->stmt[r->n++];
}

static void put_fields(struct nft_stmt *s, va_list ap)
{
	for (int i = 0;; i++) {
		int field = va_arg(ap, int);

		if (!field)
			return;
		assert(i < NFT_FIELDS_MAX);
		s->field[i] = (enum nft_field)field;
	}
}

/**
 * rule_match() - field == value
 * @r:     Rule
 * @field: Field
 * @value: Value in the field's byte order
 * @len:   Its bytes, at most 16
 */
void rule_match(struct nft_rule *r, enum nft_field field, const void *value, size_t len)
{
	struct nft_stmt *s = add_stmt(r, NFT_MATCH);

	assert(len <= sizeof(s->value));
	s->field[0] = field;
	s->value_len = (uint8_t)len;
	memcpy(s->value, value, len);
}

/**
 * rule_lookup() - field . field ... in, or not in, a set
 * @r:      Rule
 * @set:    Name of the set
 * @negate: Not in; int, because a bool before "..." is not portable
 * @...:    enum nft_field of the key, ended by 0
 */
void rule_lookup(struct nft_rule *r, const char *set, int negate, ...)
{
	struct nft_stmt *s = add_stmt(r, NFT_LOOKUP);
	va_list ap;

	s->set = intern(set);
	s->negate = negate;
	va_start(ap, negate);
	put_fields(s, ap);
	va_end(ap);
}

/**
 * rule_vmap() - field . field ... vmap a verdict map
 * @r:   Rule
 * @map: Name of the map
 * @...: enum nft_field of the key, ended by 0
 */
void rule_vmap(struct nft_rule *r, const char *map, ...)
{
	struct nft_stmt *s = add_stmt(r, NFT_VMAP);
	va_list ap;

	s->set = intern(map);
	va_start(ap, map);
	put_fields(s, ap);
	va_end(ap);
}

/**
 * rule_dnat() - dnat to the address and port that a data map gives
 * @r:   Rule
 * @map: Name of the map
 * @...: enum nft_field of the key, ended by 0
 */
void rule_dnat(struct nft_rule *r, const char *map, ...)
{
	struct nft_stmt *s = add_stmt(r, NFT_DNAT);
	va_list ap;

	s->set = intern(map);
	va_start(ap, map);
	put_fields(s, ap);
	va_end(ap);
}

/**
 * rule_masquerade() - masquerade with fully random source ports
 * @r: Rule
 */
void rule_masquerade(struct nft_rule *r)
{
	(void)add_stmt(r, NFT_MASQUERADE);
}

/**
 * rule_counter() - count packets and bytes
 * @r: Rule
 */
void rule_counter(struct nft_rule *r)
{
	(void)add_stmt(r, NFT_COUNTER);
}

/**
 * rule_verdict() - end with a verdict
 * @r:     Rule
 * @code:  Verdict
 * @chain: Name of the chain for NFT_V_JUMP and NFT_V_GOTO, else NULL
 */
void rule_verdict(struct nft_rule *r, enum nft_verdict_code code, const char *chain)
{
	struct nft_stmt *s = add_stmt(r, NFT_VERDICT);

	s->verdict.code = code;
	s->verdict.chain = chain ? intern(chain) : NULL;
}

/**
 * rule_comment() - Say what the rule is for
 * @r:       Rule
 * @comment: Shorter than NFT_COMMENT_MAX
 */
void rule_comment(struct nft_rule *r, const char *comment)
{
	r->comment = intern(comment);
}
