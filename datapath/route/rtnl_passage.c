// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_passage.c - reads what passage.c judges: sysctls, links, and the kernel's own answers about
 * routes.
 *
 * Whether a source is refused is asked of the kernel (RTM_GETROUTE with RTA_IIF), so that several
 * next hops and rules count.  Packets of other nodes are expected on the interface that carries the
 * node's address, which is their gateway: an address on lo (routing daemons) says nothing about
 * where they come in, and nothing is reported then.  Asked about are the pods of each node to which
 * our route leaves elsewhere, until one is refused, and those of one node besides.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/nlmsg_link.h"
#include "datapath/route/rtnl_priv.h"

#define SYSCTL_PATH_MAX 128

static unsigned int read_number(const char *path)
{
	char c = '0';

	return rtnl_read_switch(path, &c) == 0 && c > '0' && c <= '9' ? (unsigned int)(c - '0') : 0;
}

static unsigned int read_rp_filter(const char *ifname)
{
	char path[SYSCTL_PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.15s/rp_filter", ifname);
	return read_number(path);
}

static int keep_oif(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *index = nl_find(h, sizeof(struct rtmsg), RTA_OIF);

	if (h->nlmsg_type == RTM_NEWROUTE && index)
		*(uint32_t *)arg = nl_u32(index);
	return 0;
}

/*
 * struct question - @src, @iif: as if it came in there; NULL, 0: sent by the host
 * @flags: RTM_F_x
 */
struct question {
	const struct addr *dst, *src;
	uint32_t iif;
	unsigned int flags;
};

/* Return: 0; -errno: such a packet is not taken */
static int ask(struct rtnl *n, const struct question *q, uint32_t *ret_oif)
{
	char request[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	struct rtmsg *m;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_ACK;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = AF_INET;
	m->rtm_dst_len = 32;
	m->rtm_flags = q->flags;
	nl_put_addr(h, RTA_DST, q->dst);
	if (q->src) {
		m->rtm_src_len = 32;
		nl_put_addr(h, RTA_SRC, q->src);
		mnl_attr_put_u32(h, RTA_IIF, q->iif);
	}
	*ret_oif = 0;
	return nl_request(n->ask, h, keep_oif, ret_oif);
}

/* struct peers - @elsewhere: not through @uplink; @other: one that does */
struct peers {
	uint32_t uplink;
	VEC(struct prefix) elsewhere;
	struct prefix other;
};

static int see_route(void *arg, const struct nlmsghdr *h)
{
	struct peers *p = arg;
	uint32_t oif = 0;
	struct route r;

	if (h->nlmsg_type != RTM_NEWROUTE || !route_decode(h, &r) || r.kind != ROUTE_VIA)
		return 0;
	(void)keep_oif(&oif, h);
	if (oif == p->uplink)
		p->other = r.dst;
	else if (oif)
		vec_push(&p->elsewhere, r.dst);
	return 0;
}

/* Linux 6.13 and later say EINVAL, those before EXDEV; both mean other things, too, so the way back
 * decides with it. */
static bool is_refused(struct rtnl *n, const struct prefix *peer, const struct addr *own,
		       struct passage *ret, uint32_t uplink)
{
	struct addr src = peer->addr;
	uint32_t oif;
	struct link l;
	int r;

	(void)addr_next(&src);
	r = ask(n, &(struct question){own, &src, uplink, 0}, &oif);
	if (r != -EXDEV && r != -EINVAL)
		return false;
	if (ask(n, &(struct question){.dst = &src}, &oif) < 0 || !oif || oif == uplink ||
	    link_get_index(n->ask, oif, &l) < 0)
		return false;
	ret->peer = *peer;
	memcpy(ret->way_back, l.ifname, sizeof(ret->way_back));
	return true;
}

static int look_at_peers(struct rtnl *n, const struct addr *own, uint32_t uplink,
			 struct passage *ret)
{
	const struct rtmsg filter = {
		.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_MANX};
	struct peers p = {.uplink = uplink};
	bool found = false;
	int r = -EINTR;

	for (int i = 0; i < RTNL_READS_MAX && r == -EINTR; i++) {
		p.elsewhere.n = 0;
		r = nl_list(n->ask, RTM_GETROUTE, &filter, sizeof(filter), see_route, &p);
	}
	for (size_t i = 0; r == 0 && !found && i < p.elsewhere.n; i++)
		found = is_refused(n, &p.elsewhere.v[i], own, ret, uplink);
	if (r == 0 && !found && p.other.len)
		(void)is_refused(n, &p.other, own, ret, uplink);
	vec_done(&p.elsewhere);
	return r == -ENOENT ? 0 : r; /* no table, no route */
}

static int look_at_sources(struct rtnl *n, const struct addr *own, uint32_t uplink,
			   struct passage *ret)
{
	uint32_t carrier;

	ret->rp_filter[0] = read_rp_filter("all");
	ret->rp_filter[1] = read_rp_filter(ret->uplink);
	if (!own || !passage_strict(ret))
		return 0;
	if (ask(n, &(struct question){.dst = own, .flags = RTM_F_FIB_MATCH}, &carrier) < 0 ||
	    carrier != uplink)
		return 0;
	return look_at_peers(n, own, uplink, ret);
}

static int count_link(void *arg, const struct nlmsghdr *h)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		++*(unsigned int *)arg;
	return 0;
}

static int count_ports(struct rtnl *n, uint32_t bridge, unsigned int *ret)
{
	const struct {
		struct ifinfomsg head;
		struct nlattr attr;
		uint32_t master;
	} filter = {.attr = {NLA_HDRLEN + sizeof(uint32_t), IFLA_MASTER}, .master = bridge};
	int r = -EINTR;

	for (int i = 0; i < RTNL_READS_MAX && r == -EINTR; i++) {
		*ret = 0;
		r = nl_list(n->ask, RTM_GETLINK, &filter, sizeof(filter), count_link, ret);
	}
	return r;
}

static int look_at_bridge(struct rtnl *n, const struct link *uplink, struct passage *ret)
{
	struct link l = *uplink;
	int r = 0;

	if (!l.bridge && l.master)
		r = link_get_index(n->ask, l.master, &l);
	if (r < 0 || !l.bridge)
		return r == -ENODEV ? 0 : r;
	memcpy(ret->bridge, l.ifname, sizeof(ret->bridge));
	memcpy(ret->nf_own, l.filters, sizeof(ret->nf_own));
	ret->nf_global[0] = read_number("/proc/sys/net/bridge/bridge-nf-call-iptables");
	ret->nf_global[1] = read_number("/proc/sys/net/bridge/bridge-nf-call-ip6tables");
	return count_ports(n, l.index, &ret->ports);
}

/**
 * rtnl_passage() - Read what keeps packets of pods from passing
 * @n:      Handle
 * @uplink: The node's interface; "" while that is not known
 * @own:    The node's IPv4 address, NULL: none
 * @ret:    But @pods; zeroed at the call
 * @reterr: What failed
 *
 * Costs a few requests; the list of our routes where rp_filter is strict, and that of links where
 * the node's interface is on a bridge.
 *
 * Return: 0, also if @uplink is gone; -errno
 */
int rtnl_passage(struct rtnl *n, const char *uplink, const struct addr *own, struct passage *ret,
		 struct err *reterr)
{
	struct link l;
	int r = *uplink ? link_get(n->ask, uplink, &l) : -ENODEV;

	if (r == -ENODEV)
		return 0;
	if (r == 0) {
		memcpy(ret->uplink, l.ifname, sizeof(ret->uplink));
		r = look_at_sources(n, own, l.index, ret);
	}
	if (r == 0)
		r = look_at_bridge(n, &l, ret);
	return r < 0 ? err_set(reterr, r, "reading routes and links: %s", strerror(-r)) : 0;
}
