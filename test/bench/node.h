/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node.h - a node without an agent, for programs of test/bench: data path, table, store, and
 * the kernel's nf_tables in a network namespace of the process.
 */
#pragma once

#include "datapath/datapath.h"
#include "datapath/nft/apply.h"
#include "datapath/nft/encode.h"
#include "watch/object/store.h"

struct mnl_socket;

/* struct bench_node - @raw: socket for prepared transactions; @seq: of their next message */
struct bench_node {
	struct datapath *datapath;
	struct nft_table *table; /* of @datapath */
	struct nft_socket *kernel;
	struct mnl_socket *raw;
	struct store *store;
	uint32_t seq;
};

void node_open(struct bench_node *n);
void node_put(struct bench_node *n, struct object *o);
void node_attach(struct bench_node *n, const struct object *pod);
void node_apply(struct bench_node *n);
void node_prepare(struct bench_node *n, const struct nft_ops *ops, struct nft_batch *ret);
double node_send(struct bench_node *n, const struct nft_batch *b);
