/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodes.h - what follows from Node objects and the configured ranges: routes to other nodes' pods,
 * this node's own ranges, and which destinations see a pod's own address.  Pure.
 *
 * A pod of this node keeps what its range gave it, masquerading too, when the range is taken out
 * of the configuration or of the Node, until the pod goes.
 *
 * A change of a node costs its own routes and blocks (cover.h); a heartbeat costs nothing.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/route/routes.h"
#include "watch/object/node.h"
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

/**
 * typedef node_problem_fn - Takes a Node that does not get all that it claims
 * @arg:     Context
 * @node:    Node
 * @problem: Which field, and which Node is older; NULL: nothing is wrong any more
 */
typedef void node_problem_fn(void *arg, const struct node *node, const char *problem);

struct nodes *nodes_new(struct nft_table *t, const struct base *b, struct routes *r,
			const char *own_name);
struct nodes *nodes_free(struct nodes *n);
void nodes_configure(struct nodes *n, const struct nodes_config *c);
void nodes_object(struct nodes *n, const struct node *old, const struct node *new);
void nodes_pod(struct nodes *n, const char *ifname, uint32_t n_addrs, const struct addr *addrs);
void nodes_had_range(struct nodes *n, const struct prefix *p);
bool nodes_settle(struct nodes *n);

/* Nodes that claim what an older one has; node_rivals.c */
void nodes_on_problem(struct nodes *n, node_problem_fn *fn, void *arg);
char *node_lacks_address(const struct node *node);
const char *nodes_problem(const struct nodes *n, const char *name);
void nodes_each_unreached(const struct nodes *n, node_problem_fn *fn, void *arg);
void nodes_each_problem(const struct nodes *n, node_problem_fn *fn, void *arg);

/* This node's pod ranges, podCIDRs first; borrowed until the next change. */
size_t nodes_own_ranges(const struct nodes *n, const struct prefix **ret);
size_t nodes_pods_only(const struct nodes *n, const struct prefix **ret);
/* The InternalIPs of this node; borrowed until its Node changes. */
size_t nodes_own_addresses(const struct nodes *n, const struct addr **ret);
bool nodes_own_address(const struct nodes *n, struct addr *ret);
