// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rawlink.c - what the kernel alone charges for a pod's link: the floor under CNI ADD and DEL.
 *
 * One process each in namespaces of its own (needs root): bare RTM_NEWLINK and RTM_DELLINK of a
 * veth pair whose peer is born in another namespace, and what Manx calls for a pod, podlink.c;
 * one after the other, and by 100 processes that take every step at the same time and wait for the
 * kernel's RTNL lock.
 *
 * Prints milliseconds; of those at once also how long each step takes until the last one is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath/route/conntrack.h"
#include "datapath/route/podlink.h"
#include "test/bench/figure.h"

#define LINKS	100 /* of one kind, one after the other */
#define AT_ONCE 100
#define EACH	3 /* links of each process of those at once */

/* struct room - where links are made: a node's namespace, in which we are, and a pod's */
struct room {
	struct mnl_socket *socket;
	struct conntrack *conntrack;
	int pod;
	char pod_path[32];
};

enum step { RAW_ADD, RAW_DELETE, POD_ADD, POD_CONNTRACK, POD_DELETE, _STEP_MAX };

static const char *const step_name[] = {"kernel: RTM_NEWLINK, a veth pair", "kernel: RTM_DELLINK",
					"podlink: link made and configured",
					"podlink: conntrack flushed, one address",
					"podlink: link deleted"};

/* Shared memory: milliseconds by step, written by all processes, and where they meet. */
struct times {
	pthread_barrier_t before_step;
	double ms[_STEP_MAX][MAX(LINKS, AT_ONCE *EACH)];
};

static void check(int r, const char *what, const struct err *e)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "rawlink: %s: %s\n", what, e ? e->msg : strerror(errno));
	_exit(1);
}

static double now(void)
{
	return bench_usec() / 1000;
}

/* --- namespaces --------------------------------------------------------------------------------
 */

static int new_namespace(void)
{
	int fd;

	check(unshare(CLONE_NEWNET), "network namespace (run it as root)", NULL);
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	check(fd, "/proc/self/ns/net", NULL);
	return fd;
}

static void room_open(struct room *r)
{
	r->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	check(r->socket ? mnl_socket_bind(r->socket, 0, MNL_SOCKET_AUTOPID) : -1, "socket", NULL);
	check(conntrack_open(&r->conntrack, NULL), "conntrack_open", NULL);
}

/* A pod's namespace beside the present one, which stays the process's. */
static void room_new_pod(struct room *r)
{
	int node = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	check(node, "/proc/self/ns/net", NULL);
	r->pod = new_namespace();
	(void)snprintf(r->pod_path, sizeof(r->pod_path), "/proc/self/fd/%d", r->pod);
	check(setns(node, CLONE_NEWNET), "setns", NULL);
	(void)close(node);
}

/* --- bare messages -----------------------------------------------------------------------------
 */

static struct nlmsghdr *message(char *room, uint16_t type, uint16_t flags, const char *ifname)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, ifname);
	return h;
}

static double send_message(const struct room *r, const struct nlmsghdr *h)
{
	char answer[8192];
	double began = now();
	ssize_t n;

	check((int)mnl_socket_sendto(r->socket, h, h->nlmsg_len), "send", NULL);
	n = mnl_socket_recvfrom(r->socket, answer, sizeof(answer));
	check(mnl_cb_run(answer, (size_t)MAX(n, 0), 0, 0, NULL, NULL), "link", NULL);
	return now() - began;
}

static double raw_add(const struct room *r, const char *ifname)
{
	char room[4096];
	struct nlmsghdr *h = message(room, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifname);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO), *data, *peer;

	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)r->pod);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return send_message(r, h);
}

static double raw_delete(const struct room *r, const char *ifname)
{
	char room[4096];

	return send_message(r, message(room, RTM_DELLINK, 0, ifname));
}

/* --- a pod's life ------------------------------------------------------------------------------
 */

