// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conntrack.c - delete the connection tracking entries of addresses.
 *
 * The kernel walks its whole table for each place where the address can stand.
 *
 * The kernel can filter by address (CTA_FILTER with CTA_TUPLE_x), with limits:
 * - IPv6 addresses it compares the wrong way round, since 5.8 and still in 6.18: what does not
 *   match is taken.  So IPv6 entries are all listed and compared here.
 * - A deletion takes a filter since 6.11.  An older kernel reads the message as a deletion by tuple
 *   and answers EINVAL, because the tuple has no protocol, or EOPNOTSUPP.  Then the entries are
 *   listed with the filter.
 * What was listed is compared once more before it is deleted, one message an entry.
 * Source: net/netfilter/nf_conntrack_netlink.c, ctnetlink_del_conntrack(),
 * ctnetlink_filter_match_tuple().
 */
#include "datapath/route/conntrack_priv.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#define LISTS_MAX 5 /* of a table that changes while it is listed */

/* Bits of CTA_FILTER_ORIG_FLAGS and _REPLY_FLAGS; the kernel has them in no public header. */
enum { FILTER_SRC = 1 << 0, FILTER_DST = 1 << 1 };

static const struct conntrack_place places[] = {
	{CTA_TUPLE_ORIG, true},
	{CTA_TUPLE_ORIG, false},
	{CTA_TUPLE_REPLY, true},
	{CTA_TUPLE_REPLY, false},
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
	g->version = 1; /* 0 would mean every family, whatever the filter says */
}

static void put_filter(struct nlmsghdr *h, const struct addr *a, const struct conntrack_place *p)
{
	uint32_t bit = p->source ? FILTER_SRC : FILTER_DST;
	bool orig = p->tuple == CTA_TUPLE_ORIG;
	struct nlattr *tuple, *ip, *filter;

	tuple = mnl_attr_nest_start(h, p->tuple);
	ip = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	nl_put_addr(h, ip_attr(a, p->source), a);
	mnl_attr_nest_end(h, ip);
	mnl_attr_nest_end(h, tuple);
	filter = mnl_attr_nest_start(h, CTA_FILTER);
	mnl_attr_put_u32(h, CTA_FILTER_ORIG_FLAGS, orig ? bit : 0);
	mnl_attr_put_u32(h, CTA_FILTER_REPLY_FLAGS, orig ? 0 : bit);
	mnl_attr_nest_end(h, filter);
}

static int delete_filtered(struct nlbatch *b, const struct addr *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct nlmsghdr *h =
			nlbatch_add(b, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0);

		put_head(h, a->family);
		put_filter(h, a, &places[i]);
		nlbatch_added(b, h);
	}
	return nlbatch_send_all(b, NULL);
}

/* struct deleting - deletions of what a list names, through a socket of their own */
struct deleting {
	struct nlbatch *batch;
	uint8_t family;
	const struct addr *addrs;
	size_t n;
	int error;
};

/* An entry that ended meanwhile is none the worse. */
static void keep_error(void *arg, uint32_t index _unused_, int error)
{
	struct deleting *d = arg;

	if (error && error != -ENOENT && !d->error)
		d->error = error;
}

static bool is_in(const struct nlattr *tuple, const struct addr *addr)
{
	const struct nlattr *ip = nl_find_nested(tuple, CTA_TUPLE_IP);

	return ip && (nl_addr_is(nl_find_nested(ip, ip_attr(addr, true)), addr) ||
		      nl_addr_is(nl_find_nested(ip, ip_attr(addr, false)), addr));
}

/**
 * conntrack_concerns() - Does an entry have this address?
 * @entry: Message with an entry
 * @addr:  Address
 *
 * Return: true if it stands in it, before or after translation
 */
bool conntrack_concerns(const struct nlmsghdr *entry, const struct addr *addr)
{
	size_t header = sizeof(struct nfgenmsg);

	return is_in(nl_find(entry, header, CTA_TUPLE_ORIG), addr) ||
	       is_in(nl_find(entry, header, CTA_TUPLE_REPLY), addr);
}

/**
 * conntrack_put_deletion() - Ask for the deletion of an entry
 * @b:      Batch, not full
 * @family: AF_INET or AF_INET6
 * @entry:  Message with the entry
 *
 * The id keeps a newer entry with the same tuple from being taken for the listed one.  Nothing is
 * added for an entry without a tuple: the kernel would take it for all entries.
 */
void conntrack_put_deletion(struct nlbatch *b, uint8_t family, const struct nlmsghdr *entry)
{
	bool complete = nl_find(entry, sizeof(struct nfgenmsg), CTA_TUPLE_ORIG);
	static const uint16_t naming[] = {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID};
	struct nlmsghdr *h = nlbatch_add(b, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0);

	put_head(h, family);
	for (size_t i = 0; i < ARRAY_SIZE(naming); i++) {
		const struct nlattr *a = nl_find(entry, sizeof(struct nfgenmsg), naming[i]);

		if (a)
			complete &= mnl_attr_put_check(h, NLMSG_ROOM, a->nla_type,
						       mnl_attr_get_payload_len(a),
						       mnl_attr_get_payload(a));
	}
	if (complete)
		nlbatch_added(b, h);
}

