/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program.h - an allowance as chains, shared by all local pods under the same policies.  Pure.
 *
 *	chain in_H {					the program: H is a hash of the definition
 *		ip saddr @pods4_A accept		who may use any port
 *		ip saddr @blocks4_B accept
 *		meta l4proto . th dport vmap @in_H_ports
 *		counter drop				no policy allows it
 *	}
 *	map in_H_ports { tcp . 6379 : goto in_H_0, udp . 53 : accept }
 *	chain in_H_0 {					who may use the ports of a segment
 *		ip saddr @pods4_C accept
 *		counter drop
 *	}
 *
 * One that is new is built in pieces, and must not be put in force before it is complete.
 *
 * Towards others (out_H) the fields are destinations and `return` takes the place of `accept`:
 * the packet still has to pass the destination's own program.
 */
#pragma once

#include "datapath/base/blocksets.h"
#include "datapath/policy/compile.h"
#include "datapath/policy/peers.h"

struct programs;
struct program;

struct programs *programs_new(struct nft_table *t, struct peers *peers);
struct programs *programs_free(struct programs *p);
struct program *program_get(struct programs *p, struct allowance *a, const char *policies);
bool programs_build(struct programs *p, size_t size);
bool program_is_complete(struct program *g);
struct program *program_use(struct program *g);
void program_put(struct programs *p, struct program *g);
struct nft_chain *program_want_closed(struct nft_table *t, const char *name);
bool program_is_name(const char *name);
bool program_is_whole(const uint64_t *digest, size_t n);
const char *program_chain(const struct program *g);
bool program_has(const struct program *g, const char *name);
size_t programs_count(const struct programs *p);