static double take(enum step step, const struct room *r, const struct podlink *l)
{
	struct err e = {0};
	double began = now();

	switch (step) {
	case RAW_ADD:
		return raw_add(r, l->host_ifname);
	case RAW_DELETE:
		return raw_delete(r, l->host_ifname);
	case POD_ADD:
		check(podlink_create(l, NULL, &e), "podlink_create", &e);
		break;
	case POD_CONNTRACK:
		check(conntrack_flush(r->conntrack, l->addrs, 1, &e), "conntrack_flush", &e);
		break;
	case POD_DELETE:
		check(podlink_delete(l->host_ifname, &e), "podlink_delete", &e);
		break;
	case _STEP_MAX:
		break;
	}
	return now() - began;
}

/* One link of each kind in the room; number @i of the run names it and its times. */
static void one(struct room *r, struct times *t, unsigned int i)
{
	char ifname[16];
	struct podlink l = {.netns = r->pod_path,
			    .ifname = "eth0",
			    .host_ifname = ifname,
			    .mac = {{2, 0, 0, 0, 0, 1}},
			    .mtu = 1500,
			    .n_addrs = 2};

	(void)snprintf(ifname, sizeof(ifname), "mx%012x", i);
	(void)addr_parse("10.0.0.2", &l.addrs[0]);
	(void)addr_parse("fd00::2", &l.addrs[1]);
	for (int step = 0; step < _STEP_MAX; step++) {
		(void)pthread_barrier_wait(&t->before_step);
		t->ms[step][i] = take((enum step)step, r, &l);
	}
}

static void print(const struct times *t, size_t n, unsigned int processes)
{
	for (size_t step = 0; step < _STEP_MAX; step++) {
		struct samples s = {0};

		for (size_t i = 0; i < n; i++)
			vec_push(&s.v, t->ms[step][i]);
		figure_samples(step_name[step], "ms", &s, PARAMETERS({"at_once", processes}));
	}
}

/* Until the last process has done a step. */
static void print_groups(const struct times *t)
{
	for (size_t step = 0; step < _STEP_MAX; step++) {
		_cleanup_(freep) char *name = xasprintf("all of them: %s", step_name[step]);
		struct samples s = {0};

		for (size_t i = 0; i < EACH; i++) {
			double last = 0;

			for (size_t k = 0; k < AT_ONCE; k++)
				last = MAX(last, t->ms[step][k * EACH + i]);
			vec_push(&s.v, last);
		}
		figure_samples(name, "ms", &s, PARAMETERS({"at_once", AT_ONCE}));
	}
}

/* What one process of those at once does: its pod beside the node that all share. */
static _noreturn_ void worker(struct times *t, unsigned int number)
{
	struct room r = {0};

	room_open(&r);
	room_new_pod(&r);
	for (unsigned int i = 0; i < EACH; i++)
		one(&r, t, number * EACH + i);
	_exit(0);
}

static void meet(struct times *t, unsigned int processes)
{
	pthread_barrierattr_t a;

	check(-pthread_barrierattr_init(&a), "barrier", NULL);
	check(-pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED), "barrier", NULL);
	check(-pthread_barrier_init(&t->before_step, &a, processes), "barrier", NULL);
}

static void at_once(struct times *t)
{
	pid_t child[AT_ONCE];
	int status;

	meet(t, AT_ONCE);
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		child[i] = fork();
		check(child[i], "fork", NULL);
		if (child[i] == 0)
			worker(t, i);
	}
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		(void)wait(&status);
		if (!status)
			continue;
		/* The others wait for the one that failed. */
		for (unsigned int k = 0; k < AT_ONCE; k++)
			(void)kill(child[k], SIGKILL);
		exit(1);
	}
	print(t, (size_t)AT_ONCE * EACH, AT_ONCE);
	print_groups(t);
}

int main(void)
{
	struct times *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct room r = {0};

	check(t == MAP_FAILED ? -1 : 0, "memory", NULL);
	(void)close(new_namespace());
	room_open(&r);
	room_new_pod(&r);
	meet(t, 1);
	for (unsigned int i = 0; i < LINKS; i++)
		one(&r, t, i);
	print(t, LINKS, 1);
	at_once(t);
	return 0;
}
