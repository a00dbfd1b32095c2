/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rib.h - the routes that neighbours have announced, and which of them are used.  Pure.
 *
 * One table is Adj-RIB-In and Loc-RIB: a prefix has a path of each neighbour that announces it,
 * and the decision (RFC 4271 9.1) says of each why it is used or not.  Paths that an import filter
 * refuses are kept, so that a filter that changes needs no new session.
 *
 * A change costs the paths of its prefix.  A neighbour that goes costs its paths, a few at a time:
 * whoever owns the table calls bgp_rib_settle() until nothing is left to do.  Meanwhile the paths
 * that are not yet looked at stay in use.
 *
 * Paths of a neighbour are in the order in which they came, with the epoch in which they came: what
 * is left of an older one after a restart is at the beginning of the list.
 */
#pragma once

#include "datapath/bgp/kept.h"
#include "datapath/bgp/ranges.h"

#define BGP_LOCAL_PREF_DEFAULT 100

/* Why a path is not used; in the order in which it is asked. */
enum bgp_fate {
	BGP_USED, /* the best; or as good, for ECMP */
	/* not a candidate */
	BGP_REFUSED_IMPORT, /* the filter, or none where one is needed (RFC 8212) */
	BGP_REFUSED_OWN,    /* inside of what is ours */
	BGP_REFUSED_MARTIAN,
	BGP_REFUSED_DEFAULT,	 /* a default route that nobody asked for */
	BGP_REFUSED_LOOP,	 /* 9.1.2: our AS is in the path */
	BGP_REFUSED_ORIGINATOR,	 /* RFC 4456 8 */
	BGP_REFUSED_CLUSTER,	 /* RFC 4456 8 */
	BGP_REFUSED_HOP,	 /* 5.1.3: the next hop is an address of ours */
	BGP_REFUSED_UNREACHABLE, /* 9.1.2: the next hop is not reached */
	/* a candidate that lost; the letters are those of 9.1.2.2 */
	BGP_LOST_LOCAL_PREF,  /* 9.1.1 */
	BGP_LOST_PATH_LENGTH, /* a */
	BGP_LOST_ORIGIN,      /* b */
	BGP_LOST_MED,	      /* c */
	BGP_LOST_INTERNAL,    /* d */
	BGP_LOST_METRIC,      /* e */
	BGP_LOST_ID,	      /* f: from here on as good as the best: ECMP */
	BGP_LOST_CLUSTERS,    /* RFC 4456 9 */
	BGP_LOST_ADDRESS,     /* g */
	_BGP_FATE_MAX
};

enum bgp_import { BGP_IMPORT_NONE, BGP_IMPORT_PODS, BGP_IMPORT_ALL };

struct bgp_peer;

/* struct bgp_path - a route of a neighbour: 56 bytes, for there are 100,000 */
struct bgp_path {
	struct bgp_path *next; /* of the prefix; those used first, the best of all first */
	struct bgp_path *before, *after; /* of the neighbour, the oldest first */
	struct bgp_net *net;
	struct bgp_peer *peer;
	struct bgp_kept *attrs;
	uint8_t fate, refused, epoch;
};

/* struct bgp_net - a prefix; @addr has as many bytes as its family: 24 bytes or 36 */
struct bgp_net {
	struct bgp_path *paths;
	struct bgp_net *next_dirty;
	bool dirty;
	uint8_t family, len; /* of enum bgp_family */
	uint8_t addr[];
};

/* struct bgp_peer_paths - of a family */
struct bgp_peer_paths {
	struct bgp_path *first, *last;
	struct bgp_path *cursor; /* the next one to be looked at again */
	uint32_t received, accepted, limit;
	uint8_t epoch;
	bool sweeping;
};

/*
 * struct bgp_peer - a neighbour, for the table
 * @addr, @id: Of it; @id as in its OPEN
 * @pods:      Of BGP_IMPORT_PODS: what a prefix has to lie in; borrowed
 * @of:        By family; @limit 0: none
 * The rest is the table's.
 */
struct bgp_peer {
	struct addr addr;
	uint32_t id;
	bool external;
	enum bgp_import import;
	const struct bgp_ranges *pods;
	struct bgp_peer_paths of[_BGP_FAMILY_MAX];
	struct bgp_peer *next_work;
	bool working;
};

/* bgp_hop_fn - can a next hop be reached, and how far is it? */
typedef bool bgp_hop_fn(void *arg, const struct addr *hop, uint32_t *ret_metric);

/*
 * struct bgp_rib - starts zeroed
 * @asn, @id: Ours; @cluster: RFC 4456, 0: none
 * @own:      What is ours: ranges, networks, services
 * @own_hops: Our addresses, as prefixes of one address
 * @hop:      See bgp_hop_fn; NULL: every next hop is reached
 */
struct bgp_rib {
	uint32_t asn, id, cluster;
	struct bgp_ranges own, own_hops;
	bgp_hop_fn *hop;
	void *hop_arg;
	struct bgp_pool pool;
	struct ptr_table nets;
	struct bgp_net *dirty, **dirty_end;
	struct bgp_peer *work, **work_end;
};

/* bgp_net_fn - a prefix was decided again; without a path that is used it is gone */
typedef void bgp_net_fn(void *arg, const struct bgp_net *net);

const char *bgp_fate_str(enum bgp_fate f);
void bgp_rib_done(struct bgp_rib *r);
int bgp_rib_take(struct bgp_rib *r, struct bgp_peer *peer, const struct prefix *p,
		 const struct bgp_attrs *attrs);
void bgp_rib_stale(struct bgp_peer *peer, enum bgp_family f);
void bgp_rib_sweep(struct bgp_rib *r, struct bgp_peer *peer, enum bgp_family f);
void bgp_rib_again(struct bgp_rib *r, struct bgp_peer *peer);
bool bgp_rib_settle(struct bgp_rib *r, size_t budget, bgp_net_fn *fn, void *arg);
const struct bgp_net *bgp_rib_find(const struct bgp_rib *r, const struct prefix *p);
struct prefix bgp_net_prefix(const struct bgp_net *n);

/* import.c, decide.c: for rib.c */
enum bgp_fate bgp_import(const struct bgp_rib *r, const struct bgp_peer *peer,
			 const struct prefix *p, const struct bgp_kept *attrs);
void bgp_decide(const struct bgp_rib *r, struct bgp_net *n);

static inline bool bgp_path_is_used(const struct bgp_path *p)
{
	return p->fate == BGP_USED || p->fate >= BGP_LOST_ID;
}
