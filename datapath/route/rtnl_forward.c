// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_forward.c - the switches that forwarding needs.
 *
 * With net.ipv6.conf.all.forwarding the kernel takes no more router advertisements and drops the
 * default routes that came from them, but on interfaces with accept_ra=2
 * (Documentation/networking/ip-sysctl.rst).  So where such a route is, that comes first.  An
 * accept_ra of 0 stays: somebody else looks after the advertisements.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/rtnl_priv.h"

#define PATH_MAX_BYTES 128

/**
 * rtnl_read_switch() - Read a sysctl of one character
 * @path: Its file below /proc/sys
 * @ret:  Its first character; untouched on failure
 *
 * Return: 0, -errno
 */
int rtnl_read_switch(const char *path, char *ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || read(fd, ret, 1) != 1 ? -errno : 0;
}

/* The name as sysctl(8) has it; interfaces with a dot in their name are written with a slash. */
static void put_name(struct buf *out, const char *path, char value)
{
	const char *p = path + strlen("/proc/sys/");

	if (out->len)
		buf_putc(out, ' ');
	for (; *p; p++)
		buf_putc(out, (char)(*p == '/' ? '.' : *p == '.' ? '/' : *p));
	buf_printf(out, "=%c", value);
}

/* Read first: /proc/sys may be read-only in a container whose host is set already. */
static int write_switch(const char *path, char value, struct buf *changed, struct err *reterr)
{
	_cleanup_(buf_done) struct buf name = {0};
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, &value, 1) == 1) {
		put_name(changed, path, value);
		return 0;
	}
	put_name(&name, path, value);
	return err_set(reterr, -errno, "%s cannot be set: %s", name.data, strerror(errno));
}

struct advertised {
	VEC(uint32_t) ifindex;
};

static int see_default_route(void *arg, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *index = nl_find(h, sizeof(*m), RTA_OIF);
	struct advertised *a = arg;

	if (h->nlmsg_type == RTM_NEWROUTE && !m->rtm_dst_len && m->rtm_protocol == RTPROT_RA &&
	    index)
		vec_push(&a->ifindex, nl_u32(index));
	return 0;
}

static int keep_accepting(uint32_t ifindex, struct buf *changed, struct err *reterr)
{
	char ifname[IF_NAMESIZE], path[PATH_MAX_BYTES], now = '0';

	if (!if_indextoname(ifindex, ifname))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra", ifname);
	if (rtnl_read_switch(path, &now) < 0 || now != '1')
		return 0;
	return write_switch(path, '2', changed, reterr);
}

static int keep_advertised_routes(struct rtnl *n, struct buf *changed, struct err *reterr)
{
	const struct rtmsg filter = {.rtm_family = AF_INET6, .rtm_table = RT_TABLE_MAIN};
	struct advertised a = {0};
	int r = -EINTR;

	for (int i = 0; i < RTNL_READS_MAX && r == -EINTR; i++) {
		a.ifindex.n = 0;
		r = nl_list(n->ask, RTM_GETROUTE, &filter, sizeof(filter), see_default_route, &a);
	}
	if (r == -ENOENT) /* no table, no route */
		r = 0;
	if (r < 0)
		(void)err_set(reterr, r, "reading IPv6 routes: %s", strerror(-r));
	for (size_t i = 0; i < a.ifindex.n && r == 0; i++)
		r = keep_accepting(a.ifindex.v[i], changed, reterr);
	vec_done(&a.ifindex);
	return r;
}

/**
 * rtnl_enable_forwarding() - Have the kernel forward packets of a family
 * @n:       Handle
 * @family:  AF_INET or AF_INET6
 * @changed: What was written is appended, as sysctl(8) names it: "net.ipv4.ip_forward=1"
 * @reterr:  What failed
 *
 * What is on already is not written: the kernel resets other settings with it.
 *
 * Return: 0, -errno
 */
int rtnl_enable_forwarding(struct rtnl *n, uint8_t family, struct buf *changed, struct err *reterr)
{
	const char *path = family == AF_INET ? "/proc/sys/net/ipv4/ip_forward"
					     : "/proc/sys/net/ipv6/conf/all/forwarding";
	char now = '0';
	int r = rtnl_read_switch(path, &now);

	if (r < 0)
		return err_set(reterr, r, "%s: %s", path, strerror(-r));
	if (now != '0')
		return 0;
	if (family == AF_INET6)
		r = keep_advertised_routes(n, changed, reterr);
	return r == 0 ? write_switch(path, '1', changed, reterr) : r;
}

/**
 * rtnl_forwards() - Are IPv4 packets forwarded that come in through an interface?
 * @ifname: Its name
 *
 * Return: false if the kernel says that they are not; true also when it says nothing
 */
bool rtnl_forwards(const char *ifname)
{
	char path[PATH_MAX_BYTES], now = '1';

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.15s/forwarding", ifname);
	return rtnl_read_switch(path, &now) < 0 || now != '0';
}
