// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conntrack.c - delete the connection tracking entries of an address.  Blocking, in the plugin's
 * process: the kernel walks its whole table for each request.
 *
 * The kernel filters by address itself (CTA_FILTER, 5.8).  Where it does not do so for deletions
 * (before 6.6 it answers EOPNOTSUPP), the matching entries are listed and deleted one by one.
 * Source: net/netfilter/nf_conntrack_netlink.c, ctnetlink_alloc_filter().
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include "datapath/route/nlmsg.h"
#include "datapath/route/podlink.h"

/* Bits of CTA_FILTER_ORIG_FLAGS and _REPLY_FLAGS. */
enum { FILTER_SRC = 1 << 0, FILTER_DST = 1 << 1 };

/* struct side - which address of which tuple is compared */
struct side {
	uint16_t tuple;
	bool source;
};

static uint16_t ip_attr(const struct addr *a, bool source)
{
	if (a->family == AF_INET)
		return source ? CTA_IP_V4_SRC : CTA_IP_V4_DST;
	return source ? CTA_IP_V6_SRC : CTA_IP_V6_DST;
}

static void put_head(struct nlmsghdr *h, uint8_t family)
{
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	g->nfgen_family = family;
	g->version = 1; /* otherwise the kernel flushes every family */
}

static void put_filter(struct nlmsghdr *h, const struct addr *a, const struct side *side)
{
	uint32_t bit = side->source ? FILTER_SRC : FILTER_DST;
	bool orig = side->tuple == CTA_TUPLE_ORIG;
	struct nlattr *tuple, *ip, *filter;

	tuple = mnl_attr_nest_start(h, side->tuple);
	ip = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	nl_put_addr(h, ip_attr(a, side->source), a);
	mnl_attr_nest_end(h, ip);
	mnl_attr_nest_end(h, tuple);
	filter = mnl_attr_nest_start(h, CTA_FILTER);
	mnl_attr_put_u32(h, CTA_FILTER_ORIG_FLAGS, orig ? bit : 0);
	mnl_attr_put_u32(h, CTA_FILTER_REPLY_FLAGS, orig ? 0 : bit);
	mnl_attr_nest_end(h, filter);
}

static void keep_error(void *arg, uint32_t index _unused_, int error)
{
	int *r = arg;

	if (error && error != -ENOENT)
		*r = error;
}

static int delete_filtered(struct nlbatch *b, const struct addr *a, const struct side *side)
{
	struct nlmsghdr *h = nlbatch_add(b, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0);
	int error = 0, r;

	put_head(h, a->family);
	put_filter(h, a, side);
	nlbatch_added(b, h);
	r = nlbatch_send(b, keep_error, &error);
	return r < 0 ? r : error;
}

/* struct listing - deletions of what the dump names, sent through a second socket's batch */
struct listing {
	struct nlbatch *batch;
	uint8_t family;
	int error;
};

static int delete_listed(const struct nlmsghdr *entry, void *arg)
{
	struct listing *l = arg;
	struct nlmsghdr *h;
	const struct nlattr *attr;

	if (nlbatch_full(l->batch)) {
		int r = nlbatch_send(l->batch, keep_error, &l->error);

		if (r < 0)
			return MNL_CB_ERROR;
	}
	h = nlbatch_add(l->batch, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0);
	put_head(h, l->family);
	mnl_attr_for_each(attr, entry, sizeof(struct nfgenmsg))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type == CTA_TUPLE_ORIG || type == CTA_ZONE || type == CTA_ID)
			mnl_attr_put(h, attr->nla_type, mnl_attr_get_payload_len(attr),
				     mnl_attr_get_payload(attr));
	}
	nlbatch_added(l->batch, h);
	return MNL_CB_OK;
}

static int list_and_delete(struct mnl_socket *list, struct nlbatch *b, const struct addr *a,
			   const struct side *side)
{
	struct listing l = {.batch = b, .family = a->family};
	char request[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	int r;

	h->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
	h->nlmsg_flags = NLM_F_DUMP;
	put_head(h, a->family);
	put_filter(h, a, side);
	r = nl_dump(list, h, delete_listed, &l);
	if (r == 0)
		r = nlbatch_send(b, keep_error, &l.error);
	return r < 0 ? r : l.error;
}

/**
 * podlink_flush_conntrack() - Forget every connection of an address
 * @a:      Address
 * @reterr: What failed
 *
 * Connections from it, to it, and those translated to it.
 *
 * Return: 0; -errno
 */
int podlink_flush_conntrack(const struct addr *a, struct err *reterr)
{
	static const struct side sides[] = {
		{CTA_TUPLE_ORIG, true}, {CTA_TUPLE_ORIG, false}, {CTA_TUPLE_REPLY, true}};
	_cleanup_(nl_closep) struct mnl_socket *s = NULL, *list = NULL;
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	int r = nl_open(NETLINK_NETFILTER, 0, &s, reterr);

	if (r == 0)
		r = nl_open(NETLINK_NETFILTER, 0, &list, reterr);
	if (r < 0)
		return r;
	nlbatch_begin(b, s);
	for (size_t i = 0; i < ARRAY_SIZE(sides) && r == 0; i++) {
		r = delete_filtered(b, a, &sides[i]);
		if (r == -EOPNOTSUPP)
			r = list_and_delete(list, b, a, &sides[i]);
	}
	return r == 0 ? 0 : err_set(reterr, r, "conntrack entries: %s", strerror(-r));
}
