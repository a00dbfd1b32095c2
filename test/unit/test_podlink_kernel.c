// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_podlink_kernel.c - a pod's link against the real kernel: made, used, checked, deleted.
 * Needs root.
 *
 * Each test has two fresh network namespaces: the node's, in which it runs, with 198.51.100.1 and
 * 2001:db8:1::1 on node0, and the pod's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath/route/podlink.h"
#include "datapath/route/podlink_priv.h"
#include "datapath/route/rtnl.h"
#include "kernel_lab.h"
#include "route_kernel.h"

static const struct claimant owner = {.rank = ROUTE_OF_NODE, .name = "a"};

#define HOST_LINK "mx0123456789ab"

struct world {
	int pod;
	char *path;
	struct podlink link;
	struct err err;
};

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	lab_enter_new();
	lab_run("ip link add node0 type bridge && ip link set node0 up");
	lab_run("ip addr add 198.51.100.1/32 dev node0");
	lab_run("ip addr add 2001:db8:1::1/128 dev node0 nodad");
	w->pod = lab_new_netns();
	w->path = lab_netns_path(w->pod);
	w->link = (struct podlink){.netns = w->path,
				   .ifname = "eth0",
				   .host_ifname = HOST_LINK,
				   .mac = {{2, 0, 0, 0, 0, 5}},
				   .mtu = 1450,
				   .n_addrs = 2,
				   .addrs = {address("10.1.0.5"), address("fd00:1::5")}};
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)close(w->pod);
	free(w->path);
	free(w);
	return 0;
}

static void create(struct world *w)
{
	if (podlink_create(&w->link, NULL, &w->err) < 0)
		fail_msg("%s", w->err.msg);
}

/* A command in the pod's namespace. */
static bool pod_shows(const struct world *w, const char *text, const char *command)
{
	_cleanup_(closep) int home = lab_own_netns();
	bool shown;

	lab_setns(w->pod);
	shown = lab_shows(text, "%s", command);
	lab_setns(home);
	return shown;
}

static void pod_run(const struct world *w, const char *command)
{
	_cleanup_(closep) int home = lab_own_netns();

	lab_setns(w->pod);
	lab_run("%s", command);
	lab_setns(home);
}

static bool host_has(const char *ifname)
{
	return if_nametoindex(ifname) != 0;
}

static void assert_nothing_left(const struct world *w)
{
	assert_false(lab_shows("mx", "ip -o link show type veth"));
	assert_false(pod_shows(w, "eth0", "ip -o link"));
}

/* As the agent routes to a pod. */
static void route_to(const struct podlink *l)
{
	_cleanup_(routes_freep) struct routes *routes = routes_new();
	struct rtnl *n = NULL;
	struct err e = {0};

	for (uint32_t i = 0; i < l->n_addrs; i++) {
		struct route r = {
			.dst = prefix_host(&l->addrs[i]), .kind = ROUTE_DEV, .neigh = l->mac};

		(void)snprintf(r.ifname, sizeof(r.ifname), "%s", l->host_ifname);
		routes_want(routes, &owner, &r);
	}
	assert_int_equal(rtnl_open(NULL, NULL, &n, &e), 0);
	assert_int_equal(apply_routes(n, routes, &e), 0);
	(void)rtnl_close(n);
}

