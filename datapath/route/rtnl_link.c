// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_link.c - links of the node and of its pods; and reading one route message.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

#include "datapath/route/nlmsg.h"
#include "datapath/route/podlink.h"
#include "datapath/route/rtnl_priv.h"

/* --- route messages ----------------------------------------------------------------------------
 */

static void take_addr(const struct nlattr *a, uint8_t family, struct addr *ret)
{
	*ret = (struct addr){.family = family};
	if (mnl_attr_get_payload_len(a) == addr_len(ret))
		memcpy(ret->b, mnl_attr_get_payload(a), addr_len(ret));
}

static void take_attribute(const struct nlattr *a, struct route *r)
{
	uint8_t family = r->dst.addr.family;

	switch (mnl_attr_get_type(a)) {
	case RTA_DST:
		take_addr(a, family, &r->dst.addr);
		break;
	case RTA_GATEWAY:
		take_addr(a, family, &r->via);
		r->kind = ROUTE_VIA;
		break;
	case RTA_OIF:
		if (!if_indextoname(mnl_attr_get_u32(a), r->ifname))
			r->ifname[0] = '\0';
		break;
	default:
		break;
	}
}

/**
 * route_decode() - Read a route message
 * @h:   RTM_NEWROUTE or RTM_DELROUTE
 * @ret: Route; what is not ours to know about it is left zero
 *
 * The neighbour of a pod's route is not part of the message; it follows from the interface's name,
 * which is unique to the container, and is taken as right.
 *
 * Return: true if it is a route of ours in the main table
 */
bool route_decode(const struct nlmsghdr *h, struct route *ret)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct route r = {.kind = ROUTE_DEV};
	const struct nlattr *a;

	if (m->rtm_protocol != RTPROT_MANX || m->rtm_table != RT_TABLE_MAIN ||
	    (m->rtm_family != AF_INET && m->rtm_family != AF_INET6))
		return false;
	r.dst.addr.family = m->rtm_family;
	r.dst.len = m->rtm_dst_len;
	mnl_attr_for_each(a, h, sizeof(*m)) take_attribute(a, &r);
	if (m->rtm_type == RTN_UNREACHABLE)
		r.kind = ROUTE_UNREACHABLE;
	if (r.kind != ROUTE_DEV)
		r.ifname[0] = '\0';
	*ret = r;
	return true;
}

/* --- links -------------------------------------------------------------------------------------
 */

static int dump(struct rtnl *n, uint16_t type, mnl_cb_t fn, void *arg)
{
	char request[64];
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_DUMP;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	return nl_dump(n->ask, h, fn, arg);
}

/* struct link_info - what one link message tells */
struct link_info {
	char ifname[IF_NAMESIZE];
	uint32_t mtu;
	bool veth;
};

static void read_kind(const struct nlattr *info, struct link_info *l)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, info) if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
		l->veth = streq(mnl_attr_get_str(a), "veth");
}

static void read_link(const struct nlmsghdr *h, struct link_info *ret)
{
	const struct nlattr *a;

	*ret = (struct link_info){0};
	mnl_attr_for_each(a, h, sizeof(struct ifinfomsg))
	{
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			(void)snprintf(ret->ifname, sizeof(ret->ifname), "%s", mnl_attr_get_str(a));
			break;
		case IFLA_MTU:
			ret->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_LINKINFO:
			read_kind(a, ret);
			break;
		default:
			break;
		}
	}
}

static int keep_link(const struct nlmsghdr *h, void *arg)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		read_link(h, arg);
	return MNL_CB_OK;
}

static int get_link(struct rtnl *n, const char *ifname, struct link_info *ret)
{
	char request[128];
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_ACK;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, ifname);
	return nl_dump(n->ask, h, keep_link, ret);
}

/* struct search - the interface that carries an address */
struct search {
	const struct addr *addr;
	uint32_t ifindex;
};

static int match_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	struct search *s = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWADDR || i->ifa_family != s->addr->family)
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(*i))
	{
		uint16_t type = mnl_attr_get_type(a);

		if ((type == IFA_LOCAL || type == IFA_ADDRESS) &&
		    mnl_attr_get_payload_len(a) == addr_len(s->addr) &&
		    memcmp(mnl_attr_get_payload(a), s->addr->b, addr_len(s->addr)) == 0)
			s->ifindex = i->ifa_index;
	}
	return MNL_CB_OK;
}

/**
 * rtnl_link_of() - The link that carries an address
 * @n:          Handle
 * @a:          Address
 * @ret_ifname: Name; untouched on failure
 * @ret_mtu:    MTU; untouched on failure
 *
 * Return: 0; -ENOENT if no link has it; -errno
 */
int rtnl_link_of(struct rtnl *n, const struct addr *a, char ret_ifname[static 16],
		 uint32_t *ret_mtu)
{
	struct search s = {.addr = a};
	char ifname[IF_NAMESIZE];
	struct link_info l;
	int r = dump(n, RTM_GETADDR, match_address, &s);

	if (r < 0)
		return r;
	if (!s.ifindex || !if_indextoname(s.ifindex, ifname))
		return -ENOENT;
	r = get_link(n, ifname, &l);
	if (r < 0)
		return r;
	memcpy(ret_ifname, ifname, sizeof(ifname));
	*ret_mtu = l.mtu;
	return 0;
}

/**
 * rtnl_link_exists() - Is there a link of this name?
 * @n:      Handle
 * @ifname: Name
 *
 * Return: 1, 0, -errno
 */
int rtnl_link_exists(struct rtnl *n, const char *ifname)
{
	struct link_info l;
	int r = get_link(n, ifname, &l);

	return r == -ENODEV ? 0 : r < 0 ? r : 1;
}

/**
 * rtnl_link_set_mtu() - Set the MTU of a link
 * @n:      Handle
 * @ifname: Its name
 * @mtu:    Bytes
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int rtnl_link_set_mtu(struct rtnl *n, const char *ifname, uint32_t mtu, struct err *reterr)
{
	return link_set_mtu(n->ask, ifname, mtu, reterr);
}

/* struct walk - a walk over the pods' links */
struct walk {
	void (*fn)(void *arg, const char *ifname);
	void *arg;
};

static int walk_link(const struct nlmsghdr *h, void *arg)
{
	const struct walk *w = arg;
	struct link_info l;

	if (h->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	read_link(h, &l);
	if (l.veth && str_starts(l.ifname, PODLINK_PREFIX))
		w->fn(w->arg, l.ifname);
	return MNL_CB_OK;
}

/**
 * rtnl_each_pod_link() - Walk the links of pods
 * @n:      Handle
 * @fn:     Called with the name of each veth that has our prefix; must not ask @n for anything
 * @arg:    Its first argument
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int rtnl_each_pod_link(struct rtnl *n, void (*fn)(void *arg, const char *ifname), void *arg,
		       struct err *reterr)
{
	struct walk w = {fn, arg};
	int r = dump(n, RTM_GETLINK, walk_link, &w);

	return r < 0 ? err_set(reterr, r, "reading links: %s", strerror(-r)) : 0;
}

/**
 * rtnl_link_delete() - Delete a pod's link; takes about 20 ms
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
