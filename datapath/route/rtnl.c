// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl.c - the agent's two rtnetlink sockets, and the switches that forwarding needs.
 *
 * One socket asks and waits for the acknowledgements (rtnl_read.c, rtnl_apply.c, rtnl_link.c), the
 * other one listens (rtnl_event.c).
 */
#include "datapath/route/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

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

/* Read first: /proc/sys may be read-only in a container whose host forwards already. */
static bool is_on(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char now = '0';

	return fd >= 0 && read(fd, &now, 1) == 1 && now != '0';
}

static int switch_on(const char *path, struct err *reterr)
{
	_cleanup_(closep) int fd = -1;

	if (is_on(path))
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return err_set(reterr, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

/**
 * rtnl_enable_forwarding() - Have the kernel forward packets
 * @ipv4:   For IPv4
 * @ipv6:   For IPv6
 * @reterr: What failed
 *
 * What is on already is not written: the kernel resets other settings with it.  A node that has
 * its own default route from IPv6 router advertisements needs accept_ra=2 on that interface once
 * it forwards (Documentation/networking/ip-sysctl.rst); that is left to its administrator.
 *
 * Return: 0, -errno
 */
int rtnl_enable_forwarding(bool ipv4, bool ipv6, struct err *reterr)
{
	int r = 0;

	if (ipv4)
		r = switch_on("/proc/sys/net/ipv4/ip_forward", reterr);
	if (r == 0 && ipv6)
		r = switch_on("/proc/sys/net/ipv6/conf/all/forwarding", reterr);
	return r;
}
