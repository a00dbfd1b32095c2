/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl.h - rtnetlink for the agent: apply routes and neighbours, read routes and links, follow
 * links and addresses.
 *
 * Whatever asks the kernel may wait for its RTNL lock, which others hold for tens of milliseconds
 * when they delete links: it is for start, exit and jobs of a waiter (lib/waiter.h), one at a time.
 * Notifications never wait.
 */
#pragma once

#include "datapath/base/hostaddr.h"
#include "datapath/route/passage.h"
#include "datapath/route/routes.h"
#include "lib/buf.h"

struct podlink;
struct rtnl;

/* enum rtnl_event - what a notification was about; the agent reacts by key */
enum rtnl_event_kind {
	RTNL_LINK_GONE,	  /* @ifname: a link with a name of ours disappeared */
	RTNL_LINK_DOWN,	  /* @ifname: one was set down, perhaps to disappear */
	RTNL_LINK_OF_POD, /* @ifname: one appeared or changed otherwise */
	RTNL_LINK_MTU,	  /* @ifname, not ours, changed its MTU or state */
	RTNL_NEIGHBOUR,	  /* @dst, @ifindex, @mac: a neighbour entry came, changed or went */
	RTNL_FORWARDING,  /* @family, @ifindex, @on: it was switched */
	RTNL_RP_FILTER,	  /* @ifindex: the check of sources was set, IPv4 */
	RTNL_ADDR,	  /* an address of the node or a default route came or went */
	RTNL_ROUTE_GONE,  /* @dst: a route of ours may have been deleted or replaced by others */
	RTNL_OVERRUN,	  /* something was not notified: everything has to be read again */
};

struct rtnl_event {
	enum rtnl_event_kind kind;
	char ifname[16];
	struct prefix dst;
	uint32_t ifindex; /* RTNL_FORWARDING, RTNL_RP_FILTER: 0 for all */
	uint32_t mtu;	  /* of links */
	uint8_t family;
	bool on;
	struct mac mac; /* of a permanent entry; else zero */
	uint32_t port;	/* netlink port of who asked for it, of the first three kinds and routes; 0:
			   the kernel */
};

typedef void rtnl_event_fn(void *arg, const struct rtnl_event *e);

int rtnl_open(rtnl_event_fn *fn, void *arg, struct rtnl **ret, struct err *reterr);
struct rtnl *rtnl_close(struct rtnl *n);
int rtnl_fd(const struct rtnl *n);  /* notifications */
void rtnl_dispatch(struct rtnl *n); /* read what is there, never blocks */

int rtnl_list(struct rtnl *n, struct route_list *ret, struct err *reterr);

/*
 * Pending routes on their way: route_batch_new() and route_batch_finish() belong to the owner of
 * the routes, route_batch_send() asks the kernel.
 */
struct route_batch;
struct route_batch *route_batch_new(struct routes *r);
bool route_batch_reaches_nodes(const struct route_batch *b);
void route_batch_send(struct route_batch *b, struct rtnl *n);
int route_batch_finish(struct route_batch *b, struct routes *r, struct err *reterr);

/* The link that carries the traffic of an address, for the MTU; -ENOENT. */
int rtnl_link_of(struct rtnl *n, const struct addr *a, char ret_ifname[static 16],
		 uint32_t *ret_mtu);
int rtnl_link_restore(struct rtnl *n, const char *ifname, uint32_t mtu, struct err *reterr);
int rtnl_link_follow(struct rtnl *n, const struct podlink *l, uint32_t *ret_mtu,
		     struct err *reterr);
int rtnl_link_check(struct rtnl *n, const struct podlink *l, struct err *reterr);
int rtnl_addresses(struct rtnl *n, struct local_addr_list *ret, struct err *reterr);
/* Call fn for every link that has a name of ours (attachment.h) and is a veth. */
int rtnl_each_pod_link(struct rtnl *n, void (*fn)(void *arg, const char *ifname), void *arg,
		       struct err *reterr);
int rtnl_link_delete(struct rtnl *n, const char *ifname, struct err *reterr);
/* Is an address this host's own?  Through a socket of the caller's own: it may be another thread.
 */
struct mnl_socket;
bool rtnl_is_local(struct mnl_socket *s, const struct addr *a);
/* Sysctls that forwarding needs: net.ipv4.ip_forward, net.ipv6.conf.all.forwarding. */
int rtnl_enable_forwarding(struct rtnl *n, uint8_t family, struct buf *changed, struct err *reterr);
bool rtnl_forwards(const char *ifname);
int rtnl_passage(struct rtnl *n, const char *uplink, const struct addr *own, struct passage *ret,
		 struct err *reterr);
