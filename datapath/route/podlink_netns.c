// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink_netns.c - a pod's network namespace: open it, work inside it, recognise it.
 *
 * The path comes from the container runtime.  It is looked at before it is opened: opening a
 * device or a pipe can have effects of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/net_namespace.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "datapath/route/podlink_priv.h"
#include "ipam/attachment.h"

static bool is_own(int fd)
{
	struct stat own, other;

	return stat("/proc/thread-self/ns/net", &own) == 0 && fstat(fd, &other) == 0 &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/**
 * netns_open() - Open a pod's network namespace
 * @path:   Where the runtime says it is (CNI_NETNS)
 * @reterr: What failed
 *
 * Return: descriptor, to be closed; -ENOENT if there is nothing; -ENOTTY if it is something else
 *         than a network namespace, or the caller's own; -errno
 */
int netns_open(const char *path, struct err *reterr)
{
	_cleanup_(closep) int place = open(path, O_PATH | O_CLOEXEC), fd = -1;
	char again[64];
	struct statfs fs;

	if (place < 0 || fstatfs(place, &fs) < 0)
		return err_set(reterr, -errno, "network namespace %s: %s", path, strerror(errno));
	if (fs.f_type != NSFS_MAGIC)
		return err_set(reterr, -ENOTTY, "%s is not a network namespace", path);
	(void)snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(reterr, -errno, "network namespace %s: %s", path, strerror(errno));
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(reterr, -ENOTTY, "%s is a namespace, but not a network namespace",
			       path);
	if (is_own(fd))
		return err_set(reterr, -ENOTTY, "%s is the node's own network namespace", path);
	return TAKE(fd, -1);
}

/**
 * podlink_netns_exists() - Is a pod's network namespace still there?
 * @netns: Path
 *
 * Return: true if so
 */
bool podlink_netns_exists(const char *netns)
{
	_cleanup_(closep) int fd = netns_open(netns, NULL);

	return fd >= 0;
}

/**
 * netns_inside() - Do something inside a namespace
 * @netns:  Descriptor from netns_open()
 * @l:      For @fn
 * @fn:     What to do
 * @arg:    For @fn
 * @reterr: What failed
 *
 * Only the calling thread goes there.  Sockets opened outside stay outside.
 *
 * Return: result of @fn; -errno
 */
int netns_inside(int netns, const struct podlink *l, netns_fn *fn, void *arg, struct err *reterr)
{
	_cleanup_(closep) int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	int r;

	if (home < 0 || setns(netns, CLONE_NEWNET) < 0)
		return err_set(reterr, -errno, "entering %s: %s", l->netns, strerror(errno));
	r = nl_open(NETLINK_ROUTE, 0, &s, reterr);
	if (r == 0)
		r = fn(l, s, arg, reterr);
	if (setns(home, CLONE_NEWNET) < 0)
		return err_set(reterr, -errno, "leaving %s: %s", l->netns, strerror(errno));
	return r;
}

static int keep_id(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *a = nl_find(h, sizeof(struct rtgenmsg), NETNSA_NSID);

	if (a)
		*(int *)arg = (int)nl_u32(a);
	return 0;
}

/**
 * netns_id() - The number by which one namespace knows another one
 * @s:     Socket of the one
 * @netns: The other one
 * @ret:   Number; -1 if it has none; untouched on failure
 *
 * Return: 0, -errno
 */
static int netns_id(struct mnl_socket *s, int netns, int *ret)
{
	char request[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	int id = -1, r;

	h->nlmsg_type = RTM_GETNSID;
	h->nlmsg_flags = NLM_F_ACK;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(h, NETNSA_FD, (uint32_t)netns);
	r = nl_request(s, h, keep_id, &id);
	if (r == 0)
		*ret = id;
	return r;
}

/**
 * netns_joins() - Are two links the ends of one pair of ours?
 * @s:     Socket of the host
 * @netns: Namespace of the pod
 * @host:  Link in the host
 * @pod:   Link in the pod
 *
 * Return: true if so
 */
bool netns_joins(struct mnl_socket *s, int netns, const struct link *host, const struct link *pod)
{
	int id = -1;

	return host->veth && pod->veth && host->peer == pod->index && pod->peer == host->index &&
	       attachment_is_host_ifname(host->ifname) && netns_id(s, netns, &id) == 0 && id >= 0 &&
	       id == host->peer_nsid;
}
