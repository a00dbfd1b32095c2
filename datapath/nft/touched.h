/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * touched.h - the objects of our table that somebody else may have changed, by their names.  Pure.
 *
 * They are few: where there is no room for one more, a set stands for its elements, and at last
 * everything for all.
 */
#pragma once

#include "datapath/nft/table.h"

#define NFT_TOUCHED_MAX 64

enum nft_touch_kind {
	NFT_TOUCH_SET,	 /* with its elements */
	NFT_TOUCH_CHAIN, /* with its rules */
	NFT_TOUCH_ELEM,
};

/*
 * struct nft_touch - one object
 * @name:    Set or chain; owned
 * @key_len: Bytes of @key, of an element; 0 else
 */
struct nft_touch {
	enum nft_touch_kind kind;
	char *name;
	uint8_t key[NFT_KEY_MAX];
	size_t key_len;
};

/*
 * struct nft_touched - all of them; starts zeroed
 * @all:   Everything; @touch is empty then
 * @touch: Each once
 */
struct nft_touched {
	bool all;
	VEC(struct nft_touch) touch;
};

void nft_touched_done(struct nft_touched *t);
void nft_touched_all(struct nft_touched *t);
void nft_touched_add(struct nft_touched *t, enum nft_touch_kind kind, const char *name);
void nft_touched_add_elem(struct nft_touched *t, const char *set, const void *key, size_t len);
