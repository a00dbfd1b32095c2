/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodes.h - what follows from Node objects and the configured ranges: routes to other nodes' pods,
 * this node's own ranges, and which destinations see a pod's own address.  Pure.
 *
 * A change of a node costs its own routes and blocks (cover.h); a heartbeat costs nothing.
 */
#pragma once

#include "datapath/policy/base.h"
#include "datapath/route/routes.h"
#include "watch/object/object.h"

struct nodes;

/* struct nodes_config - borrowed for the call */
struct nodes_config {
	size_t n_ranges; /* pod ranges beside spec.podCIDRs */
	const struct prefix *ranges;
	bool masquerade;
	size_t n_exclude;
	const struct prefix *exclude;
};

struct nodes *nodes_new(struct nft_table *t, const struct base *b, struct routes *r,
			const char *own_name);
struct nodes *nodes_free(struct nodes *n);
void nodes_configure(struct nodes *n, const struct nodes_config *c);
void nodes_object(struct nodes *n, const struct node *old, const struct node *new);
bool nodes_settle(struct nodes *n);

/* This node's pod ranges, podCIDRs first; borrowed until the next change. */
size_t nodes_own_ranges(const struct nodes *n, const struct prefix **ret);
size_t nodes_pods_only(const struct nodes *n, const struct prefix **ret);
bool nodes_own_address(const struct nodes *n, struct addr *ret);
