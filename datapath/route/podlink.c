// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink.c - make, check and delete a pod's veth pair.  Blocking, in the plugin's process.
 *
 * Making it takes two sends: one message in the host's namespace makes both ends, named and with
 * their MAC, the peer straight in the pod's namespace; one batch there brings it up and adds
 * addresses, neighbours and routes.  The process enters the pod's namespace only to open a socket
 * and comes back.
 */
#include "datapath/route/podlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "datapath/route/nlmsg.h"

struct failure {
	int error;
	uint32_t index;
};

static void first_failure(void *arg, uint32_t index, int error)
{
	struct failure *f = arg;

	if (error && !f->error)
		*f = (struct failure){error, index};
}

/* --- namespaces --------------------------------------------------------------------------------
 */

static int open_netns(const char *path, struct err *reterr)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(reterr, -errno, "network namespace %s: %s", path, strerror(errno));
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(reterr, -EINVAL, "%s is not a network namespace", path);
	return TAKE(fd, -1);
}

/* What a function does inside the pod's namespace, with a socket that belongs there. */
typedef int inside_fn(const struct podlink *l, struct mnl_socket *s, struct err *reterr);

static int inside(int netns, const struct podlink *l, inside_fn *fn, struct err *reterr)
{
	_cleanup_(closep) int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct mnl_socket *s = NULL;
	int r;

	if (home < 0 || setns(netns, CLONE_NEWNET) < 0)
		return err_set(reterr, -errno, "entering %s: %s", l->netns, strerror(errno));
	r = nl_open(NETLINK_ROUTE, 0, &s, reterr);
	if (r == 0)
		r = fn(l, s, reterr);
	nl_closep(&s);
	if (setns(home, CLONE_NEWNET) < 0)
		return err_set(reterr, -errno, "leaving %s: %s", l->netns, strerror(errno));
	return r;
}

/* --- the pair ----------------------------------------------------------------------------------
 */

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

static int create_pair(struct mnl_socket *s, const struct podlink *l, int netns)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct failure f = {0};
	int r;

	nlbatch_begin(b, s);
	put_pair(b, l, netns);
	r = nlbatch_send(b, first_failure, &f);
	return r < 0 ? r : f.error;
}

/* --- the pod's end -----------------------------------------------------------------------------
 */

static struct addr gateway_of(uint8_t family)
{
	struct addr gw;

	(void)addr_parse(family == AF_INET ? PODLINK_GATEWAY4 : PODLINK_GATEWAY6, &gw);
	return gw;
}

static void put_up(struct nlbatch *b, int ifindex)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWLINK, 0);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_index = ifindex;
	i->ifi_flags = i->ifi_change = IFF_UP;
	nlbatch_added(b, h);
}

static void put_address(struct nlbatch *b, int ifindex, const struct addr *a)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifa_family = a->family;
	i->ifa_prefixlen = (uint8_t)(addr_len(a) * 8);
	i->ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT;
	i->ifa_index = (uint32_t)ifindex;
	nl_put_addr(h, IFA_LOCAL, a);
	nl_put_addr(h, IFA_ADDRESS, a);
	nlbatch_added(b, h);
}

static void put_neighbour(struct nlbatch *b, int ifindex, const struct addr *gw)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));
	struct mac host_mac;

	(void)mac_parse(PODLINK_HOST_MAC, &host_mac);
	n->ndm_family = gw->family;
	n->ndm_ifindex = ifindex;
	n->ndm_state = NUD_PERMANENT;
	nl_put_addr(h, NDA_DST, gw);
	mnl_attr_put(h, NDA_LLADDR, MAC_LEN, host_mac.b);
	nlbatch_added(b, h);
}

static struct nlmsghdr *begin_route(struct nlbatch *b, uint8_t family, uint8_t dst_len,
				    uint8_t scope, uint32_t flags)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = family;
	r->rtm_dst_len = dst_len;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = RTPROT_STATIC;
	r->rtm_scope = scope;
	r->rtm_type = RTN_UNICAST;
	r->rtm_flags = flags;
	return h;
}

