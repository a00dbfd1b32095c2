// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_hostaddr.c - which addresses of a host are the node's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/base/base.h"
#include "datapath/base/hostaddr.h"

struct world {
	struct nft_table *table;
	struct hostaddr *h;
	struct local_addr_list local;
};

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void setup(struct world *w)
{
	struct base base;

	*w = (struct world){.table = table_new("t")};
	base_want(w->table, NULL, 0, &base);
	w->h = hostaddr_new(w->table, base.node_addresses);
}

static void teardown(struct world *w)
{
	vec_done(&w->local.v);
	(void)hostaddr_free(w->h);
	(void)table_free(w->table);
}

static void carry(struct world *w, const char *text, bool inner, bool near)
{
	vec_push(&w->local.v, (struct local_addr){address(text), inner, near});
}

/* @own: as hostaddr_describe() has it; the sets hold the same */
static void expect(const struct world *w, const char *own)
{
	_cleanup_(buf_done) struct buf text = {0};
	const struct addr *all;
	size_t n = hostaddr_all(w->h, &all);
	struct nft_elem e;

	hostaddr_describe(w->h, &text);
	assert_string_equal(text.data, own);
	for (size_t i = 0; i < n; i++)
		assert_true(table_lookup(
			w->table, all[i].family == AF_INET ? "node_addresses4" : "node_addresses6",
			all[i].b, &e));
	assert_int_equal(set_count(table_find_set(w->table, "node_addresses4")) +
				 set_count(table_find_set(w->table, "node_addresses6")),
			 n);
}

static void only_the_nodes_own(void **state _unused_)
{
	struct world w;
	struct addr a = address("10.96.0.10");

	setup(&w);
	assert_false(hostaddr_known(w.h));
	expect(&w, "none");
	carry(&w, "127.0.0.1", true, true);
	carry(&w, "127.0.0.53", false, false);
	carry(&w, "::1", true, true);
	carry(&w, "fe80::1", false, true);
	carry(&w, "fe80::2", false, false);
	carry(&w, "169.254.20.10", false, false); /* of a node-local DNS */
	carry(&w, "10.96.0.10", true, false);	  /* a Service, on kube-ipvs0 */
	carry(&w, "fd00::10", true, false);
	carry(&w, "192.0.2.9", false, true); /* scope link */
	carry(&w, "192.0.2.1", false, false);
	carry(&w, "172.17.0.1", false, false);
	carry(&w, "fd00::1", false, false);
	carry(&w, "fd00::1", false, false); /* on two interfaces */
	assert_true(hostaddr_local(w.h, &w.local));
	assert_false(hostaddr_local(w.h, &w.local));
	assert_true(hostaddr_known(w.h));
	expect(&w, "172.17.0.1, 192.0.2.1, fd00::1");
	assert_false(hostaddr_has(w.h, &a));
	teardown(&w);
}

/* Routing daemons keep the node's address on lo: its Node object names it. */
static void what_the_node_object_names(void **state _unused_)
{
	const struct addr ips[] = {address("198.51.100.1"), address("169.254.7.7"),
				   address("127.0.0.1"), address("203.0.113.1")};
	struct world w;

	setup(&w);
	carry(&w, "198.51.100.1", true, false);
	carry(&w, "169.254.7.7", false, false);
	carry(&w, "127.0.0.1", true, true);
	(void)hostaddr_local(w.h, &w.local);
	expect(&w, "none");
	assert_true(hostaddr_node(w.h, ips, ARRAY_SIZE(ips)));
	expect(&w, "169.254.7.7, 198.51.100.1"); /* it has not got the last one */
	assert_false(hostaddr_node(w.h, ips, ARRAY_SIZE(ips)));
	assert_true(hostaddr_node(w.h, NULL, 0));
	expect(&w, "none");
	teardown(&w);
}

static void they_come_and_go(void **state _unused_)
{
	struct world w;

	setup(&w);
	carry(&w, "192.0.2.1", false, false);
	(void)hostaddr_local(w.h, &w.local);
	w.local.v.n = 0;
	carry(&w, "192.0.2.2", false, false);
	carry(&w, "192.0.2.3", false, false);
	assert_true(hostaddr_local(w.h, &w.local));
	expect(&w, "192.0.2.2, 192.0.2.3");
	w.local.v.n = 0;
	assert_true(hostaddr_local(w.h, &w.local));
	expect(&w, "none");
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_nodes_own),
		cmocka_unit_test(what_the_node_object_names),
		cmocka_unit_test(they_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
