/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - write the rules of a chain one statement after another.  Pure.
 *
 *	struct nft_rule *r = rules_add(&rs);
 *	rule_lookup(r, "pods4_x", false, NFT_IP_SADDR, 0);
 *	rule_verdict(r, NFT_V_ACCEPT, NULL);
 */
#pragma once

#include "datapath/nft/table.h"

struct rules {
	VEC(struct nft_rule) r;
};

struct nft_rule *rules_add(struct rules *rs);
void rules_done(struct rules *rs);
void rule_match(struct nft_rule *r, enum nft_field field, const void *value, size_t len);
void rule_lookup(struct nft_rule *r, const char *set, int negate, ...);
void rule_vmap(struct nft_rule *r, const char *map, ...);
void rule_dnat(struct nft_rule *r, const char *map, ...);
void rule_masquerade(struct nft_rule *r);
void rule_counter(struct nft_rule *r);
void rule_verdict(struct nft_rule *r, enum nft_verdict_code code, const char *chain);
void rule_comment(struct nft_rule *r, const char *comment);
