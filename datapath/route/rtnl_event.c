// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_event.c - what the kernel tells about links, addresses, routes, neighbours and
 * forwarding.
 *
 * The kernel drops IPv4 routes without a notification when their device goes down or loses its
 * last address.  So RTNL_OVERRUN, "read again", also follows when that happens to a link that is
 * not a pod's; those of pods come and go all day, and are told by name.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/rtnl_priv.h"
#include "ipam/attachment.h"

#define DATAGRAMS_MAX 64 /* of one call, so that a flood cannot hold the loop */

/* struct reading - one call of rtnl_dispatch() */
struct reading {
	struct rtnl *n;
	bool read_again;
};

/* The message about a new link claims that all its flags changed. */
static bool went_down(const struct ifinfomsg *i)
{
	return i->ifi_change != ~0u && (i->ifi_change & IFF_UP) && !(i->ifi_flags & IFF_UP);
}

static void on_link(struct reading *d, const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct rtnl_event e = {.kind = RTNL_LINK_MTU};
	const struct nlattr *name = nl_find(h, sizeof(*i), IFLA_IFNAME), *mtu;
	bool of_pod, gone = h->nlmsg_type == RTM_DELLINK;

	if (!nl_holds(h, sizeof(*i)) ||
	    i->ifi_family != AF_UNSPEC) /* a port left its bridge: the link is still there */
		return;
	if (name)
		(void)snprintf(e.ifname, sizeof(e.ifname), "%s", nl_text(name));
	of_pod = attachment_is_host_ifname(e.ifname);
	if (!of_pod && (gone || went_down(i)))
		d->read_again = true;
	if (gone && !of_pod)
		return;
	mtu = nl_find(h, sizeof(*i), IFLA_MTU);
	e.mtu = mtu ? nl_u32(mtu) : 0;
	e.port = h->nlmsg_pid;
	if (gone)
		e.kind = RTNL_LINK_GONE;
	else if (of_pod)
		e.kind = went_down(i) ? RTNL_LINK_DOWN : RTNL_LINK_OF_POD;
	d->n->fn(d->n->arg, &e);
}

/* Link-local ones say nothing about the node; every pod's link makes one. */
static void on_address(struct reading *d, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);

	if (!nl_holds(h, sizeof(*i)) ||
	    (i->ifa_family == AF_INET6 && i->ifa_scope == RT_SCOPE_LINK))
		return;
	if (h->nlmsg_type == RTM_DELADDR)
		d->read_again = true;
	d->n->fn(d->n->arg, &(struct rtnl_event){.kind = RTNL_ADDR});
}

/* A route of ours was deleted, or any route replaced: perhaps it was ours.  Not by ourselves. */
static void on_route(struct reading *d, const struct nlmsghdr *h)
{
	struct rtnl_event e = {.kind = RTNL_ROUTE_GONE, .port = h->nlmsg_pid};
	bool lost = h->nlmsg_flags & NLM_F_REPLACE;
	struct prefix dst;
	struct route r;

	if (route_read_dst(h, &dst) && !dst.len)
		d->n->fn(d->n->arg, &(struct rtnl_event){.kind = RTNL_ADDR});

	if (h->nlmsg_type == RTM_DELROUTE)
		lost = route_decode(h, &r);
	if (!lost || h->nlmsg_pid == mnl_socket_get_portid(d->n->ask) || !route_read_dst(h, &e.dst))
		return;
	d->n->fn(d->n->arg, &e);
}

