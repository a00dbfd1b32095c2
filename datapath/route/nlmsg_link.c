// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlmsg_link.c - requests about one link.
 */
#include "datapath/route/nlmsg_link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define OPERATIONAL 6 /* IF_OPER_UP of <linux/if.h>, which <net/if.h> does not go with */

static bool is_on(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_U8) == 0 && mnl_attr_get_u8(a);
}

static void take_kind(const struct nlattr *info, struct link *l)
{
	const char *kind = nl_text(nl_find_nested(info, IFLA_INFO_KIND));

	l->veth = streq(kind, "veth");
	l->local |= streq(kind, "dummy");
	l->bridge = streq(kind, "bridge");
	if (l->bridge) {
		const struct nlattr *data = nl_find_nested(info, IFLA_INFO_DATA);

		l->filters[0] = is_on(nl_find_nested(data, IFLA_BR_NF_CALL_IPTABLES));
		l->filters[1] = is_on(nl_find_nested(data, IFLA_BR_NF_CALL_IP6TABLES));
	}
}

/* What the kernel does not tell is taken for good. */
static void take_families(const struct nlattr *spec, struct link *l)
{
	const struct nlattr *conf = nl_find_nested(nl_find_nested(spec, AF_INET), IFLA_INET_CONF);
	size_t at = (IPV4_DEVCONF_FORWARDING - 1) * sizeof(uint32_t);
	uint32_t on = 1;

	if (conf && mnl_attr_get_payload_len(conf) >= at + sizeof(on))
		memcpy(&on, (const char *)mnl_attr_get_payload(conf) + at, sizeof(on));
	l->drops = !on;
}

static void take_attribute(const struct nlattr *a, struct link *l)
{
	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		(void)snprintf(l->ifname, sizeof(l->ifname), "%s", nl_text(a));
		break;
	case IFLA_MTU:
		l->mtu = nl_u32(a);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) == MAC_LEN)
			memcpy(l->mac.b, mnl_attr_get_payload(a), MAC_LEN);
		break;
	case IFLA_LINK:
		l->peer = nl_u32(a);
		break;
	case IFLA_MASTER:
		l->master = nl_u32(a);
		break;
	case IFLA_LINK_NETNSID:
		l->peer_nsid = (int)nl_u32(a);
		break;
	case IFLA_OPERSTATE:
		l->running = mnl_attr_validate(a, MNL_TYPE_U8) == 0 &&
			     mnl_attr_get_u8(a) == OPERATIONAL;
		break;
	case IFLA_AF_SPEC:
		take_families(a, l);
		break;
	case IFLA_LINKINFO:
		take_kind(a, l);
		break;
	default:
		break;
	}
}

/**
 * link_read() - Read a link message
 * @h:   RTM_NEWLINK or RTM_DELLINK
 * @ret: Link
 */
void link_read(const struct nlmsghdr *h, struct link *ret)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;

	*ret = (struct link){.peer_nsid = -1};
	if (!nl_holds(h, sizeof(*i)))
		return;
	*ret = (struct link){.index = (uint32_t)i->ifi_index,
			     .peer_nsid = -1,
			     .up = i->ifi_flags & IFF_UP,
			     .local = i->ifi_flags & IFF_LOOPBACK};
	mnl_attr_for_each(a, h, sizeof(*i))
	{
		take_attribute(a, ret);
	}
}

static int keep_link(void *arg, const struct nlmsghdr *h)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		link_read(h, arg);
	return 0;
}

