// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rulecopy.c - the table's own copies of rules, their digest, and comments made safe.  Pure.
 */
#include <assert.h>

#include "datapath/nft/stmt.h"
#include "datapath/nft/table_priv.h"
#include "lib/hash.h"
#include "lib/intern.h"

/*
 * The digest stands for the netlink expressions of a rule.  Count this up when encode_rule.c
 * encodes an unchanged rule in another way: the next start then rewrites the chains.
 */
#define ENCODING_VERSION 1

/* Bytes of @s that fit into @max without cutting a UTF-8 character. */
static size_t cut_utf8(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return n;
	for (n = max; n && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

static bool is_unsafe(char c)
{
	return (uint8_t)c < 0x20 || c == 0x7f || c == '"' || c == '\\';
}

/**
 * comment_intern() - Copy of a comment that the kernel takes and nft prints as one string
 * @comment: Comment or NULL; cut to NFT_COMMENT_MAX - 1 bytes, quotes, backslashes and control
 *           characters become '?' (nft prints comments without any escape)
 *
 * Return: interned copy, or NULL for NULL and for an empty comment
 */
const char *comment_intern(const char *comment)
{
	char safe[NFT_COMMENT_MAX];
	size_t n;

	if (!comment || !*comment)
		return NULL;
	n = cut_utf8(comment, sizeof(safe) - 1);
	for (size_t i = 0; i < n; i++)
		safe[i] = is_unsafe(comment[i]) ? '?' : comment[i];
	return intern_n(safe, n);
}

/**
 * rule_dnat_is_ip6() - Family of a dnat statement
 * @r:    Rule
 * @dnat: Its statement of kind NFT_DNAT; value_len 4 or 16 says it, 0 leaves it to the fields
 *
 * Return: true if the rule can only be about IPv6
 */
bool rule_dnat_is_ip6(const struct nft_rule *r, const struct nft_stmt *dnat)
{
	if (dnat->value_len)
		return dnat->value_len == 16;
	for (uint8_t i = 0; i < r->n; i++) {
		const struct nft_stmt *s = &r->stmt[i];

		for (size_t f = 0; f < fields_count(s->field); f++)
			if (field_info(s->field[f])->type == NFT_TYPE_IPV6)
				return true;
		if (stmt_row(s->kind)->has_value && s->field[0] == NFT_NFPROTO && !s->negate)
			return s->value[0] != 2;
	}
	return false;
}

static void copy_stmt(const struct nft_table *t, const struct nft_rule *r, struct nft_stmt *s)
{
	if (s->set)
		s->set = intern(s->set);
	if (s->verdict.chain)
		s->verdict.chain = intern(s->verdict.chain);
	if (stmt_row(s->kind)->copy)
		stmt_row(s->kind)->copy(t, r, s);
}

/**
 * rules_copy() - Copy rules with their strings
 * @t:     Table; tells the family of the maps that dnat statements use
 * @rules: Rules
 * @n:     Number of rules
 *
 * Return: copy, to be given to rules_free()
 */
struct nft_rule *rules_copy(const struct nft_table *t, const struct nft_rule *rules, size_t n)
{
	struct nft_rule *copy = n ? xmemdup(rules, n * sizeof(*rules)) : NULL;

	for (size_t i = 0; i < n; i++) {
		assert(copy[i].n <= NFT_STMTS_MAX);
		for (uint8_t k = 0; k < copy[i].n; k++)
			copy_stmt(t, &rules[i], &copy[i].stmt[k]);
		copy[i].comment = comment_intern(copy[i].comment);
	}
	return copy;
}

/**
 * rules_free() - Free a copy
 * @rules: From rules_copy(), or NULL
 * @n:     Number of rules
 */
void rules_free(struct nft_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (uint8_t k = 0; k < rules[i].n; k++) {
			intern_put(rules[i].stmt[k].set);
			intern_put(rules[i].stmt[k].verdict.chain);
		}
		intern_put(rules[i].comment);
	}
	free(rules);
}

static void put_stmt(struct buf *b, const struct nft_stmt *s)
{
	size_t n = fields_count(s->field);

	buf_put_u32(b, (uint32_t)s->kind);
	buf_put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		buf_put_u32(b, (uint32_t)s->field[i]);
	buf_put_u32(b, s->negate);
	buf_put_u32(b, s->value_len);
	if (stmt_row(s->kind)->has_value)
		buf_put(b, s->value, s->value_len);
	buf_put_str(b, s->set ? s->set : "");
	buf_put_u32(b, (uint32_t)s->verdict.code);
	buf_put_str(b, s->verdict.chain ? s->verdict.chain : "");
}

/**
 * nft_rule_digest() - Number that stands for a rule, the same in every process
 * @r: Rule
 *
 * Stored beside the rule's comment in the kernel, so that a start can tell rules that are right
 * from others without decoding expressions.
 *
 * Return: digest, never 0
 */
uint64_t nft_rule_digest(const struct nft_rule *r)
{
	_cleanup_(buf_done) struct buf b = {0};
	uint64_t digest;

	buf_put_u32(&b, ENCODING_VERSION);
	buf_put_u32(&b, r->n);
	for (uint8_t i = 0; i < r->n; i++)
		put_stmt(&b, &r->stmt[i]);
	buf_put_str(&b, r->comment ? r->comment : "");
	digest = hash_stable(b.data, b.len);
	return digest ? digest : 1;
}
