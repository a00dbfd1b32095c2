/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random.h - objects, addresses and packets by chance, the same for the same seed.
 *
 * Everything is drawn from small supplies (a few labels, addresses, ports), so that what is drawn
 * independently meets often.  Objects are as the decoders of watch/ make them: interned strings,
 * sorted labels and selectors.  Pure.
 *
 * Addresses: 10.1.0.0/24 and fd00:1::/64 are this node's pods, 10.2.0.0/24 and fd00:2::/64 pods
 * elsewhere, 192.168.0.0/24 and fd00:9::/64 nodes, 192.0.2.0/24 and 2001:db8::/64 outside.
 */
#pragma once

#include "reference.h"

/*
 * struct rng - splitmix64 of Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators" (2014); or, for a fuzzer, given bytes: as few as a number needs, so that a change of
 * one byte is a small change of what is drawn
 * @bytes: NULL: splitmix64; else where to take from, @left of them; behind the last come zeros
 */
struct rng {
	uint64_t state;
	const uint8_t *bytes;
	size_t left;
};

/* enum place - which supply an address is from */
enum place { PLACE_LOCAL, PLACE_REMOTE, PLACE_NODES, PLACE_OUTSIDE, _PLACE_MAX };

#define PLACE_SIZE 40 /* addresses in the supply of a place, numbered from 1 */

uint64_t rng_next(struct rng *r);
uint32_t below(struct rng *r, uint32_t n);
bool chance(struct rng *r, uint32_t percent);

struct addr place_addr(enum place p, bool six, uint32_t number);
struct addr random_addr(struct rng *r, bool six);

struct object *random_namespace(struct rng *r, const char *name);
struct object *random_pod(struct rng *r, const char *ns, const char *name, uint32_t generation);
struct object *random_policy(struct rng *r, const char *ns, const char *name);
struct packet random_packet(struct rng *r, const struct world *w);
