// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_conntrack_flows_kernel.c - tracked connections as flows, against the real kernel.  Needs
 * root.
 *
 * Each test has a fresh network namespace.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/conntrack_flows.h"
#include "datapath/route/rtnl.h"
#include "kernel_lab.h"

#define MANY 20000

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static int set_up(void **state)
{
	struct conntrack *c = NULL;
	struct err e = {0};

	lab_enter_new();
	assert_int_equal(conntrack_open(&c, &e), 0);
	lab_run("nft add table inet track && "
		"nft 'add chain inet track in { type filter hook prerouting priority 0; }' && "
		"nft add rule inet track in ct state new counter");
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	*state = conntrack_close(*state);
	return 0;
}

static unsigned int entries(const char *with)
{
	_cleanup_(freep) char *text =
		lab_output("{ conntrack -L -f ipv4; conntrack -L -f ipv6; } 2>/dev/null");
	unsigned int n = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		n += strstr(line, with) != NULL;
	return n;
}

static void insert(int sport, const char *orig, const char *reply)
{
	lab_run("conntrack -I -p tcp --sport %d --dport 80 --reply-port-src 8080 "
		"--reply-port-dst %d --timeout 600 --state ESTABLISHED %s %s 2>/dev/null",
		sport, sport, orig, reply);
}

static void find(struct conntrack *c, const char *const *addrs, struct flow_list *ret)
{
	struct addr_list l = {0};
	struct err e = {0};

	for (; *addrs; addrs++)
		vec_push(&l.a, address(*addrs));
	addr_list_sort(&l);
	if (conntrack_flows(c, &l, ret, &e) < 0)
		fail_msg("%s", e.msg);
	vec_done(&l.a);
}

#define FIND(c, ret, ...) find(c, (const char *const[]){__VA_ARGS__, NULL}, ret)

static void assert_has(const struct flow_list *l, const char *src, const char *dst,
		       const char *back)
{
	const struct flow f = {.src = address(src),
			       .dst = address(dst),
			       .back = address(back),
			       .protocol = IPPROTO_TCP,
			       .port = 8080};

	if (!flow_list_has(l, &f))
		fail_msg("%s to %s is not found", src, dst);
}

static void insert_some(void)
{
	insert(1000, "-s 10.1.0.5 -d 192.0.2.9", "-r 192.0.2.9 -q 198.51.100.1"); /* masqueraded */
	insert(1000, "-s 192.0.2.11 -d 198.51.100.1",
	       "-r 10.1.0.5 -q 192.0.2.11"); /* a host port */
	insert(1001, "-s 192.0.2.11 -d 198.51.100.1", "-r 10.1.0.5 -q 192.0.2.11");
	insert(1000, "-s 10.1.0.50 -d 192.0.2.14", "-r 192.0.2.14 -q 10.1.0.50");
	insert(1000, "-s fd00:1::5 -d 2001:db8::9", "-r 2001:db8::9 -q fd00:1::5");
	insert(1000, "-s 2001:db8::10 -d fd00:1::50", "-r fd00:1::50 -q 2001:db8::10");
}

/* What the forward chain saw: the source before, the destination after translation. */
static void flows_of_addresses(void **state)
{
	struct flow_list l = {0};

	insert_some();
	FIND(*state, &l, "10.1.0.5");
	assert_int_equal(l.f.n, 2);
	assert_has(&l, "10.1.0.5", "192.0.2.9", "198.51.100.1");
	assert_has(&l, "192.0.2.11", "10.1.0.5", "192.0.2.11");
	flow_list_done(&l);
	FIND(*state, &l, "198.51.100.1"); /* stands in no flow as source or destination */
	assert_int_equal(l.f.n, 0);
	FIND(*state, &l, "fd00:1::5", "10.1.0.50");
	assert_int_equal(l.f.n, 2);
	assert_has(&l, "fd00:1::5", "2001:db8::9", "fd00:1::5");
	assert_has(&l, "10.1.0.50", "192.0.2.14", "10.1.0.50");
	flow_list_done(&l);
	/* More than are asked for one by one. */
	FIND(*state, &l, "10.1.0.5", "10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4", "fd00:1::50");
	assert_int_equal(l.f.n, 3);
	assert_has(&l, "2001:db8::10", "fd00:1::50", "2001:db8::10");
	flow_list_done(&l);
}

