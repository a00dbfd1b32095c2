// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_rtnl_kernel.c - routes, notifications and links against the real kernel; needs root.
 *
 * Each test has a fresh network namespace: the node's interface up0 with 192.0.2.1/24 and
 * 2001:db8::1/64, and one pod's link mx0123456789ab.
 */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/route/rtnl.h"
#include "kernel_lab.h"
#include "route_kernel.h"

static const struct claimant owner = {.rank = ROUTE_OF_NODE, .name = "a"};

#define POD_LINK "mx0123456789ab"

/* struct seen - the notifications of a test */
struct seen {
	unsigned int count[RTNL_OVERRUN + 1];
	struct rtnl_event last[RTNL_OVERRUN + 1];
};

struct world {
	struct rtnl *rtnl;
	struct routes *routes;
	struct seen seen;
	struct err err;
};

static void on_event(void *arg, const struct rtnl_event *e)
{
	struct seen *s = arg;

	s->count[e->kind]++;
	s->last[e->kind] = *e;
}

/*
 * Some notifications follow a command when the kernel finds the time, and would be counted for the
 * test's own: links learn of their carrier, and an IPv6 address is told once more and then gets its
 * route.  The last command waits for the lock under which links are told.
 */
static void settle(void)
{
	lab_run("for i in $(seq 3000); do "
		"[ $(ip -o link show type veth | grep -c 'state UP') = 4 ] && "
		"ip -6 route show table local | grep -q 2001:db8::1 && "
		"exec ip link set lo up; sleep 0.01; done; exit 1");
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	lab_enter_new();
	lab_run("ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 "
		"up");
	lab_run("ip addr add 192.0.2.1/24 dev up0 && ip addr add 2001:db8::1/64 dev up0 nodad");
	lab_run("ip link add " POD_LINK " type veth peer name pod0");
	lab_run("ip link set " POD_LINK " up && ip link set pod0 up");
	settle();
	assert_int_equal(rtnl_open(on_event, &w->seen, &w->rtnl, &w->err), 0);
	w->routes = routes_new();
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)routes_free(w->routes);
	(void)rtnl_close(w->rtnl);
	free(w);
	return 0;
}

static struct route via(const char *dst, const char *gateway)
{
	struct route r = {.kind = ROUTE_VIA};

	assert_true(prefix_parse(dst, &r.dst) >= 0);
	assert_true(addr_parse(gateway, &r.via) >= 0);
	return r;
}

static struct route dev(const char *dst, const char *ifname, const char *mac)
{
	struct route r = {.kind = ROUTE_DEV};

	assert_true(prefix_parse(dst, &r.dst) >= 0);
	assert_true(mac_parse(mac, &r.neigh) >= 0);
	(void)snprintf(r.ifname, sizeof(r.ifname), "%s", ifname);
	return r;
}

static struct route unreachable(const char *dst)
{
	struct route r = {.kind = ROUTE_UNREACHABLE};

	assert_true(prefix_parse(dst, &r.dst) >= 0);
	return r;
}

static void want(struct world *w, struct route r)
{
	routes_want(w->routes, &owner, &r);
}

static void drop(struct world *w, struct route r)
{
	routes_drop(w->routes, &owner, &r.dst);
}

static void apply(struct world *w)
{
	int failed = apply_routes(w->rtnl, w->routes, &w->err);

	if (failed)
		fail_msg("%d failed: %s", failed, w->err.msg);
	assert_int_equal(routes_pending(w->routes), 0);
}

/* The whole of what the kernel has of ours, as one would look for it. */
static void assert_ours(const char *expected)
{
	_cleanup_(freep) char *text =
		lab_output("{ ip route show proto 109; ip -6 route show proto "
			   "109; } | sed 's/ metric 1024//; s/ error.*//; "
			   "s/ pref medium//; s/ *$//'");

	assert_string_equal(text, expected);
}

static void dispatch(struct world *w)
{
	w->seen = (struct seen){0};
	for (int i = 0; i < 100; i++)
		rtnl_dispatch(w->rtnl);
}

/* --- routes ----------------------------------------------------------------------------- */

