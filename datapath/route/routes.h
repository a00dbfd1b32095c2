/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * routes.h - the routes Manx wants, the ones the kernel has under our protocol number, and the
 * difference.  Pure; rtnl.h is the shell.
 *
 * Several owners may want a route to one destination: the best one gets it, and when that one does
 * not want it any more, the next.
 */
#pragma once

#include "lib/addr.h"
#include "lib/claims.h"
#include "lib/err.h"
#include "lib/vec.h"

#define RTPROT_MANX 109 /* unassigned in iproute2's rt_protos and in the kernel's rtnetlink.h */

enum route_kind {
	ROUTE_VIA, /* to another node's pods, through its address on our layer 2 */
	ROUTE_DEV, /* to a pod of ours: device, and a permanent neighbour entry for its MAC */
	ROUTE_UNREACHABLE, /* our own ranges: an address that no pod has must not leave the node */
	_ROUTE_KIND_MAX
};

/* enum route_rank - kinds of owners, the best first */
enum route_rank {
	ROUTE_OF_POD,	  /* a pod of ours; its owner's name is that of its interface */
	ROUTE_OF_RANGE,	  /* this node's own ranges */
	ROUTE_OF_NODE,	  /* another node's ranges; the owner is its Node */
	ROUTE_OF_RETIRED, /* ranges that this node had, while pods have addresses of them */
	_ROUTE_RANK_MAX
};

struct route {
	struct prefix dst; /* the key */
	enum route_kind kind;
	struct addr via;  /* ROUTE_VIA */
	char ifname[16];  /* ROUTE_DEV */
	struct mac neigh; /* ROUTE_DEV */
};

/* struct route_list - starts zeroed */
struct route_list {
	VEC(struct route) v;
};

/*
 * struct route_op - install or remove
 * @remove:  Remove the route of ours to @route.dst, whatever it is
 * @replace: Install over the route of ours that the kernel is known to have for @route.dst; when
 *           not set, a route that is there already is somebody else's
 */
struct route_op {
	bool remove, replace;
	struct route route;
};

struct route_ops {
	VEC(struct route_op) op;
};

struct routes;

struct routes *routes_new(void);
struct routes *routes_free(struct routes *r);
static inline void routes_freep(struct routes **r)
{
	(void)routes_free(*r);
}

void routes_want(struct routes *r, const struct claimant *owner, const struct route *route);
void routes_drop(struct routes *r, const struct claimant *owner, const struct prefix *dst);
void routes_lost(struct routes *r, const struct prefix *dst);

const struct route *routes_wanted(const struct routes *r, const struct prefix *dst);
const struct claim *routes_claims(const struct routes *r, const struct prefix *dst);
bool routes_in_kernel(const struct routes *r, const struct prefix *dst);
bool routes_under_way(const struct routes *r, const struct prefix *dst);
size_t routes_count(const struct routes *r);
size_t routes_pending(const struct routes *r);
size_t routes_flying(const struct routes *r);
size_t routes_failed(const struct routes *r);

void routes_ops(struct routes *r, struct route_ops *ret);
bool routes_done(struct routes *r, const struct route_op *op, int error);
void routes_retry(struct routes *r);

void routes_read_begin(struct routes *r);
void routes_read_end(struct routes *r, const struct route_list *installed);
