/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers.h - peer sets: which addresses, anywhere in the cluster, does a list of terms mean?  Pure.
 *
 * Takes pods and namespaces as they change, and definitions (lists of terms) from the programs of
 * local pods; gives elements of plain nftables sets.  Equal definitions share one set.  A pod that
 * changes costs one element operation for each set that it enters or leaves.  What concerns many
 * pods, a new definition or other labels of a namespace, is done by peers_fill() in pieces; a set
 * that is not complete lets fewer through and must not replace one that is.  Notes the addresses
 * that leave a set.
 *
 * An address has one pod.  Where two objects claim it (of a node that is gone, say, whose range
 * another one has) it is that of the pod that is attached to this node, else nobody's: who may do
 * what one of them may is not known.
 */
#pragma once

#include "datapath/nft/table.h"
#include "datapath/policy/interest.h"
#include "datapath/policy/podindex.h"
#include "datapath/policy/term.h"
#include "watch/object/pod.h"

/*
 * struct touched - addresses whose connections may be allowed no longer
 * @gone: It is not the pod's any more; else the pod or the policies have changed
 */
struct touched {
	VEC(struct touched_addr {
		struct addr addr;
		bool gone;
	})
	v;
};

struct peers;
struct peer_set;
struct membership;

/*
 * struct peer_pod - a pod as a peer; the owner embeds it in its own record
 * @pod:     The object, borrowed; swapped by peers_pod_update()
 * @local:   Attached to this node: the addresses are its own, whoever else claims them
 * @addrs:   Addresses in force, one a family at most
 * @counts:  By address: it is the pod's, and elements of the sets stand for it
 * @member:  What it is member of, sorted; the module's own, like @index
 */
struct peer_pod {
	const struct pod *pod;
	bool local;
	bool counts[2];
	uint32_t n_addrs;
	struct addr addrs[2];
	struct indexed_pod index;
	uint32_t n_member;
	struct membership *member;
};

struct peers *peers_new(struct nft_table *t, need_fn *fn, void *arg, struct touched *to);
struct peers *peers_free(struct peers *p);

void peers_namespace(struct peers *p, const char *ns, const struct labels *labels);
const struct labels *peers_ns_labels(void *p, const char *ns);

void peers_pod_update(struct peers *p, struct peer_pod *pp, const struct pod *pod, uint32_t n_addrs,
		      const struct addr *addrs);

/**
 * typedef shared_addr_fn - Takes an address that two pods claim
 * @arg:  Context
 * @a:    Address
 * @pod:  One of them
 * @more: Another
 */
typedef void shared_addr_fn(void *arg, const struct addr *a, const struct pod *pod,
			    const struct pod *more);
void peers_each_shared(const struct peers *p, shared_addr_fn *fn, void *arg);

struct peer_set *peers_set_get(struct peers *p, const struct term *terms, size_t n);
void peers_set_put(struct peers *p, struct peer_set *s);
bool peers_fill(struct peers *p, size_t steps);
bool peers_set_complete(const struct peer_set *s);
const char *peer_set_name(const struct peer_set *s, uint8_t family);
size_t peers_sets(const struct peers *p);
