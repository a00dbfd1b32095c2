/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodes_internal.h - the nodes, shared by nodes.c (this node, its ranges and pods, what sees a
 * pod's own address) and node_rivals.c (the other nodes' routes; several Nodes that claim the
 * same).
 */
#pragma once

#include <uthash.h>

#include "datapath/route/nodes.h"
#include "lib/vec.h"

/* struct node_entry - @problem: heap memory; NULL: no older Node claims what this one does */
struct node_entry {
	const struct node *node; /* borrowed; its name is the key */
	const char *name;
	char *problem;
	UT_hash_handle hh;
};

/* struct node_address - an InternalIP and the Nodes that have it */
struct node_address {
	struct addr addr;
	struct claim *claims;
	UT_hash_handle hh;
};

/* struct retired_range - @pods: addresses of it that local pods have */
struct retired_range {
	struct prefix prefix;
	size_t pods;
};

/*
 * struct nodes
 * @own:      podCIDRs of this node, then configured
 * @retired:  were in @own, and pods have addresses of them still
 * @changed:  names of Nodes whose routes are to be looked at when the changes settle, with uses
 * @rivals:   names of Nodes whose @problem may be another one, with uses
 * @dirty:    this node's own, or the configuration
 * @moved:    @own or @pods_only is another one since nodes_take_changed()
 */
struct nodes {
	struct part part;
	struct localpods *local;
	struct masquerade *masquerade;
	struct routes *routes;
	const char *own_name;
	struct node_entry *all;
	struct node_address *addresses;
	VEC(struct prefix) ranges; /* configured */
	VEC(struct prefix) own;
	VEC(struct prefix) pods_only; /* of @own, those without an address of this node */
	VEC(struct retired_range) retired;
	VEC(const char *) changed, rivals;
	bool dirty, moved;
	node_problem_fn *on_problem;
	void *arg;
};

struct node_entry *nodes_find(const struct nodes *n, const char *name);
void node_rivals_change(struct nodes *n, const struct node *old, const struct node *now);
void node_rivals_of(struct nodes *n, const struct prefix *dst);
void node_rivals_settle(struct nodes *n);
void node_rivals_forget(struct nodes *n, struct node_entry *e, const struct node *old);
void node_rivals_done(struct nodes *n);
