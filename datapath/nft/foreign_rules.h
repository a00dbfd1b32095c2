/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreign_rules.h - the forward chains of other tables: which of them drops a packet of a pod, and
 * a rule of ours in it, if the administrator wants that.
 */
#pragma once

#include "datapath/nft/firewall.h"
#include "lib/buf.h"
#include "lib/err.h"

#define NFT_FORWARD_COMMENT "manx: forward-accept" /* by which our rules are found again */

struct nft_firewall;

/*
 * struct nft_hindrance - a base chain of the forward hook that drops a packet
 * @family: NFPROTO_IPV4, _IPV6 or _INET of the table
 * @legacy: Of iptables-legacy; @where is "" whatever drops it
 * @where:  The chain whose rule it is; "" for the policy of @chain
 * @packet: Index of the packet
 */
struct nft_hindrance {
	uint8_t family;
	bool legacy;
	char table[FIREWALL_NAME_MAX], chain[FIREWALL_NAME_MAX], where[FIREWALL_NAME_MAX];
	size_t packet;
};

/* struct nft_hindrances - starts zeroed */
struct nft_hindrances {
	VEC(struct nft_hindrance) v;
};

int nft_firewall_open(struct nft_firewall **ret, struct err *reterr);
struct nft_firewall *nft_firewall_close(struct nft_firewall *f);
int nft_firewall_look(struct nft_firewall *f, const char *own,
		      const struct firewall_packet *packets, size_t n, struct nft_hindrances *ret,
		      struct err *reterr);
void nft_legacy_look(const struct firewall_packet *packets, size_t n, struct nft_hindrances *ret);
int nft_firewall_accept(struct nft_firewall *f, const struct nft_hindrance *h,
			const struct prefix *ranges, size_t n, struct err *reterr);
int nft_firewall_forget(struct nft_firewall *f, size_t *ret_removed, struct err *reterr);
void nft_hindrance_mend(const struct nft_hindrance *h, const struct prefix *ranges, size_t n,
			struct buf *out);
const char *nft_family_str(uint8_t family);
