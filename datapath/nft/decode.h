/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.h - from what the kernel answers to table_installed_*() and table_reread_*().
 *
 * Takes the raw netlink messages that read.c collected.  What Manx never writes (a timeout, a
 * catch-all element, a policy of drop, a range without its end) is told as an object of another
 * shape, so that it gets removed and written anew.  Anonymous sets and chains belong to the rule
 * that uses them and are not told.  Pure.
 */
#pragma once

#include "datapath/nft/touched.h"

/*
 * struct nft_dump - netlink messages, one after another
 * @elems: One buffer for each name of nft_decode_set_names(), in that order
 */
struct nft_dump {
	struct buf tables, sets, chains, rules;
	VEC(struct buf) elems;
};

typedef VEC(char *) nft_names;

void nft_dump_done(struct nft_dump *d);
void nft_names_done(nft_names *names);
int nft_decode_set_names(const struct nft_dump *d, const char *table, nft_names *ret,
			 struct err *reterr);
int nft_decode(const struct nft_dump *d, struct nft_table *t, struct err *reterr);
int nft_decode_set(const struct nft_dump *d, const char *name, struct nft_table *t,
		   struct err *reterr);
int nft_decode_chain(const struct nft_dump *d, const char *name, struct nft_table *t,
		     struct err *reterr);
bool nft_decode_elem(const struct buf *msgs, const struct nft_touch *touch, struct nft_table *t);

/* Inside the decoder */
struct nlattr;
bool decode_set_elems(struct nft_table *t, const struct nft_set_def *def, const struct buf *msgs,
		      bool tell);
const char *udata_text(const struct nlattr *udata, uint8_t type);