/* The gateway is on the link, and everything else is behind it. */
static void put_routes(struct nlbatch *b, int ifindex, const struct addr *gw)
{
	uint8_t bits = (uint8_t)(addr_len(gw) * 8);
	struct nlmsghdr *h = begin_route(b, gw->family, bits, RT_SCOPE_LINK, 0);

	nl_put_addr(h, RTA_DST, gw);
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
	nlbatch_added(b, h);
	h = begin_route(b, gw->family, 0, RT_SCOPE_UNIVERSE, RTNH_F_ONLINK);
	nl_put_addr(h, RTA_GATEWAY, gw);
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
	nlbatch_added(b, h);
}

/* Container runtimes may have IPv6 switched off by default in new namespaces. */
static void enable_ipv6(const struct podlink *l)
{
	char path[128];
	_cleanup_(closep) int fd = -1;

	for (uint32_t i = 0; i < l->n_addrs; i++) {
		if (l->addrs[i].family != AF_INET6)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
			       l->ifname);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			(void)!write(fd, "0", 1);
		return;
	}
}

static int configure(const struct podlink *l, struct mnl_socket *s, struct err *reterr)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	int ifindex = (int)if_nametoindex(l->ifname);
	struct failure f = {0};
	int r;

	enable_ipv6(l);
	nlbatch_begin(b, s);
	put_up(b, (int)if_nametoindex("lo"));
	put_up(b, ifindex);
	for (uint32_t i = 0; i < l->n_addrs; i++) {
		struct addr gw = gateway_of(l->addrs[i].family);

		put_address(b, ifindex, &l->addrs[i]);
		put_neighbour(b, ifindex, &gw);
		put_routes(b, ifindex, &gw);
	}
	r = nlbatch_send(b, first_failure, &f);
	if (r == 0)
		r = f.error;
	if (r < 0)
		return err_set(reterr, r, "configuring %s in %s, step %u: %s", l->ifname, l->netns,
			       f.index, strerror(-r));
	return 0;
}

/**
 * podlink_create() - Make a pod's link, up and configured
 * @l:      What it shall be
 * @reterr: What failed
 *
 * A link that an interrupted try left under the host's name is replaced.  On failure nothing is
 * left behind.
 *
 * Return: 0; -EEXIST if the pod has an interface of that name already; -errno
 */
int podlink_create(const struct podlink *l, struct err *reterr)
{
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	_cleanup_(closep) int netns = open_netns(l->netns, reterr);
	int r;

	if (netns < 0)
		return netns;
	r = nl_open(NETLINK_ROUTE, 0, &s, reterr);
	if (r < 0)
		return r;
	r = create_pair(s, l, netns);
	if (r == -EEXIST && podlink_delete(l->host_ifname, reterr) == 0)
		r = create_pair(s, l, netns);
	if (r == -EEXIST)
		return err_set(reterr, r, "interface %s exists in %s already", l->ifname, l->netns);
	if (r < 0)
		return err_set(reterr, r, "making the link %s: %s", l->host_ifname, strerror(-r));
	r = inside(netns, l, configure, reterr);
	if (r < 0)
		(void)podlink_delete(l->host_ifname, NULL);
	return r;
}

/**
 * podlink_delete() - Delete a pod's link
 * @host_ifname: Name of the host's end
 * @reterr:      What failed
 *
 * Takes about 20 ms: the kernel waits for an RCU grace period.
 *
 * Return: 0, also if there is no such link; -errno
 */
int podlink_delete(const char *host_ifname, struct err *reterr)
{
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct failure f = {0};
	struct nlmsghdr *h;
	int r = nl_open(NETLINK_ROUTE, 0, &s, reterr);

	if (r < 0)
		return r;
	if (!str_starts(host_ifname, PODLINK_PREFIX))
		return err_set(reterr, -EINVAL, "%s is not a link of ours", host_ifname);
	nlbatch_begin(b, s);
	h = nlbatch_add(b, RTM_DELLINK, 0);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, host_ifname);
	nlbatch_added(b, h);
	r = nlbatch_send(b, first_failure, &f);
	if (r == 0)
		r = f.error;
	if (r == 0 || r == -ENODEV)
		return 0;
	return err_set(reterr, r, "deleting the link %s: %s", host_ifname, strerror(-r));
}

/* --- checking ----------------------------------------------------------------------------------
 */

/* struct findings - what the pod's end has of what it should have */
struct findings {
	const struct podlink *link;
	uint32_t ifindex;
	bool up, mac;
	bool address[2], route[2];
};

