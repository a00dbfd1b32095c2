// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink_check.c - is a pod's link still what podlink_create() made?  Blocking, in the plugin's
 * process.
 *
 * What the pod added is its own business, and so is its own MTU; what is missing or different is
 * told.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "datapath/route/podlink_priv.h"

#define READS_MAX 5 /* of a list that changes while it is read */

/* struct findings - what the pod's end has of what it should have; by index of the address */
struct findings {
	const struct podlink *want;
	struct link link;
	struct addr gateway[2];
	bool address[2], route[2], neighbour[2];
	bool beside[2], rule[2]; /* the route is in a table of its own; the rule that leads there */
};

static int see_address(void *arg, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *a = nl_find(h, sizeof(*i), IFA_ADDRESS);
	struct findings *f = arg;

	if (h->nlmsg_type != RTM_NEWADDR || i->ifa_index != f->link.index)
		return 0;
	for (uint32_t n = 0; n < f->want->n_addrs; n++)
		f->address[n] |= nl_addr_is(a, &f->want->addrs[n]);
	return 0;
}

static int see_route(void *arg, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *index = nl_find(h, sizeof(*m), RTA_OIF);
	const struct nlattr *gateway = nl_find(h, sizeof(*m), RTA_GATEWAY);
	struct findings *f = arg;

	if (h->nlmsg_type != RTM_NEWROUTE || m->rtm_dst_len || m->rtm_type != RTN_UNICAST)
		return 0;
	if (!index || nl_u32(index) != f->link.index)
		return 0;
	for (uint32_t n = 0; n < f->want->n_addrs; n++) {
		if (!nl_addr_is(gateway, &f->gateway[n]))
			continue;
		f->beside[n] = (!f->route[n] || f->beside[n]) && m->rtm_table != RT_TABLE_MAIN;
		f->route[n] = true;
	}
	return 0;
}

static bool is_host_mac(const struct nlattr *a)
{
	struct mac host_mac;

	(void)mac_parse(PODLINK_HOST_MAC, &host_mac);
	return a && mnl_attr_get_payload_len(a) == MAC_LEN &&
	       memcmp(mnl_attr_get_payload(a), host_mac.b, MAC_LEN) == 0;
}

static int see_neighbour(void *arg, const struct nlmsghdr *h)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *dst = nl_find(h, sizeof(*m), NDA_DST);
	struct findings *f = arg;

	if (h->nlmsg_type != RTM_NEWNEIGH || (uint32_t)m->ndm_ifindex != f->link.index ||
	    !(m->ndm_state & NUD_PERMANENT) || !is_host_mac(nl_find(h, sizeof(*m), NDA_LLADDR)))
		return 0;
	for (uint32_t n = 0; n < f->want->n_addrs; n++)
		f->neighbour[n] |= nl_addr_is(dst, &f->gateway[n]);
	return 0;
}

static int look_at_family(struct mnl_socket *s, uint8_t family, struct findings *f)
{
	const struct ifaddrmsg addresses = {.ifa_family = family};
	const struct rtmsg routes = {.rtm_family = family}; /* of all tables */
	const struct ndmsg neighbours = {.ndm_family = family};
	int r = nl_list(s, RTM_GETADDR, &addresses, sizeof(addresses), see_address, f);

	if (r == 0)
		r = nl_list(s, RTM_GETROUTE, &routes, sizeof(routes), see_route, f);
	if (r == 0)
		r = nl_list(s, RTM_GETNEIGH, &neighbours, sizeof(neighbours), see_neighbour, f);
	return r;
}

/* What changes while it is read is read again; the findings only grow. */
static int look(const struct podlink *l, struct mnl_socket *s, void *arg, struct err *reterr)
{
	struct findings *f = arg;
	int r = link_get(s, l->ifname, &f->link);

	if (r == -ENODEV)
		return err_set(reterr, r, "no interface %s in %s", l->ifname, l->netns);
	for (uint32_t i = 0, tries = 0; i < l->n_addrs && r == 0; i++) {
		r = look_at_family(s, l->addrs[i].family, f);
		if (r == 0 && f->beside[i])
			r = podlink_has_rule(s, f->link.index, &l->addrs[i], &f->rule[i]);
		if (r == -EINTR && tries++ < READS_MAX) {
			r = 0;
			i--;
		}
	}
	return r == 0 ? 0 : err_set(reterr, r, "looking into %s: %s", l->netns, strerror(-r));
}

static int judge_address(const struct findings *f, uint32_t n, struct err *reterr)
{
	const char *ifname = f->want->ifname;
	char a[ADDR_STR_MAX], gw[ADDR_STR_MAX];

	(void)addr_str(&f->want->addrs[n], a);
	(void)addr_str(&f->gateway[n], gw);
	if (!f->address[n])
		return err_set(reterr, -EADDRNOTAVAIL, "interface %s lacks address %s", ifname, a);
	if (!f->route[n])
		return err_set(reterr, -ENETUNREACH, "no default route via %s on %s for %s", gw,
			       ifname, a);
	if (f->beside[n] && !f->rule[n])
		return err_set(reterr, -ENETUNREACH, "no rule for packets from %s", a);
	if (!f->neighbour[n])
		return err_set(reterr, -EHOSTUNREACH, "no neighbour entry for %s on %s", gw,
			       ifname);
	return 0;
}

