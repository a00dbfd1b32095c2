// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlmsg_link.c - requests about one link.
 */
#include "datapath/route/nlmsg_link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define OPERATIONAL 6 /* IF_OPER_UP of <linux/if.h>, which <net/if.h> does not go with */

static bool is_veth(const struct nlattr *info)
{
	const struct nlattr *kind = nl_find_nested(info, IFLA_INFO_KIND);

	return streq(nl_text(kind), "veth");
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
	case IFLA_LINK_NETNSID:
		l->peer_nsid = (int)nl_u32(a);
		break;
	case IFLA_OPERSTATE:
		l->running = mnl_attr_validate(a, MNL_TYPE_U8) == 0 &&
			     mnl_attr_get_u8(a) == OPERATIONAL;
		break;
	case IFLA_LINKINFO:
		l->veth = is_veth(a);
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
	*ret = (struct link){
		.index = (uint32_t)i->ifi_index, .peer_nsid = -1, .up = i->ifi_flags & IFF_UP};
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

static int get(struct mnl_socket *s, const char *ifname, uint32_t index, struct link *ret)
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
	return strlen(ifname) < IF_NAMESIZE ? get(s, ifname, 0, ret) : -ENODEV;
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
	return get(s, NULL, index, ret);
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

static int change(struct mnl_socket *s, const char *ifname, unsigned int flags, uint32_t mtu)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct ifinfomsg *i;
	struct nlmsghdr *h;

	if (strlen(ifname) >= IF_NAMESIZE)
		return -ENODEV;
	nlbatch_begin(b, s);
	h = nlbatch_add(b, RTM_NEWLINK, 0);
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_flags = i->ifi_change = flags;
	mnl_attr_put_strz(h, IFLA_IFNAME, ifname);
	if (mtu)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	nlbatch_added(b, h);
	return nlbatch_send_all(b, NULL);
}

/**
 * link_set_up() - Set a link up
 * @s:      Socket
 * @ifname: Name of the link
 * @reterr: What failed
 *
 * Return: 0; -ENODEV if there is none; -errno
 */
int link_set_up(struct mnl_socket *s, const char *ifname, struct err *reterr)
{
	int r = change(s, ifname, IFF_UP, 0);

	return r == 0 ? 0 : err_set(reterr, r, "setting %.32s up: %s", ifname, strerror(-r));
}

/**
 * link_set_mtu() - Set the MTU of a link
 * @s:      Socket
 * @ifname: Name of the link
 * @mtu:    Bytes
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int link_set_mtu(struct mnl_socket *s, const char *ifname, uint32_t mtu, struct err *reterr)
{
	int r = change(s, ifname, 0, mtu);

	return r == 0 ? 0 : err_set(reterr, r, "MTU of %.32s: %s", ifname, strerror(-r));
}
