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
#include "datapath/nft/fields.h"
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
	vec_done(&s->refusals);
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

#define ERRORS_MAX 300 /* of one batch; more are not told apart */

/* struct complaint - an error of the kernel; @op: SIZE_MAX: of the batch as a whole */
struct complaint {
	size_t op;
	int error;
	char text[100];
};

/*
 * struct verdict - what the kernel said to a batch: it goes on behind an error, and names them all
 * @inexact: Of one it did not say which of the operations in its message it is about
 */
struct verdict {
	bool complete, inexact;
	VEC(struct complaint) errors;
};

static void verdict_done(struct verdict *v)
{
	vec_done(&v->errors);
}

static void read_extended(const struct nlmsghdr *h, const struct nlmsgerr *e, size_t *ret_offset,
			  struct complaint *c)
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
			(void)snprintf(c->text, sizeof(c->text), "%s", mnl_attr_get_str(a));
	}
}

static void read_answer(const struct nft_batch *b, const struct nlmsghdr *h, struct verdict *v)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	struct complaint c = {.error = e->error};
	size_t offset = 0;

	if (h->nlmsg_type != NLMSG_ERROR ||
	    h->nlmsg_seq - b->first_seq >= b->next_seq - b->first_seq)
		return;
	v->complete = true;
	if (!e->error || v->errors.n == ERRORS_MAX)
		return;
	read_extended(h, e, &offset, &c);
	c.op = nft_batch_find(b, h->nlmsg_seq, offset);
	v->inexact |= !offset && !nft_batch_is_alone(b, h->nlmsg_seq);
	vec_push(&v->errors, c);
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
	return r < 0 || !v->errors.n ? r : v->errors.v[0].error;
}

static const char *op_name(const struct nft_op *op)
{
	if (op->set)
		return op->set->name;
	return op->chain ? op->chain->name : "table";
}

static int explain(const struct nft_ops *ops, const struct complaint *c, struct err *reterr)
{
	static const char *const what[] = {"table", "set", "chain", "rules of chain", "element of"};
	const struct nft_op *op = c->op < ops->op.n ? &ops->op.v[c->op] : NULL;

	_Static_assert(ARRAY_SIZE(what) == _NFT_OP_MAX, "a name for every kind of operation");
	if (!op)
		return err_set(reterr, c->error, "transaction of %zu operations: %s%s%s", ops->op.n,
			       strerror(-c->error), *c->text ? ": " : "", c->text);
	return err_set(reterr, c->error, "%s %s %s: %s%s%s",
		       op->verb == NFT_ADD ? "adding" : "deleting", what[op->what], op_name(op),
		       strerror(-c->error), *c->text ? ": " : "", c->text);
}

static int explain_failure(const struct nft_ops *ops, const struct verdict *v, int error,
			   struct err *reterr)
{
	const struct complaint unknown = {.op = SIZE_MAX, .error = error};

	return explain(ops, v->errors.n ? v->errors.v : &unknown, reterr);
}

/* The machine's reasons, which say nothing about the operation. */
static bool is_refusal(int error)
{
	return error != -ENOMEM && error != -ENOBUFS && error != -EPERM && error != -EAGAIN;
}

/* A rule has several messages, and may be complained about more than once. */
static void note_refusals(struct nft_socket *s, const struct nft_ops *ops, const struct verdict *v)
{
	size_t last = SIZE_MAX;

	s->refused = v->errors.n > 0;
	s->inexact = v->inexact;
	s->refusals.n = 0;
	vec_foreach (c, &v->errors) {
		struct nft_refusal *f;

		if (!is_refusal(c->error))
			s->refused = false;
		if (c->op >= ops->op.n || c->op == last)
			continue;
		last = c->op;
		f = vec_add(&s->refusals);
		f->op = ops->op.v[c->op];
		(void)explain(ops, c, &f->err);
	}
	if (v->errors.n && v->errors.v[0].op >= ops->op.n)
		s->refusals.n = 0; /* what is said behind it may follow from it */
}

/* One transaction; 1 if more is pending.  @alone: a message for each operation */
static int apply_once(struct nft_socket *s, struct nft_table *t, bool alone, struct err *reterr)
{
	_cleanup_(nft_ops_done) struct nft_ops ops = {0};
	_cleanup_(nft_batch_done) struct nft_batch batch = {0};
	_cleanup_(verdict_done) struct verdict v = {0};
	uint64_t began = now_usec(), sent;
	bool all = table_ops(t, NFT_OPS_MAX, &ops);
	int r;

	s->refused = false;
	s->refusals.n = 0;
	if (!ops.op.n)
		return 0;
	nft_encode(table_name(t), &ops, s->seq, alone, &batch);
	s->seq = batch.next_seq;
	sent = now_usec();
	r = send_batch(s, &batch, &v);
	s->stats.longest_usec = MAX(s->stats.longest_usec, now_usec() - sent);
	if (r < 0) {
		s->stats.errors++;
		note_refusals(s, &ops, &v);
		return explain_failure(&ops, &v, r, reterr);
	}
	table_committed(t, &ops);
	s->stats.transactions++;
	s->stats.operations += ops.op.n;
	s->stats.last_operations = ops.op.n;
	s->stats.last_usec = now_usec() - began;
	return all ? 0 : 1;
}

/* --- after a failure ---------------------------------------------------------------------------
 */

