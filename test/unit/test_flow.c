// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_flow.c - flows: their order, their verdict by the wanted table, and what holds back the
 * replies of those that were cut.  (test/property judges random worlds.)
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "datapath/base/cuts.h"
#include "datapath/datapath.h"
#include "datapath/nft/simulate.h"
#include "datapath/policy/judge.h"
#include "datapath/policy/verdicts.h"
#include "lib/intern.h"
#include "watch/object/netpol.h"

#define START (1000 * USEC_PER_SEC)

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct flow flow(const char *src, const char *dst, uint8_t protocol, uint16_t port)
{
	return (struct flow){.src = address(src),
			     .dst = address(dst),
			     .back = address(src),
			     .protocol = protocol,
			     .port = port};
}

/* struct bench - @t: of @datapath */
struct bench {
	struct datapath *datapath;
	struct nft_table *t;
	struct cuts *cuts;
};

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	b->datapath = datapath_new("me", NULL, NULL);
	b->t = b->datapath->table;
	b->cuts = cuts_new(b->t, &b->datapath->base);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	(void)cuts_free(b->cuts);
	assert_int_equal(set_count(b->datapath->base.cut[0]) + set_count(b->datapath->base.cut[1]),
			 0);
	(void)datapath_free(b->datapath);
	free(b);
	return intern_count() ? -1 : 0;
}

static void commit(struct bench *b)
{
	struct nft_ops ops = {0};

	assert_true(table_ops(b->t, 0, &ops));
	table_committed(b->t, &ops);
	nft_ops_done(&ops);
	assert_int_equal(table_pending(b->t), 0);
}

/* Send a pod's address to a chain, as the policy engine does. */
static void isolate(struct bench *b, enum direction d, const char *pod, const char *chain)
{
	static const char *const maps[][2] = {{"ingress4", "ingress6"}, {"egress4", "egress6"}};
	struct addr a = address(pod);
	struct nft_elem e = {0};
	size_t len = 0;

	nft_key_put(e.key, &len, a.family == AF_INET ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, a.b,
		    addr_len(&a));
	e.verdict = (struct nft_verdict){NFT_V_JUMP, intern(chain)};
	table_want_elem(b->t, table_find_set(b->t, maps[d][a.family != AF_INET]), &e);
	intern_put(e.verdict.chain);
}

static void want_closed(struct bench *b)
{
	static const struct nft_rule drop = {
		.n = 1, .stmt = {{.kind = NFT_VERDICT, .verdict = {.code = NFT_V_DROP}}}};

	(void)table_want_chain(
		b->t, &(struct nft_chain_def){.name = "closed", .n_rules = 1, .rules = &drop});
}

/* --- lists and verdicts ------------------------------------------------------------------------
 */

static void lists(void **state _unused_)
{
	struct flow_list l = {0};
	struct flow f = flow("10.0.0.1", "10.0.0.2", IPPROTO_TCP, 80), other, expected = f;

	expected.port = 21;
	expected.expected = true;
	assert_false(flow_list_has(&l, &f));
	flow_list_sort(&l);
	for (int i = 0; i < 3; i++) {
		vec_push(&l.f, f);
		vec_push(&l.f, flow("10.0.0.1", "10.0.0.2", IPPROTO_UDP, 80));
		vec_push(&l.f, flow("fd00::1", "fd00::2", IPPROTO_TCP, 80));
		vec_push(&l.f, expected);
	}
	flow_list_sort(&l);
	assert_int_equal(l.f.n, 4);
	assert_true(flow_list_has(&l, &expected));
	assert_true(flow_list_has(&l, &f));
	other = f;
	other.back = address("10.0.0.9");
	assert_false(flow_list_has(&l, &other));
	other = f;
	other.expected = true;
	assert_false(flow_list_has(&l, &other));
	other = f;
	other.port = 81;
	assert_false(flow_list_has(&l, &other));
	flow_list_done(&l);
}

static void assert_verdict(const struct bench *b, const char *src, const char *dst,
			   enum flow_verdict v)
{
	struct flow f = flow(src, dst, IPPROTO_TCP, 80);

	assert_int_equal(flow_judge(b->t, &f), v);
}