static int judge(const struct findings *f, struct err *reterr)
{
	const struct podlink *l = f->want;
	int r = 0;

	if (!f->link.up)
		return err_set(reterr, -ENETDOWN, "interface %s is down", l->ifname);
	if (memcmp(&f->link.mac, &l->mac, sizeof(l->mac)) != 0)
		return err_set(reterr, -EADDRNOTAVAIL, "interface %s has another MAC address",
			       l->ifname);
	for (uint32_t i = 0; i < l->n_addrs && r == 0; i++)
		r = judge_address(f, i, reterr);
	return r;
}

static int see_entry(void *arg, const struct nlmsghdr *h)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *mac = nl_find(h, sizeof(*m), NDA_LLADDR);

	if (h->nlmsg_type == RTM_NEWNEIGH && (m->ndm_state & NUD_PERMANENT) && mac &&
	    mnl_attr_get_payload_len(mac) == MAC_LEN)
		memcpy(arg, mnl_attr_get_payload(mac), MAC_LEN);
	return 0;
}

/* The host's entry for an address of the pod. */
static int check_entry(const struct podlink *l, struct mnl_socket *s, uint32_t ifindex,
		       const struct addr *a, struct err *reterr)
{
	char request[128] __attribute__((aligned(NLMSG_ALIGNTO))), text[ADDR_STR_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	struct mac mac = {0};
	struct ndmsg *m;
	int r;

	h->nlmsg_type = RTM_GETNEIGH;
	h->nlmsg_flags = NLM_F_ACK;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ndm_family = a->family;
	m->ndm_ifindex = (int)ifindex;
	nl_put_addr(h, NDA_DST, a);
	r = nl_request(s, h, see_entry, &mac);
	(void)addr_str(a, text);
	if (r < 0 && r != -ENOENT)
		return err_set(reterr, r, "neighbour entry of %s on %s: %s", text, l->host_ifname,
			       strerror(-r));
	if (memcmp(&mac, &l->mac, sizeof(mac)) != 0)
		return err_set(reterr, -EHOSTUNREACH, "no permanent neighbour entry for %s on %s",
			       text, l->host_ifname);
	return 0;
}

/**
 * podlink_check_host() - Compare the host's end with what it shall be
 * @l:        What it shall be; an @mtu of 0 is not compared
 * @s:        Socket of the host
 * @ret_host: The link; untouched if there is none
 * @reterr:   What differs
 *
 * Return: 0; -errno: something differs or could not be read
 */
int podlink_check_host(const struct podlink *l, struct mnl_socket *s, struct link *ret_host,
		       struct err *reterr)
{
	int r = link_get(s, l->host_ifname, ret_host);

	if (r < 0)
		return err_set(reterr, r, "link %s: %s", l->host_ifname, strerror(-r));
	if (!ret_host->up)
		return err_set(reterr, -ENETDOWN, "link %s is down", l->host_ifname);
	if (l->mtu && ret_host->mtu != l->mtu)
		return err_set(reterr, -EINVAL, "link %s has the MTU %u instead of %u",
			       l->host_ifname, ret_host->mtu, l->mtu);
	if (ret_host->drops)
		return err_set(reterr, -ENETUNREACH, "forwarding is off on link %s",
			       l->host_ifname);
	for (uint32_t i = 0; i < l->n_addrs && r == 0; i++)
		r = check_entry(l, s, ret_host->index, &l->addrs[i], reterr);
	return r;
}

static int check_pair(const struct podlink *l, int netns, const struct link *pod,
		      struct err *reterr)
{
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	struct link host = {0};
	int r = nl_open(NETLINK_ROUTE, 0, &s, reterr);

	if (r == 0)
		r = podlink_check_host(l, s, &host, reterr);
	if (r < 0)
		return r;
	if (!netns_joins(s, netns, &host, pod))
		return err_set(reterr, -ENOLINK, "%s is not the other end of interface %s",
			       l->host_ifname, l->ifname);
	return 0;
}

/**
 * podlink_check() - Compare both ends with what they shall be
 * @l:          What it shall be
 * @ret_beside: As podlink_create() said; or NULL; untouched on failure
 * @reterr:     What differs
 *
 * Source: CNI specification 1.1.0, "CHECK".
 *
 * Return: 0; -errno: something differs or could not be read
 */
int podlink_check(const struct podlink *l, bool ret_beside[2], struct err *reterr)
{
	_cleanup_(closep) int netns = netns_open(l->netns, reterr);
	struct findings f = {.want = l};
	int r;

	if (netns < 0)
		return netns;
	for (uint32_t i = 0; i < l->n_addrs; i++)
		f.gateway[i] = podlink_gateway(l->addrs[i].family);
	r = netns_inside(netns, l, look, &f, reterr);
	if (r == 0)
		r = judge(&f, reterr);
	if (r == 0)
		r = check_pair(l, netns, &f.link, reterr);
	if (r == 0 && ret_beside)
		memcpy(ret_beside, f.beside, sizeof(f.beside));
	return r;
}
