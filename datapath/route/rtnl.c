// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl.c - the agent's two rtnetlink sockets.
 *
 * One socket asks and waits for the acknowledgements (rtnl_read.c, rtnl_apply.c, rtnl_link.c), the
 * other one listens (rtnl_event.c).
 */
#include "datapath/route/rtnl.h"

#include <linux/rtnetlink.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/rtnl_priv.h"

static unsigned int group_bit(unsigned int group)
{
	return 1u << (group - 1);
}

/**
 * rtnl_open() - Open both sockets, in the network namespace of the caller
 * @fn:     Called for each notification
 * @arg:    Its first argument
 * @ret:    Handle; untouched on failure
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int rtnl_open(rtnl_event_fn *fn, void *arg, struct rtnl **ret, struct err *reterr)
{
	unsigned int groups = group_bit(RTNLGRP_LINK) | group_bit(RTNLGRP_IPV4_IFADDR) |
			      group_bit(RTNLGRP_IPV6_IFADDR) | group_bit(RTNLGRP_IPV4_ROUTE) |
			      group_bit(RTNLGRP_IPV6_ROUTE) | group_bit(RTNLGRP_NEIGH) |
			      group_bit(RTNLGRP_IPV4_NETCONF) | group_bit(RTNLGRP_IPV6_NETCONF);
	struct rtnl *n = xcalloc(1, sizeof(*n));
	int r = nl_open(NETLINK_ROUTE, 0, &n->ask, reterr);

	if (r == 0)
		r = nl_open(NETLINK_ROUTE, groups, &n->listen, reterr);
	if (r < 0) {
		(void)rtnl_close(n);
		return r;
	}
	n->fn = fn;
	n->arg = arg;
	*ret = n;
	return 0;
}

/**
 * rtnl_close() - Close both sockets; the routes stay
 * @n: Handle or NULL
 *
 * Return: NULL
 */
struct rtnl *rtnl_close(struct rtnl *n)
{
	if (!n)
		return NULL;
	nl_closep(&n->ask);
	nl_closep(&n->listen);
	free(n);
	return NULL;
}

/**
 * rtnl_fd() - Descriptor of the notifications
 * @n: Handle
 *
 * Return: the descriptor; readable when rtnl_dispatch() has something to do
 */
int rtnl_fd(const struct rtnl *n)
{
	return mnl_socket_get_fd(n->listen);
}