/* Those that are not permanent come and go all day: whether one is a pod's, the agent knows. */
static void on_neighbour(struct reading *d, const struct nlmsghdr *h)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *dst = nl_find(h, sizeof(*m), NDA_DST);
	const struct nlattr *mac = nl_find(h, sizeof(*m), NDA_LLADDR);
	struct rtnl_event e = {.kind = RTNL_NEIGHBOUR, .port = h->nlmsg_pid};
	struct addr a;

	if (!nl_holds(h, sizeof(*m)) || !dst)
		return;
	a = (struct addr){.family = m->ndm_family};
	if ((a.family != AF_INET && a.family != AF_INET6) ||
	    mnl_attr_get_payload_len(dst) != addr_len(&a))
		return;
	memcpy(a.b, mnl_attr_get_payload(dst), addr_len(&a));
	e.dst = prefix_host(&a);
	e.ifindex = (uint32_t)m->ndm_ifindex;
	if (h->nlmsg_type == RTM_NEWNEIGH && (m->ndm_state & NUD_PERMANENT) && mac &&
	    mnl_attr_get_payload_len(mac) == MAC_LEN)
		memcpy(e.mac.b, mnl_attr_get_payload(mac), MAC_LEN);
	d->n->fn(d->n->arg, &e);
}

/* The message about a new interface has both; it is told as that of forwarding. */
static void on_netconf(struct reading *d, const struct nlmsghdr *h)
{
	const struct netconfmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *index = nl_find(h, sizeof(*m), NETCONFA_IFINDEX);
	const struct nlattr *on = nl_find(h, sizeof(*m), NETCONFA_FORWARDING);
	const struct nlattr *check = nl_find(h, sizeof(*m), NETCONFA_RP_FILTER);
	struct rtnl_event e = {.kind = RTNL_FORWARDING, .port = h->nlmsg_pid};
	int32_t i;

	if (!nl_holds(h, sizeof(*m)) || !index || !(on ?: check))
		return;
	i = (int32_t)nl_u32(index);
	if (i < 0 && i != NETCONFA_IFINDEX_ALL) /* what new interfaces begin with */
		return;
	e.family = m->ncm_family;
	e.ifindex = i > 0 ? (uint32_t)i : 0;
	if (on)
		e.on = nl_u32(on) != 0;
	else
		e.kind = RTNL_RP_FILTER;
	d->n->fn(d->n->arg, &e);
}

static void on_message(struct reading *d, const struct nlmsghdr *h)
{
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		on_link(d, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		on_address(d, h);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		on_route(d, h);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		on_neighbour(d, h);
		break;
	case RTM_NEWNETCONF:
		on_netconf(d, h);
		break;
	default:
		break;
	}
}

/**
 * rtnl_take() - Take in one datagram of notifications
 * @n:    Handle
 * @data: Netlink messages, aligned
 * @size: Bytes
 *
 * Return: true if everything has to be read again
 */
bool rtnl_take(struct rtnl *n, const void *data, size_t size)
{
	const struct nlmsghdr *h = data;
	struct reading d = {.n = n};
	int left = (int)size;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		on_message(&d, h);
	return d.read_again;
}

/* One datagram: true if there may be more. */
static bool read_one(struct reading *d)
{
	char data[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct sockaddr_nl from = {0};
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(rtnl_fd(d->n), &m, MSG_DONTWAIT);

	if (n <= 0) {
		d->read_again |= n < 0 && errno == ENOBUFS;
		return n < 0 && (errno == EINTR || errno == ENOBUFS);
	}
	if (from.nl_pid) /* not the kernel */
		return true;
	d->read_again |= m.msg_flags & MSG_TRUNC;
	d->read_again |= rtnl_take(d->n, data, (size_t)n);
	return true;
}

/**
 * rtnl_dispatch() - Read the notifications that are there, never waiting
 * @n: Handle
 *
 * Reads at most DATAGRAMS_MAX; the descriptor stays readable while there are more.  RTNL_OVERRUN
 * comes last and at most once a call.
 */
void rtnl_dispatch(struct rtnl *n)
{
	struct reading d = {.n = n};

	for (int i = 0; i < DATAGRAMS_MAX && read_one(&d); i++)
		;
	if (d.read_again)
		n->fn(n->arg, &(struct rtnl_event){.kind = RTNL_OVERRUN});
}