static void every_kind_in_both_families(void **state)
{
	struct world *w = *state;

	want(w, via("10.2.0.0/16", "192.0.2.2"));
	want(w, via("fd00:2::/64", "2001:db8::2"));
	want(w, dev("10.1.0.5/32", POD_LINK, "02:00:00:00:00:05"));
	want(w, dev("fd00:1::5/128", POD_LINK, "02:00:00:00:00:05"));
	want(w, unreachable("10.1.0.0/16"));
	want(w, unreachable("fd00:1::/64"));
	apply(w);
	assert_ours("unreachable 10.1.0.0/16\n"
		    "10.1.0.5 dev " POD_LINK " scope link\n"
		    "10.2.0.0/16 via 192.0.2.2 dev up0\n"
		    "fd00:1::5 dev " POD_LINK "\n"
		    "unreachable fd00:1::/64 dev lo\n"
		    "fd00:2::/64 via 2001:db8::2 dev up0\n");
	assert_true(lab_shows("02:00:00:00:00:05 PERMANENT", "ip neigh show 10.1.0.5"));
	assert_true(lab_shows("02:00:00:00:00:05 PERMANENT", "ip -6 neigh show fd00:1::5"));
	assert_true(lab_shows("dev " POD_LINK, "ip route get 10.1.0.5"));
	drop(w, via("10.2.0.0/16", "192.0.2.2"));
	drop(w, dev("fd00:1::5/128", POD_LINK, "02:00:00:00:00:05"));
	drop(w, unreachable("10.1.0.0/16"));
	drop(w, unreachable("fd00:1::/64"));
	apply(w);
	assert_ours("10.1.0.5 dev " POD_LINK " scope link\n"
		    "fd00:2::/64 via 2001:db8::2 dev up0\n");
}

static void a_restart_changes_nothing(void **state)
{
	struct world *w = *state;
	struct routes *fresh = routes_new();
	const struct route all[] = {via("10.2.0.0/16", "192.0.2.2"),
				    via("fd00:2::/64", "2001:db8::2"),
				    dev("10.1.0.5/32", POD_LINK, "02:00:00:00:00:05"),
				    dev("fd00:1::5/128", POD_LINK, "02:00:00:00:00:05"),
				    unreachable("10.1.0.0/16"),
				    unreachable("fd00:1::/64")};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		want(w, all[i]);
	apply(w);
	dispatch(w);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		routes_want(fresh, &owner, &all[i]);
	assert_int_equal(read_routes(w->rtnl, fresh, &w->err), 0);
	assert_int_equal(routes_pending(fresh), 0);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_true(routes_in_kernel(fresh, &all[i].dst));
	assert_int_equal(apply_routes(w->rtnl, fresh, &w->err), 0);
	dispatch(w);
	assert_memory_equal(&w->seen, &(struct seen){0}, sizeof(w->seen));
	(void)routes_free(fresh);
}

/* What an earlier agent left and nobody wants any more. */
static void a_restart_removes_what_is_left(void **state)
{
	struct world *w = *state;

	lab_run("ip route add 10.9.0.0/16 via 192.0.2.9 proto 109");
	lab_run("ip -6 route add fd00:9::/64 via 2001:db8::9 proto 109");
	lab_run("ip route add unreachable 10.8.0.0/16 proto 109");
	assert_int_equal(read_routes(w->rtnl, w->routes, &w->err), 0);
	assert_int_equal(routes_pending(w->routes), 3);
	apply(w);
	assert_ours("");
}

