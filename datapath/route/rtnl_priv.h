/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl_priv.h - shared by rtnl.c and rtnl_link.c.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "datapath/route/rtnl.h"

struct rtnl {
	struct mnl_socket *ask, *listen;
	rtnl_event_fn *fn;
	void *arg;
};

bool route_decode(const struct nlmsghdr *h, struct route *ret);
