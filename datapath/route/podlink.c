// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink.c - make and delete a pod's veth pair.  Blocking, in the plugin's process.
 *
 * Making it takes two sends: one message in the host's namespace makes both ends, with names and
 * MAC addresses, the peer straight in the pod's namespace; one batch there sets the peer up and
 * adds addresses, neighbours and routes.  The process enters the pod's namespace only to open a
 * socket and comes back.
 */
#include "datapath/route/podlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "datapath/route/podlink_priv.h"
#include "ipam/attachment.h"

/* --- the pair --------------------------------------------------------------------------- */

static void put_end(struct nlmsghdr *h, const char *name, const struct mac *mac, uint32_t mtu)
{
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put(h, IFLA_ADDRESS, MAC_LEN, mac->b);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
}

static void put_pair(struct nlbatch *b, const struct podlink *l, int netns)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *host = mnl_nlmsg_put_extra_header(h, sizeof(*host));
	struct nlattr *info, *data, *end;
	struct mac host_mac;

	(void)mac_parse(PODLINK_HOST_MAC, &host_mac);
	host->ifi_flags = host->ifi_change = IFF_UP;
	put_end(h, l->host_ifname, &host_mac, l->mtu);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	end = mnl_attr_nest_start(h, VETH_INFO_PEER);
	/* Not up yet: the kernel makes the peer before it knows of its other end. */
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	put_end(h, l->ifname, &l->mac, l->mtu);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_nest_end(h, end);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	nlbatch_added(b, h);
}

static int make_pair(struct mnl_socket *s, const struct podlink *l, int netns)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));

	nlbatch_begin(b, s);
	put_pair(b, l, netns);
	return nlbatch_send_all(b, NULL);
}

/*
 * What the kernel does not take with the pair: forwarding, whatever new interfaces begin with; the
 * pod as a neighbour; and the pods' IPv6 gateway as an address, so that a pod that lost its own
 * neighbour entry gets an answer.
 */
static int complete_host_end(struct mnl_socket *s, const struct podlink *l)
{
	static const struct link_change change = {.forward = true};
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	const struct addr gateway = podlink_gateway(AF_INET6);
	int r = link_change(s, l->host_ifname, &change, NULL);

	if (r == 0)
		r = link_index(s, l->host_ifname);
	if (r < 0)
		return r;
	nlbatch_begin(b, s);
	for (uint32_t i = 0; i < l->n_addrs; i++)
		podlink_put_neighbour(b, r, &l->addrs[i], &l->mac);
	if (podlink_has_family(l, AF_INET6))
		podlink_put_address(b, r, &gateway);
	return nlbatch_send_all(b, NULL);
}

/**
 * podlink_create() - Make a pod's link, up and configured
 * @l:          What it shall be
 * @ret_beside: Of each address: another interface has the default route; or NULL; untouched on
 *              failure
 * @reterr:     What failed
 *
 * What an interrupted try left is replaced (podlink_stale.c).  On failure nothing is left behind.
 * Two messages and a batch: about a millisecond.
 *
 * Return: 0; -EEXIST if an interface of that name is in use; -ENOENT, -ENOTTY if there is no such
 *         network namespace; -errno
 */
int podlink_create(const struct podlink *l, bool ret_beside[2], struct err *reterr)
{
	bool beside[2] = {false, false};
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	_cleanup_(closep) int netns = netns_open(l->netns, reterr);
	int r;

	if (netns < 0)
		return netns;
	if (!attachment_is_host_ifname(l->host_ifname) || strlen(l->ifname) >= IF_NAMESIZE)
		return err_set(reterr, -EINVAL, "%.32s, %.32s: bad names for a pod's link",
			       l->host_ifname, l->ifname);
	r = nl_open(NETLINK_ROUTE, 0, &s, reterr);
	if (r < 0)
		return r;
	r = make_pair(s, l, netns);
	if (r == -EEXIST) {
		r = podlink_clear_stale(l, s, netns, reterr);
		if (r < 0)
			return r;
		r = make_pair(s, l, netns);
	}
	if (r < 0)
		return err_set(reterr, r, "making the link %s: %s", l->host_ifname, strerror(-r));
	r = netns_inside(netns, l, podlink_configure, beside, reterr);
	if (r == 0) {
		r = complete_host_end(s, l);
		if (r < 0)
			(void)err_set(reterr, r, "configuring the link %s: %s", l->host_ifname,
				      strerror(-r));
	}
	if (r == 0) {
		r = podlink_wait_running(s, l->host_ifname);
		if (r < 0)
			(void)err_set(reterr, r, "link %s does not get ready: %s", l->host_ifname,
				      strerror(-r));
	}
	if (r < 0)
		(void)podlink_remove(s, l->host_ifname, NULL);
	else if (ret_beside)
		memcpy(ret_beside, beside, sizeof(beside));
	return r;
}

/**
 * podlink_remove() - Delete a pod's link through a socket of the host's namespace
 * @s:           Socket
 * @host_ifname: Name of the host's end
 * @reterr:      What failed
 *
 * Return: 0, also if there is no such link; -EPERM if it is not a link of ours; -errno
 */
int podlink_remove(struct mnl_socket *s, const char *host_ifname, struct err *reterr)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct ifinfomsg *i;
	struct nlmsghdr *h;
	struct link l;
	int r = link_get(s, host_ifname, &l);

	if (r == -ENODEV)
		return 0;
	if (r == 0 && (!l.veth || !attachment_is_host_ifname(host_ifname)))
		return err_set(reterr, -EPERM, "%s is not a link of ours", host_ifname);
	if (r == 0) {
		nlbatch_begin(b, s);
		h = nlbatch_add(b, RTM_DELLINK, 0);
		i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
		i->ifi_index = (int)l.index;
		nlbatch_added(b, h);
		r = nlbatch_send_all(b, NULL);
	}
	if (r == 0 || r == -ENODEV)
		return 0;
	return err_set(reterr, r, "deleting the link %.32s: %s", host_ifname, strerror(-r));
}

/**
 * podlink_delete() - Delete a pod's link
 * @host_ifname: Name of the host's end
 * @reterr:      What failed
 *
 * Takes about 20 ms: the kernel waits for an RCU grace period.
 *
 * Return: 0, also if there is no such link; -EPERM if it is not a link of ours; -errno
 */
int podlink_delete(const char *host_ifname, struct err *reterr)
{
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	int r = nl_open(NETLINK_ROUTE, 0, &s, reterr);

	return r < 0 ? r : podlink_remove(s, host_ifname, reterr);
}
