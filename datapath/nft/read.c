// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * read.c - what the kernel holds of our table: all of it, or the objects that somebody touched.
 *
 * All of it is taken between two readings of the ruleset's generation, and again when somebody
 * else committed in between.  The kernel begins its walk of a set anew for each 32 KiB of the
 * answer, so that a set of 50,000 elements takes a tenth of a second; one element is looked up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/nft/apply_priv.h"
#include "datapath/nft/decode.h"
#include "datapath/nft/kernel.h"

#define READ_TRIES 10 /* begun anew because others keep committing */

static ssize_t receive(const struct nft_socket *s, char *data, size_t size)
{
	ssize_t n;

	do
		n = mnl_socket_recvfrom(s->mnl, data, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static struct nlmsghdr *request(struct nft_socket *s, char *room, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = s->seq++;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = NFPROTO_INET;
	g->version = NFNETLINK_V0;
	return h;
}

/* Collect the messages of one answer; 1 at its end, 0 if more comes, -errno. */
static int collect(const char *data, size_t len, uint32_t seq, struct buf *ret)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)data;
	int left = (int)len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_seq != seq)
			continue;
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			return -EINTR;
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			return e->error ? e->error : 1;
		}
		buf_put(ret, h, MNL_ALIGN(h->nlmsg_len));
		if (!(h->nlmsg_flags & NLM_F_MULTI))
			return 1;
	}
	return 0;
}

static int ask(struct nft_socket *s, const struct nlmsghdr *h, struct buf *ret)
{
	char data[65536];
	int r = mnl_socket_sendto(s->mnl, h, h->nlmsg_len) < 0 ? -errno : 0;

	while (r == 0) {
		ssize_t n = receive(s, data, sizeof(data));

		r = n < 0 ? (int)n : collect(data, (size_t)n, h->nlmsg_seq, ret);
		if (r < 0)
			nl_drain(s->mnl);
	}
	return r < 0 ? r : 0;
}

/* struct object - what is asked for; @name NULL: all of the kind; @attr: says the name */
struct object {
	const char *table;
	uint16_t attr;
	const char *name;
};

static struct nlmsghdr *request_object(struct nft_socket *s, char *room, uint16_t type,
				       uint16_t flags, const struct object *o)
{
	struct nlmsghdr *h = request(s, room, type, flags);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, o->table);
	if (o->name)
		mnl_attr_put_strz(h, o->attr, o->name);
	return h;
}

static int get(struct nft_socket *s, uint16_t type, uint16_t flags, const struct object *o,
	       struct buf *ret)
{
	char room[NLMSG_ROOM];

	return ask(s, request_object(s, room, type, flags, o), ret);
}

static int read_generation(struct nft_socket *s, uint32_t *ret)
{
	_cleanup_(buf_done) struct buf b = {0};
	const struct nlmsghdr *h;
	const struct nlattr *a;
	char room[64];
	int r = ask(s, request(s, room, NFT_MSG_GETGEN, 0), &b);

	if (r < 0 || !b.len)
		return r < 0 ? r : -EIO;
	h = (const struct nlmsghdr *)b.data;
	mnl_attr_for_each(a, h,
			  sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == NFTA_GEN_ID) *ret =
		ntohl(mnl_attr_get_u32(a));
	return 0;
}

static int dump_elems(struct nft_socket *s, const char *table, struct nft_dump *d,
		      struct err *reterr)
{
	_cleanup_(nft_names_done) nft_names names = {0};
	int r = nft_decode_set_names(d, table, &names, reterr);

	vec_foreach (name, &names) {
		const struct object set = {table, NFTA_SET_ELEM_LIST_SET, *name};
		struct buf b = {0};

		if (r < 0)
			return r;
		r = get(s, NFT_MSG_GETSETELEM, NLM_F_DUMP, &set, &b);
		vec_push(&d->elems, b);
	}
	return r;
}

/* -EINTR, or -ENOENT for a set that went: somebody committed meanwhile. */
static int dump_table(struct nft_socket *s, const char *table, struct nft_dump *d,
		      struct err *reterr)
{
	const struct object all = {.table = table};
	uint32_t before = 0, after = 0;
	int r = read_generation(s, &before);

	if (r == 0)
		r = get(s, NFT_MSG_GETTABLE, NLM_F_DUMP, &all, &d->tables);
	if (r == 0)
		r = get(s, NFT_MSG_GETSET, NLM_F_DUMP, &all, &d->sets);
	if (r == 0)
		r = get(s, NFT_MSG_GETCHAIN, NLM_F_DUMP, &all, &d->chains);
	if (r == 0)
		r = get(s, NFT_MSG_GETRULE, NLM_F_DUMP, &all, &d->rules);
	if (r == 0)
		r = dump_elems(s, table, d, reterr);
	if (r == 0)
		r = read_generation(s, &after);
	return r == 0 && before != after ? -EINTR : r;
}

/* Somebody committed meanwhile, or answers got lost. */
static bool may_read_again(int r)
{
	return r == -EINTR || r == -ENOENT || r == -ENOBUFS;
}

