/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peeraddr.h - which pods claim an address.  Pure.
 *
 * A multimap without nodes of its own: 8 bytes a slot, since the cluster's pods are in it.
 */
#pragma once

#include "lib/addr.h"
#include "lib/util.h"

struct peer_pod;

/* struct peeraddr - starts zeroed; @slots: a pod with the index of its address in the lowest bit */
struct peeraddr {
	uintptr_t *slots;
	size_t n, n_slots;
};

/* struct claim_pos - one claim, while walking */
struct claim_pos {
	struct peer_pod *pod;
	uint32_t i; /* of its addresses */
	size_t slot;
};

void peeraddr_done(struct peeraddr *t);
void peeraddr_add(struct peeraddr *t, struct peer_pod *pod, uint32_t i);
void peeraddr_remove(struct peeraddr *t, struct peer_pod *pod, uint32_t i);
const struct addr *peeraddr_at(const struct peeraddr *t, size_t slot);
bool peeraddr_next(const struct peeraddr *t, const struct addr *a, struct claim_pos *pos);