/* --- packets ---------------------------------------------------------------------------- */

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t endpoint_of(const char *text, uint16_t port, union endpoint *ret)
{
	struct addr a = address(text);

	memset(ret, 0, sizeof(*ret));
	ret->any.sa_family = a.family;
	if (a.family == AF_INET) {
		ret->v4.sin_port = htons(port);
		memcpy(&ret->v4.sin_addr, a.b, 4);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_port = htons(port);
	memcpy(&ret->v6.sin6_addr, a.b, 16);
	return sizeof(ret->v6);
}

static int udp_socket(int netns, const char *bind_to, uint16_t port)
{
	_cleanup_(closep) int home = lab_own_netns();
	struct timeval timeout = {.tv_sec = 1};
	union endpoint e;
	socklen_t len = endpoint_of(bind_to, port, &e);
	int fd;

	lab_setns(netns);
	fd = socket(e.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &e.any, len), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
	lab_setns(home);
	return fd;
}

/* The pod asks, the node answers. */
static void assert_connected(const struct world *w, const char *pod, const char *node)
{
	_cleanup_(closep) int home = lab_own_netns();
	_cleanup_(closep) int client = udp_socket(w->pod, pod, 1111);
	_cleanup_(closep) int server = udp_socket(home, node, 2222);
	union endpoint to, from;
	socklen_t len = endpoint_of(node, 2222, &to), from_len = sizeof(from);
	char text[8];

	assert_int_equal(sendto(client, "ask", 3, 0, &to.any, len), 3);
	assert_int_equal(recvfrom(server, text, sizeof(text), 0, &from.any, &from_len), 3);
	assert_int_equal(sendto(server, "reply", 5, 0, &from.any, from_len), 5);
	assert_int_equal(recv(client, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "reply", 5);
}

/* --- making it -------------------------------------------------------------------------- */

static void a_link_that_works(void **state)
{
	struct world *w = *state;
	_cleanup_(closep) int before = lab_own_netns(), after = -1;
	struct stat a, b;

	create(w);
	route_to(&w->link);
	assert_connected(w, "10.1.0.5", "198.51.100.1");
	assert_connected(w, "fd00:1::5", "2001:db8:1::1");
	assert_true(pod_shows(w, "mtu 1450", "ip link show eth0"));
	assert_true(pod_shows(w, "02:00:00:00:00:05", "ip link show eth0"));
	assert_true(pod_shows(w, "inet 10.1.0.5/32", "ip addr show eth0"));
	assert_true(pod_shows(w, "inet6 fd00:1::5/128", "ip addr show eth0"));
	assert_false(pod_shows(w, "fd00:1::5/128 scope global tentative", "ip addr show eth0"));
	assert_true(pod_shows(w, "default via 169.254.1.1 dev eth0", "ip route"));
	assert_true(pod_shows(w, "default via fe80::1 dev eth0", "ip -6 route"));
	assert_true(pod_shows(w, "LOOPBACK,UP", "ip link show lo"));
	assert_true(lab_shows("mtu 1450", "ip link show " HOST_LINK));
	assert_true(lab_shows(PODLINK_HOST_MAC, "ip link show " HOST_LINK));
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
	after = lab_own_netns(); /* and we are where we were */
	assert_int_equal(fstat(before, &a), 0);
	assert_int_equal(fstat(after, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
}

static void one_family_only(void **state)
{
	struct world *w = *state;

	w->link.n_addrs = 1;
	create(w);
	route_to(&w->link);
	assert_connected(w, "10.1.0.5", "198.51.100.1");
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
	assert_int_equal(podlink_delete(HOST_LINK, &w->err), 0);
	w->link.addrs[0] = w->link.addrs[1];
	create(w);
	route_to(&w->link);
	assert_connected(w, "fd00:1::5", "2001:db8:1::1");
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
}

static void ipv6_switched_off_by_default(void **state)
{
	struct world *w = *state;

	pod_run(w, "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
	pod_run(w, "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
	create(w);
	route_to(&w->link);
	assert_connected(w, "fd00:1::5", "2001:db8:1::1");
}

static void deleted_and_made_again(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 3; i++) {
		create(w);
		route_to(&w->link);
		assert_connected(w, "10.1.0.5", "198.51.100.1");
		assert_int_equal(podlink_delete(HOST_LINK, &w->err), 0);
		assert_nothing_left(w);
		assert_int_equal(podlink_delete(HOST_LINK, &w->err), 0);
	}
}

static void a_failure_leaves_nothing_behind(void **state)
{
	struct world *w = *state;

	w->link.mtu = 1000; /* below IPv6's minimum: the kernel refuses the address */
	assert_true(podlink_create(&w->link, NULL, &w->err) < 0);
	assert_non_null(strstr(w->err.msg, "address for fd00:1::5 on eth0"));
	assert_nothing_left(w);
	w->link.mtu = 1450;
	w->link.ifname = "a/b";
	assert_true(podlink_create(&w->link, NULL, &w->err) < 0);
	w->link.ifname = "much-too-long-a-name";
	assert_true(podlink_create(&w->link, NULL, &w->err) < 0);
	w->link.ifname = "eth0";
	w->link.host_ifname = "node1";
	assert_true(podlink_create(&w->link, NULL, &w->err) < 0);
	assert_nothing_left(w);
	assert_false(host_has("node1"));
}

/* --- names that are taken --------------------------------------------------------------- */

static void what_an_interrupted_try_left_is_replaced(void **state)
{
	struct world *w = *state;
	_cleanup_(closep) int other = lab_new_netns();
	_cleanup_(freep) char *other_path = lab_netns_path(other);

	/* The same container: in this namespace, and in one that was made anew. */
	create(w);
	create(w);
	w->link.netns = other_path;
	create(w);
	assert_false(pod_shows(w, "eth0", "ip -o link"));
	w->link.netns = w->path;
	create(w);
	route_to(&w->link);
	assert_connected(w, "10.1.0.5", "198.51.100.1");
	/* Only one end was named. */
	assert_int_equal(podlink_delete(HOST_LINK, &w->err), 0);
	lab_run("ip link add " HOST_LINK " type veth peer name half");
	create(w);
	assert_false(host_has("half"));
	/* Another container's, which never got a route. */
	assert_int_equal(podlink_delete(HOST_LINK, &w->err), 0);
	w->link.host_ifname = "mxaaaaaaaaaaaa";
	create(w);
	w->link.host_ifname = HOST_LINK;
	create(w);
	assert_false(host_has("mxaaaaaaaaaaaa"));
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
}

static void another_containers_link_stays(void **state)
{
	struct world *w = *state;
	struct podlink late = w->link;

	create(w);
	route_to(&w->link);
	late.host_ifname = "mxaaaaaaaaaaaa";
	late.mac.b[5] = 6;
	assert_int_equal(podlink_create(&late, NULL, &w->err), -EEXIST);
	assert_non_null(strstr(w->err.msg, "interface eth0 in "));
	assert_non_null(
		strstr(w->err.msg, "in use by another container: its other end is " HOST_LINK));
	assert_false(host_has("mxaaaaaaaaaaaa"));
	assert_connected(w, "10.1.0.5", "198.51.100.1");
}

static void interfaces_of_others_stay(void **state)
{
	struct world *w = *state;

	pod_run(w, "ip link add eth0 type veth peer name mxpeer");
	assert_int_equal(podlink_create(&w->link, NULL, &w->err), -EEXIST);
	assert_non_null(strstr(w->err.msg, "there is an interface eth0 in "));
	assert_false(host_has(HOST_LINK));
	assert_true(pod_shows(w, "eth0@mxpeer", "ip -o link"));
	pod_run(w, "ip link del eth0 && ip link add eth0 type bridge");
	assert_int_equal(podlink_create(&w->link, NULL, &w->err), -EEXIST);
	assert_true(pod_shows(w, "eth0", "ip -o link show type bridge"));
	pod_run(w, "ip link del eth0");
	lab_run("ip link add " HOST_LINK " type bridge");
	assert_int_equal(podlink_create(&w->link, NULL, &w->err), -EPERM);
	assert_non_null(strstr(w->err.msg, HOST_LINK " is not a link of ours"));
	assert_true(host_has(HOST_LINK));
	assert_int_equal(podlink_delete(HOST_LINK, &w->err), -EPERM);
	assert_int_equal(podlink_delete("node0", &w->err), -EPERM);
	assert_true(host_has("node0"));
}

/* --- two networks ----------------------------------------------------------------------- */

static void a_second_interface_takes_nothing(void **state)
{
	struct world *w = *state;
	const struct podlink first = w->link;
	bool beside[2] = {true, true};

	assert_int_equal(podlink_create(&w->link, beside, &w->err), 0);
	assert_false(beside[0] || beside[1]);
	route_to(&w->link);
	w->link.ifname = "net1";
	w->link.host_ifname = "mxaaaaaaaaaaaa";
	w->link.addrs[0] = address("10.1.0.6");
	w->link.addrs[1] = address("fd00:1::6");
	for (int i = 0; i < 2; i++) { /* the second time after an interrupted try */
		assert_int_equal(podlink_create(&w->link, beside, &w->err), 0);
		assert_true(beside[0] && beside[1]);
		assert_true(pod_shows(w, "default via 169.254.1.1 dev eth0", "ip route"));
		assert_true(pod_shows(w, "169.254.1.1 dev eth0", "ip route"));
		assert_true(pod_shows(w, "default via fe80::1 dev eth0", "ip -6 route"));
		assert_false(pod_shows(w, "net1", "ip route"));
		if (podlink_check(&w->link, NULL, &w->err) < 0 ||
		    podlink_check(&first, NULL, &w->err) < 0)
			fail_msg("%s", w->err.msg);
	}
	route_to(&w->link);
	for (int i = 0; i < 2; i++) {
		assert_connected(w, "10.1.0.6", "198.51.100.1");
		assert_connected(w, "fd00:1::6", "2001:db8:1::1");
		assert_connected(w, "10.1.0.5", "198.51.100.1");
		assert_connected(w, "fd00:1::5", "2001:db8:1::1");
	}
	pod_run(w, "ip rule del from 10.1.0.6");
	assert_true(podlink_check(&w->link, NULL, &w->err) < 0);
	assert_non_null(strstr(w->err.msg, "no rule for packets from 10.1.0.6"));
	podlink_give_back(w->path, "net1");
	assert_int_equal(podlink_delete(w->link.host_ifname, &w->err), 0);
	assert_false(pod_shows(w, "30109", "ip rule; ip -6 rule"));
	assert_false(pod_shows(w, "via 169.254.1.1", "ip route show table all | grep -v eth0"));
	assert_int_equal(podlink_check(&first, NULL, &w->err), 0);
	assert_connected(w, "10.1.0.5", "198.51.100.1");
}

static void one_family_is_another_interfaces(void **state)
{
	struct world *w = *state;
	bool beside[2] = {false, true};

	pod_run(w, "ip link add other type bridge && ip link set other up && "
		   "ip addr add 192.0.2.5/24 dev other && ip route add default via 192.0.2.1");
	assert_int_equal(podlink_create(&w->link, beside, &w->err), 0);
	assert_true(beside[0]);
	assert_false(beside[1]);
	assert_true(pod_shows(w, "default via 192.0.2.1 dev other", "ip route"));
	assert_true(pod_shows(w, "default via fe80::1 dev eth0", "ip -6 route"));
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
	podlink_give_back("/nowhere", "eth0");
	podlink_give_back(w->path, "nothing");
}

/* --- bad namespaces --------------------------------------------------------------------- */

static void refused(struct world *w, const char *netns, int code, const char *message)
{
	w->link.netns = netns;
	assert_int_equal(podlink_create(&w->link, NULL, &w->err), code);
	if (!strstr(w->err.msg, message))
		fail_msg("%s", w->err.msg);
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), code);
	assert_false(host_has(HOST_LINK));
	w->link.netns = w->path;
}

static void paths_that_are_no_namespace(void **state)
{
	struct world *w = *state;
	char folder[] = "/tmp/manx-test-XXXXXX";
	_cleanup_(freep) char *fifo = NULL;

	refused(w, "/nowhere/at/all", -ENOENT, "network namespace /nowhere/at/all: No such file");
	refused(w, "", -ENOENT, "No such file");
	refused(w, "/etc/passwd", -ENOTTY, "/etc/passwd is not a network namespace");
	refused(w, "/etc", -ENOTTY, "not a network namespace");
	refused(w, "/dev/null", -ENOTTY, "not a network namespace");
	refused(w, "/proc/self/status", -ENOTTY, "not a network namespace");
	refused(w, "/proc/self/ns/mnt", -ENOTTY, "but not a network namespace");
	refused(w, "/proc/self/ns/net", -ENOTTY, "the node's own network namespace");
	assert_non_null(mkdtemp(folder));
	fifo = xasprintf("%s/fifo", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	refused(w, fifo, -ENOTTY, "not a network namespace");
	(void)unlink(fifo);
	(void)rmdir(folder);
}

/* --- CHECK ------------------------------------------------------------------------------ */

static void differs(struct world *w, const char *in_pod, const char *message)
{
	create(w);
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
	pod_run(w, in_pod);
	assert_true(podlink_check(&w->link, NULL, &w->err) < 0);
	if (!strstr(w->err.msg, message))
		fail_msg("%s: %s", in_pod, w->err.msg);
}

static void differs_here(struct world *w, const char *command, const char *message)
{
	create(w);
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
	lab_run("%s", command);
	assert_true(podlink_check(&w->link, NULL, &w->err) < 0);
	assert_string_equal(w->err.msg, message);
}

static void check_finds_what_differs(void **state)
{
	struct world *w = *state;

	differs(w, "ip link set eth0 down", "interface eth0 is down");
	differs(w, "ip link set eth0 address 02:00:00:00:00:99", "another MAC");
	differs(w, "ip addr del 10.1.0.5/32 dev eth0", "lacks address 10.1.0.5");
	differs(w, "ip addr del fd00:1::5/128 dev eth0", "lacks address fd00:1::5");
	differs(w, "ip route del default", "no default route via 169.254.1.1 on eth0");
	differs(w, "ip -6 route del default", "no default route via fe80::1 on eth0");
	differs(w, "ip neigh del 169.254.1.1 dev eth0", "no neighbour entry for 169.254.1.1");
	differs(w, "ip -6 neigh del fe80::1 dev eth0", "no neighbour entry for fe80::1");
	differs(w, "ip link set eth0 down && ip link set eth0 name eth1", "no interface eth0");
	differs(w, "ip route replace default via 10.1.0.99 dev eth0 onlink", "no default route");
	create(w);
	differs_here(w, "ip link set " HOST_LINK " down", "link " HOST_LINK " is down");
	differs_here(w, "ip link set " HOST_LINK " mtu 1300",
		     "link " HOST_LINK " has the MTU 1300 instead of 1450");
	differs_here(w, "echo 0 > /proc/sys/net/ipv4/conf/" HOST_LINK "/forwarding",
		     "forwarding is off on link " HOST_LINK);
	differs_here(w, "ip neigh del 10.1.0.5 dev " HOST_LINK,
		     "no permanent neighbour entry for 10.1.0.5 on " HOST_LINK);
	differs_here(w, "ip -6 neigh change fd00:1::5 nud stale dev " HOST_LINK,
		     "no permanent neighbour entry for fd00:1::5 on " HOST_LINK);
	differs_here(
		w,
		"ip neigh replace 10.1.0.5 lladdr 02:00:00:00:00:66 nud permanent dev " HOST_LINK,
		"no permanent neighbour entry for 10.1.0.5 on " HOST_LINK);
	create(w);
	w->link.host_ifname = "mxaaaaaaaaaaaa";
	assert_true(podlink_check(&w->link, NULL, &w->err) < 0);
	lab_run("ip link add mxaaaaaaaaaaaa type veth peer name x && ip link set mxaaaaaaaaaaaa "
		"up mtu 1450");
	lab_sysctl("ipv4/conf/mxaaaaaaaaaaaa/forwarding", "1");
	lab_run("ip neigh add 10.1.0.5 lladdr 02:00:00:00:00:05 dev mxaaaaaaaaaaaa nud permanent");
	lab_run("ip neigh add fd00:1::5 lladdr 02:00:00:00:00:05 dev mxaaaaaaaaaaaa nud permanent");
	assert_true(podlink_check(&w->link, NULL, &w->err) < 0);
	assert_string_equal(w->err.msg, "mxaaaaaaaaaaaa is not the other end of interface eth0");
}

/* What a pod may do to itself without being told off. */
static void check_accepts_what_the_pod_adds(void **state)
{
	struct world *w = *state;

	create(w);
	pod_run(w, "ip addr add 172.16.0.1/24 dev eth0 && ip route add 10.99.0.0/16 dev lo");
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
}

static uint32_t follow(struct world *w, uint32_t mtu)
{
	struct rtnl *n = NULL;
	uint32_t had = 0;

	w->link.mtu = mtu;
	assert_int_equal(rtnl_open(NULL, NULL, &n, &w->err), 0);
	if (rtnl_link_follow(n, &w->link, &had, &w->err) < 0)
		fail_msg("%s", w->err.msg);
	(void)rtnl_close(n);
	return had;
}

static bool have(const struct world *w, uint32_t pod, uint32_t host)
{
	_cleanup_(freep) char *in_pod = xasprintf("mtu %u ", pod);
	_cleanup_(freep) char *in_host = xasprintf("mtu %u ", host);

	return pod_shows(w, in_pod, "ip link show eth0") &&
	       lab_shows(in_host, "ip link show " HOST_LINK);
}

static void both_ends_follow_the_mtu(void **state)
{
	struct world *w = *state;

	create(w);
	assert_int_equal(follow(w, 1400), 1400);
	assert_true(have(w, 1400, 1400));
	assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
	assert_int_equal(follow(w, 8000), 8000);
	assert_true(have(w, 8000, 8000));
}

/* What a pod lowered by itself stays, as long as the node's is not lower still. */
static void a_pods_own_mtu_stays(void **state)
{
	struct world *w = *state;

	create(w);
	pod_run(w, "ip link set eth0 mtu 1300");
	(void)follow(w, 1500);
	assert_true(have(w, 1300, 1500));
	(void)follow(w, 1400);
	assert_true(have(w, 1300, 1400));
	(void)follow(w, 1280);
	assert_true(have(w, 1280, 1280));
}

/* With nothing to change the pod is not entered, whatever its path says. */
static void nobody_is_entered_for_nothing(void **state)
{
	struct world *w = *state;

	create(w);
	w->link.netns = "/nowhere";
	assert_int_equal(follow(w, 1450), 1450);
	pod_run(w, "ip link set eth0 mtu 1300");
	assert_int_equal(follow(w, 1400), 1400);
	w->link.netns = w->path;
	assert_true(have(w, 1300, 1400));
}

/* Neither end is left with an MTU that the other one drops. */
static void a_pod_that_cannot_be_entered_keeps_both(void **state)
{
	static const uint32_t mtus[] = {1300, 9000};
	struct world *w = *state;

	create(w);
	for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
		struct rtnl *n = NULL;
		uint32_t had = 0;

		w->link.mtu = mtus[i];
		w->link.netns = "/nowhere";
		assert_int_equal(rtnl_open(NULL, NULL, &n, &w->err), 0);
		assert_int_equal(rtnl_link_follow(n, &w->link, &had, &w->err), -ENOENT);
		(void)rtnl_close(n);
		assert_int_equal(had, 1450);
		assert_true(have(w, 1450, 1450));
	}
	w->link.netns = w->path;
}

static void what_the_hosts_end_gets(void **state)
{
	struct world *w = *state;

	lab_sysctl("ipv4/conf/default/forwarding", "0");
	create(w);
	assert_true(lab_shows("1", "cat /proc/sys/net/ipv4/conf/" HOST_LINK "/forwarding"));
	assert_true(lab_shows("fe80::1/128", "ip addr show " HOST_LINK));
}

/* --- how long it takes ------------------------------------------------------------------ */

enum { ROUNDS = 100 };

/* The one message without which there is no pair: what the kernel charges at least. */
static int raw_create(struct mnl_socket *s, int netns)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct nlattr *info, *data, *end;
	struct ifinfomsg *i;
	struct nlmsghdr *h;

	nlbatch_begin(b, s);
	h = nlbatch_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_flags = i->ifi_change = IFF_UP;
	mnl_attr_put_strz(h, IFLA_IFNAME, HOST_LINK);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	end = mnl_attr_nest_start(h, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_nest_end(h, end);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	nlbatch_added(b, h);
	return nlbatch_send_all(b, NULL);
}

static int raw_delete(struct mnl_socket *s)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct ifinfomsg *i;
	struct nlmsghdr *h;

	nlbatch_begin(b, s);
	h = nlbatch_add(b, RTM_DELLINK, 0);
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = (int)if_nametoindex(HOST_LINK);
	nlbatch_added(b, h);
	return nlbatch_send_all(b, NULL);
}

static void times(void **state)
{
	static uint64_t made[ROUNDS], deleted[ROUNDS], checked[ROUNDS];
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	struct world *w = *state;

	(void)usleep(500000); /* the namespaces of the tests before this one are still going */
	assert_int_equal(nl_open(NETLINK_ROUTE, 0, &s, &w->err), 0);
	for (int raw = 0; raw < 2; raw++) {
		for (int i = 0; i < ROUNDS; i++) {
			uint64_t start = lab_nsec(), middle, end;

			assert_int_equal(raw ? raw_create(s, w->pod)
					     : podlink_create(&w->link, NULL, &w->err),
					 0);
			middle = lab_nsec();
			made[i] = middle - start;
			if (!raw)
				assert_int_equal(podlink_check(&w->link, NULL, &w->err), 0);
			end = lab_nsec();
			checked[i] = end - middle;
			assert_int_equal(raw ? raw_delete(s) : podlink_delete(HOST_LINK, &w->err),
					 0);
			deleted[i] = lab_nsec() - end;
		}
		lab_print_times(raw ? "raw RTM_NEWLINK" : "podlink_create, two families", made,
				ROUNDS);
		if (!raw)
			lab_print_times("podlink_check", checked, ROUNDS);
		lab_print_times(raw ? "raw RTM_DELLINK" : "podlink_delete", deleted, ROUNDS);
	}
}

static void not_without_root(void **state _unused_)
{
	skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest none[] = {cmocka_unit_test(not_without_root)};
	const struct CMUnitTest tests[] = {
		TEST(a_link_that_works),
		TEST(one_family_only),
		TEST(ipv6_switched_off_by_default),
		TEST(deleted_and_made_again),
		TEST(a_failure_leaves_nothing_behind),
		TEST(what_an_interrupted_try_left_is_replaced),
		TEST(another_containers_link_stays),
		TEST(interfaces_of_others_stay),
		TEST(a_second_interface_takes_nothing),
		TEST(one_family_is_another_interfaces),
		TEST(paths_that_are_no_namespace),
		TEST(check_finds_what_differs),
		TEST(check_accepts_what_the_pod_adds),
		TEST(both_ends_follow_the_mtu),
		TEST(a_pods_own_mtu_stays),
		TEST(nobody_is_entered_for_nothing),
		TEST(a_pod_that_cannot_be_entered_keeps_both),
		TEST(what_the_hosts_end_gets),
		TEST(times),
	};

	if (!lab_is_root())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
