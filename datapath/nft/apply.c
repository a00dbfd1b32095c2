// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * apply.c - the nf_tables socket: transactions sent, errors read and named.  (Reading: read.c.)
 *
 * One transaction is one netlink batch: the kernel takes all of it or nothing.  Its answers name
 * the messages at fault by sequence number.
 */
#include "datapath/nft/apply_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "datapath/nft/encode.h"
#include "datapath/nft/render.h"

#define SEND_BUFFER    (32 << 20) /* bytes; a batch of NFT_OPS_MAX elements has about 2 MiB */
#define RECEIVE_BUFFER (8 << 20)

/**
 * nft_open() - Open the socket
 * @ret:    Socket; untouched on failure
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int nft_open(struct nft_socket **ret, struct err *reterr)
{
	struct mnl_socket *mnl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int send_size = SEND_BUFFER, receive_size = RECEIVE_BUFFER, on = 1;
	struct nft_socket *s;

	if (!mnl || mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
		int code = -errno;

		if (mnl)
			(void)mnl_socket_close(mnl);
		return err_set(reterr, code, "nftables socket: %s", strerror(-code));
	}
	(void)setsockopt(mnl_socket_get_fd(mnl), SOL_SOCKET, SO_SNDBUFFORCE, &send_size,
			 sizeof(send_size));
	(void)setsockopt(mnl_socket_get_fd(mnl), SOL_SOCKET, SO_RCVBUFFORCE, &receive_size,
			 sizeof(receive_size));
	(void)mnl_socket_setsockopt(mnl, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(mnl, NETLINK_CAP_ACK, &on, sizeof(on));
	s = xcalloc(1, sizeof(*s));
	s->mnl = mnl;
	s->seq = (uint32_t)time(NULL);
	*ret = s;
	return 0;
}

/**
 * nft_close() - Close the socket; the table stays in the kernel
 * @s: Socket or NULL
 *
 * Return: NULL
 */
struct nft_socket *nft_close(struct nft_socket *s)
{
	if (!s)
		return NULL;
	(void)mnl_socket_close(s->mnl);
	free(s);
	return NULL;
}

/**
 * nft_port() - The socket's address, by which the kernel tells whose a transaction was
 * @s: Socket
 *
 * Return: netlink port
 */
uint32_t nft_port(const struct nft_socket *s)
{
	return mnl_socket_get_portid(s->mnl);
}

/**
 * nft_stats() - Counters of the socket
 * @s: Socket
 *
 * Return: the counters, borrowed
 */
const struct nft_stats *nft_stats(const struct nft_socket *s)
{
	return &s->stats;
}

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/* --- transactions ------------------------------------------------------------------------------
 */

/* struct verdict - what the kernel said to a batch: the first error, and which operation it is of
 */
struct verdict {
	bool complete;
	int error;
	size_t op; /* SIZE_MAX: the batch as a whole */
	char text[128];
};

static void read_extended(const struct nlmsghdr *h, const struct nlmsgerr *e, size_t *ret_offset,
			  struct verdict *v)
{
	unsigned int head = sizeof(*e);
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		head += mnl_nlmsg_get_payload_len(&e->msg);
	mnl_attr_for_each(a, h, head)
	{
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_OFFS)
			*ret_offset = mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
			(void)snprintf(v->text, sizeof(v->text), "%s", mnl_attr_get_str(a));
	}
}

static void read_answer(const struct nft_batch *b, const struct nlmsghdr *h, struct verdict *v)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t offset = 0;

	if (h->nlmsg_type != NLMSG_ERROR ||
	    h->nlmsg_seq - b->first_seq >= b->next_seq - b->first_seq)
		return;
	v->complete = true;
	if (!e->error || v->error)
		return;
	v->error = e->error;
	read_extended(h, e, &offset, v);
	v->op = nft_batch_find(b, h->nlmsg_seq, offset);
}

/*
 * The kernel answers while it works, so when sendmsg() has returned everything it has to say is in
 * the receive buffer: errors, or the acknowledgement of the last message.
 */
static int read_answers(const struct nft_socket *s, const struct nft_batch *b, struct verdict *v)
{
	char data[65536];

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(s->mnl), data, sizeof(data), MSG_DONTWAIT);
		const struct nlmsghdr *h = (const struct nlmsghdr *)data;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return v->complete ? 0 : -EIO;
		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			read_answer(b, h, v);
	}
}

