/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdicts.h - where the packets of a local pod's addresses go: to a program, or nowhere.  Pure.
 *
 * An address has one row in each direction: in the verdict map, or in the record of what is open.
 */
#pragma once

#include "datapath/part.h"
#include "datapath/policy/endpoint.h"

#define UNKNOWN_POD                                                                   \
	"unknown_pod" /* chain of pods whose object is not known, or set aside: drops \
		       */

/*
 * struct verdicts - [0] for IPv4 and [1] for IPv6, by direction
 * @map:  Address of an isolated local pod to its program
 * @open: Address of a local pod that is not isolated.  No rule looks at it: it says to a later
 *        process that a verdict is not missing, see kept.h
 *
 * Their names are no other than they ever were: an agent takes over what one before it left.
 */
struct verdicts {
	struct nft_table *table;
	struct nft_set *map[_DIRECTION_MAX][2], *open[_DIRECTION_MAX][2];
};

enum { POLICY_ENTRIES = 2 };
extern const struct base_entry policy_entries[POLICY_ENTRIES];

void verdicts_init(struct verdicts *v, struct nft_table *t);
void verdicts_put(const struct verdicts *v, struct endpoint *ep, enum direction d,
		  const char *chain);
enum nft_settled verdicts_settled(const struct verdicts *v, const struct endpoint *ep,
				  const char **ret_problem);
void verdicts_clear(const struct verdicts *v, struct endpoint *ep);
void verdicts_keep(const struct verdicts *v, struct endpoint *ep);
