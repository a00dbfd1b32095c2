/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.h - from the messages of a dump to table_installed_*().
 *
 * Takes the raw netlink messages that apply.c collected.  What Manx never writes (a timeout, a
 * catch-all element, a policy of drop, a range without its end) is told as an object of another
 * shape, so that it gets removed and written anew.  Anonymous sets and chains belong to the rule
 * that uses them and are not told.  Pure.
 */
#pragma once

#include "datapath/nft/table.h"

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

/* Inside the decoder */
struct nlattr;
bool decode_set_elems(struct nft_table *t, const struct nft_set_def *def, const struct buf *msgs,
		      bool tell);
const char *udata_text(const struct nlattr *udata, uint8_t type);
