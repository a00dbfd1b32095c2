// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * judge.c - would the first packet of this connection pass today?  Pure.
 *
 * Asks the compiled table that is wanted, not the objects: what is judged is what is in force.
 */
#include "datapath/policy/judge.h"

#include <sys/socket.h>

#include "datapath/nft/simulate.h"
#include "datapath/policy/verdicts.h"

/* Is an address sent to the chain of pods whose object is not known? */
static bool is_unknown(const struct nft_table *t, const char *const map[2], const struct addr *a)
{
	bool v4 = a->family == AF_INET;
	uint8_t key[NFT_KEY_MAX] = {0};
	struct nft_elem e;
	size_t len = 0;

	nft_key_put(key, &len, v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, a->b, addr_len(a));
	return table_lookup(t, map[!v4], key, &e) && streq(e.verdict.chain, UNKNOWN_POD);
}

/**
 * flow_judge() - May such a connection begin, as the wanted table says?
 * @t: Table with the fixed program (base.h)
 * @f: Flow
 *
 * What comes from the node itself passes no chain of ours, and what a helper has announced passed
 * as part of another connection: the caller has to know both.
 *
 * Return: the verdict
 */
enum flow_verdict flow_judge(const struct nft_table *t, const struct flow *f)
{
	static const char *const egress[] = {"egress4", "egress6"};
	static const char *const ingress[] = {"ingress4", "ingress6"};
	const struct sim_packet first = {
		.src = f->src,
		.dst = f->dst,
		.protocol = f->protocol,
		.dport = f->port,
		.tcp_flags = NFT_TCP_SYN,
		.iifname = "",
		.oifname = "",
	};

	if (simulate_chain(t, base_chain_name(BASE_FORWARD), &first))
		return FLOW_ALLOWED;
	if (is_unknown(t, egress, &f->src) || is_unknown(t, ingress, &f->dst))
		return FLOW_UNDECIDED;
	return FLOW_FORBIDDEN;
}
