// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conntrack_flows.c - tracked connections as flows, and those of some flows deleted.
 *
 * A few IPv4 addresses the kernel filters by itself (conntrack.c tells its limits); for more, and
 * for IPv6, it lists the whole table once, whatever their number.  What is kept is flows, not
 * connections: a server with 100,000 connections of 100 clients is 100 flows.
 */
#include "datapath/route/conntrack_flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "datapath/route/conntrack_priv.h"

#define LISTS_MAX    5 /* of a table that changes while it is listed */
#define FILTERED_MAX 4 /* addresses: a filter costs two walks through the table for each */
#define SORT_MIN     4096

static int compare_addrs(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

/**
 * addr_list_sort() - Make a list ready to be looked up
 * @l: List; what stands in it twice is left out once
 */
void addr_list_sort(struct addr_list *l)
{
	size_t n = 0;

	vec_sort(&l->a, compare_addrs);
	vec_foreach (a, &l->a) {
		if (!n || !addr_eq(&l->a.v[n - 1], a))
			l->a.v[n++] = *a;
	}
	l->a.n = n;
}

/**
 * addr_list_has() - Is an address in a list?
 * @l: Sorted
 * @a: Address
 *
 * Return: true if so
 */
bool addr_list_has(const struct addr_list *l, const struct addr *a)
{
	return l->a.n && bsearch(a, l->a.v, l->a.n, sizeof(*a), compare_addrs);
}

/* --- one entry ---------------------------------------------------------------------------------
 */

static bool take_addr(const struct nlattr *tuple, uint8_t family, bool source, struct addr *ret)
{
	const struct nlattr *ip = nl_find_nested(tuple, CTA_TUPLE_IP), *a;
	uint16_t v4 = source ? CTA_IP_V4_SRC : CTA_IP_V4_DST;
	uint16_t v6 = source ? CTA_IP_V6_SRC : CTA_IP_V6_DST;

	*ret = (struct addr){.family = family};
	a = nl_find_nested(ip, family == AF_INET ? v4 : v6);
	if (!a || mnl_attr_get_payload_len(a) != addr_len(ret))
		return false;
	memcpy(ret->b, mnl_attr_get_payload(a), addr_len(ret));
	return true;
}

static bool take_protocol(const struct nlattr *reply, struct flow *ret)
{
	const struct nlattr *proto = nl_find_nested(reply, CTA_TUPLE_PROTO);
	const struct nlattr *number = nl_find_nested(proto, CTA_PROTO_NUM);
	const struct nlattr *port = nl_find_nested(proto, CTA_PROTO_SRC_PORT);

	if (!number || mnl_attr_get_payload_len(number) != sizeof(uint8_t))
		return false;
	ret->protocol = mnl_attr_get_u8(number);
	if (port && mnl_attr_get_payload_len(port) == sizeof(uint16_t))
		ret->port = ntohs(mnl_attr_get_u16(port));
	return true;
}

/**
 * conntrack_flow() - The flow that a tracked connection belongs to
 * @entry:  Message with the entry
 * @family: AF_INET or AF_INET6
 * @ret:    Flow; untouched on failure
 *
 * The source of the original direction is what rules saw, and so is the source of the replies: it
 * is the destination after its translation.
 *
 * Return: true if the entry is complete
 */
bool conntrack_flow(const struct nlmsghdr *entry, uint8_t family, struct flow *ret)
{
	const size_t header = sizeof(struct nfgenmsg);
	const struct nlattr *reply = nl_find(entry, header, CTA_TUPLE_REPLY);
	struct flow f = {0};

	if (!take_addr(nl_find(entry, header, CTA_TUPLE_ORIG), family, true, &f.src) ||
	    !take_addr(reply, family, true, &f.dst) || !take_addr(reply, family, false, &f.back) ||
	    !take_protocol(reply, &f))
		return false;
	f.expected = nl_be32(nl_find(entry, header, CTA_STATUS)) & IPS_EXPECTED;
	*ret = f;
	return true;
}

/* --- the table ---------------------------------------------------------------------------------
 */

static size_t count_v4(const struct addr_list *l)
{
	size_t n = 0;

	while (n < l->a.n && l->a.v[n].family == AF_INET)
		n++;
	return n;
}

static int list_again(struct conntrack *c, uint8_t family, const struct addr *a,
		      const struct conntrack_place *p, nl_message_fn *fn, void *arg)
{
	int r = -EINTR;

	for (int i = 0; i < LISTS_MAX && r == -EINTR; i++)
		r = conntrack_list(c->lister, family, a, p, fn, arg);
	return r;
}

static int list_v4(struct conntrack *c, const struct addr_list *l, nl_message_fn *fn, void *arg)
{
	static const struct conntrack_place places[] = {{CTA_TUPLE_ORIG, true},
							{CTA_TUPLE_REPLY, true}};
	size_t n = count_v4(l);
	int r = 0;

	if (n > FILTERED_MAX)
		return list_again(c, AF_INET, NULL, NULL, fn, arg);
	for (size_t i = 0; i < n * ARRAY_SIZE(places) && r == 0; i++)
		r = list_again(c, AF_INET, &l->a.v[i / ARRAY_SIZE(places)],
			       &places[i % ARRAY_SIZE(places)], fn, arg);
	return r;
}

/* @fn is given every entry that one of the addresses can stand in, some of them twice, and others.
 */
static int list(struct conntrack *c, const struct addr_list *l, nl_message_fn *fn[2], void *arg)
{
	int r = list_v4(c, l, fn[0], arg);

	if (r == 0 && count_v4(l) < l->a.n)
		r = list_again(c, AF_INET6, NULL, NULL, fn[1], arg);
	return r;
}

static int say(int r, struct err *reterr)
{
	return r == 0 ? 0 : err_set(reterr, r, "conntrack entries: %s", strerror(-r));
}

/* --- flows -------------------------------------------------------------------------------------
 */

struct collecting {
	const struct addr_list *addrs;
	struct flow_list *to;
	size_t sort_at; /* so many flows: leave out what stands there twice */
};

static int collect(struct collecting *p, uint8_t family, const struct nlmsghdr *entry)
{
	struct flow f;

	if (!conntrack_flow(entry, family, &f) ||
	    (!addr_list_has(p->addrs, &f.src) && !addr_list_has(p->addrs, &f.dst)))
		return 0;
	vec_push(&p->to->f, f);
	if (p->to->f.n < p->sort_at)
		return 0;
	flow_list_sort(p->to);
	p->sort_at = MAX(2 * p->to->f.n, SORT_MIN);
	return 0;
}

static int collect_v4(void *arg, const struct nlmsghdr *entry)
{
	return collect(arg, AF_INET, entry);
}

static int collect_v6(void *arg, const struct nlmsghdr *entry)
{
	return collect(arg, AF_INET6, entry);
}

/**
 * conntrack_flows() - The flows of all tracked connections from and to some addresses
 * @c:      Handle
 * @sorted: Addresses, as source or as translated destination
 * @ret:    Flows, sorted; empty at the call
 * @reterr: What failed
 *
 * Return: 0; -errno
 */
int conntrack_flows(struct conntrack *c, const struct addr_list *sorted, struct flow_list *ret,
		    struct err *reterr)
{
	struct collecting p = {sorted, ret, SORT_MIN};
	nl_message_fn *fn[] = {collect_v4, collect_v6};
	int r = list(c, sorted, fn, &p);

	flow_list_sort(ret);
	return say(r, reterr);
}

/* --- and their end -----------------------------------------------------------------------------
 */

struct cutting {
	struct nlbatch *batch;
	const struct flow_list *flows;
	uint64_t cut;
	int error;
};

/* One that ended meanwhile is none the worse. */
static void count_cut(void *arg, uint32_t index _unused_, int error)
{
	struct cutting *p = arg;

	if (error == 0)
		p->cut++;
	else if (error != -ENOENT && !p->error)
		p->error = error;
}

static int cut(struct cutting *p, uint8_t family, const struct nlmsghdr *entry)
{
	struct flow f;
	int r = 0;

	if (!conntrack_flow(entry, family, &f) || !flow_list_has(p->flows, &f))
		return 0;
	if (nlbatch_full(p->batch))
		r = nlbatch_send(p->batch, count_cut, p);
	if (r == 0)
		conntrack_put_deletion(p->batch, family, entry);
	return r;
}

static int cut_v4(void *arg, const struct nlmsghdr *entry)
{
	return cut(arg, AF_INET, entry);
}

static int cut_v6(void *arg, const struct nlmsghdr *entry)
{
	return cut(arg, AF_INET6, entry);
}

/**
 * conntrack_cut() - Forget the connections of some flows
 * @c:       Handle
 * @sorted:  Addresses that stand in them
 * @flows:   Flows, sorted
 * @ret_cut: How many connections were forgotten
 * @reterr:  What failed
 *
 * Return: 0; -errno
 */
int conntrack_cut(struct conntrack *c, const struct addr_list *sorted,
		  const struct flow_list *flows, uint64_t *ret_cut, struct err *reterr)
{
	struct cutting p = {.batch = &c->batch, .flows = flows};
	nl_message_fn *fn[] = {cut_v4, cut_v6};
	int r, sent;

	nlbatch_begin(&c->batch, c->ask);
	r = list(c, sorted, fn, &p);
	sent = nlbatch_send(&c->batch, count_cut, &p);
	*ret_cut = p.cut;
	if (r == 0)
		r = sent < 0 ? sent : p.error;
	return say(r, reterr);
}