/* @nsid: the namespace by the number that the socket's own has for it; -1: the socket's own */
static int get(struct mnl_socket *s, const char *ifname, uint32_t index, int nsid, struct link *ret)
{
	char request[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	struct link l = {0};
	struct ifinfomsg *i;
	int r;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_ACK;
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = (int)index;
	if (ifname)
		mnl_attr_put_strz(h, IFLA_IFNAME, ifname);
	if (nsid >= 0)
		mnl_attr_put_u32(h, IFLA_TARGET_NETNSID, (uint32_t)nsid);
	r = nl_request(s, h, keep_link, &l);
	if (r == 0)
		*ret = l;
	return r;
}

/**
 * link_get() - Look a link up by its name
 * @s:      Socket
 * @ifname: Name
 * @ret:    Link; untouched on failure
 *
 * Return: 0; -ENODEV if there is none; -errno
 */
int link_get(struct mnl_socket *s, const char *ifname, struct link *ret)
{
	return strlen(ifname) < IF_NAMESIZE ? get(s, ifname, 0, -1, ret) : -ENODEV;
}

/**
 * link_get_index() - Look a link up by its index
 * @s:     Socket
 * @index: Index, above 0
 * @ret:   Link; untouched on failure
 *
 * Return: 0; -ENODEV if there is none; -errno
 */
int link_get_index(struct mnl_socket *s, uint32_t index, struct link *ret)
{
	return get(s, NULL, index, -1, ret);
}

/**
 * link_get_peer() - Look the other end of a veth pair up, in whatever namespace it is
 * @s:    Socket
 * @link: One end, as the socket's namespace sees it
 * @ret:  The other end; untouched on failure
 *
 * Needs CAP_NET_ADMIN over that namespace, and no entering.  Linux 4.16 and newer.
 *
 * Return: 0; -ENODEV if there is none; -errno
 */
int link_get_peer(struct mnl_socket *s, const struct link *link, struct link *ret)
{
	struct link other = {0};
	int r = link->peer ? get(s, NULL, link->peer, link->peer_nsid, &other) : -ENODEV;

	if (r == 0 && (!other.veth || other.peer != link->index))
		r = -ENODEV; /* the number means another namespace by now */
	if (r == 0)
		*ret = other;
	return r;
}

/**
 * link_index() - Index of a link
 * @s:      Any socket of the namespace; if_nametoindex() would open one
 * @ifname: Its name
 *
 * Return: index, above 0; -ENODEV if there is none; -errno
 */
int link_index(struct mnl_socket *s, const char *ifname)
{
	struct ifreq r = {0};

	if (strlen(ifname) >= sizeof(r.ifr_name))
		return -ENODEV;
	memcpy(r.ifr_name, ifname, strlen(ifname));
	return ioctl(mnl_socket_get_fd(s), SIOCGIFINDEX, &r) < 0 ? -errno : r.ifr_ifindex;
}

static void put_forwarding(struct nlmsghdr *h)
{
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	struct nlattr *ipv4 = mnl_attr_nest_start(h, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(h, IFLA_INET_CONF);

	mnl_attr_put_u32(h, IPV4_DEVCONF_FORWARDING, 1);
	mnl_attr_nest_end(h, conf);
	mnl_attr_nest_end(h, ipv4);
	mnl_attr_nest_end(h, spec);
}

/**
 * link_change() - Change a link
 * @s:      Socket
 * @ifname: Name of the link
 * @c:      What shall be otherwise
 * @reterr: What failed
 *
 * Return: 0; -ENODEV if there is none; -errno
 */
int link_change(struct mnl_socket *s, const char *ifname, const struct link_change *c,
		struct err *reterr)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct ifinfomsg *i;
	struct nlmsghdr *h;
	int r = -ENODEV;

	if (strlen(ifname) < IF_NAMESIZE) {
		nlbatch_begin(b, s);
		h = nlbatch_add(b, RTM_NEWLINK, 0);
		i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
		i->ifi_flags = i->ifi_change = c->up ? IFF_UP : 0;
		mnl_attr_put_strz(h, IFLA_IFNAME, ifname);
		if (c->mtu)
			mnl_attr_put_u32(h, IFLA_MTU, c->mtu);
		if (c->forward)
			put_forwarding(h);
		nlbatch_added(b, h);
		r = nlbatch_send_all(b, NULL);
	}
	return r == 0 ? 0 : err_set(reterr, r, "changing the link %.32s: %s", ifname, strerror(-r));
}
