// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink_pod.c - the pod's end of its link: up, addresses, neighbours, routes, in one batch.
 */
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <unistd.h>

#include "datapath/route/podlink_priv.h"

/**
 * podlink_gateway() - The address that pods use as their gateway
 * @family: AF_INET or AF_INET6
 *
 * Return: the address
 */
struct addr podlink_gateway(uint8_t family)
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

/**
 * podlink_put_address() - Add an address that is used at once
 * @b:       Batch
 * @ifindex: Interface
 * @a:       Address
 */
void podlink_put_address(struct nlbatch *b, int ifindex, const struct addr *a)
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

/**
 * podlink_put_neighbour() - Have an address found without asking
 * @b:       Batch
 * @ifindex: Interface
 * @a:       Address
 * @mac:     Where it is
 */
void podlink_put_neighbour(struct nlbatch *b, int ifindex, const struct addr *a,
			   const struct mac *mac)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));

	n->ndm_family = a->family;
	n->ndm_ifindex = ifindex;
	n->ndm_state = NUD_PERMANENT;
	nl_put_addr(h, NDA_DST, a);
	mnl_attr_put(h, NDA_LLADDR, MAC_LEN, mac->b);
	nlbatch_added(b, h);
}

static struct nlmsghdr *begin_route(struct nlbatch *b, uint8_t family, uint8_t dst_len,
				    uint8_t scope, uint32_t flags, uint32_t table)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = family;
	r->rtm_dst_len = dst_len;
	r->rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_COMPAT;
	r->rtm_protocol = RTPROT_STATIC;
	r->rtm_scope = scope;
	r->rtm_type = RTN_UNICAST;
	r->rtm_flags = flags;
	mnl_attr_put_u32(h, RTA_TABLE, table);
	return h;
}

/* The gateway is on the link, and everything else is behind it. */
static void put_routes(struct nlbatch *b, int ifindex, const struct addr *gw, uint32_t table)
{
	uint8_t bits = (uint8_t)(addr_len(gw) * 8);
	struct nlmsghdr *h = begin_route(b, gw->family, bits, RT_SCOPE_LINK, 0, table);

	nl_put_addr(h, RTA_DST, gw);
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
	nlbatch_added(b, h);
	h = begin_route(b, gw->family, 0, RT_SCOPE_UNIVERSE, RTNH_F_ONLINK, table);
	nl_put_addr(h, RTA_GATEWAY, gw);
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
	nlbatch_added(b, h);
}

/* Messages of one family: the four of put_family(). */
static const char *const steps[] = {"address", "neighbour", "route to the gateway",
				    "default route"};

static void put_family(struct nlbatch *b, int ifindex, const struct addr *a, bool beside)
{
	struct addr gw = podlink_gateway(a->family);
	struct mac host_mac;

	(void)mac_parse(PODLINK_HOST_MAC, &host_mac);
	podlink_put_address(b, ifindex, a);
	podlink_put_neighbour(b, ifindex, &gw, &host_mac);
	put_routes(b, ifindex, &gw, beside ? PODLINK_TABLE | (uint32_t)ifindex : RT_TABLE_MAIN);
}

/* Which addresses are beside another interface; what an interrupted try left is removed. */
static int see_beside(const struct podlink *l, struct mnl_socket *s, int ifindex, bool *beside)
{
	int r = 0;

	for (uint32_t i = 0; i < l->n_addrs && r == 0; i++) {
		r = podlink_is_beside(s, l->addrs[i].family, (uint32_t)ifindex, &beside[i]);
		if (r == 0 && beside[i])
			podlink_drop_rules(s, &l->addrs[i]);
	}
	return r;
}

static int put_rules(const struct podlink *l, struct mnl_socket *s, int ifindex, const bool *beside)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));

	if (!beside[0] && !beside[1])
		return 0;
	nlbatch_begin(b, s);
	for (uint32_t i = 0; i < l->n_addrs; i++)
		if (beside[i])
			podlink_put_rule(b, (uint32_t)ifindex, &l->addrs[i]);
	return nlbatch_send_all(b, NULL);
}

/**
 * podlink_has_family() - Has a pod an address of a family?
 * @l:      Its link
 * @family: AF_INET or AF_INET6
 *
 * Return: true if so
 */
bool podlink_has_family(const struct podlink *l, uint8_t family)
{
	for (uint32_t i = 0; i < l->n_addrs; i++)
		if (l->addrs[i].family == family)
			return true;
	return false;
}

/* Container runtimes may have IPv6 switched off by default in new namespaces. */
static void enable_ipv6(const char *ifname)
{
	_cleanup_(closep) int fd = -1;
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "0", 1) != 1)
		return; /* the address, then, is refused with a message */
}

/* Which message of configure()'s batch the kernel refused. */
static int refused(const struct podlink *l, uint32_t index, int code, struct err *reterr)
{
	char text[ADDR_STR_MAX];
	size_t n = ARRAY_SIZE(steps);

	if (index < 2)
		return err_set(reterr, code, "setting %s up in %s: %s", index ? l->ifname : "lo",
			       l->netns, strerror(-code));
	return err_set(reterr, code, "%s for %s on %s in %s: %s", steps[(index - 2) % n],
		       addr_str(&l->addrs[(index - 2) / n], text), l->ifname, l->netns,
		       strerror(-code));
}

/**
 * podlink_configure() - Give the pod's end everything that it needs
 * @l:      The pod's link
 * @s:      Socket of the pod's namespace, in which the process is
 * @arg:    bool[2]: set for each address that is beside another interface
 * @reterr: What failed
 *
 * Return: 0: everything works; -errno
 */
int podlink_configure(const struct podlink *l, struct mnl_socket *s, void *arg, struct err *reterr)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	int ifindex = (int)if_nametoindex(l->ifname);
	bool *beside = arg;
	uint32_t failed = 0;
	int r = see_beside(l, s, ifindex, beside);

	if (r < 0)
		return err_set(reterr, r, "routes of %s: %s", l->netns, strerror(-r));
	if (podlink_has_family(l, AF_INET6))
		enable_ipv6(l->ifname);
	nlbatch_begin(b, s);
	put_up(b, (int)if_nametoindex("lo"));
	put_up(b, ifindex);
	for (uint32_t i = 0; i < l->n_addrs; i++)
		put_family(b, ifindex, &l->addrs[i], beside[i]);
	r = nlbatch_send_all(b, &failed);
	if (r < 0)
		return refused(l, failed, r, reterr);
	r = put_rules(l, s, ifindex, beside);
	if (r < 0)
		return err_set(reterr, r, "rules for the addresses of %s in %s: %s", l->ifname,
			       l->netns, strerror(-r));
	for (uint32_t i = 0; i < l->n_addrs && r == 0; i++)
		r = podlink_wait_local(s, &l->addrs[i]);
	return r == 0 ? 0
		      : err_set(reterr, r, "addresses of %s in %s do not get ready: %s", l->ifname,
				l->netns, strerror(-r));
}
