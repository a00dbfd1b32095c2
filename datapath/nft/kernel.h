/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h - the kernel's nf_tables header beside our table.h.
 *
 * Both have an NFT_CT_STATE and an NFT_CT_STATUS: ours are fields of a packet, the kernel's are
 * keys of its "ct" expression.  Files that need both include this one; the kernel's get the names
 * NFT_KERNEL_CT_x here.
 */
#pragma once

#include <linux/netfilter.h>
#define NFT_CT_STATE  NFT_KERNEL_CT_STATE
#define NFT_CT_STATUS NFT_KERNEL_CT_STATUS
#include <linux/netfilter/nf_tables.h>
#undef NFT_CT_STATE
#undef NFT_CT_STATUS

/* Flags of a set that statements update and whose elements time out (struct nft_set_def) */
#define NFT_SET_DYNAMIC ((uint32_t)(NFT_SET_EVAL | NFT_SET_TIMEOUT))
