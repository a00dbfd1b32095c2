// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl.c - routes and neighbours of ours in the kernel, and what it tells about changes.
 *
 * One socket asks and waits for the acknowledgements, another one listens.  Only routes with
 * RTPROT_MANX are ever read as ours, replaced or deleted.
 */
#include "datapath/route/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "datapath/route/nlmsg.h"
#include "datapath/route/podlink.h"
#include "datapath/route/rtnl_priv.h"
#include "lib/log.h"

static unsigned int group_bit(unsigned int group)
{
	return 1u << (group - 1);
}

/**
 * rtnl_open() - Open both sockets
 * @fn:     Called for each notification
 * @arg:    Its first argument
 * @ret:    Handle; untouched on failure
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int rtnl_open(rtnl_event_fn *fn, void *arg, struct rtnl **ret, struct err *reterr)
{
	unsigned int groups = group_bit(RTNLGRP_LINK) | group_bit(RTNLGRP_IPV4_IFADDR) |
			      group_bit(RTNLGRP_IPV6_IFADDR) | group_bit(RTNLGRP_IPV4_ROUTE) |
			      group_bit(RTNLGRP_IPV6_ROUTE);
	struct rtnl *n = xcalloc(1, sizeof(*n));
	int r = nl_open(NETLINK_ROUTE, 0, &n->ask, reterr);

	if (r == 0)
		r = nl_open(NETLINK_ROUTE, groups, &n->listen, reterr);
	if (r < 0) {
		(void)rtnl_close(n);
		return r;
	}
	n->fn = fn;
	n->arg = arg;
	*ret = n;
	return 0;
}

/**
 * rtnl_close() - Close both sockets
 * @n: Handle or NULL
 *
 * Return: NULL
 */
struct rtnl *rtnl_close(struct rtnl *n)
{
	if (!n)
		return NULL;
	nl_closep(&n->ask);
	nl_closep(&n->listen);
	free(n);
	return NULL;
}

/**
 * rtnl_fd() - Descriptor of the notifications
 * @n: Handle
 *
 * Return: the descriptor; readable when rtnl_dispatch() has something to do
 */
int rtnl_fd(const struct rtnl *n)
{
	return mnl_socket_get_fd(n->listen);
}

/* --- notifications -----------------------------------------------------------------------------
 */

static void on_link(struct rtnl *n, const struct nlmsghdr *h)
{
	struct rtnl_event e = {.kind = RTNL_LINK_MTU};
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct ifinfomsg)) if (mnl_attr_get_type(a) == IFLA_IFNAME)(
		void) snprintf(e.ifname, sizeof(e.ifname), "%s", mnl_attr_get_str(a));
	if (h->nlmsg_type == RTM_DELLINK) {
		if (!str_starts(e.ifname, PODLINK_PREFIX))
			return;
		e.kind = RTNL_LINK_GONE;
	}
	n->fn(n->arg, &e);
}

static void on_route(struct rtnl *n, const struct nlmsghdr *h)
{
	struct rtnl_event e = {.kind = RTNL_ROUTE_GONE};
	struct route r;

	if (h->nlmsg_type != RTM_DELROUTE || !route_decode(h, &r))
		return;
	e.dst = r.dst;
	n->fn(n->arg, &e);
}

static int on_message(const struct nlmsghdr *h, void *arg)
{
	struct rtnl *n = arg;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		on_link(n, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		n->fn(n->arg, &(struct rtnl_event){.kind = RTNL_ADDR});
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		on_route(n, h);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/**
 * rtnl_dispatch() - Read the notifications that are there
 * @n: Handle
 *
 * Reads at most 64 datagrams, so that a flood cannot hold the loop.
 */
void rtnl_dispatch(struct rtnl *n)
{
	char data[32768];

	for (int i = 0; i < 64; i++) {
		ssize_t len = recv(rtnl_fd(n), data, sizeof(data), MSG_DONTWAIT);

		if (len < 0 && errno == ENOBUFS)
			n->fn(n->arg, &(struct rtnl_event){.kind = RTNL_OVERRUN});
		if (len <= 0)
			return;
		(void)mnl_cb_run(data, (size_t)len, 0, 0, on_message, n);
	}
}

/* --- routes ------------------------------------------------------------------------------------
 */

static void put_route(struct nlbatch *b, const struct route_op *op)
{
	const struct route *route = &op->route;
	struct nlmsghdr *h = nlbatch_add(b, op->remove ? RTM_DELROUTE : RTM_NEWROUTE,
					 op->remove ? 0 : NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = route->dst.addr.family;
	r->rtm_dst_len = route->dst.len;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = RTPROT_MANX;
	r->rtm_scope = route->kind == ROUTE_DEV ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	r->rtm_type = route->kind == ROUTE_UNREACHABLE ? RTN_UNREACHABLE : RTN_UNICAST;
	if (op->remove)
		r->rtm_scope = RT_SCOPE_NOWHERE;
	nl_put_addr(h, RTA_DST, &route->dst.addr);
	if (route->kind == ROUTE_VIA)
		nl_put_addr(h, RTA_GATEWAY, &route->via);
	if (route->kind == ROUTE_DEV && !op->remove)
		mnl_attr_put_u32(h, RTA_OIF, if_nametoindex(route->ifname));
	nlbatch_added(b, h);
}

/* The pod's end never has to be asked for its MAC. */
static void put_neighbour(struct nlbatch *b, const struct route *route)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));

	n->ndm_family = route->dst.addr.family;
	n->ndm_ifindex = (int)if_nametoindex(route->ifname);
	n->ndm_state = NUD_PERMANENT;
	nl_put_addr(h, NDA_DST, &route->dst.addr);
	mnl_attr_put(h, NDA_LLADDR, MAC_LEN, route->neigh.b);
	nlbatch_added(b, h);
}

