// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_neigh.c - the permanent neighbour entries of pods, beside the routes that were read.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/rtnl_priv.h"

/* What a route to a pod has that lacks its entry: no pod has this MAC. */
static const struct mac none = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static int by_destination(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int order = addr_cmp(&x->dst.addr, &y->dst.addr);

	return order ? order : (int)x->dst.len - (int)y->dst.len;
}

static int take_entry(void *arg, const struct nlmsghdr *h)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *dst = nl_find(h, sizeof(*m), NDA_DST);
	const struct nlattr *mac = nl_find(h, sizeof(*m), NDA_LLADDR);
	struct route_list *l = arg;
	struct route key = {.kind = ROUTE_DEV}, *found;
	struct addr a = {.family = m->ndm_family};
	char ifname[IF_NAMESIZE];

	if (h->nlmsg_type != RTM_NEWNEIGH || !(m->ndm_state & NUD_PERMANENT) || !dst || !mac ||
	    mnl_attr_get_payload_len(mac) != MAC_LEN ||
	    mnl_attr_get_payload_len(dst) != addr_len(&a))
		return 0;
	memcpy(a.b, mnl_attr_get_payload(dst), addr_len(&a));
	key.dst = prefix_host(&a);
	found = bsearch(&key, l->v.v, l->v.n, sizeof(*l->v.v), by_destination);
	if (found && found->kind == ROUTE_DEV &&
	    if_indextoname((unsigned int)m->ndm_ifindex, ifname) && streq(ifname, found->ifname))
		memcpy(found->neigh.b, mnl_attr_get_payload(mac), MAC_LEN);
	return 0;
}

/**
 * rtnl_read_neighbours() - Note with each route to a pod which neighbour entry it has
 * @n: Handle
 * @l: Routes that were read; sorted by it
 *
 * The kernel hands over its whole neighbour table of the families that have such a route.
 *
 * Return: 0; -EINTR: it changed meanwhile; -errno
 */
int rtnl_read_neighbours(struct rtnl *n, struct route_list *l)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	bool has[ARRAY_SIZE(families)] = {0};
	int r = 0;

	vec_foreach (route, &l->v) {
		if (route->kind != ROUTE_DEV)
			continue;
		route->neigh = none;
		has[route->dst.addr.family == AF_INET6] = true;
	}
	vec_sort(&l->v, by_destination);
	for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++) {
		const struct ndmsg filter = {.ndm_family = families[i]};

		if (has[i])
			r = nl_list(n->ask, RTM_GETNEIGH, &filter, sizeof(filter), take_entry, l);
	}
	return r;
}
