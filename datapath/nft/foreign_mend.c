// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * foreign_mend.c - rules of ours in chains of others: put in first place, taken out.
 *
 * They are made of what iptables-nft understands too (an address with a mask, a counter, a verdict,
 * a comment), so that its own chains stay readable to it.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/nft/foreign_rules_priv.h"
#include "datapath/nft/kernel.h"

/**
 * nft_family_str() - A table's family as nft prints it
 * @family: NFPROTO_IPV4, _IPV6 or _INET
 *
 * Return: static text
 */
const char *nft_family_str(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

static bool concerns(const struct nft_hindrance *h, const struct prefix *range)
{
	return h->family == NFPROTO_INET ||
	       (h->family == NFPROTO_IPV4) == (range->addr.family == AF_INET);
}

/**
 * nft_hindrance_mend() - The command that lets pods' packets pass a chain
 * @h:      What drops them
 * @ranges: Ranges of pods
 * @n:      Their number
 * @out:    Appended to: what nft_firewall_accept() does, as a command for a shell
 */
void nft_hindrance_mend(const struct nft_hindrance *h, const struct prefix *ranges, size_t n,
			struct buf *out)
{
	static const char *const directions[] = {"saddr", "daddr"};
	const char *separator = "";

	for (size_t i = 0; i < n; i++) {
		char range[PREFIX_STR_MAX];

		if (!concerns(h, &ranges[i]))
			continue;
		for (size_t d = 0; d < ARRAY_SIZE(directions); d++) {
			if (h->legacy)
				buf_printf(out, "%s%s -I %s %s %s -j ACCEPT", separator,
					   h->family == NFPROTO_IPV4 ? "iptables-legacy"
								     : "ip6tables-legacy",
					   h->chain, d ? "-d" : "-s",
					   prefix_str(&ranges[i], range));
			else
				buf_printf(out, "%snft insert rule %s %s %s %s %s %s accept",
					   separator, nft_family_str(h->family), h->table, h->chain,
					   ranges[i].addr.family == AF_INET ? "ip" : "ip6",
					   directions[d], prefix_str(&ranges[i], range));
			separator = "; ";
		}
	}
}

/**
 * nft_firewall_request() - Begin a message
 * @room:   NLMSG_ROOM bytes
 * @type:   NFT_MSG_x
 * @flags:  NLM_F_x
 * @family: NFPROTO_x
 *
 * Return: the message
 */
struct nlmsghdr *nft_firewall_request(char *room, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type);
	h->nlmsg_flags = flags;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

/* --- transactions --------------------------------------------------------------------------------
 */

struct batch {
	char bytes[8 * NLMSG_ROOM + 64] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t len;
	uint32_t seq;
};

static void put_frame(struct batch *b, uint16_t type)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->bytes + b->len);
	struct nfgenmsg *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = b->seq++;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->version = NFNETLINK_V0;
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	b->len += h->nlmsg_len;
}

/* Answers are there when sending has returned (apply.c). */
static int read_answers(struct mnl_socket *s, uint32_t first)
{
	char data[8192];
	bool any = false;
	int error = 0;

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(s), data, sizeof(data), MSG_DONTWAIT);
		const struct nlmsghdr *h = (const struct nlmsghdr *)data;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? (any ? error : -EIO) : -errno;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq - first > 64)
				continue;
			any = true;
			error = error ?: e->error;
		}
	}
}

static int send_batch(struct nft_firewall *f, struct batch *b, uint32_t first)
{
	put_frame(b, NFNL_MSG_BATCH_END);
	if (mnl_socket_sendto(f->s, b->bytes, b->len) < 0)
		return -errno;
	return read_answers(f->s, first);
}

static uint32_t begin(struct batch *b)
{
	static uint32_t next = 0x6d780000;

	b->len = 0;
	b->seq = next;
	next += 128;
	put_frame(b, NFNL_MSG_BATCH_BEGIN);
	return b->seq - 1;
}

static void finish_message(struct batch *b, struct nlmsghdr *h)
{
	h->nlmsg_seq = b->seq++;
	b->len += MNL_ALIGN(h->nlmsg_len);
}

/**
 * nft_firewall_delete() - Delete one rule
 * @f:      Handle
 * @family: Family of the table
 * @table:  Table
 * @chain:  Chain
 * @handle: The rule's
 *
 * Return: 0; -ENOENT if it is gone; -errno
 */
