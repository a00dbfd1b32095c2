// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_local.c - which addresses are this host's own, as the kernel's routes say.
 */
#include <linux/rtnetlink.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/rtnl.h"

static int take_type(void *arg, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	bool *local = arg;

	if (h->nlmsg_type == RTM_NEWROUTE && nl_holds(h, sizeof(*m)))
		*local = m->rtm_type == RTN_LOCAL;
	return 0;
}

/**
 * rtnl_is_local() - Is an address this host's own?
 * @s: Socket of NETLINK_ROUTE, of which nothing else is read
 * @a: Address
 *
 * Return: true if a packet to it would be delivered here; false if not, or if there is no route
 */
bool rtnl_is_local(struct mnl_socket *s, const struct addr *a)
{
	char request[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	bool local = false;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_ACK;
	m->rtm_family = a->family;
	m->rtm_dst_len = (uint8_t)(8 * addr_len(a));
	nl_put_addr(h, RTA_DST, a);
	(void)nl_request(s, h, take_type, &local);
	return local;
}