/* struct applying - a batch on its way: which operation each message belongs to */
struct applying {
	const struct route_ops *ops;
	VEC(size_t) op_of;
	VEC(int) error; /* by operation */
};

static void on_result(void *arg, uint32_t index, int error)
{
	struct applying *p = arg;
	size_t op = p->op_of.v[index];

	/* Someone removed it already, or its device went and took it along. */
	if (p->ops->op.v[op].remove && (error == -ESRCH || error == -ENODEV))
		error = 0;
	if (error && !p->error.v[op])
		p->error.v[op] = error;
}

static void report(const struct route *r, int error, struct err *reterr)
{
	char dst[PREFIX_STR_MAX], via[ADDR_STR_MAX] = "";

	(void)prefix_str(&r->dst, dst);
	if (r->kind == ROUTE_VIA)
		(void)addr_str(&r->via, via);
	if (r->kind == ROUTE_VIA && (error == -ENETUNREACH || error == -EHOSTUNREACH))
		(void)err_set(reterr, error, "route %s: node %s is not on our layer 2", dst, via);
	else
		(void)err_set(reterr, error, "route %s %s%s: %s", dst, *via ? "via " : "dev ",
			      *via ? via : r->ifname, strerror(-error));
	log_warn("route", "not applied, will retry", "err=\"%s\"", reterr->msg);
}

static int finish(struct routes *r, struct applying *p, struct err *reterr)
{
	int failed = 0;

	for (size_t i = 0; i < p->ops->op.n; i++) {
		const struct route_op *op = &p->ops->op.v[i];

		routes_done(r, op, p->error.v[i] == 0);
		if (!p->error.v[i])
			continue;
		report(&op->route, p->error.v[i], reterr);
		failed++;
	}
	return failed;
}

static int send_all(struct rtnl *n, struct applying *p)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	int r = 0;

	nlbatch_begin(b, n->ask);
	for (size_t i = 0; i < p->ops->op.n && r == 0; i++) {
		const struct route_op *op = &p->ops->op.v[i];

		vec_push(&p->error, 0);
		vec_push(&p->op_of, i);
		put_route(b, op);
		if (op->route.kind == ROUTE_DEV && !op->remove) {
			vec_push(&p->op_of, i);
			put_neighbour(b, &op->route);
		}
		if (!nlbatch_full(b) && i + 1 < p->ops->op.n)
			continue;
		r = nlbatch_send(b, on_result, p);
		p->op_of.n = 0;
	}
	return r;
}

/**
 * rtnl_apply() - Bring the kernel's routes to what is wanted
 * @n:      Handle
 * @r:      Routes
 * @reterr: The last failure
 *
 * Costs the pending routes.
 *
 * Return: number of routes that failed (each logged once) and stay pending; -errno when the
 *         socket failed
 */
int rtnl_apply(struct rtnl *n, struct routes *r, struct err *reterr)
{
	struct route_ops ops = {0};
	struct applying p = {.ops = &ops};
	int result;

	routes_ops(r, &ops);
	result = send_all(n, &p);
	if (result < 0)
		(void)err_set(reterr, result, "routes: %s", strerror(-result));
	else
		result = finish(r, &p, reterr);
	vec_done(&p.op_of);
	vec_done(&p.error);
	vec_done(&ops.op);
	return result;
}

static int read_route(const struct nlmsghdr *h, void *arg)
{
	struct route r;

	if (h->nlmsg_type == RTM_NEWROUTE && route_decode(h, &r))
		routes_installed(arg, &r);
	return MNL_CB_OK;
}

static int read_family(struct rtnl *n, uint8_t family, struct routes *r)
{
	char request[64];
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	struct rtmsg *m;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_DUMP;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = family;
	m->rtm_protocol = RTPROT_MANX; /* filtered by the kernel where it checks strictly */
	return nl_dump(n->ask, h, read_route, r);
}

/**
 * rtnl_read() - Learn which routes of ours the kernel holds
 * @n:      Handle
 * @r:      Routes
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int rtnl_read(struct rtnl *n, struct routes *r, struct err *reterr)
{
	int result = -EINTR;

	for (int i = 0; i < 5 && result == -EINTR; i++) {
		routes_installed_begin(r);
		result = read_family(n, AF_INET, r);
		if (result == 0)
			result = read_family(n, AF_INET6, r);
	}
	if (result < 0)
		return err_set(reterr, result, "reading routes: %s", strerror(-result));
	routes_installed_end(r);
	return 0;
}

static int write_sysctl(const char *path, struct err *reterr)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	char now = 0;

	if (fd >= 0 && read(fd, &now, 1) == 1 && now == '1')
		return 0;
	if (fd >= 0 && pwrite(fd, "1", 1, 0) == 1)
		return 0;
	return err_set(reterr, -errno, "%s: %s", path, strerror(errno));
}

/**
 * rtnl_enable_forwarding() - Have the kernel forward packets
 * @ipv4:   For IPv4
 * @ipv6:   For IPv6
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int rtnl_enable_forwarding(bool ipv4, bool ipv6, struct err *reterr)
{
	int r = 0;

	if (ipv4)
		r = write_sysctl("/proc/sys/net/ipv4/ip_forward", reterr);
	if (r == 0 && ipv6)
		r = write_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", reterr);
	return r;
}
