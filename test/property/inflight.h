/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inflight.h - a packet that is under way when a transaction is committed.
 *
 * The kernel lets it go on with the rules of before, while sets and maps are those of after
 * (nft_do_chain() takes the generation once, every look-up takes it anew).  Wherever it may be, it
 * must find what its rules look up, and no chain that was empty.  The elements of a set of rank
 * NFT_RANK_TO_LEAF have the keys of others as their data, in the set that its comment names.  Pure.
 */
#pragma once

#include "shadow.h"

/*
 * struct inflight_chain - what rules name: sets looked up, chains jumped to; strings interned
 * @met:     Packets met it before
 * @reached: They may meet it now
 */
struct inflight_chain {
	const char *name;
	bool hooked, met, reached;
	size_t n_rules;
	VEC(const char *) sets, targets;
};

/* struct inflight_map - chains that the elements of a map name; those that name none */
struct inflight_map {
	const char *name;
	VEC(const char *) targets;
	VEC(struct nft_elem) elems;
};

struct inflight {
	VEC(struct inflight_chain) chains;
	VEC(struct inflight_map) maps;
};

void inflight_begin(struct inflight *f, const struct shadow *before);
int inflight_check(struct inflight *f, const struct shadow *after, struct err *reterr);
void inflight_done(struct inflight *f);
