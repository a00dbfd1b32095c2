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
 */
struct nft_socket {
	struct mnl_socket *mnl;
	uint32_t seq;
	bool refused;
	struct nft_stats stats;
};