static void only_what_is_forbidden(void **state)
{
	struct flow_list l = {0}, forbidden = {0};
	struct addr_list addrs = {0};
	struct err e = {0};
	uint64_t cut = 9;

	insert_some();
	vec_push(&addrs.a, address("fd00:1::5"));
	vec_push(&addrs.a, address("10.1.0.5"));
	addr_list_sort(&addrs);
	FIND(*state, &l, "10.1.0.5", "fd00:1::5");
	vec_foreach (f, &l.f) {
		struct addr a = address("192.0.2.11"), b = address("fd00:1::5");

		if (addr_eq(&f->src, &a) || addr_eq(&f->src, &b))
			vec_push(&forbidden.f, *f);
	}
	assert_int_equal(conntrack_cut(*state, &addrs, &forbidden, &cut, &e), 0);
	assert_int_equal(cut, 3);
	assert_int_equal(entries("ESTABLISHED"), 3);
	assert_int_equal(entries("src=192.0.2.11"), 0);
	assert_int_equal(entries("src=10.1.0.5 "), 1);
	assert_int_equal(conntrack_cut(*state, &addrs, &forbidden, &cut, &e), 0);
	assert_int_equal(cut, 0);
	vec_done(&addrs.a);
	flow_list_done(&l);
	flow_list_done(&forbidden);
}

/* One flow of many connections: what is kept is the flow, what is deleted are all of them. */
static void many_connections(void **state)
{
	struct addr_list addrs = {0};
	struct flow_list l = {0};
	struct err e = {0};
	uint64_t cut, times[2];

	lab_run("for i in $(seq %d); do echo -I -p udp -s 192.0.2.$((i %% 4)) -d 10.1.0.5 --sport "
		"$i --dport 53 --timeout 600; done | conntrack -R - >/dev/null 2>&1",
		MANY);
	vec_push(&addrs.a, address("10.1.0.5"));
	times[0] = lab_nsec();
	assert_int_equal(conntrack_flows(*state, &addrs, &l, &e), 0);
	times[0] = lab_nsec() - times[0];
	assert_int_equal(l.f.n, 4);
	times[1] = lab_nsec();
	assert_int_equal(conntrack_cut(*state, &addrs, &l, &cut, &e), 0);
	times[1] = lab_nsec() - times[1];
	assert_int_equal(cut, MANY);
	print_message("%d entries listed in %.1f ms, deleted in %.1f ms\n", MANY,
		      (double)times[0] / 1e6, (double)times[1] / 1e6);
	vec_done(&addrs.a);
	flow_list_done(&l);
}

static void own_addresses(void **state _unused_)
{
	static const char *const own[] = {"10.9.0.1", "127.0.0.9", "fd00:9::1", "::1", "10.8.0.77"};
	static const char *const others[] = {"10.9.0.2", "192.0.2.1", "fd00:9::2", "2001:db8::1"};
	_cleanup_(nl_closep) struct mnl_socket *s = NULL;
	struct err e = {0};

	lab_run("ip link set lo up && ip link add d0 type veth peer name d1 && ip link set d1 up "
		"&& ip link set d0 up && "
		"ip addr add 10.9.0.1/24 dev d0 && ip addr add fd00:9::1/64 dev d0 nodad && "
		"ip route add local 10.8.0.0/24 dev lo");
	assert_int_equal(nl_open(NETLINK_ROUTE, 0, &s, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		struct addr a = address(own[i]);

		if (!rtnl_is_local(s, &a))
			fail_msg("%s is not local", own[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct addr a = address(others[i]);

		if (rtnl_is_local(s, &a))
			fail_msg("%s is local", others[i]);
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
		TEST(flows_of_addresses),
		TEST(only_what_is_forbidden),
		TEST(many_connections),
		TEST(own_addresses),
	};

	if (!lab_is_root())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
