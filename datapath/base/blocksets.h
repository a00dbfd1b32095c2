/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blocksets.h - interval sets for address blocks, shared by equal lists of ranges.  Pure.
 */
#pragma once

#include "datapath/base/blocks.h"
#include "datapath/nft/table.h"

struct blocksets;
struct blockset;

struct blocksets *blocksets_new(struct nft_table *t, enum nft_owner owner);
struct blocksets *blocksets_free(struct blocksets *b);
struct blockset *blockset_get(struct blocksets *b, const struct ranges *r, uint8_t family);
void blockset_put(struct blocksets *b, struct blockset *s);
const char *blockset_name(const struct blockset *s);
void range_elem(const struct addr_range *r, struct nft_elem *ret);