static bool concerns_any(const struct nlmsghdr *entry, const struct deleting *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (conntrack_concerns(entry, &d->addrs[i]))
			return true;
	return false;
}

static int delete_listed(void *arg, const struct nlmsghdr *entry)
{
	struct deleting *d = arg;
	int r = 0;

	if (!concerns_any(entry, d))
		return 0;
	if (nlbatch_full(d->batch))
		r = nlbatch_send(d->batch, keep_error, d);
	if (r == 0)
		conntrack_put_deletion(d->batch, d->family, entry);
	return r;
}

/**
 * conntrack_list() - List entries
 * @s:      Socket
 * @family: AF_INET or AF_INET6
 * @a:      With @p: the address; of IPv4
 * @p:      Where it stands in the entries; NULL: every entry of the family
 * @fn:     Called for each entry
 * @arg:    Its first argument
 *
 * Return: as nl_request()
 */
int conntrack_list(struct mnl_socket *s, uint8_t family, const struct addr *a,
		   const struct conntrack_place *p, nl_message_fn *fn, void *arg)
{
	char request[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);

	h->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
	h->nlmsg_flags = NLM_F_DUMP;
	put_head(h, family);
	if (p)
		put_filter(h, a, p);
	return nl_request(s, h, fn, arg);
}

/* @p: where the only address stands; NULL: every entry of the family */
static int list(struct mnl_socket *s, const struct conntrack_place *p, struct deleting *d)
{
	int r = -EINTR;

	for (int i = 0; i < LISTS_MAX && r == -EINTR; i++) {
		int sent;

		r = conntrack_list(s, d->family, d->addrs, p, delete_listed, d);
		sent = nlbatch_send(d->batch, keep_error, d);
		if (sent < 0)
			r = sent;
	}
	return r < 0 ? r : d->error;
}

/**
 * conntrack_open() - Open the sockets, in the network namespace of the caller
 * @ret:    Handle; untouched on failure
 * @reterr: What failed
 *
 * Return: 0; -errno
 */
int conntrack_open(struct conntrack **ret, struct err *reterr)
{
	struct conntrack *c = xcalloc(1, sizeof(*c));
	int r = nl_open(NETLINK_NETFILTER, 0, &c->ask, reterr);

	if (r == 0)
		r = nl_open(NETLINK_NETFILTER, 0, &c->lister, reterr);
	if (r < 0) {
		(void)conntrack_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

/**
 * conntrack_close() - Close the sockets
 * @c: Handle or NULL
 *
 * Return: NULL
 */
struct conntrack *conntrack_close(struct conntrack *c)
{
	if (!c)
		return NULL;
	nl_closep(&c->ask);
	nl_closep(&c->lister);
	free(c);
	return NULL;
}

static int list_v4(struct conntrack *c, const struct addr *a)
{
	struct deleting d = {.batch = &c->batch, .family = AF_INET, .addrs = a, .n = 1};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places) && r == 0; i++)
		r = list(c->lister, &places[i], &d);
	return r;
}

/* All of them in one list: the kernel walks its whole table for it. */
static int list_v6(struct conntrack *c, const struct addr *addrs, size_t n)
{
	struct deleting d = {.batch = &c->batch, .family = AF_INET6, .addrs = addrs, .n = n};

	for (size_t i = 0; i < n; i++)
		if (addrs[i].family == AF_INET6)
			return list(c->lister, NULL, &d);
	return 0;
}

static int say(int r, struct err *reterr)
{
	return r == 0 ? 0 : err_set(reterr, r, "conntrack entries: %s", strerror(-r));
}

/**
 * conntrack_list_and_delete() - Forget every connection of some addresses, one by one
 * @c:      Handle
 * @addrs:  Addresses
 * @n:      Their number
 * @reterr: What failed
 *
 * Some 7 us for each entry deleted, and for IPv6 1 us for each entry there is.
 *
 * Return: 0; -errno
 */
int conntrack_list_and_delete(struct conntrack *c, const struct addr *addrs, size_t n,
			      struct err *reterr)
{
	int r = 0;

	nlbatch_begin(&c->batch, c->ask);
	for (size_t i = 0; i < n && r == 0; i++)
		if (addrs[i].family == AF_INET)
			r = list_v4(c, &addrs[i]);
	if (r == 0)
		r = list_v6(c, addrs, n);
	return say(r, reterr);
}

/**
 * conntrack_flush() - Forget every connection of some addresses
 * @c:      Handle
 * @addrs:  Addresses
 * @n:      Their number
 * @reterr: What failed
 *
 * Connections from them and to them, as they were before and after address translation.
 *
 * Return: 0; -errno
 */
int conntrack_flush(struct conntrack *c, const struct addr *addrs, size_t n, struct err *reterr)
{
	int r = 0;

	nlbatch_begin(&c->batch, c->ask);
	for (size_t i = 0; i < n && r == 0; i++)
		if (addrs[i].family == AF_INET)
			r = delete_filtered(&c->batch, &addrs[i]);
	if (r == -EINVAL || r == -EOPNOTSUPP)
		return conntrack_list_and_delete(c, addrs, n, reterr);
	if (r == 0)
		r = list_v6(c, addrs, n);
	return say(r, reterr);
}
