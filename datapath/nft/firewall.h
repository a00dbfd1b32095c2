/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall.h - would the rules of others drop a packet of a pod?  Pure.
 *
 * A rule is read expression by expression as the kernel would, with one packet in mind: the first
 * of a TCP connection, without a mark.  What cannot be told (a match of iptables that is not known
 * here, a port) makes the answer unsure; what is reported is sure.
 */
#pragma once

#include <libnftnl/rule.h>

#include "lib/addr.h"
#include "lib/vec.h"

#define FIREWALL_NAME_MAX 64 /* with NUL; longer names are not reported on */

/*
 * struct firewall_packet - what rules read
 * @iif, @oif:             Names
 * @iif_index, @oif_index: Their numbers
 */
struct firewall_packet {
	const char *iif, *oif;
	uint32_t iif_index, oif_index;
	struct addr src, dst;
};

/* struct firewall_chain - one chain and its rules, of one table; both owned by the reader */
struct firewall_chain {
	const char *name;
	VEC(struct nftnl_rule *) rules;
};

enum firewall_truth { FIREWALL_NO, FIREWALL_MAYBE, FIREWALL_YES };

enum firewall_verdict {
	FIREWALL_NEXT,	 /* the chain's end */
	FIREWALL_ACCEPT, /* this chain of the hook is done with it */
	FIREWALL_DROP,	 /* dropped or rejected */
	FIREWALL_UNSURE,
};

/* struct firewall_found - what an element of a set says; @chain is borrowed */
struct firewall_found {
	bool is_verdict;
	int32_t verdict; /* NF_x, NFT_x */
	const char *chain;
};

/*
 * struct firewall_table - where the rules of one table come from
 * @chain: Look a chain up by name; NULL if there is none
 * @find:  Look a key up in a set: 1 it is there, 0 it is not, below 0: that is not known
 */
struct firewall_table {
	const struct firewall_chain *(*chain)(void *arg, const char *name);
	int (*find)(void *arg, const char *set, const void *key, uint32_t len,
		    struct firewall_found *ret);
	void *arg;
};

enum firewall_truth firewall_match(const char *name, const void *info, uint32_t len);
enum firewall_verdict firewall_target(const char *name);
enum firewall_verdict firewall_judge(const struct firewall_table *t, const struct firewall_chain *c,
				     const struct firewall_packet *p,
				     const struct firewall_chain **ret_where);
