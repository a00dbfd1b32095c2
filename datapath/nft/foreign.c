// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * foreign.c - a socket that hears the transactions of others.
 *
 * The kernel sends a message for each object that a transaction changed, and at its end one with
 * the process.  Our own transactions, of 100,000 elements at times, never come here: a filter of
 * the socket drops what has our port in its header.  Of what was changed only the names are kept;
 * the owner reads those objects and finds the difference.
 */
#include "datapath/nft/foreign.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include "datapath/netlink/nlattr.h"
#include "datapath/nft/kernel.h"

#define RECEIVE_BUFFER (4 << 20) /* what is not heard makes everything suspect */
#define DATAGRAMS_MAX  256	 /* of one call, so that a flood cannot hold the loop */

/* All of them have the name of the table as attribute 1. */
_Static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
		       NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 && NFTA_OBJ_TABLE == 1,
	       "where the kernel names the table");

struct nft_foreign {
	struct mnl_socket *mnl;
	struct nft_telling telling;
};

static int drop_own(int fd, uint32_t port)
{
	/* The filter reads numbers as if they were in network order; the header's are in ours. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {ARRAY_SIZE(code), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/**
 * nft_foreign_open() - Begin to listen
 * @own:    Socket whose transactions are not told
 * @table:  Our table, inet; borrowed
 * @ret:    Listener; untouched on failure
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int nft_foreign_open(const struct nft_socket *own, const char *table, struct nft_foreign **ret,
		     struct err *reterr)
{
	struct mnl_socket *mnl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int size = RECEIVE_BUFFER;
	struct nft_foreign *f;

	if (!mnl || drop_own(mnl_socket_get_fd(mnl), nft_port(own)) < 0 ||
	    mnl_socket_bind(mnl, 1u << (NFNLGRP_NFTABLES - 1), MNL_SOCKET_AUTOPID) < 0) {
		int code = -errno;

		if (mnl)
			(void)mnl_socket_close(mnl);
		return err_set(reterr, code, "nftables notifications: %s", strerror(-code));
	}
	(void)setsockopt(mnl_socket_get_fd(mnl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	f = xcalloc(1, sizeof(*f));
	f->mnl = mnl;
	f->telling.table = table;
	nft_touched_all(&f->telling.what); /* by whoever was here before */
	*ret = f;
	return 0;
}

/**
 * nft_foreign_close() - Listen no longer
 * @f: Listener or NULL
 *
 * Return: NULL
 */
struct nft_foreign *nft_foreign_close(struct nft_foreign *f)
{
	if (!f)
		return NULL;
	(void)mnl_socket_close(f->mnl);
	nft_touched_done(&f->telling.what);
	free(f);
	return NULL;
}

/**
 * nft_foreign_fd() - What to wait for
 * @f: Listener
 *
 * Return: descriptor, readable when somebody changed some table
 */
int nft_foreign_fd(const struct nft_foreign *f)
{
	return mnl_socket_get_fd(f->mnl);
}

/**
 * nft_foreign_touched() - What others changed
 * @f: Listener
 *
 * Return: the list, borrowed; whoever has read those objects empties it
 */
struct nft_touched *nft_foreign_touched(struct nft_foreign *f)
{
	return &f->telling.what;
}

/**
 * nft_foreign_others() - Did programs of other tables change since this was asked?
 * @f: Listener
 *
 * Return: true if so
 */
bool nft_foreign_others(struct nft_foreign *f)
{
	return TAKE(f->telling.others, false);
}

static const struct nlattr *find(const struct nlmsghdr *h, uint16_t type)
{
	return nl_find(h, sizeof(struct nfgenmsg), type);
}

static bool names_table(const char *table, const struct nlmsghdr *h)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	const char *name;

	if (!nl_holds(h, sizeof(*g)) || g->nfgen_family != NFPROTO_INET)
		return false;
	name = nl_string(find(h, NFTA_TABLE_NAME));
	return name && streq(name, table);
}

static void add_named(struct nft_touched *what, enum nft_touch_kind kind, const struct nlattr *name)
{
	if (nl_string(name))
		nft_touched_add(what, kind, nl_string(name));
	else
		nft_touched_all(what);
}

