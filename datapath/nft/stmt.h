/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stmt.h - what a statement is: one row for each kind says how it is encoded, printed and obeyed.
 *
 * A new kind is a value of enum nft_stmt_kind, a row in stmts.c and a writer in rules.c; nothing
 * else asks for the kind.  The set and the chain that a statement names are in its members @set
 * and @verdict.chain, NULL if it names none, whatever its kind.  Pure.
 */
#pragma once

#include "datapath/nft/fields.h"
#include "datapath/nft/simulate.h"

struct nftnl_expr;
struct nftnl_rule;

/* struct program - a rule under construction and what its packets are known to be */
struct program {
	struct nftnl_rule *rule;
	uint8_t nfproto;
	bool ether;
};

/* enum outcome - OUTCOME_NEXT: the rule did not decide; OUTCOME_RETURN: back to the caller */
enum outcome { OUTCOME_NEXT, OUTCOME_RETURN, OUTCOME_ACCEPT, OUTCOME_DROP };

/* struct sim - a packet on its way; @depth: jumps behind it */
struct sim {
	const struct nft_table *t;
	const struct sim_packet *p;
	int depth;
};

/*
 * struct stmt_row - one kind of statement
 * @has_value:    @value is part of what it says, and of the rule's digest
 * @shows_family: nft prints the match of the family before it, though its fields imply it
 * @copy:         Complete the table's own copy; NULL: nothing is missing
 * @encode:       As nf_tables expressions
 * @render:       As nft 1.0.6 prints it
 * @run:          Obey it; false when the rule ends here without a verdict
 */
struct stmt_row {
	bool has_value, shows_family;
	void (*copy)(const struct nft_table *t, const struct nft_rule *r, struct nft_stmt *s);
	void (*encode)(struct program *p, const struct nft_rule *r, const struct nft_stmt *s);
	void (*render)(const struct nft_rule *r, const struct nft_stmt *s, struct buf *out);
	bool (*run)(const struct sim *x, const struct nft_stmt *s, enum outcome *o);
};

const struct stmt_row *stmt_row(enum nft_stmt_kind kind);

/* encode_rule.c: expressions */
struct nftnl_expr *program_add(struct program *p, const char *name);
struct nftnl_expr *program_lookup(struct program *p, const struct nft_stmt *s);
void program_match(struct program *p, const struct nft_stmt *s);
uint32_t program_reg(size_t at);

/* render_rule.c */
void render_fields(const enum nft_field fields[NFT_FIELDS_MAX], struct buf *out);
void render_match(const struct nft_stmt *s, struct buf *out);

/* simulate.c */
bool sim_match(const struct sim *x, const struct nft_stmt *s);
bool sim_lookup(const struct sim *x, const struct nft_stmt *s, struct nft_elem *ret);
enum outcome sim_obey(const struct sim *x, const struct nft_verdict *v);
