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

#include "datapath/part.h"
#include "datapath/route/routes.h"
#include "watch/object/node.h"
#include "watch/object/object.h"

struct nodes;

/**
 * typedef node_problem_fn - Takes a Node that does not get all that it claims
 * @arg:     Context
 * @node:    Node
 * @problem: Which field, and which Node is older; NULL: nothing is wrong any more
 */
typedef void node_problem_fn(void *arg, const struct node *node, const char *problem);

extern const struct part_ops nodes_part;

struct nodes *nodes_of(struct part *p);
void nodes_had_range(struct nodes *n, const struct prefix *p);
bool nodes_take_changed(struct nodes *n);

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