static void add_elems(struct nft_touched *what, const struct nlmsghdr *h)
{
	const struct nlattr *list = find(h, NFTA_SET_ELEM_LIST_ELEMENTS), *elem;
	const char *set = nl_string(find(h, NFTA_SET_ELEM_LIST_SET));

	if (!set || !list) {
		nft_touched_all(what);
		return;
	}
	mnl_attr_for_each_nested(elem, list)
	{
		const struct nlattr *key =
			nl_find_nested(nl_find_nested(elem, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);

		nft_touched_add_elem(what, set, key ? mnl_attr_get_payload(key) : NULL,
				     key ? mnl_attr_get_payload_len(key) : 0);
	}
}

/* Stateful objects and flow tables are none of ours: there is nothing to read. */
static void add_object(struct nft_touched *what, const struct nlmsghdr *h)
{
	switch (NFNL_MSG_TYPE(h->nlmsg_type)) {
	case NFT_MSG_NEWSET:
	case NFT_MSG_DELSET:
		add_named(what, NFT_TOUCH_SET, find(h, NFTA_SET_NAME));
		return;
	case NFT_MSG_NEWSETELEM:
	case NFT_MSG_DELSETELEM:
		add_elems(what, h);
		return;
	case NFT_MSG_DELCHAIN:
		add_named(what, NFT_TOUCH_CHAIN, find(h, NFTA_CHAIN_NAME));
		return;
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
		add_named(what, NFT_TOUCH_CHAIN, find(h, NFTA_RULE_CHAIN));
		return;
	case NFT_MSG_NEWCHAIN: /* perhaps another name for one of ours: the old one is not told */
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
		nft_touched_all(what);
	}
}

static void read_culprit(const struct nlmsghdr *h, struct nft_culprit *ret)
{
	const struct nlattr *a;

	*ret = (struct nft_culprit){0};
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_GEN_PROC_PID &&
		    mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			ret->pid = ntohl(mnl_attr_get_u32(a));
		if (mnl_attr_get_type(a) == NFTA_GEN_PROC_NAME &&
		    mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
			(void)snprintf(ret->name, sizeof(ret->name), "%s", mnl_attr_get_str(a));
	}
}

/* Elements come and go all day in the tables of others. */
static bool is_program(const struct nlmsghdr *h)
{
	switch (NFNL_MSG_TYPE(h->nlmsg_type)) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
		return true;
	default:
		return false;
	}
}

/* True at the end of a transaction that touched our table. */
static bool take(struct nft_telling *t, const struct nlmsghdr *h, struct nft_culprit *ret)
{
	if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
		return false;
	if (NFNL_MSG_TYPE(h->nlmsg_type) != NFT_MSG_NEWGEN) {
		if (!names_table(t->table, h)) {
			t->others |= is_program(h);
			return false;
		}
		t->touched = true;
		add_object(&t->what, h);
		return false;
	}
	if (!t->touched)
		return false;
	t->touched = false;
	read_culprit(h, ret);
	return true;
}

/**
 * nft_foreign_take() - Take in one datagram
 * @t:    What was told so far; grows by the objects
 * @data: Netlink messages, aligned
 * @size: Bytes
 * @ret:  The last that changed our table; untouched if nobody did
 *
 * Return: true if somebody changed our table
 */
bool nft_foreign_take(struct nft_telling *t, const void *data, size_t size, struct nft_culprit *ret)
{
	const struct nlmsghdr *h = data;
	int left = (int)size;
	bool changed = false;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		changed |= take(t, h, ret);
	return changed;
}

/**
 * nft_foreign_read() - Take in what was told
 * @f:   Listener
 * @ret: The last that changed our table; untouched if nobody did
 *
 * Reads at most DATAGRAMS_MAX; the descriptor stays readable while there are more.
 *
 * Return: true if somebody changed our table, or may have: messages were lost
 */
bool nft_foreign_read(struct nft_foreign *f, struct nft_culprit *ret)
{
	bool changed = false;
	char data[65536];

	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		ssize_t n = mnl_socket_recvfrom(f->mnl, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ENOBUFS && errno != ENOSPC)
			return changed;
		if (n < 0) {
			*ret = (struct nft_culprit){0};
			nft_touched_all(&f->telling.what);
			changed = f->telling.others = true;
			continue;
		}
		changed |= nft_foreign_take(&f->telling, data, (size_t)n, ret);
	}
	return changed;
}