/* From every kind to every other, in place. */
static void kinds_replace_each_other(void **state)
{
	struct world *w = *state;
	const struct route v4[] = {via("10.2.0.0/24", "192.0.2.2"), unreachable("10.2.0.0/24"),
				   dev("10.2.0.0/24", POD_LINK, "02:00:00:00:00:05"),
				   via("10.2.0.0/24", "192.0.2.3")};
	const struct route v6[] = {via("fd00:2::/64", "2001:db8::2"), unreachable("fd00:2::/64"),
				   dev("fd00:2::/64", POD_LINK, "02:00:00:00:00:05"),
				   via("fd00:2::/64", "2001:db8::3")};
	const char *const shown[] = {
		"10.2.0.0/24 via 192.0.2.2 dev up0\nfd00:2::/64 via 2001:db8::2 dev up0\n",
		"unreachable 10.2.0.0/24\nunreachable fd00:2::/64 dev lo\n",
		"10.2.0.0/24 dev " POD_LINK " scope link\nfd00:2::/64 dev " POD_LINK "\n",
		"10.2.0.0/24 via 192.0.2.3 dev up0\nfd00:2::/64 via 2001:db8::3 dev up0\n"};

	for (size_t from = 0; from < ARRAY_SIZE(shown); from++) {
		for (size_t to = 0; to < ARRAY_SIZE(shown); to++) {
			want(w, v4[from]);
			want(w, v6[from]);
			apply(w);
			assert_ours(shown[from]);
			want(w, v4[to]);
			want(w, v6[to]);
			apply(w);
			assert_ours(shown[to]);
		}
	}
}

static void routes_of_others_are_left_alone(void **state)
{
	struct world *w = *state;

	lab_run("ip route add 10.2.0.0/16 via 192.0.2.77");
	lab_run("ip -6 route add fd00:2::/64 via 2001:db8::77");
	lab_run("ip route add 10.3.0.0/16 via 192.0.2.77 metric 50");
	assert_int_equal(read_routes(w->rtnl, w->routes, &w->err), 0);
	assert_int_equal(routes_pending(w->routes), 0);
	want(w, via("10.2.0.0/16", "192.0.2.2"));
	want(w, via("fd00:2::/64", "2001:db8::2"));
	want(w, via("10.3.0.0/16", "192.0.2.2"));
	want(w, via("10.4.0.0/16", "192.0.2.2"));
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 2);
	assert_non_null(strstr(w->err.msg, "route fd00:2::/64: somebody else has a route to it"));
	assert_int_equal(routes_failed(w->routes), 2);
	assert_ours("10.3.0.0/16 via 192.0.2.2 dev up0\n10.4.0.0/16 via 192.0.2.2 dev up0\n");
	drop(w, via("10.3.0.0/16", "192.0.2.2"));
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 2);
	assert_true(lab_shows("10.2.0.0/16 via 192.0.2.77", "ip route"));
	assert_true(lab_shows("10.3.0.0/16 via 192.0.2.77", "ip route"));
	assert_true(lab_shows("fd00:2::/64 via 2001:db8::77", "ip -6 route"));
	lab_run("ip route del 10.2.0.0/16 && ip -6 route del fd00:2::/64");
	apply(w);
	assert_true(lab_shows("10.2.0.0/16 via 192.0.2.2", "ip route"));
}

/* The agent was told that a route went, or may have gone, and it is still there. */
static void a_route_that_was_believed_lost(void **state)
{
	struct world *w = *state;
	struct route v4 = via("10.2.0.0/16", "192.0.2.2"), v6 = via("fd00:2::/64", "2001:db8::2");
	struct route pod = dev("10.1.0.5/32", POD_LINK, "02:00:00:00:00:05");

	want(w, v4);
	want(w, v6);
	want(w, pod);
	apply(w);
	v4.via.b[3] = 3;
	pod.neigh.b[5] = 6;
	routes_lost(w->routes, &v4.dst);
	routes_lost(w->routes, &v6.dst);
	routes_lost(w->routes, &pod.dst);
	want(w, v4);
	want(w, pod);
	apply(w);
	assert_ours("10.1.0.5 dev " POD_LINK " scope link\n"
		    "10.2.0.0/16 via 192.0.2.3 dev up0\n"
		    "fd00:2::/64 via 2001:db8::2 dev up0\n");
	assert_true(lab_shows("02:00:00:00:00:06 PERMANENT", "ip neigh show 10.1.0.5"));
}

/* Its neighbour entry is one with a pod's route: who reads the one sees whether the other is whole.
 */