int nft_firewall_delete(struct nft_firewall *f, uint8_t family, const char *table,
			const char *chain, uint64_t handle)
{
	struct batch b;
	uint32_t first = begin(&b);
	struct nlmsghdr *h = nft_firewall_request(b.bytes + b.len, NFT_MSG_DELRULE,
						  NLM_F_REQUEST | NLM_F_ACK, family);

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	mnl_attr_put_u64(h, NFTA_RULE_HANDLE, htobe64(handle));
	finish_message(&b, h);
	return send_batch(f, &b, first);
}

/* --- rules ---------------------------------------------------------------------------------------
 */

static struct nftnl_expr *add(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (!e)
		abort();
	nftnl_rule_add_expr(r, e);
	return e;
}

static void add_cmp(struct nftnl_rule *r, const void *data, uint32_t len)
{
	struct nftnl_expr *e = add(r, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void add_nfproto(struct nftnl_rule *r, bool six)
{
	const uint8_t nfproto = six ? NFPROTO_IPV6 : NFPROTO_IPV4;
	struct nftnl_expr *e = add(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_NFPROTO);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	add_cmp(r, &nfproto, sizeof(nfproto));
}

static void add_address(struct nftnl_rule *r, const struct prefix *p, bool source)
{
	uint32_t len = (uint32_t)addr_len(&p->addr);
	uint32_t at = (p->addr.family == AF_INET6 ? 8 : 12) + (source ? 0 : len);
	struct nftnl_expr *e = add(r, "payload");
	uint8_t mask[16] = {0}, none[16] = {0};

	for (unsigned int i = 0; i < p->len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, at);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	e = add(r, "bitwise");
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, none, len);
	add_cmp(r, p->addr.b, len);
}

static void add_end(struct nftnl_rule *r)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(128);
	struct nftnl_expr *e;

	if (!u)
		abort();
	(void)add(r, "counter");
	e = add(r, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT);
	(void)nftnl_udata_put_strz(u, NFTNL_UDATA_RULE_COMMENT, NFT_FORWARD_COMMENT);
	nftnl_rule_set_data(r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u),
			    nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

static int insert(struct nft_firewall *f, const struct nft_hindrance *h, const struct prefix *range,
		  bool source)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nlmsghdr *m;
	struct batch b;
	uint32_t first = begin(&b);

	if (!r)
		abort();
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, h->family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, h->table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, h->chain);
	if (h->family == NFPROTO_INET)
		add_nfproto(r, range->addr.family == AF_INET6);
	add_address(r, range, source);
	add_end(r);
	m = nft_firewall_request(b.bytes + b.len, NFT_MSG_NEWRULE,
				 NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, h->family);
	nftnl_rule_nlmsg_build_payload(m, r);
	finish_message(&b, m);
	nftnl_rule_free(r);
	return send_batch(f, &b, first);
}

/**
 * nft_firewall_accept() - Let the packets of ranges of pods pass a chain, in both directions
 * @f:      Handle
 * @h:      Chain
 * @ranges: Ranges
 * @n:      Their number
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int nft_firewall_accept(struct nft_firewall *f, const struct nft_hindrance *h,
			const struct prefix *ranges, size_t n, struct err *reterr)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (!concerns(h, &ranges[i]))
			continue;
		r = insert(f, h, &ranges[i], false);
		if (r == 0)
			r = insert(f, h, &ranges[i], true);
	}
	if (r == 0)
		return 0;
	return err_set(reterr, r, "a rule in table %s %s, chain %s: %s", nft_family_str(h->family),
		       h->table, h->chain, strerror(-r));
}

/**
 * nft_firewall_open() - Open a socket for it
 * @ret:    Handle; untouched on failure
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int nft_firewall_open(struct nft_firewall **ret, struct err *reterr)
{
	struct mnl_socket *s = NULL;
	int r = nl_open(NETLINK_NETFILTER, 0, &s, reterr);

	if (r < 0)
		return r;
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->s = s;
	return 0;
}

/**
 * nft_firewall_close() - Close it
 * @f: Handle or NULL
 *
 * Return: NULL
 */
struct nft_firewall *nft_firewall_close(struct nft_firewall *f)
{
	if (!f)
		return NULL;
	nl_closep(&f->s);
	free(f);
	return NULL;
}
