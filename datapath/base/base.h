/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base.h - the fixed program: base chains, and the sets and maps that hold what moves.  Pure.
 *
 * Every part that fills one of the sets asks for them here; asking again gives the same sets.
 */
#pragma once

#include "datapath/nft/table.h"

#define TABLE_NAME "manx" /* in the family inet */

#define BASE_FORWARD "forward" /* base chain: NetworkPolicy of what is forwarded */
#define BASE_UNKNOWN_POD \
	"unknown_pod" /* chain of pods whose object is not known, or set aside: drops */

/*
 * struct base - the sets, [0] for IPv4 and [1] for IPv6
 * @sources:       iifname . ether saddr . saddr: what each local pod may send from
 * @links:         iifname of local pods, whatever their object says
 * @local:         saddr of local pods and of this node's ranges
 * @link_local:    as @sources, IPv6, the link-local address of each's MAC: for its neighbours
 * @self:          saddr . daddr of each local pod: it reaches itself, also through NAT
 * @verdicts:      by direction: address of an isolated local pod to its program
 * @open:          by direction: address of a local pod that is not isolated.  No rule looks at it:
 *                 it says to a later process that a verdict is not missing, see keep.h
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
	struct nft_set *verdicts[2][2];
	struct nft_set *open[2][2];
	struct nft_set *hostports[2];
	struct nft_set *hostports_at[2];
	struct nft_set *node_addresses[2];
	struct nft_set *pod_ranges[2];
	struct nft_set *cluster[2];
	struct nft_set *cut[2];
};

void base_want(struct nft_table *t, struct base *ret);
