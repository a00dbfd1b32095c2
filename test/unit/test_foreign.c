// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_foreign.c - which of the kernel's notifications are about our table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "datapath/nft/foreign.h"
#include "datapath/nft/kernel.h"

/* struct transaction - notifications as they come in one datagram */
struct transaction {
	char data[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t len;
};

static struct nlmsghdr *begin(struct transaction *t, uint16_t type, uint8_t family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(t->data + t->len);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	g->nfgen_family = family;
	return h;
}

static void end(struct transaction *t, const struct nlmsghdr *h)
{
	t->len += NLMSG_ALIGN(h->nlmsg_len);
}

/* A rule of chain "c" is new, and the transaction ends. */
static struct transaction rule_in(uint8_t family, const char *table)
{
	struct transaction t = {0};
	struct nlmsghdr *h = begin(&t, NFT_MSG_NEWRULE, family);

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, "c");
	end(&t, h);
	h = begin(&t, NFT_MSG_NEWGEN, AF_UNSPEC);
	mnl_attr_put_u32(h, NFTA_GEN_PROC_PID, __builtin_bswap32(77));
	mnl_attr_put_strz(h, NFTA_GEN_PROC_NAME, "someone");
	end(&t, h);
	return t;
}

/* A table has a family and a name: `table ip manx` is somebody else's. */
static void a_table_is_named_by_its_family_too(void **state _unused_)
{
	static const struct {
		uint8_t family;
		const char *table;
		bool ours;
	} cases[] = {
		{NFPROTO_INET, "manx", true},	 {NFPROTO_IPV4, "manx", false},
		{NFPROTO_IPV6, "manx", false},	 {NFPROTO_NETDEV, "manx", false},
		{NFPROTO_BRIDGE, "manx", false}, {NFPROTO_ARP, "manx", false},
		{NFPROTO_INET, "manx2", false},	 {NFPROTO_INET, "", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct transaction t = rule_in(cases[i].family, cases[i].table);
		struct nft_telling telling = {.table = "manx"};
		struct nft_culprit who = {0};

		assert_int_equal(nft_foreign_take(&telling, t.data, t.len, &who), cases[i].ours);
		assert_string_equal(who.name, cases[i].ours ? "someone" : "");
		assert_int_equal(who.pid, cases[i].ours ? 77 : 0);
		assert_false(telling.touched);
		nft_touched_done(&telling.what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_named_by_its_family_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
