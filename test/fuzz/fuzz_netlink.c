// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_netlink.c - any netlink messages into what reads those of the kernel: notifications of
 * links, addresses and routes, lists of routes and links, connection tracking entries, and who else
 * changed nftables.  (What nftables holds: fuzz_nft_dump.c.)
 *
 * Input: a byte that says who reads them, then the messages.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include "datapath/nft/foreign.h"
#include "datapath/route/conntrack.h"
#include "datapath/route/nlmsg_link.h"
#include "datapath/route/rtnl_priv.h"
#include "ipam/attachment.h"
#include "test/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_text(const char *s, size_t room)
{
	return strnlen(s, room) < room;
}

static void check_prefix(const struct prefix *p)
{
	must(p->addr.family == AF_INET || p->addr.family == AF_INET6);
	must(p->len <= 8 * addr_len(&p->addr));
}

/* --- readers -----------------------------------------------------------------------------------
 */

static void on_event(void *arg _unused_, const struct rtnl_event *e)
{
	must(e->kind < RTNL_OVERRUN && is_text(e->ifname, sizeof(e->ifname)));
	must(e->kind != RTNL_LINK_GONE || attachment_is_host_ifname(e->ifname));
	if (e->kind == RTNL_ROUTE_GONE)
		check_prefix(&e->dst);
}

/* @size: of whole messages */
static void read_notifications(const struct nlmsghdr *h, size_t size)
{
	static struct rtnl n = {.fn = on_event};

	if (!n.ask)
		n.ask = mnl_socket_open(NETLINK_ROUTE); /* whose port is compared; says nothing */
	must(n.ask);
	(void)rtnl_take(&n, h, size);
}

static void read_list(const struct nlmsghdr *h, size_t size)
{
	int left = (int)size;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		struct route r;
		struct link l;

		link_read(h, &l);
		must(is_text(l.ifname, sizeof(l.ifname)));
		if (!route_decode(h, &r))
			continue;
		check_prefix(&r.dst);
		must(is_text(r.ifname, sizeof(r.ifname)));
		must(r.kind != ROUTE_VIA || r.via.family == r.dst.addr.family);
	}
}

/* What is asked for names the entry, and fits. */
static void read_connections(const struct nlmsghdr *h, size_t size)
{
	static const struct addr addr = {AF_INET, {10, 1, 0, 5}};
	static struct nlbatch batch;
	int left = (int)size;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		nlbatch_begin(&batch, NULL);
		(void)conntrack_concerns(h, &addr);
		conntrack_put_deletion(&batch, AF_INET, h);
		if (!batch.n)
			continue;
		must(batch.len <= NLMSG_ROOM && mnl_nlmsg_ok((void *)batch.data, (int)batch.len));
		must(nl_find((void *)batch.data, 4, CTA_TUPLE_ORIG));
	}
}

static void read_transactions(const struct nlmsghdr *h, size_t size)
{
	struct nft_telling t = {.table = "manx"};
	struct nft_touched *what = &t.what;
	struct nft_culprit c;

	memset(&c, 0xff, sizeof(c));
	if (nft_foreign_take(&t, h, size, &c))
		must(is_text(c.name, sizeof(c.name)));
	must(what->touch.n <= (what->all ? 0 : NFT_TOUCHED_MAX));
	vec_foreach (touch, &what->touch) {
		must((touch->key_len > 0) == (touch->kind == NFT_TOUCH_ELEM));
		must(touch->key_len <= sizeof(touch->key));
	}
	nft_touched_done(what);
}

/* --- messages ----------------------------------------------------------------------------------
 */

/*
 * Bytes of whole messages at the beginning.  The kernel sends no others, and libmnl takes a length
 * above INT_MAX for a small one.
 */
static size_t whole_messages(const void *data, size_t size)
{
	const struct nlmsghdr *h = data;
	int left = (int)size;

	for (; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= size; h = mnl_nlmsg_next(h, &left))
		;
	return size - (size_t)MAX(left, 0);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const struct nlmsghdr *h, size_t size) = {
		read_notifications, read_list, read_connections, read_transactions};
	_cleanup_(freep) uint8_t *messages = NULL;

	if (size < 1)
		return 0;
	size--;
	messages = xcalloc(MNL_ALIGN(size) + !size, 1); /* whole words, and not a byte more */
	memcpy(messages, data + 1, size);
	readers[data[0] % ARRAY_SIZE(readers)]((void *)messages, whole_messages(messages, size));
	return 0;
}