static void verdicts(void **state)
{
	struct bench *b = *state;

	want_closed(b);
	isolate(b, INGRESS, "10.1.0.5", "closed");
	isolate(b, EGRESS, "fd00:1::5", "closed");
	isolate(b, INGRESS, "10.1.0.6", UNKNOWN_POD);
	isolate(b, EGRESS, "10.1.0.6", UNKNOWN_POD);
	assert_verdict(b, "10.2.0.1", "10.1.0.5", FLOW_FORBIDDEN);
	assert_verdict(b, "10.1.0.5", "10.2.0.1", FLOW_ALLOWED);
	assert_verdict(b, "fd00:1::5", "fd00:2::1", FLOW_FORBIDDEN);
	assert_verdict(b, "fd00:2::1", "fd00:1::5", FLOW_ALLOWED);
	assert_verdict(b, "10.2.0.1", "10.1.0.6", FLOW_UNDECIDED);
	assert_verdict(b, "10.1.0.6", "10.2.0.1", FLOW_UNDECIDED);
	assert_verdict(b, "10.1.0.6", "10.1.0.5", FLOW_UNDECIDED);
	assert_verdict(b, "10.2.0.1", "10.2.0.2", FLOW_ALLOWED);
}

/* Ranges are looked up by halves: around their ends, and after a change. */
static void ranges(void **state)
{
	struct bench *b = *state;
	struct nft_set *s = table_want_set(
		b->t, &(struct nft_set_def){.name = "r",
					    .key = {NFT_TYPE_PROTO, NFT_TYPE_SERVICE},
					    .interval = true});
	struct nft_elem found, gone = {0};

	for (unsigned int i = 0; i < 200; i++) {
		struct nft_elem e = {.key = {i % 2 ? 17 : 6}, .end = {i % 2 ? 17 : 6}};
		uint16_t first = htons((uint16_t)(100 * i)), last = htons((uint16_t)(100 * i + 9));

		memcpy(e.key + 4, &first, 2);
		memcpy(e.end + 4, &last, 2);
		table_want_elem(b->t, s, &e);
		if (i == 30)
			gone = e;
	}
	for (unsigned int port = 0; port < 20000; port++) {
		uint8_t key[NFT_KEY_MAX] = {port / 100 % 2 ? 17 : 6};

		key[4] = (uint8_t)(port >> 8);
		key[5] = (uint8_t)port;
		assert_int_equal(table_lookup(b->t, "r", key, &found), port % 100 < 10);
		key[0] ^= 17 ^ 6;
		assert_false(table_lookup(b->t, "r", key, &found));
	}
	assert_true(table_lookup(b->t, "r", gone.key, &found));
	table_drop_elem(b->t, s, &gone);
	assert_false(table_lookup(b->t, "r", gone.key, &found));
	table_want_elem(b->t, s, &gone);
	assert_true(table_lookup(b->t, "r", gone.key, &found));
	table_drop_set(b->t, s);
}

/* --- replies of what was cut -------------------------------------------------------------------
 */

/* May a packet of @server, which is nobody's reply for the kernel, reach @client? */
static bool passes(const struct bench *b, const char *server, const char *client, uint8_t protocol,
		   uint16_t sport, uint8_t flags)
{
	const struct sim_packet p = {.src = address(server),
				     .dst = address(client),
				     .protocol = protocol,
				     .sport = sport,
				     .dport = 40000,
				     .tcp_flags = flags,
				     .iifname = "eth0",
				     .oifname = "eth0"};
	bool forward = simulate_hook(b->t, NFT_HOOK_FORWARD, &p);

	assert_int_equal(simulate_hook(b->t, NFT_HOOK_INPUT, &p), forward);
	assert_int_equal(simulate_hook(b->t, NFT_HOOK_OUTPUT, &p), forward);
	return forward;
}

static void replies_are_held_back(void **state)
{
	struct bench *b = *state;
	struct flow f = flow("10.2.0.1", "10.1.0.5", IPPROTO_TCP, 80);

	cuts_add(b->cuts, &f, START);
	assert_false(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_TCP, 80, NFT_TCP_ACK));
	assert_false(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_TCP, 80, NFT_TCP_RST));
	assert_false(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_TCP, 80, NFT_TCP_SYN | NFT_TCP_ACK));
	assert_true(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_TCP, 80, NFT_TCP_SYN));
	assert_true(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_TCP, 81, NFT_TCP_ACK));
	assert_true(passes(b, "10.1.0.5", "10.2.0.2", IPPROTO_TCP, 80, NFT_TCP_ACK));
	assert_true(passes(b, "10.2.0.1", "10.1.0.5", IPPROTO_TCP, 80, NFT_TCP_ACK));
	assert_true(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_UDP, 80, 0));
}