static void touch_named(const struct nft_rule *r, struct nft_touched *ret)
{
	for (uint8_t i = 0; i < r->n; i++) {
		if (r->stmt[i].set)
			nft_touched_add(ret, NFT_TOUCH_SET, r->stmt[i].set);
		if (r->stmt[i].verdict.chain)
			nft_touched_add(ret, NFT_TOUCH_CHAIN, r->stmt[i].verdict.chain);
	}
}

/* An element that cannot be added since there is no set, or no chain that it leads to. */
static void touch_elem(const struct nft_refusal *f, struct nft_touched *ret)
{
	const struct nft_op *op = &f->op;
	bool missing = op->verb == NFT_ADD && f->err.code == -ENOENT;

	nft_touched_add_elem(ret, op->set->name, missing || op->set->interval ? NULL : op->elem.key,
			     types_wire_len(op->set->key));
	if (missing && op->elem.verdict.chain)
		nft_touched_add(ret, NFT_TOUCH_CHAIN, op->elem.verdict.chain);
}

/* What an operation is about, and what it needs to be there. */
static void touch(const struct nft_refusal *f, struct nft_touched *ret)
{
	const struct nft_op *op = &f->op;

	switch (op->what) {
	case NFT_OP_TABLE:
		nft_touched_all(ret);
		break;
	case NFT_OP_SET:
		nft_touched_add(ret, NFT_TOUCH_SET, op->set->name);
		break;
	case NFT_OP_RULES:
		for (size_t i = 0; op->verb == NFT_ADD && i < op->chain->n_rules; i++)
			touch_named(&op->chain->rules[i], ret);
		nft_touched_add(ret, NFT_TOUCH_CHAIN, op->chain->name);
		break;
	case NFT_OP_CHAIN:
		nft_touched_add(ret, NFT_TOUCH_CHAIN, op->chain->name);
		break;
	case NFT_OP_ELEM:
		touch_elem(f, ret);
		break;
	case _NFT_OP_MAX:
		break;
	}
}

/*
 * The kernel may hold something else than we believe: of what it refused it is asked what it has.
 * Of a transaction of which no answer came everything is in doubt.
 */
static int read_again(struct nft_socket *s, struct nft_table *t, struct err *reterr)
{
	struct nft_touched touched = {0};

	if (!s->refused || !s->refusals.n)
		return nft_read(s, t, reterr);
	vec_foreach (f, &s->refusals)
		touch(f, &touched);
	return nft_read_named(s, t, &touched, reterr);
}

/*
 * It is still refused, and not for an element: somebody has sets, chains or rules in our table of
 * which we know nothing.
 */
static bool is_out_of_step(const struct nft_socket *s)
{
	const struct nft_refusal *f = s->refusals.v;

	return s->refused && s->refusals.n && f->op.what != NFT_OP_ELEM &&
	       (f->err.code == -EBUSY || f->err.code == -EEXIST || f->err.code == -ENOENT);
}

/**
 * nft_apply() - Bring the kernel's table nearer to what is wanted, by one transaction
 * @s:      Socket
 * @t:      Table
 * @reterr: What the kernel refused
 *
 * When it fails, the kernel may hold something else than we believe: what it refused is read, and
 * the difference tried once more.  All of the table is read only where no answer came, or where the
 * kernel holds objects in our table that we do not know.
 *
 * Return: 0: nothing more is to be done; NFT_MORE: there is; NFT_REFUSED: the kernel does not take
 *         it, see nft_refusals(); -errno: it could not be asked.  What is not applied stays pending
 */
int nft_apply(struct nft_socket *s, struct nft_table *t, struct err *reterr)
{
	struct err first = {0};
	int r = apply_once(s, t, false, &first);
	bool alone = r < 0 && s->refused;

	if (alone && s->inexact)
		r = apply_once(s, t, true, &first);
	for (int i = 0; r < 0 && (i == 0 || is_out_of_step(s)) && i < 2; i++) {
		r = i == 0 ? read_again(s, t, reterr) : nft_read(s, t, reterr);
		if (r < 0)
			return r;
		r = apply_once(s, t, alone, reterr);
	}
	if (r < 0)
		return s->refused ? NFT_REFUSED : r;
	return r ? NFT_MORE : 0;
}

/**
 * nft_apply_all() - As nft_apply(), as often as there is more
 * @s:      Socket
 * @t:      Table
 * @reterr: What the kernel refused
 *
 * Return: as nft_apply(), but never NFT_MORE
 */
int nft_apply_all(struct nft_socket *s, struct nft_table *t, struct err *reterr)
{
	int r;

	do
		r = nft_apply(s, t, reterr);
	while (r == NFT_MORE);
	return r;
}

/**
 * nft_refusals() - What the kernel refused
 * @s:     Socket whose last nft_apply() returned NFT_REFUSED
 * @ret_n: Their number; 0: it did not say what
 *
 * Return: the operations in their order, borrowed until the next call; their definitions are valid
 *         until the table changes.  A later one may have been refused because of one before it
 */
const struct nft_refusal *nft_refusals(const struct nft_socket *s, size_t *ret_n)
{
	*ret_n = s->refusals.n;
	return s->refusals.v;
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
	_cleanup_(verdict_done) struct verdict v = {0};
	int r;

	vec_push(&ops.op, (struct nft_op){.verb = NFT_DEL, .what = NFT_OP_TABLE});
	nft_encode(name, &ops, s->seq, false, &batch);
	s->seq = batch.next_seq;
	r = send_batch(s, &batch, &v);
	return r == 0 || r == -ENOENT ? 0 : explain_failure(&ops, &v, r, reterr);
}
