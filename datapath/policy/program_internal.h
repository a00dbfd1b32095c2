/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program_internal.h - programs, shared by program.c (which there are) and program_build.c (what
 * they consist of).
 */
#pragma once

#include <uthash.h>

#include "datapath/policy/program.h"

/*
 * struct program - owns one use of each set its rules look up
 * @source:   What it is made of, until it is built
 * @comment:  Of its chains, until it is built
 * @built:    So many groups of @source have their chain
 * @complete: So many of @peer_sets were found complete
 */
struct program {
	char *text;
	uint32_t uses;
	enum direction direction;
	char name[NFT_NAME_MAX - 12];
	VEC(struct nft_chain *) chains; /* the first is the entry */
	struct nft_set *ports;
	VEC(struct peer_set *) peer_sets;
	VEC(struct blockset *) blocksets;
	struct allowance source;
	char *comment;
	uint32_t built, complete;
	bool building;
	struct program *prev, *next; /* of those that are being built */
	UT_hash_handle hh;
};

struct programs {
	struct nft_table *table;
	struct peers *peers;
	struct blocksets *blocksets;
	struct program *all;
	struct program *building; /* oldest first */
};

void program_group_name(const struct program *g, uint32_t group, char ret[static NFT_NAME_MAX]);
void program_built(struct programs *p, struct program *g);