static int see_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct findings *f = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWLINK || (uint32_t)i->ifi_index != f->ifindex)
		return MNL_CB_OK;
	f->up = i->ifi_flags & IFF_UP;
	mnl_attr_for_each(a, h, sizeof(*i)) if (mnl_attr_get_type(a) == IFLA_ADDRESS &&
						mnl_attr_get_payload_len(a) == MAC_LEN)
		f->mac = memcmp(mnl_attr_get_payload(a), f->link->mac.b, MAC_LEN) == 0;
	return MNL_CB_OK;
}

static int see_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	struct findings *f = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWADDR || i->ifa_index != f->ifindex)
		return MNL_CB_OK;
	mnl_attr_for_each(
		a, h, sizeof(*i)) for (uint32_t n = 0; n < f->link->n_addrs;
				       n++) if (mnl_attr_get_type(a) == IFA_ADDRESS &&
						f->link->addrs[n].family == i->ifa_family &&
						memcmp(mnl_attr_get_payload(a), f->link->addrs[n].b,
						       mnl_attr_get_payload_len(a)) == 0)
		f->address[n] = true;
	return MNL_CB_OK;
}

static int see_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);
	struct findings *f = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWROUTE || r->rtm_dst_len || r->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(*r)) for (uint32_t n = 0; n < f->link->n_addrs;
						 n++) if (mnl_attr_get_type(a) == RTA_OIF &&
							  mnl_attr_get_u32(a) == f->ifindex &&
							  f->link->addrs[n].family == r->rtm_family)
		f->route[n] = true;
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *s, uint16_t type, mnl_cb_t fn, void *arg)
{
	char request[64];
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_DUMP;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	return nl_dump(s, h, fn, arg);
}

static int judge(const struct podlink *l, const struct findings *f, struct err *reterr)
{
	char text[ADDR_STR_MAX];

	if (!f->up)
		return err_set(reterr, -ENETDOWN, "interface %s is down", l->ifname);
	if (!f->mac)
		return err_set(reterr, -EADDRNOTAVAIL, "interface %s has another MAC address",
			       l->ifname);
	for (uint32_t i = 0; i < l->n_addrs; i++) {
		if (!f->address[i])
			return err_set(reterr, -EADDRNOTAVAIL, "interface %s lacks address %s",
				       l->ifname, addr_str(&l->addrs[i], text));
		if (!f->route[i])
			return err_set(reterr, -ENETUNREACH, "no default route through %s for %s",
				       l->ifname, addr_str(&l->addrs[i], text));
	}
	return 0;
}

static int look(const struct podlink *l, struct mnl_socket *s, struct err *reterr)
{
	struct findings f = {.link = l, .ifindex = if_nametoindex(l->ifname)};
	int r;

	if (!f.ifindex)
		return err_set(reterr, -ENODEV, "no interface %s in %s", l->ifname, l->netns);
	r = dump(s, RTM_GETLINK, see_link, &f);
	if (r == 0)
		r = dump(s, RTM_GETADDR, see_address, &f);
	if (r == 0)
		r = dump(s, RTM_GETROUTE, see_route, &f);
	if (r < 0)
		return err_set(reterr, r, "looking into %s: %s", l->netns, strerror(-r));
	return judge(l, &f, reterr);
}

/**
 * podlink_check() - Compare the pod's end with what it shall be
 * @l:      What it shall be
 * @reterr: What differs
 *
 * Return: 0; -errno: something differs or could not be read
 */
int podlink_check(const struct podlink *l, struct err *reterr)
{
	_cleanup_(closep) int netns = open_netns(l->netns, reterr);

	return netns < 0 ? netns : inside(netns, l, look, reterr);
}

static int set_mtu(const struct podlink *l, struct mnl_socket *s, struct err *reterr)
{
	return link_set_mtu(s, l->ifname, l->mtu, reterr);
}

/**
 * podlink_set_mtu() - Set the MTU of the pod's end
 * @l:      @netns, @ifname and @mtu are used
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int podlink_set_mtu(const struct podlink *l, struct err *reterr)
{
	_cleanup_(closep) int netns = open_netns(l->netns, reterr);

	return netns < 0 ? netns : inside(netns, l, set_mtu, reterr);
}