static void a_pods_entry_is_read_with_its_route(void **state)
{
	static const char *const changes[] = {
		"ip neigh del 10.1.0.5 dev " POD_LINK,
		"ip neigh change 10.1.0.5 nud stale dev " POD_LINK,
		"ip neigh replace 10.1.0.5 lladdr 02:00:00:00:00:77 nud permanent dev " POD_LINK,
		"ip -6 neigh del fd00:1::5 dev " POD_LINK,
	};
	struct world *w = *state;

	want(w, dev("10.1.0.5/32", POD_LINK, "02:00:00:00:00:05"));
	want(w, dev("fd00:1::5/128", POD_LINK, "02:00:00:00:00:05"));
	want(w, unreachable("10.1.0.0/16"));
	apply(w);
	/* Another interface has the same neighbour: it is not the pod's. */
	lab_run("ip neigh add 10.1.0.5 lladdr 02:00:00:00:00:05 nud permanent dev up0");
	assert_int_equal(read_routes(w->rtnl, w->routes, &w->err), 0);
	assert_int_equal(routes_pending(w->routes), 0);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		lab_run("%s", changes[i]);
		assert_int_equal(read_routes(w->rtnl, w->routes, &w->err), 0);
		assert_int_equal(routes_pending(w->routes), 1);
		apply(w);
		assert_true(lab_shows("02:00:00:00:00:05 PERMANENT",
				      "ip neigh show 10.1.0.5 dev " POD_LINK));
		assert_true(lab_shows("02:00:00:00:00:05 PERMANENT",
				      "ip -6 neigh show fd00:1::5 dev " POD_LINK));
	}
}

static void neighbours_and_forwarding_are_told(void **state)
{
	const struct rtnl_event *neighbour, *forwarding;
	const struct route pod = dev("10.1.0.5/32", POD_LINK, "02:00:00:00:00:05");
	struct world *w = *state;
	static const struct mac none;

	want(w, pod);
	apply(w);
	dispatch(w);
	neighbour = &w->seen.last[RTNL_NEIGHBOUR];
	assert_int_equal(neighbour->ifindex, if_nametoindex(POD_LINK));
	assert_int_equal(neighbour->mac.b[5], 5);
	lab_run("ip neigh del 10.1.0.5 dev " POD_LINK);
	dispatch(w);
	assert_true(w->seen.count[RTNL_NEIGHBOUR] > 0);
	assert_true(prefix_eq(&neighbour->dst, &pod.dst));
	assert_memory_equal(&neighbour->mac, &none, sizeof(none));

	lab_sysctl("ipv4/ip_forward", "1");
	lab_sysctl("ipv4/conf/" POD_LINK "/forwarding", "0");
	dispatch(w);
	forwarding = &w->seen.last[RTNL_FORWARDING];
	assert_int_equal(forwarding->ifindex, if_nametoindex(POD_LINK));
	assert_false(forwarding->on);
	lab_sysctl("ipv6/conf/all/forwarding", "1");
	lab_sysctl("ipv6/conf/all/forwarding", "0");
	dispatch(w);
	assert_int_equal(forwarding->family, AF_INET6);
	assert_false(forwarding->on);
}

/* The kernel says it of one interface, and of all. */
static void checks_of_sources_are_told(void **state)
{
	struct world *w = *state;
	const struct rtnl_event *check = &w->seen.last[RTNL_RP_FILTER];

	lab_sysctl("ipv4/conf/up0/rp_filter", "0");
	dispatch(w);
	lab_sysctl("ipv4/conf/up0/rp_filter", "1");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_RP_FILTER], 1);
	assert_int_equal(check->ifindex, if_nametoindex("up0"));
	lab_sysctl("ipv4/conf/all/rp_filter", "2");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_RP_FILTER], 1);
	assert_int_equal(check->ifindex, 0);
	lab_sysctl("ipv4/conf/default/rp_filter", "1"); /* what new ones begin with */
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_RP_FILTER], 0);
}

/* A namespace as the kernel makes it: not even lo is up, and there is no table. */
static void a_namespace_without_a_route(void **state)
{
	_cleanup_(buf_done) struct buf said = {0};
	struct world *w = *state;
	_cleanup_(closep) int bare = lab_new_netns();
	struct rtnl *n = NULL;

	lab_setns(bare);
	assert_int_equal(rtnl_open(NULL, NULL, &n, &w->err), 0);
	if (read_routes(n, w->routes, &w->err) < 0)
		fail_msg("%s", w->err.msg);
	if (rtnl_enable_forwarding(n, AF_INET6, &said, &w->err) < 0)
		fail_msg("%s", w->err.msg);
	(void)rtnl_close(n);
}

