// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_link.c - links of the node and of its pods, as the agent asks for them.
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/nlmsg_link.h"
#include "datapath/route/podlink_priv.h"
#include "datapath/route/rtnl_priv.h"
#include "ipam/attachment.h"

/* struct search - the interface that carries an address */
struct search {
	const struct addr *addr;
	uint32_t ifindex;
};

static int match_address(void *arg, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	struct search *s = arg;
	struct local_addr l;

	if (h->nlmsg_type == RTM_NEWADDR && rtnl_read_address(h, &l) && !s->ifindex &&
	    addr_eq(&l.addr, s->addr))
		s->ifindex = i->ifa_index;
	return 0;
}

static int keep_device(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *index = nl_find(h, sizeof(struct rtmsg), RTA_OIF);

	if (h->nlmsg_type == RTM_NEWROUTE && index)
		*(uint32_t *)arg = nl_u32(index);
	return 0;
}

/* The link of the way out; any address of the Internet shows it. */
static int way_out(struct mnl_socket *s, uint8_t family, struct link *ret)
{
	char request[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	uint32_t ifindex = 0;
	struct addr far;
	struct rtmsg *m;
	int r;

	(void)addr_parse(family == AF_INET ? "1.0.0.1" : "2000::1", &far);
	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_ACK;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = family;
	m->rtm_dst_len = (uint8_t)(addr_len(&far) * 8);
	nl_put_addr(h, RTA_DST, &far);
	r = nl_request(s, h, keep_device, &ifindex);
	if (r == 0 && ifindex)
		r = link_get_index(s, ifindex, ret);
	return r == 0 && ifindex && !ret->local ? 0 : -ENOENT;
}

/**
 * rtnl_link_of() - The link that carries the traffic of an address of the node
 * @n:          Handle
 * @a:          Address
 * @ret_ifname: Name; untouched on failure
 * @ret_mtu:    MTU; untouched on failure
 *
 * It is the link that has the address; or the one of the default route, of the address's family or
 * else of the other, when that is lo or a dummy, where routing daemons put it.  Costs the node's
 * addresses of that family.
 *
 * Return: 0; -ENOENT if no link has it, or there is no way out; -errno
 */
int rtnl_link_of(struct rtnl *n, const struct addr *a, char ret_ifname[static 16],
		 uint32_t *ret_mtu)
{
	const struct ifaddrmsg filter = {.ifa_family = a->family};
	struct search s = {.addr = a};
	struct link l;
	int r = -EINTR;

	for (int i = 0; i < RTNL_READS_MAX && r == -EINTR; i++)
		r = nl_list(n->ask, RTM_GETADDR, &filter, sizeof(filter), match_address, &s);
	if (r < 0)
		return r;
	r = s.ifindex ? link_get_index(n->ask, s.ifindex, &l) : -ENODEV;
	if (r == 0 && l.local) {
		r = way_out(n->ask, a->family, &l);
		if (r < 0)
			r = way_out(n->ask, a->family == AF_INET ? AF_INET6 : AF_INET, &l);
	}
	if (r < 0)
		return r == -ENODEV ? -ENOENT : r;
	memcpy(ret_ifname, l.ifname, sizeof(l.ifname));
	*ret_mtu = l.mtu;
	return 0;
}

/**
 * rtnl_link_restore() - Give the host's end of a pod's link what it needs
 * @n:      Handle
 * @ifname: Its name
 * @mtu:    Bytes; 0: as it is
 * @reterr: What failed
 *
 * Return: 0; -ENODEV if there is none; -errno
 */
int rtnl_link_restore(struct rtnl *n, const char *ifname, uint32_t mtu, struct err *reterr)
{
	const struct link_change c = {.up = true, .forward = true, .mtu = mtu};

	return link_change(n->ask, ifname, &c, reterr);
}

/**
 * rtnl_link_follow() - Have both ends of a pod's link follow the node's MTU
 * @n:       Handle
 * @l:       @netns, @ifname, @host_ifname and @mtu are used
 * @ret_mtu: What the host's end has now; 0 if it is not known
 * @reterr:  What failed
 *
 * Return: 0; -EPERM: the pod cannot be entered, both ends are as before; -errno
 */
int rtnl_link_follow(struct rtnl *n, const struct podlink *l, uint32_t *ret_mtu, struct err *reterr)
{
	return podlink_follow_mtu(l, n->ask, ret_mtu, reterr);
}

/**
 * rtnl_link_check() - Is the host's end of a pod's link as it shall be?
 * @n:      Handle
 * @l:      What it shall be; nothing of the pod's namespace is looked at
 * @reterr: What differs
 *
 * Return: 0; -errno: something differs or could not be read
 */
int rtnl_link_check(struct rtnl *n, const struct podlink *l, struct err *reterr)
{
	struct link host;

	return podlink_check_host(l, n->ask, &host, reterr);
}

/* struct walk - a walk over the pods' links */
struct walk {
	VEC(struct link) links;
};

static int collect_link(void *arg, const struct nlmsghdr *h)
{
	struct walk *w = arg;
	struct link l;

	if (h->nlmsg_type != RTM_NEWLINK)
		return 0;
	link_read(h, &l);
	if (l.veth && attachment_is_host_ifname(l.ifname))
		vec_push(&w->links, l);
	return 0;
}

/**
 * rtnl_each_pod_link() - Walk the links of pods
 * @n:      Handle
 * @fn:     Called with the name of each veth that has a name of ours, when all were read
 * @arg:    Its first argument
 * @reterr: What failed
 *
 * Links that come or go meanwhile may be among them or not.
 *
 * Return: 0, -errno
 */
int rtnl_each_pod_link(struct rtnl *n, void (*fn)(void *arg, const char *ifname), void *arg,
		       struct err *reterr)
{
	const struct ifinfomsg all = {0};
	struct walk w = {0};
	int r = -EINTR;

	for (int i = 0; i < RTNL_READS_MAX && r == -EINTR; i++) {
		w.links.n = 0;
		r = nl_list(n->ask, RTM_GETLINK, &all, sizeof(all), collect_link, &w);
	}
	if (r == 0)
		vec_foreach (l, &w.links)
			fn(arg, l->ifname);
	vec_done(&w.links);
	return r < 0 ? err_set(reterr, r, "reading links: %s", strerror(-r)) : 0;
}

/**
 * rtnl_link_delete() - Delete a pod's link; takes about 20 ms, so not for the loop
 * @n:      Handle
 * @ifname: The host's end
 * @reterr: What failed
 *
 * Return: 0, also if there is none; -errno
 */
int rtnl_link_delete(struct rtnl *n _unused_, const char *ifname, struct err *reterr)
{
	return podlink_delete(ifname, reterr);
}
