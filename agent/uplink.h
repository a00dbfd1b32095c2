/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink.h - the interface that carries the node's traffic, and the MTU that pods have by it.
 */
#pragma once

#include "lib/addr.h"
#include "lib/once.h"
#include "lib/waiter.h"

struct fences;
struct ipam;
struct journal;
struct nodes;
struct rtnl;

/*
 * struct uplink_uses
 * @journal: Its pods get the MTU
 * @seen:    The interface was looked at; @another: it is not the one that it was
 */
struct uplink_uses {
	struct waiter *waiter;
	struct rtnl *rtnl;
	const struct nodes *nodes;
	const struct ipam *ipam;
	const struct journal *journal;
	struct fences *fences;
	void (*seen)(void *arg, bool another);
	void *arg;
};

/*
 * struct uplink
 * @configured: MTU by the configuration; 0: by the interface
 * @setting:    Jobs in progress that set MTUs
 * @ifname:     The interface; "" while unknown
 * @followed:   The node's address that uplink_moved() has seen
 * @link_mtu:   Of the interface, as the kernel says; 0 while unknown
 * @mtu:        Of pods
 */
struct uplink {
	struct uplink_uses use;
	struct once job;
	uint32_t configured;
	unsigned int setting;
	char ifname[16];
	struct addr followed;
	uint32_t link_mtu, mtu;
};

void uplink_open(struct uplink *u, const struct uplink_uses *use);
void uplink_configure(struct uplink *u, uint32_t mtu);
void uplink_follow(struct uplink *u);
bool uplink_moved(struct uplink *u);
