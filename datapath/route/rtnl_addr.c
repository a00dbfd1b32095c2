// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_addr.c - the addresses of the host's interfaces.
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/nlmsg_link.h"
#include "datapath/route/rtnl_priv.h"

#define READS_MAX 5 /* of a list that changes while it is read */

/* struct walk - @indexes: the interfaces that have one, in the order of @to */
struct walk {
	struct local_addr_list *to;
	VEC(uint32_t) indexes;
};

/**
 * rtnl_read_address() - Read an address message
 * @h:   RTM_NEWADDR or RTM_DELADDR
 * @ret: Address and scope; untouched on failure
 *
 * On a point-to-point link IFA_ADDRESS is the other end's; then IFA_LOCAL is there, too.
 *
 * Return: true if it is an IPv4 or IPv6 address
 */
bool rtnl_read_address(const struct nlmsghdr *h, struct local_addr *ret)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *own = nl_find(h, sizeof(*i), IFA_LOCAL);
	struct local_addr l = {0};

	if (!own)
		own = nl_find(h, sizeof(*i), IFA_ADDRESS);
	if (!nl_holds(h, sizeof(*i)) || !own ||
	    (i->ifa_family != AF_INET && i->ifa_family != AF_INET6))
		return false;
	l.addr.family = i->ifa_family;
	l.near = i->ifa_scope >= RT_SCOPE_LINK;
	if (mnl_attr_get_payload_len(own) != addr_len(&l.addr))
		return false;
	memcpy(l.addr.b, mnl_attr_get_payload(own), addr_len(&l.addr));
	*ret = l;
	return true;
}

/* Every pod's link has a link-local one: these are left out. */
static int collect(void *arg, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	struct walk *w = arg;
	struct local_addr l;

	if (h->nlmsg_type != RTM_NEWADDR || !rtnl_read_address(h, &l) ||
	    (l.addr.family == AF_INET6 && l.near))
		return 0;
	vec_push(&w->to->v, l);
	vec_push(&w->indexes, i->ifa_index);
	return 0;
}

/* An interface that went meanwhile leads nowhere. */
static int look_at_links(struct rtnl *n, struct walk *w)
{
	for (size_t i = 0; i < w->indexes.n; i++) {
		struct link l = {0};
		int r = 0;

		if (i && w->indexes.v[i] == w->indexes.v[i - 1]) {
			w->to->v.v[i].inner = w->to->v.v[i - 1].inner;
			continue;
		}
		r = link_get_index(n->ask, w->indexes.v[i], &l);
		if (r < 0 && r != -ENODEV)
			return r;
		w->to->v.v[i].inner = r < 0 || l.local;
	}
	return 0;
}

/**
 * rtnl_addresses() - List the addresses of the host's interfaces
 * @n:      Handle
 * @ret:    Addresses but link-local ones of IPv6; empty at the call, its memory is the caller's
 * @reterr: What failed
 *
 * Costs the node's addresses, and a question for each interface with one.
 *
 * Return: 0, -errno
 */
int rtnl_addresses(struct rtnl *n, struct local_addr_list *ret, struct err *reterr)
{
	const struct ifaddrmsg all = {.ifa_family = AF_UNSPEC};
	struct walk w = {.to = ret};
	int r = -EINTR;

	for (int i = 0; i < READS_MAX && r == -EINTR; i++) {
		ret->v.n = w.indexes.n = 0;
		r = nl_list(n->ask, RTM_GETADDR, &all, sizeof(all), collect, &w);
	}
	if (r == 0)
		r = look_at_links(n, &w);
	vec_done(&w.indexes);
	return r < 0 ? err_set(reterr, r, "reading addresses: %s", strerror(-r)) : 0;
}
