/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers_internal.h - the peers, shared by peers.c (definitions, namespaces), peer_fill.c (what is
 * done in pieces) and peer_members.c (pods and what they are members of).
 */
#pragma once

#include <uthash.h>

#include "datapath/policy/peeraddr.h"
#include "datapath/policy/peers.h"

/*
 * struct peer_set - one definition; an IPv4 and an IPv6 set in the kernel
 * @terms:   sorted by text, none twice; all plain or all with named ports
 * @members: how many memberships of pods refer to it
 * @filled:  the pods that match the first so many of @terms are members
 * @entered: so many are in both indexes
 * @walk:    while @walking: over the pods of a term; of a set that leaves, perhaps over all
 * @looked:  of a set that leaves: how many pods were looked at for it
 */
struct peer_set {
	char *text;
	uint32_t uses;
	struct nft_set *set4, *set6;
	size_t n_terms;
	struct peer_term *terms;
	size_t members, filled, entered, looked;
	bool walking;
	struct podindex_walk walk;
	struct peer_set *prev, *next; /* of those that are not complete, or of those that leave */
	UT_hash_handle hh;
};

struct peer_term {
	struct term term;
	struct peer_set *set;
};

/* struct membership - one element: the pod's address in @set, with @port for named ports */
struct membership {
	struct peer_set *set;
	uint16_t port;
	uint8_t protocol;
};

/* struct relabelled - a namespace whose pods are to be looked at again */
struct relabelled {
	struct match match; /* @ns is owned */
	bool walking;
	struct podindex_walk walk;
	struct relabelled *prev, *next;
};

struct peers {
	struct nft_table *table;
	struct matchindex *terms;
	struct podindex *pods;
	struct peeraddr claims;
	struct interest *interest;
	struct peer_set *sets;
	struct peer_set *filling;      /* whose turn it is first */
	struct peer_set *leaving;      /* nobody's any more, but memberships refer to it */
	struct relabelled *relabelled; /* oldest first */
	struct touched *touched;
	bool going; /* an address is no longer that of its pod */
};

struct membership_list {
	VEC(struct membership) m;
};

/* Is it nobody's any more?  It has no sets in the kernel then. */
static inline bool peer_set_left(const struct peer_set *s)
{
	return !s->set4;
}

void peer_set_free(struct peer_set *s);
void peers_relabel(struct peers *p, const char *ns);
void peers_drain(struct peers *p);
void membership_add(const struct peer_pod *pp, const struct peer_term *t,
		    struct membership_list *l);
void members_change(struct peers *p, struct peer_pod *pp, struct membership_list *l);
void members_refresh(struct peers *p, struct peer_pod *pp);