static void removing_what_is_gone_is_no_error(void **state)
{
	struct world *w = *state;

	want(w, via("10.2.0.0/16", "192.0.2.2"));
	want(w, dev("10.1.0.5/32", POD_LINK, "02:00:00:00:00:05"));
	want(w, dev("fd00:1::5/128", POD_LINK, "02:00:00:00:00:05"));
	apply(w);
	lab_run("ip link del " POD_LINK " && ip route del 10.2.0.0/16");
	drop(w, via("10.2.0.0/16", "192.0.2.2"));
	drop(w, dev("10.1.0.5/32", POD_LINK, "02:00:00:00:00:05"));
	drop(w, dev("fd00:1::5/128", POD_LINK, "02:00:00:00:00:05"));
	apply(w);
}

static void a_node_that_is_not_on_our_layer_2(void **state)
{
	struct world *w = *state;

	want(w, via("10.2.0.0/16", "198.51.100.2"));
	want(w, via("10.3.0.0/16", "192.0.2.3"));
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 1);
	assert_string_equal(w->err.msg,
			    "route 10.2.0.0/16: node 198.51.100.2 is not on our layer 2");
	assert_ours("10.3.0.0/16 via 192.0.2.3 dev up0\n");
	drop(w, via("10.2.0.0/16", "198.51.100.2"));
	want(w, via("fd00:2::/64", "2001:db8:1::2"));
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 1);
	assert_string_equal(w->err.msg,
			    "route fd00:2::/64: node 2001:db8:1::2 is not on our layer 2");
	assert_int_equal(routes_failed(w->routes), 1);
	lab_run("ip addr add 2001:db8:1::1/64 dev up0 nodad");
	apply(w);
	/* A default route of the node reaches such a node, but not on layer 2. */
	lab_run("ip route add default via 192.0.2.254");
	want(w, via("10.4.0.0/16", "198.51.100.2"));
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 1);
	assert_non_null(strstr(w->err.msg, "layer 2"));
}

static void a_device_that_is_not_there(void **state)
{
	struct world *w = *state;

	want(w, dev("10.1.0.6/32", "mxffffffffffff", "02:00:00:00:00:06"));
	want(w, dev("fd00:1::6/128", "mxffffffffffff", "02:00:00:00:00:06"));
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 2);
	assert_non_null(strstr(w->err.msg, "dev mxffffffffffff: No such device"));
	assert_ours("");
	assert_int_equal(apply_routes(w->rtnl, w->routes, NULL), 2);
}

/* More than one batch; and how long it takes. */
static void ten_thousand_routes(void **state)
{
	struct world *w = *state;
	struct routes *fresh = routes_new();
	uint64_t start;

	for (unsigned int i = 0; i < 10000; i++)
		want(w, (struct route){.kind = ROUTE_VIA,
				       .dst = {.addr = {.family = AF_INET,
							.b = {10, (uint8_t)(i >> 8), (uint8_t)i}},
					       .len = 24},
				       .via = {.family = AF_INET, .b = {192, 0, 2, 2}}});
	start = lab_nsec();
	apply(w);
	print_message("10000 routes applied in %.1f ms\n", (double)(lab_nsec() - start) / 1e6);
	start = lab_nsec();
	assert_int_equal(read_routes(w->rtnl, fresh, &w->err), 0);
	print_message("10000 routes read in %.1f ms\n", (double)(lab_nsec() - start) / 1e6);
	assert_int_equal(routes_pending(fresh), 10000);
	start = lab_nsec();
	assert_int_equal(apply_routes(w->rtnl, fresh, &w->err), 0);
	print_message("10000 routes removed in %.1f ms\n", (double)(lab_nsec() - start) / 1e6);
	assert_ours("");
	(void)routes_free(fresh);
}

/* --- notifications ---------------------------------------------------------------------- */

