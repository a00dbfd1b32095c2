/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply_priv.h - the inside of struct nft_socket, for the files that use it:
 *
 *   apply.c  transactions    read.c  what the kernel holds
 */
#pragma once

#include "datapath/nft/apply.h"

/*
 * struct nft_socket
 * @seq:     Of the next message
 * @refused: The last transaction, by the kernel; else it was not asked or not heard
 * @inexact: The kernel did not say of which operation in a message it complains
 */
struct nft_socket {
	struct mnl_socket *mnl;
	uint32_t seq;
	bool refused, inexact;
	VEC(struct nft_refusal) refusals;
	struct nft_stats stats;
};

int nft_read_named(struct nft_socket *s, struct nft_table *t, struct nft_touched *touched,
		   struct err *reterr);
