/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack_priv.h - shared by the files that speak with connection tracking.
 */
#pragma once

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/conntrack.h"

/* struct conntrack - @lister hands entries over while @ask deletes them */
struct conntrack {
	struct mnl_socket *ask, *lister;
	struct nlbatch batch;
};

/* struct conntrack_place - where in an entry an address can stand */
struct conntrack_place {
	uint16_t tuple; /* CTA_TUPLE_ORIG or CTA_TUPLE_REPLY */
	bool source;
};

int conntrack_list(struct mnl_socket *s, uint8_t family, const struct addr *a,
		   const struct conntrack_place *p, nl_message_fn *fn, void *arg);