static int send_batch(struct nft_socket *s, const struct nft_batch *b, struct verdict *v)
{
	ssize_t n;
	int r;

	do
		n = mnl_socket_sendto(s->mnl, b->bytes.data, b->bytes.len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r = read_answers(s, b, v);
	return r < 0 ? r : v->error;
}

static const char *op_name(const struct nft_op *op)
{
	if (op->set)
		return op->set->name;
	return op->chain ? op->chain->name : "table";
}

static int explain(const struct nft_ops *ops, const struct verdict *v, int error,
		   struct err *reterr)
{
	static const char *const what[] = {"table", "set", "chain", "rules of chain", "element of"};
	const struct nft_op *op = v->op < ops->op.n ? &ops->op.v[v->op] : NULL;

	_Static_assert(ARRAY_SIZE(what) == _NFT_OP_MAX, "a name for every kind of operation");
	if (!op)
		return err_set(reterr, error, "transaction of %zu operations: %s%s%s", ops->op.n,
			       strerror(-error), *v->text ? ": " : "", v->text);
	return err_set(reterr, error, "%s %s %s: %s%s%s",
		       op->verb == NFT_ADD ? "adding" : "deleting", what[op->what], op_name(op),
		       strerror(-error), *v->text ? ": " : "", v->text);
}

/* One transaction; 1 if more is pending. */
static int apply_once(struct nft_socket *s, struct nft_table *t, struct err *reterr)
{
	_cleanup_(nft_ops_done) struct nft_ops ops = {0};
	_cleanup_(nft_batch_done) struct nft_batch batch = {0};
	struct verdict v = {.op = SIZE_MAX};
	uint64_t began = now_usec(), sent;
	bool all = table_ops(t, NFT_OPS_MAX, &ops);
	int r;

	if (!ops.op.n)
		return 0;
	nft_encode(table_name(t), &ops, s->seq, &batch);
	s->seq = batch.next_seq;
	sent = now_usec();
	r = send_batch(s, &batch, &v);
	s->refused = r < 0 && v.error;
	s->stats.longest_usec = MAX(s->stats.longest_usec, now_usec() - sent);
	if (r < 0) {
		s->stats.errors++;
		return explain(&ops, &v, r, reterr);
	}
	table_committed(t, &ops);
	s->stats.transactions++;
	s->stats.operations += ops.op.n;
	s->stats.last_operations = ops.op.n;
	s->stats.last_usec = now_usec() - began;
	return all ? 0 : 1;
}

static int apply_all(struct nft_socket *s, struct nft_table *t, struct err *reterr)
{
	int r;

	do
		r = apply_once(s, t, reterr);
	while (r > 0);
	return r;
}

/**
 * nft_apply() - Bring the kernel's table to what is wanted
 * @s:      Socket
 * @t:      Table
 * @reterr: What the kernel refused
 *
 * One transaction, or several when much is pending.  When one fails, the kernel may hold something
 * else than we believe: the table is read and the difference tried once more.
 *
 * Return: 0; NFT_REFUSED: the kernel does not take it; -errno: it could not be asked.  What is not
 *         applied stays pending
 */
int nft_apply(struct nft_socket *s, struct nft_table *t, struct err *reterr)
{
	struct err first = {0};
	int r = apply_all(s, t, &first);

	if (r == 0)
		return 0;
	r = nft_read(s, t, reterr);
	if (r < 0)
		return r;
	r = apply_all(s, t, reterr);
	return r < 0 && s->refused ? NFT_REFUSED : r;
}

/**
 * nft_delete_table() - Delete a table with everything in it
 * @s:      Socket
 * @name:   Its name, family inet
 * @reterr: What failed
 *
 * Return: 0, also if there is none; -errno
 */
int nft_delete_table(struct nft_socket *s, const char *name, struct err *reterr)
{
	_cleanup_(nft_ops_done) struct nft_ops ops = {0};
	_cleanup_(nft_batch_done) struct nft_batch batch = {0};
	struct verdict v = {.op = SIZE_MAX};
	int r;

	vec_push(&ops.op, (struct nft_op){.verb = NFT_DEL, .what = NFT_OP_TABLE});
	nft_encode(name, &ops, s->seq, &batch);
	s->seq = batch.next_seq;
	r = send_batch(s, &batch, &v);
	return r == 0 || r == -ENOENT ? 0 : explain(&ops, &v, r, reterr);
}
