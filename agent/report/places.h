/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places.h - who may hold a connection to our pages, and for how long.  Pure.
 *
 * A new connection is always let in: where there is no place left, the one that has waited for
 * longest without having made a request of it has to go.  So somebody who holds all places and says
 * nothing keeps nobody from /livez.  A request with its answer may take PLACES_USEC, whatever
 * trickles in meanwhile; an address from outside of this host has PLACES_PER_ADDRESS.
 */
#pragma once

#include "lib/addr.h"
#include "lib/util.h"

#define PLACES_MAX	   32
#define PLACES_PER_ADDRESS 8
#define PLACES_USEC	   (10 * USEC_PER_SEC)

/*
 * struct place - a connection
 * @fd:    Its socket, borrowed; -1: it was told to end and is about to be given back
 * @since: It was accepted, or its last answer is complete
 */
struct place {
	bool used;
	int fd;
	struct addr peer;
	uint64_t since;
};

/* struct places - twice as many as may be held: those told to end need a moment */
struct places {
	struct place p[2 * PLACES_MAX];
};

struct place *places_take(struct places *s, int fd, const struct addr *peer, uint64_t now);
struct place *places_victim(struct places *s, const struct place *incoming);
struct place *places_overdue(struct places *s, uint64_t now);
uint64_t places_deadline(const struct places *s);