/**
 * nft_read() - Learn what the kernel holds of our table
 * @s:      Socket
 * @t:      Table; pending afterwards is the difference to what is wanted
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int nft_read(struct nft_socket *s, struct nft_table *t, struct err *reterr)
{
	int r = -EINTR;

	s->stats.resyncs++;
	for (int i = 0; i < READ_TRIES && may_read_again(r); i++) {
		_cleanup_(nft_dump_done) struct nft_dump d = {0};

		r = dump_table(s, table_name(t), &d, reterr);
		if (r == -ENOENT && !d.sets.len)
			r = 0; /* there is no such table */
		if (r == 0)
			return nft_decode(&d, t, reterr);
	}
	return err_set(reterr, r, "reading table inet %s: %s", table_name(t), strerror(-r));
}

/* --- what was touched -------------------------------------------------------------------------
 */

/* One set with its elements, or one chain with its rules; neither if it is gone. */
static int dump_one(struct nft_socket *s, const char *table, const struct nft_touch *touch,
		    struct nft_dump *d, struct err *reterr)
{
	bool chain = touch->kind == NFT_TOUCH_CHAIN;
	const struct object o = {table, chain ? NFTA_CHAIN_NAME : NFTA_SET_NAME, touch->name};
	const struct object rules = {table, NFTA_RULE_CHAIN, touch->name};
	int r = get(s, chain ? NFT_MSG_GETCHAIN : NFT_MSG_GETSET, 0, &o,
		    chain ? &d->chains : &d->sets);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return chain ? get(s, NFT_MSG_GETRULE, NLM_F_DUMP, &rules, &d->rules)
		     : dump_elems(s, table, d, reterr);
}

static int read_one(struct nft_socket *s, struct nft_table *t, const struct nft_touch *touch,
		    struct err *reterr)
{
	bool chain = touch->kind == NFT_TOUCH_CHAIN;
	int r = -EINTR;

	for (int i = 0; i < READ_TRIES && may_read_again(r); i++) {
		_cleanup_(nft_dump_done) struct nft_dump d = {0};

		r = dump_one(s, table_name(t), touch, &d, reterr);
		if (r == 0)
			return chain ? nft_decode_chain(&d, touch->name, t, reterr)
				     : nft_decode_set(&d, touch->name, t, reterr);
	}
	return err_set(reterr, r, "reading %s %s of table inet %s: %s", chain ? "chain" : "set",
		       touch->name, table_name(t), strerror(-r));
}

static int look_up(struct nft_socket *s, const char *table, const struct nft_touch *touch,
		   struct buf *ret)
{
	const struct object set = {table, NFTA_SET_ELEM_LIST_SET, touch->name};
	char room[NLMSG_ROOM];
	struct nlmsghdr *h = request_object(s, room, NFT_MSG_GETSETELEM, 0, &set);
	struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	struct nlattr *key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);

	mnl_attr_put(h, NFTA_DATA_VALUE, touch->key_len, touch->key);
	mnl_attr_nest_end(h, key);
	mnl_attr_nest_end(h, elem);
	mnl_attr_nest_end(h, list);
	return ask(s, h, ret);
}

/* What cannot be looked up (a set of ranges, one that we do not know) is read with its set. */
static int read_elem(struct nft_socket *s, struct nft_table *t, const struct nft_touch *touch,
		     struct err *reterr)
{
	_cleanup_(buf_done) struct buf found = {0};
	int r = look_up(s, table_name(t), touch, &found);

	if ((r == 0 || r == -ENOENT) && nft_decode_elem(&found, touch, t))
		return 0;
	return read_one(s, t, touch, reterr);
}

/**
 * nft_read_touched() - Learn what the kernel holds of the objects that others touched
 * @s:       Socket
 * @t:       Table; pending afterwards is the difference to what is wanted
 * @touched: What to read; empty afterwards, or everything if it could not be read
 * @reterr:  What failed
 *
 * Time: O(elements of the sets and rules of the chains in it), or O(everything)
 *
 * Return: 0, -errno
 */
int nft_read_touched(struct nft_socket *s, struct nft_table *t, struct nft_touched *touched,
		     struct err *reterr)
{
	int r = 0;

	if (touched->all) {
		r = nft_read(s, t, reterr);
	} else {
		s->stats.resyncs++;
		vec_foreach (touch, &touched->touch) {
			r = touch->kind == NFT_TOUCH_ELEM ? read_elem(s, t, touch, reterr)
							  : read_one(s, t, touch, reterr);
			if (r < 0)
				break;
		}
	}
	if (r < 0)
		nft_touched_all(touched);
	else
		nft_touched_done(touched);
	return r;
}

/**
 * nft_read_named() - Learn what the kernel holds of the objects that it refused to change
 * @s:       Socket
 * @t:       Table, as nft_read_touched()
 * @touched: What to read; empty afterwards
 * @reterr:  What failed
 *
 * Where there is no table any more, that is learned too.
 *
 * Return: 0, -errno
 */
int nft_read_named(struct nft_socket *s, struct nft_table *t, struct nft_touched *touched,
		   struct err *reterr)
{
	_cleanup_(buf_done) struct buf found = {0};
	const struct object table = {.table = table_name(t)};
	int r = get(s, NFT_MSG_GETTABLE, 0, &table, &found);

	if (r == -ENOENT)
		nft_touched_all(touched);
	r = nft_read_touched(s, t, touched, reterr);
	nft_touched_done(touched);
	return r;
}
