/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shadow.h - a kernel for tests: takes the operations of a table one by one and keeps what they
 * say.
 *
 * Owns copies of sets, elements, chains and rules in plain lists, and refuses what the kernel would
 * refuse: what exists already, what does not, what is still referred to.  Shares no code with
 * datapath/nft/ but its types.  Pure.
 * Limits: loops of jumps and the number of bytes are not judged.
 */
#pragma once

#include "datapath/nft/table.h"

struct shadow_set {
	struct nft_set_def def; /* strings interned, as all others here */
	VEC(struct nft_elem) elems;
};

struct shadow_chain {
	struct nft_chain_def def; /* without rules */
	VEC(struct nft_rule) rules;
};

struct shadow {
	bool table;
	VEC(struct shadow_set) sets;
	VEC(struct shadow_chain) chains;
};

int shadow_apply(struct shadow *s, const struct nft_ops *ops, struct err *reterr);
void shadow_render(const struct shadow *s, const char *table, struct buf *out);
void shadow_tell(const struct shadow *s, struct nft_table *t);
void shadow_done(struct shadow *s);
