// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_read.c - which routes of ours the kernel holds, and pods' neighbour entries with them.
 *
 * Ours is what has RTPROT_MANX in the main table.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/rtnl_priv.h"

static void take_addr(const struct nlattr *a, struct addr *ret)
{
	if (mnl_attr_get_payload_len(a) == addr_len(ret))
		memcpy(ret->b, mnl_attr_get_payload(a), addr_len(ret));
}

/**
 * route_read_dst() - The destination of a route message
 * @h:   RTM_NEWROUTE or RTM_DELROUTE
 * @ret: Destination; untouched on failure
 *
 * Return: true if it is an IPv4 or IPv6 route of the main table
 */
bool route_read_dst(const struct nlmsghdr *h, struct prefix *ret)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *a = nl_find(h, sizeof(*m), RTA_DST);
	struct prefix dst = {0};

	if (!nl_holds(h, sizeof(*m)) || m->rtm_table != RT_TABLE_MAIN ||
	    (m->rtm_family != AF_INET && m->rtm_family != AF_INET6))
		return false;
	dst.addr.family = m->rtm_family;
	dst.len = m->rtm_dst_len;
	if (dst.len > 8 * addr_len(&dst.addr))
		return false;
	if (a)
		take_addr(a, &dst.addr);
	*ret = dst;
	return true;
}

/**
 * route_decode() - Read a route message
 * @h:   RTM_NEWROUTE or RTM_DELROUTE
 * @ret: Route; untouched unless it is ours
 *
 * The neighbour of a pod's route is not part of the message and left zero (rtnl_neigh.c).
 *
 * Return: true if it is a route of ours in the main table
 */
bool route_decode(const struct nlmsghdr *h, struct route *ret)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *gateway = nl_find(h, sizeof(*m), RTA_GATEWAY);
	const struct nlattr *index = nl_find(h, sizeof(*m), RTA_OIF);
	struct route r = {.kind = ROUTE_DEV};

	if (!route_read_dst(h, &r.dst) || m->rtm_protocol != RTPROT_MANX)
		return false;
	if (m->rtm_type == RTN_UNREACHABLE) {
		r.kind = ROUTE_UNREACHABLE;
	} else if (gateway) {
		r.kind = ROUTE_VIA;
		r.via.family = r.dst.addr.family;
		take_addr(gateway, &r.via);
	} else if (index && !if_indextoname(nl_u32(index), r.ifname)) {
		r.ifname[0] = '\0';
	}
	*ret = r;
	return true;
}

static int read_route(void *arg, const struct nlmsghdr *h)
{
	struct route_list *l = arg;
	struct route r;

	if (h->nlmsg_type == RTM_NEWROUTE && route_decode(h, &r))
		vec_push(&l->v, r);
	return 0;
}

static int read_family(struct rtnl *n, uint8_t family, struct route_list *l)
{
	const struct rtmsg filter = {
		.rtm_family = family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_MANX};

	int r = nl_list(n->ask, RTM_GETROUTE, &filter, sizeof(filter), read_route, l);

	return r == -ENOENT ? 0 : r; /* a namespace in which nobody had a route yet has no table */
}

/**
 * rtnl_list() - Learn which routes of ours the kernel holds
 * @n:      Handle
 * @ret:    Routes; empty at the call, its memory is the caller's
 * @reterr: What failed
 *
 * The kernel walks its whole main table and hands over only what is ours.
 *
 * Return: 0, -errno
 */
int rtnl_list(struct rtnl *n, struct route_list *ret, struct err *reterr)
{
	int r = -EINTR;

	for (int i = 0; i < RTNL_READS_MAX && r == -EINTR; i++) {
		ret->v.n = 0;
		r = read_family(n, AF_INET, ret);
		if (r == 0)
			r = read_family(n, AF_INET6, ret);
		if (r == 0)
			r = rtnl_read_neighbours(n, ret);
	}
	return r < 0 ? err_set(reterr, r, "reading routes and neighbours: %s", strerror(-r)) : 0;
}
