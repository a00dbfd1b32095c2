/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datapath.h - the parts put together: objects and attachments in, a table and routes that are
 * wanted out.  Pure.
 *
 * This is the one assembly: the agent works with it, `manx validate` prints what it wants, tests,
 * fuzzers and benchmarks drive it.  To bring about what it wants is the work of
 * datapath/nft/apply.c and agent/routing.c.
 */
#pragma once

#include "datapath/nft/table.h"
#include "datapath/part.h"
#include "datapath/policy/policy.h"
#include "datapath/route/nodes.h"
#include "datapath/route/routes.h"

/*
 * struct datapath
 * @policy, @nodes: Parts that others ask for more than what they want
 * @parts:          All of them, in the order of their registration
 */
struct datapath {
	struct nft_table *table;
	struct routes *routes;
	struct base base;
	struct masquerade masquerade;
	struct localpods pods;
	struct policy_engine *policy;
	struct nodes *nodes;
	struct part *parts[];
};

#define DATAPATH_PIECE 200000 /* steps of datapath_settle_piece(): some 3 ms */

struct datapath *datapath_new(const char *node, need_fn *need, void *need_arg);
struct datapath *datapath_free(struct datapath *d);
void datapath_configure(struct datapath *d, const struct part_config *c);
void datapath_object(struct datapath *d, const struct object *old, const struct object *now);
void datapath_attach(struct datapath *d, const struct attachment *a);
void datapath_detach(struct datapath *d, const char *id, const char *ifname);
void datapath_settle(struct datapath *d);
bool datapath_settle_piece(struct datapath *d, size_t steps);
enum nft_settled datapath_settled(struct datapath *d, const struct attachment *a,
				  const char **ret_problem);
void datapath_blame(struct datapath *d, const struct nft_op *op, blame_fn *fn, void *arg);
