/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers_internal.h - the peers, shared by peers.c (definitions, namespaces) and peer_members.c
 * (pods and what they are members of).
 */
#pragma once

#include <uthash.h>

#include "datapath/policy/peeraddr.h"
#include "datapath/policy/peers.h"

/*
 * struct peer_set - one definition; an IPv4 and an IPv6 set in the kernel
 * @terms:   sorted by text, none twice; all plain or all with named ports
 * @members: how many memberships of pods refer to it
 * @filled:  so many of @terms are indexed, and the pods that match them are members
 */
struct peer_set {
	char *text;
	uint32_t uses;
	struct nft_set *set4, *set6;
	size_t n_terms;
	struct peer_term *terms;
	size_t members, filled;
	struct peer_set *prev, *next; /* of those that are not complete */
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

struct ns_entry {
	const char *ns;
	struct labels labels;
	UT_hash_handle hh;
};

struct peers {
	struct nft_table *table;
	struct matchindex *terms;
	struct podindex *pods;
	struct peeraddr claims;
	struct interest *interest;
	struct peer_set *sets;
	struct peer_set *filling; /* oldest first */
	struct ns_entry *namespaces;
	struct touched *touched;
	bool going; /* an address is no longer that of its pod */
};

struct membership_list {
	VEC(struct membership) m;
};

void membership_add(const struct peer_pod *pp, const struct peer_term *t,
		    struct membership_list *l);
void members_change(struct peers *p, struct peer_pod *pp, struct membership_list *l);
void members_refresh(struct peers *p, struct peer_pod *pp);