static void somebody_deletes_or_replaces_a_route(void **state)
{
	struct world *w = *state;
	struct route v4 = via("10.2.0.0/16", "192.0.2.2"), v6 = via("fd00:2::/64", "2001:db8::2");

	want(w, v4);
	want(w, v6);
	apply(w);
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_ROUTE_GONE], 0); /* our own doing */
	lab_run("ip route del 10.2.0.0/16");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_ROUTE_GONE], 1);
	assert_true(prefix_eq(&w->seen.last[RTNL_ROUTE_GONE].dst, &v4.dst));
	lab_run("ip -6 route replace fd00:2::/64 via 2001:db8::77");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_ROUTE_GONE], 1);
	assert_true(prefix_eq(&w->seen.last[RTNL_ROUTE_GONE].dst, &v6.dst));
	routes_lost(w->routes, &v4.dst);
	routes_lost(w->routes, &v6.dst);
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 1);
	assert_ours("10.2.0.0/16 via 192.0.2.2 dev up0\n");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_ROUTE_GONE], 0);
	drop(w, v4);
	(void)apply_routes(w->rtnl, w->routes, &w->err);
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_ROUTE_GONE], 0);
}

/* Routes of others are not our business, however many. */
static void routes_of_others_are_not_told(void **state)
{
	struct world *w = *state;

	dispatch(w);
	lab_run("ip route add 10.5.0.0/16 via 192.0.2.5 && ip route del 10.5.0.0/16");
	dispatch(w);
	assert_memory_equal(&w->seen, &(struct seen){0}, sizeof(w->seen));
}

/* The kernel drops the IPv4 routes of a link that goes down, and says nothing. */
static void the_nodes_link_goes_down_and_up(void **state)
{
	struct world *w = *state;

	want(w, via("10.2.0.0/16", "192.0.2.2"));
	apply(w);
	dispatch(w);
	lab_run("ip link set up0 down");
	assert_ours("");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_OVERRUN], 1);
	assert_int_equal(read_routes(w->rtnl, w->routes, &w->err), 0);
	assert_int_equal(routes_pending(w->routes), 1);
	assert_int_equal(apply_routes(w->rtnl, w->routes, &w->err), 1);
	lab_run("ip link set up0 up");
	apply(w);
	assert_ours("10.2.0.0/16 via 192.0.2.2 dev up0\n");
}

static void the_nodes_address_goes(void **state)
{
	struct world *w = *state;

	want(w, via("10.2.0.0/16", "192.0.2.2"));
	apply(w);
	dispatch(w);
	lab_run("ip addr del 192.0.2.1/24 dev up0");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_ADDR], 1);
	assert_int_equal(w->seen.count[RTNL_OVERRUN], 1);
	assert_int_equal(read_routes(w->rtnl, w->routes, &w->err), 0);
	assert_int_equal(routes_pending(w->routes), 1);
	lab_run("ip addr add 192.0.2.1/24 dev up0");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_ADDR], 1);
	assert_int_equal(w->seen.count[RTNL_OVERRUN], 0);
	apply(w);
}

static void pods_come_and_go(void **state)
{
	struct world *w = *state;

	dispatch(w);
	lab_run("ip link add mxaaaaaaaaaaaa type veth peer name pod1");
	lab_run("ip link set mxaaaaaaaaaaaa up && ip link set pod1 up");
	dispatch(w);
	assert_true(w->seen.count[RTNL_LINK_MTU] > 0);
	assert_int_equal(w->seen.count[RTNL_ADDR], 0);
	assert_int_equal(w->seen.count[RTNL_OVERRUN], 0);
	/* Before 6.2 the kernel renames no link that is up. */
	lab_run("ip link set pod1 down && ip link set pod1 name mxbbbbbbbbbbbb");
	dispatch(w);
	lab_run("ip link del mxaaaaaaaaaaaa");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_LINK_GONE], 2);
	assert_int_equal(w->seen.count[RTNL_ADDR], 0);
	assert_int_equal(w->seen.count[RTNL_OVERRUN], 0);
}

/* Then the kernel sends a message that looks as if the link had gone. */
static void a_link_leaves_its_bridge(void **state)
{
	struct world *w = *state;

	lab_run("ip link add br0 type bridge && ip link set " POD_LINK " master br0");
	dispatch(w);
	lab_run("ip link set " POD_LINK " nomaster");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_LINK_GONE], 0);
}

