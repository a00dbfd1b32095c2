// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peeraddr.c - see peeraddr.h.  Linear probing, at most two thirds full, no tombstones: a removal
 * moves later claims back.  Pure.
 */
#include "datapath/policy/peeraddr.h"

#include <assert.h>

#include "datapath/policy/peers.h"
#include "lib/hash.h"

#define SLOTS_MIN 16

static uintptr_t pack(struct peer_pod *pod, uint32_t i)
{
	_Static_assert(ARRAY_SIZE(pod->addrs) == 2 && _Alignof(struct peer_pod) >= 2,
		       "the index is one bit");
	return (uintptr_t)pod | i;
}

static struct peer_pod *pod_of(uintptr_t claim)
{
	return (struct peer_pod *)(claim & ~(uintptr_t)1);
}

static const struct addr *addr_of(uintptr_t claim)
{
	return &pod_of(claim)->addrs[claim & 1];
}

static size_t home(const struct peeraddr *t, const struct addr *a)
{
	return (size_t)hash_stable(a, sizeof(*a)) & (t->n_slots - 1);
}

static void put(struct peeraddr *t, uintptr_t claim)
{
	size_t i = home(t, addr_of(claim));

	while (t->slots[i])
		i = (i + 1) & (t->n_slots - 1);
	t->slots[i] = claim;
}

static void resize(struct peeraddr *t, size_t n_slots)
{
	struct peeraddr old = *t;

	t->n_slots = n_slots;
	t->slots = xcalloc(n_slots, sizeof(*t->slots));
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.slots[i])
			put(t, old.slots[i]);
	free(old.slots);
}

/**
 * peeraddr_done() - Free the memory
 * @t: Map; empty and usable afterwards
 */
void peeraddr_done(struct peeraddr *t)
{
	free(t->slots);
	*t = (struct peeraddr){0};
}

/**
 * peeraddr_add() - A pod claims one of its addresses
 * @t:   Map
 * @pod: Pod
 * @i:   Which; it stays as it is until peeraddr_remove()
 */
void peeraddr_add(struct peeraddr *t, struct peer_pod *pod, uint32_t i)
{
	if ((t->n + 1) * 3 > t->n_slots * 2)
		resize(t, MAX(t->n_slots * 2, SLOTS_MIN));
	put(t, pack(pod, i));
	t->n++;
}

/**
 * peeraddr_remove() - A pod claims an address no more
 * @t:   Map
 * @pod: Pod
 * @i:   Which; was added
 */
void peeraddr_remove(struct peeraddr *t, struct peer_pod *pod, uint32_t i)
{
	size_t mask = t->n_slots - 1, gap = home(t, &pod->addrs[i]);

	while (t->slots[gap] != pack(pod, i)) {
		assert(t->slots[gap]);
		gap = (gap + 1) & mask;
	}
	for (size_t at = (gap + 1) & mask; t->slots[at]; at = (at + 1) & mask) {
		/* It may move back only as far as its home. */
		if (((at - home(t, addr_of(t->slots[at]))) & mask) < ((at - gap) & mask))
			continue;
		t->slots[gap] = t->slots[at];
		gap = at;
	}
	t->slots[gap] = 0;
	t->n--;
	if (!t->n)
		peeraddr_done(t);
	else if (t->n_slots > SLOTS_MIN && t->n * 6 < t->n_slots)
		resize(t, t->n_slots / 2);
}

/**
 * peeraddr_at() - Look at a slot, to walk them all
 * @t:    Map
 * @slot: Below @n_slots
 *
 * Return: the address that is claimed there; NULL: none
 */
const struct addr *peeraddr_at(const struct peeraddr *t, size_t slot)
{
	return t->slots[slot] ? addr_of(t->slots[slot]) : NULL;
}

/**
 * peeraddr_next() - Walk the claims to an address
 * @t:   Map, unchanged while walking
 * @a:   Address
 * @pos: Zeroed at first; the next claim
 *
 * Return: true if there is one
 */
bool peeraddr_next(const struct peeraddr *t, const struct addr *a, struct claim_pos *pos)
{
	size_t i;

	if (!t->n)
		return false;
	i = pos->pod ? (pos->slot + 1) & (t->n_slots - 1) : home(t, a);
	for (; t->slots[i]; i = (i + 1) & (t->n_slots - 1)) {
		if (!addr_eq(addr_of(t->slots[i]), a))
			continue;
		*pos = (struct claim_pos){pod_of(t->slots[i]), (uint32_t)(t->slots[i] & 1), i};
		return true;
	}
	return false;
}