static void of_every_protocol_with_ports(void **state)
{
	struct bench *b = *state;
	struct flow udp = flow("fd00:2::1", "fd00:1::5", IPPROTO_UDP, 53);
	struct flow sctp = flow("10.2.0.1", "10.1.0.5", IPPROTO_SCTP, 9000);
	struct flow icmp = flow("10.2.0.1", "10.1.0.5", IPPROTO_ICMP, 0);
	struct flow translated = flow("10.1.0.5", "10.2.0.1", IPPROTO_UDP, 53);

	translated.back = address("10.200.0.1"); /* masqueraded */
	cuts_add(b->cuts, &udp, START);
	cuts_add(b->cuts, &sctp, START);
	cuts_add(b->cuts, &icmp, START);
	cuts_add(b->cuts, &translated, START);
	assert_int_equal(cuts_count(b->cuts), 3);
	assert_false(passes(b, "fd00:1::5", "fd00:2::1", IPPROTO_UDP, 53, 0));
	assert_true(passes(b, "fd00:1::5", "fd00:2::1", IPPROTO_UDP, 54, 0));
	assert_false(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_SCTP, 9000, 0));
	assert_true(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_ICMP, 0, 0));
	assert_false(passes(b, "10.2.0.1", "10.200.0.1", IPPROTO_UDP, 53, 0));
}

static void for_a_time(void **state)
{
	struct bench *b = *state;
	struct flow udp = flow("10.2.0.1", "10.1.0.5", IPPROTO_UDP, 53);
	struct flow tcp = flow("10.2.0.1", "10.1.0.5", IPPROTO_TCP, 53);

	assert_true(cuts_next(b->cuts) == USEC_INFINITY);
	cuts_add(b->cuts, &tcp, START);
	cuts_add(b->cuts, &udp, START);
	assert_true(cuts_next(b->cuts) == START + CUT_USEC);
	cuts_add(b->cuts, &udp, START + 5); /* cut once more */
	assert_int_equal(cuts_count(b->cuts), 2);
	cuts_expire(b->cuts, START + CUT_USEC);
	assert_int_equal(cuts_count(b->cuts), 2);
	cuts_expire(b->cuts, START + CUT_USEC + 5);
	assert_int_equal(cuts_count(b->cuts), 1);
	assert_true(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_UDP, 53, 0));
	assert_false(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_TCP, 53, NFT_TCP_ACK));
	cuts_expire(b->cuts, START + CUT_TCP_USEC);
	assert_int_equal(cuts_count(b->cuts), 0);
}

static void not_without_bound(void **state)
{
	struct bench *b = *state;
	struct flow f = flow("10.2.0.0", "10.1.0.5", IPPROTO_TCP, 80);

	for (uint32_t i = 0; i < CUTS_MAX + 100; i++) {
		f.back.b[2] = (uint8_t)(i >> 8);
		f.back.b[3] = (uint8_t)i;
		f.port = (uint16_t)(1 + (i >> 16));
		cuts_add(b->cuts, &f, START + i);
	}
	assert_int_equal(cuts_count(b->cuts), CUTS_MAX);
	assert_int_equal(set_count(b->datapath->base.cut[0]), CUTS_MAX);
	assert_true(passes(b, "10.1.0.5", "10.2.0.99", IPPROTO_TCP, 1, NFT_TCP_ACK));
	assert_false(passes(b, "10.1.0.5", "10.2.0.100", IPPROTO_TCP, 1, NFT_TCP_ACK));
}

/* An agent that starts finds the rows of the one before in the kernel. */
static void over_a_restart(void **state)
{
	struct bench *b = *state;
	struct flow four = flow("10.2.0.1", "10.1.0.5", IPPROTO_TCP, 80);
	struct flow six = flow("fd00:2::1", "fd00:1::5", IPPROTO_UDP, 53);

	cuts_add(b->cuts, &four, START);
	cuts_add(b->cuts, &six, START);
	commit(b);
	b->cuts = cuts_free(b->cuts);
	assert_int_equal(table_pending(b->t), 2);
	b->cuts = cuts_new(b->t, &b->datapath->base);
	cuts_adopt(b->cuts, START);
	assert_int_equal(table_pending(b->t), 0);
	assert_int_equal(cuts_count(b->cuts), 2);
	assert_false(passes(b, "10.1.0.5", "10.2.0.1", IPPROTO_TCP, 80, NFT_TCP_ACK));
	cuts_expire(b->cuts, START + CUT_USEC);
	assert_int_equal(cuts_count(b->cuts), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		TEST(verdicts),
		TEST(ranges),
		TEST(replies_are_held_back),
		TEST(of_every_protocol_with_ports),
		TEST(for_a_time),
		TEST(not_without_bound),
		TEST(over_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
