/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base.h - the fixed program: the base chains, and what every pod has whatever its policies are.
 * Pure.
 *
 * There is one base chain a hook, type and priority: of two the kernel would run first what was
 * registered first, after a repair in another order.  Their rules never change for the life of the
 * process: they jump to the chains where the parts enter, in the order of the parts, and those are
 * empty while a part wants nothing.
 */
#pragma once

#include "datapath/nft/table.h"

#define TABLE_NAME "manx" /* in the family inet */

/*
 * enum base_chain - where packets meet the parts.  What is of an established connection has passed
 * when BASE_INPUT and BASE_FORWARD enter a part, and chains of type nat see first packets only.
 */
enum base_chain {
	BASE_PRE_RAW,
	BASE_PRE_NAT,
	BASE_OUT_NAT,
	BASE_INPUT,
	BASE_FORWARD,
	BASE_POST_NAT,
	_BASE_CHAIN_MAX
};

/*
 * struct base_entry - a chain of a part that a base chain jumps to
 * @name: Begins with the part's prefix
 */
struct base_entry {
	enum base_chain from;
	const char *name, *comment;
};

/*
 * struct base - the sets, [0] for IPv4 and [1] for IPv6
 * @sources:       iifname . ether saddr . saddr: what each local pod may send from
 * @links:         iifname of local pods, whatever their object says
 * @local:         saddr of local pods and of this node's ranges
 * @link_local:    as @sources, IPv6, the link-local address of each's MAC: for its neighbours
 * @self:          saddr . daddr of each local pod: it reaches itself, also through NAT
 * @hostports:     protocol . port to address . port of the pod, on every address of the node
 * @hostports_at:  address . protocol . port, for host ports bound to an address
 * @node_addresses: on which the node has host ports
 * @pod_ranges:    addresses of this node's pods (empty: nothing is masqueraded)
 * @cluster:       where a pod's own address is seen: pods, nodes, configured exclusions
 * @cut:           saddr . daddr . protocol . sport of replies to connections that were cut (cuts.h)
 */
struct base {
	struct nft_set *sources[2];
	struct nft_set *links;
	struct nft_set *link_local;
	struct nft_set *local[2];
	struct nft_set *self[2];
	struct nft_set *hostports[2];
	struct nft_set *hostports_at[2];
	struct nft_set *node_addresses[2];
	struct nft_set *pod_ranges[2];
	struct nft_set *cluster[2];
	struct nft_set *cut[2];
};

const char *base_chain_name(enum base_chain c);
void base_want(struct nft_table *t, const struct base_entry *entries, size_t n, struct base *ret);