static void the_mtu_changes(void **state)
{
	struct world *w = *state;

	dispatch(w);
	lab_run("ip link set up0 mtu 1400");
	dispatch(w);
	assert_true(w->seen.count[RTNL_LINK_MTU] > 0);
	assert_string_equal(w->seen.last[RTNL_LINK_MTU].ifname, "up0");
}

static void lost_notifications_are_told(void **state)
{
	struct world *w = *state;
	int small = 4096;

	dispatch(w);
	assert_int_equal(setsockopt(rtnl_fd(w->rtnl), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
			 0);
	lab_run("for i in $(seq 100); do echo route add 10.6.$i.0/24 via 192.0.2.6; done | "
		"ip -batch -");
	dispatch(w);
	assert_true(w->seen.count[RTNL_OVERRUN] > 0);
	lab_run("ip route add 10.5.0.0/16 via 192.0.2.5 proto 109 && ip route del 10.5.0.0/16");
	dispatch(w);
	assert_int_equal(w->seen.count[RTNL_OVERRUN], 0); /* it goes on */
	assert_int_equal(w->seen.count[RTNL_ROUTE_GONE], 1);
}

/* --- links ------------------------------------------------------------------------------ */

static void the_link_of_an_address(void **state)
{
	struct world *w = *state;
	char ifname[16] = "untouched";
	uint32_t mtu = 7;
	struct addr a;

	lab_run("ip link set up0 mtu 1432");
	assert_int_equal(addr_parse("192.0.2.1", &a), 0);
	assert_int_equal(rtnl_link_of(w->rtnl, &a, ifname, &mtu), 0);
	assert_string_equal(ifname, "up0");
	assert_int_equal(mtu, 1432);
	assert_int_equal(addr_parse("2001:db8::1", &a), 0);
	mtu = 7;
	assert_int_equal(rtnl_link_of(w->rtnl, &a, ifname, &mtu), 0);
	assert_int_equal(mtu, 1432);
	/* The other end of a point-to-point link is not our address. */
	lab_run("ip addr add 198.51.100.1 peer 198.51.100.2 dev up0");
	assert_int_equal(addr_parse("198.51.100.1", &a), 0);
	assert_int_equal(rtnl_link_of(w->rtnl, &a, ifname, &mtu), 0);
	(void)strcpy(ifname, "untouched");
	mtu = 7;
	assert_int_equal(addr_parse("198.51.100.2", &a), 0);
	assert_int_equal(rtnl_link_of(w->rtnl, &a, ifname, &mtu), -ENOENT);
	assert_string_equal(ifname, "untouched");
	assert_int_equal(mtu, 7);
}

static void count(void *arg, const char *ifname)
{
	assert_string_equal(ifname, POD_LINK);
	++*(int *)arg;
}

static int pod_links(struct world *w)
{
	int n = 0;

	assert_int_equal(rtnl_each_pod_link(w->rtnl, count, &n, &w->err), 0);
	return n;
}

static void links_of_pods(void **state)
{
	struct world *w = *state;

	lab_run("ip link add mxbbbbbbbbbbbb type bridge");
	lab_run("ip link add mxlan0 type veth peer name guest0");
	assert_int_equal(pod_links(w), 1);
	lab_run("ip link set " POD_LINK " down");
	lab_sysctl("ipv4/conf/" POD_LINK "/forwarding", "0");
	assert_int_equal(rtnl_link_restore(w->rtnl, POD_LINK, 1300, &w->err), 0);
	assert_true(lab_shows("mtu 1300", "ip link show " POD_LINK));
	assert_true(lab_shows("UP", "ip link show " POD_LINK));
	assert_true(lab_shows("1", "cat /proc/sys/net/ipv4/conf/" POD_LINK "/forwarding"));
	assert_int_equal(rtnl_link_restore(w->rtnl, "mxnone", 1300, &w->err), -ENODEV);
	assert_true(rtnl_link_delete(w->rtnl, "mxlan0", &w->err) < 0);
	assert_int_equal(rtnl_link_delete(w->rtnl, POD_LINK, &w->err), 0);
	assert_int_equal(pod_links(w), 0);
	assert_int_equal(rtnl_link_delete(w->rtnl, POD_LINK, &w->err), 0);
	assert_true(rtnl_link_delete(w->rtnl, "mxbbbbbbbbbbbb", &w->err) < 0);
	assert_true(rtnl_link_delete(w->rtnl, "up0", &w->err) < 0);
	assert_true(lab_shows("mxbbbbbbbbbbbb", "ip link show"));
	assert_true(lab_shows("up0", "ip link show"));
}

static int enable(struct world *w, uint8_t family, const char *changed)
{
	_cleanup_(buf_done) struct buf said = {0};
	int r = rtnl_enable_forwarding(w->rtnl, family, &said, &w->err);

	if (changed)
		assert_string_equal(said.data, changed);
	else
		assert_int_equal(said.len, 0);
	return r;
}

static void forwarding(void **state)
{
	struct world *w = *state;

	lab_sysctl("ipv4/ip_forward", "0");
	lab_sysctl("ipv6/conf/all/forwarding", "0");
	assert_int_equal(enable(w, AF_INET, "net.ipv4.ip_forward=1"), 0);
	assert_true(lab_shows("1", "cat /proc/sys/net/ipv4/ip_forward"));
	assert_true(lab_shows("0", "cat /proc/sys/net/ipv6/conf/all/forwarding"));
	assert_int_equal(enable(w, AF_INET, NULL), 0);
	assert_int_equal(enable(w, AF_INET6, "net.ipv6.conf.all.forwarding=1"), 0);
	assert_true(lab_shows("1", "cat /proc/sys/net/ipv6/conf/all/forwarding"));
}

/* The kernel drops what it learned from a router's advertisements when it begins to forward. */
static void a_default_route_that_was_advertised_stays(void **state)
{
	struct world *w = *state;

	lab_sysctl("ipv6/conf/all/forwarding", "0");
	lab_run("ip -6 route add default via fe80::99 dev up0 proto ra expires 600");
	lab_run("ip -6 route add default via fe80::98 dev up1 proto static metric 2048");
	lab_sysctl("ipv6/conf/up0/accept_ra", "1");
	lab_sysctl("ipv6/conf/up1/accept_ra", "1");
	assert_int_equal(
		enable(w, AF_INET6, "net.ipv6.conf.up0.accept_ra=2 net.ipv6.conf.all.forwarding=1"),
		0);
	assert_true(lab_shows("1", "cat /proc/sys/net/ipv6/conf/up1/accept_ra"));

	lab_sysctl("ipv6/conf/all/forwarding", "0");
	lab_sysctl("ipv6/conf/up0/accept_ra", "0"); /* a network manager looks after it */
	assert_int_equal(enable(w, AF_INET6, "net.ipv6.conf.all.forwarding=1"), 0);
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
		TEST(every_kind_in_both_families),
		TEST(a_restart_changes_nothing),
		TEST(a_restart_removes_what_is_left),
		TEST(kinds_replace_each_other),
		TEST(routes_of_others_are_left_alone),
		TEST(a_route_that_was_believed_lost),
		TEST(a_pods_entry_is_read_with_its_route),
		TEST(neighbours_and_forwarding_are_told),
		TEST(checks_of_sources_are_told),
		TEST(a_namespace_without_a_route),
		TEST(removing_what_is_gone_is_no_error),
		TEST(a_node_that_is_not_on_our_layer_2),
		TEST(a_device_that_is_not_there),
		TEST(ten_thousand_routes),
		TEST(somebody_deletes_or_replaces_a_route),
		TEST(routes_of_others_are_not_told),
		TEST(the_nodes_link_goes_down_and_up),
		TEST(the_nodes_address_goes),
		TEST(pods_come_and_go),
		TEST(a_link_leaves_its_bridge),
		TEST(the_mtu_changes),
		TEST(lost_notifications_are_told),
		TEST(the_link_of_an_address),
		TEST(links_of_pods),
		TEST(forwarding),
		TEST(a_default_route_that_was_advertised_stays),
	};

	if (!lab_is_root())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
