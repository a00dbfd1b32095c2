/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - the shell around table.h: one netlink socket, transactions, dumps.
 */
#pragma once

#include "datapath/nft/table.h"
#include "datapath/nft/touched.h"

struct nft_socket;

struct nft_stats {
	uint64_t transactions, operations, errors, resyncs;
	uint64_t last_usec;	  /* duration of the last transaction */
	uint64_t last_operations; /* its size */
	uint64_t longest_usec;	  /* longest time in the kernel of any, its commit lock held */
};

int nft_open(struct nft_socket **ret, struct err *reterr);
struct nft_socket *nft_close(struct nft_socket *s);
uint32_t nft_port(const struct nft_socket *s);
const struct nft_stats *nft_stats(const struct nft_socket *s);

int nft_read(struct nft_socket *s, struct nft_table *t, struct err *reterr);
int nft_read_touched(struct nft_socket *s, struct nft_table *t, struct nft_touched *touched,
		     struct err *reterr);
#define NFT_OPS_MAX 1000 /* operations of one transaction: some 2 ms of the commit lock */

/* nft_apply() beside 0 and -errno: the kernel looked at it and said no; more is pending */
enum { NFT_REFUSED = 1, NFT_MORE = 2 };

/* struct nft_refusal - an operation that the kernel refused, and what it said */
struct nft_refusal {
	struct nft_op op;
	struct err err;
};

int nft_apply(struct nft_socket *s, struct nft_table *t, struct err *reterr);
int nft_apply_all(struct nft_socket *s, struct nft_table *t, struct err *reterr);
const struct nft_refusal *nft_refusals(const struct nft_socket *s, size_t *ret_n);
int nft_delete_table(struct nft_socket *s, const char *name, struct err *reterr);
