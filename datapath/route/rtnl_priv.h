/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl_priv.h - shared by the files of rtnl.h.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "datapath/route/rtnl.h"

#define RTNL_READS_MAX 5 /* of a list that changes while it is read */

/* struct rtnl - @ask sends and waits for the acknowledgements, @listen takes notifications */
struct rtnl {
	struct mnl_socket *ask, *listen;
	rtnl_event_fn *fn;
	void *arg;
};

bool route_read_dst(const struct nlmsghdr *h, struct prefix *ret);
bool route_decode(const struct nlmsghdr *h, struct route *ret);
int rtnl_read_neighbours(struct rtnl *n, struct route_list *l);
bool rtnl_read_address(const struct nlmsghdr *h, struct local_addr *ret);
int rtnl_read_switch(const char *path, char *ret);
bool rtnl_take(struct rtnl *n, const void *data, size_t size);
