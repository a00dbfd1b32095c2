/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ops_priv.h - what ops.c, which knows the order, and ops_elems.c have between them.
 */
#pragma once

#include "datapath/nft/table_priv.h"

void ops_add(struct nft_ops *ops, enum nft_verb verb, enum nft_what what, const struct nft_set *s,
	     const struct nft_chain *c);
void ops_mark(struct nft_table *t);
size_t ops_pick_elems(struct nft_set *s, size_t max);
void ops_del_elems(struct nft_set *s, size_t from, struct nft_ops *ops);
void ops_add_elems(struct nft_set *s, size_t from, struct nft_ops *ops);
void ops_change_elems(struct nft_set *s, size_t max, struct nft_ops *ops);
void ops_add_urgent(struct nft_table *t, struct nft_ops *ops);
