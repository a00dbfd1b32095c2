// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlmsg.c - batches and lists over a netlink socket.
 *
 * Every request has a sequence number that this process never used before, so an answer that was
 * left in a socket by a request given up is recognised and skipped.
 */
#include "datapath/netlink/nlmsg.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

/* Room for the acknowledgements of a full batch, and for a burst of notifications. */
#define SOCKET_BUFFER (4 << 20)
#define DRAIN_TRIES   8

/**
 * nl_open() - Open a netlink socket
 * @protocol: NETLINK_ROUTE or NETLINK_NETFILTER
 * @groups:   Multicast groups as a bit mask, 0 for none
 * @ret:      Socket; untouched on failure
 * @reterr:   What failed
 *
 * The kernel checks list requests strictly, which also has it filter them.
 *
 * Return: 0, -errno
 */
int nl_open(int protocol, unsigned int groups, struct mnl_socket **ret, struct err *reterr)
{
	struct mnl_socket *s = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	int size = SOCKET_BUFFER, on = 1;

	if (!s || mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		int code = -errno;

		nl_closep(&s);
		return err_set(reterr, code, "netlink socket: %s", strerror(-code));
	}
	(void)setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(s, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	*ret = s;
	return 0;
}

/**
 * nl_closep() - Close a socket; a cleanup function
 * @s: Socket or NULL
 */
void nl_closep(struct mnl_socket **s)
{
	if (*s)
		(void)mnl_socket_close(*s);
}

/* The first of as many unused sequence numbers as a batch can have messages. */
static uint32_t next_sequence(void)
{
	static _Atomic uint32_t next =
		1; /* the loop and a waiter ask, through sockets of their own */

	return atomic_fetch_add(&next, NLMSG_BATCH_BYTES / NLMSG_HDRLEN);
}

/**
 * nlbatch_begin() - Begin an empty batch
 * @b: Batch
 * @s: Socket to send it through
 */
void nlbatch_begin(struct nlbatch *b, struct mnl_socket *s)
{
	b->socket = s;
	b->n = 0;
	b->len = 0;
	b->sequence = next_sequence();
}

/**
 * nlbatch_full() - Must the batch be sent before another message?
 * @b: Batch
 *
 * Return: true if there is no room for NLMSG_ROOM bytes more
 */
bool nlbatch_full(const struct nlbatch *b)
{
	return b->len + NLMSG_ROOM > sizeof(b->data);
}

/**
 * nlbatch_add() - Begin a message
 * @b:     Batch, not full
 * @type:  RTM_x
 * @flags: NLM_F_x beside REQUEST and ACK
 *
 * Return: the header; put attributes behind it, then call nlbatch_added()
 */
struct nlmsghdr *nlbatch_add(struct nlbatch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	assert(!nlbatch_full(b));
	h = mnl_nlmsg_put_header(b->data + b->len);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	h->nlmsg_seq = b->sequence + b->n;
	return h;
}

/**
 * nlbatch_added() - End a message
 * @b: Batch
 * @h: Header from nlbatch_add(), complete
 */
void nlbatch_added(struct nlbatch *b, const struct nlmsghdr *h)
{
	assert(h->nlmsg_len <= NLMSG_ROOM);
	b->len += MNL_ALIGN(h->nlmsg_len);
	b->n++;
}

static int send_bytes(struct mnl_socket *s, const void *data, size_t len)
{
	while (mnl_socket_sendto(s, data, len) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static ssize_t receive(struct mnl_socket *s, char *data, size_t size)
{
	ssize_t n;

	do {
		n = mnl_socket_recvfrom(s, data, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/**
 * nl_drain() - Read to its end what was given up half read
 * @s: Socket
 *
 * While a list goes on the kernel refuses the next one, and each read has it go on.
 */
void nl_drain(struct mnl_socket *s)
{
	char data[65536];

	for (int failures = 0; failures < DRAIN_TRIES;) {
		if (recv(mnl_socket_get_fd(s), data, sizeof(data), MSG_DONTWAIT) >= 0)
			continue;
		if (errno == EAGAIN)
			return;
		failures++;
	}
}

/* Read the acknowledgements of one datagram; the number read. */
static uint32_t read_acks(const struct nlbatch *b, const char *data, size_t n,
			  nlbatch_result_fn *fn, void *arg)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)data;
	int left = (int)n;
	uint32_t acks = 0;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

		if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq - b->sequence >= b->n)
			continue;
		fn(arg, h->nlmsg_seq - b->sequence, e->error);
		acks++;
	}
	return acks;
}

/**
 * nlbatch_send() - Send a batch and read every acknowledgement
 * @b:   Batch; empty afterwards
 * @fn:  Called for each message with its index and 0 or -errno
 * @arg: Its first argument
 *
 * Return: 0, also when messages failed; -errno when the socket did
 */
int nlbatch_send(struct nlbatch *b, nlbatch_result_fn *fn, void *arg)
{
	char answer[16384];
	uint32_t acks = 0;
	int r = b->n ? send_bytes(b->socket, b->data, b->len) : 0;

	while (r == 0 && acks < b->n) {
		ssize_t n = receive(b->socket, answer, sizeof(answer));

		if (n < 0)
			r = (int)n;
		else
			acks += read_acks(b, answer, (size_t)n, fn, arg);
	}
	if (r < 0)
		nl_drain(b->socket);
	nlbatch_begin(b, b->socket);
	return r;
}

/* struct first - the first message of a batch that failed */
struct first {
	int error;
	uint32_t index;
};

static void keep_first(void *arg, uint32_t index, int error)
{
	struct first *f = arg;

	if (error && !f->error)
		*f = (struct first){error, index};
}

/**
 * nlbatch_send_all() - Send a batch of which every message has to succeed
 * @b:          Batch; empty afterwards
 * @ret_failed: Index of the first message that failed, or NULL; untouched on success
 *
 * The kernel takes the messages one by one: those beside the failed one are in force.
 *
 * Return: 0; -errno of the first message that failed, or of the socket
 */
int nlbatch_send_all(struct nlbatch *b, uint32_t *ret_failed)
{
	struct first f = {0};
	int r = nlbatch_send(b, keep_first, &f);

	if (r == 0 && f.error && ret_failed)
		*ret_failed = f.index;
	return r < 0 ? r : f.error;
}

/* struct reply - the answer to one request, as far as it was read */
struct reply {
	uint32_t sequence;
	nl_message_fn *fn;
	void *arg;
	bool interrupted, complete;
	int result;
};

static void take_message(struct reply *p, const struct nlmsghdr *h)
{
	if (h->nlmsg_seq != p->sequence)
		return;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		p->interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		const int *error = mnl_nlmsg_get_payload(h);

		p->complete = true;
		if (p->result == 0 && mnl_nlmsg_get_payload_len(h) >= sizeof(*error))
			p->result = MIN(*error, 0);
	} else if (h->nlmsg_type >= NLMSG_MIN_TYPE && p->result == 0) {
		p->result = p->fn(p->arg, h);
	}
}

/**
 * nl_request() - Ask for a list (NLM_F_DUMP) or for one object (NLM_F_ACK)
 * @s:       Socket
 * @request: Request, complete but for its sequence number
 * @fn:      Called for each message
 * @arg:     Its first argument
 *
 * The answer is always read to its end, so that the socket can be used again.
 *
 * Return: 0; -EINTR: what was listed changed meanwhile, begin again; -errno
 */
int nl_request(struct mnl_socket *s, struct nlmsghdr *request, nl_message_fn *fn, void *arg)
{
	struct reply p = {.sequence = next_sequence(), .fn = fn, .arg = arg};
	_cleanup_(freep) char *answer = xmalloc(65536);
	int r;

	request->nlmsg_seq = p.sequence;
	request->nlmsg_flags |= NLM_F_REQUEST;
	r = send_bytes(s, request, request->nlmsg_len);
	if (r < 0)
		return r;
	while (!p.complete) {
		ssize_t n = receive(s, answer, 65536);
		const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
		int left = (int)n;

		if (n < 0) {
			nl_drain(s);
			return (int)n;
		}
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			take_message(&p, h);
	}
	return p.result == 0 && p.interrupted ? -EINTR : p.result;
}

/**
 * nl_list() - List objects
 * @s:      Socket
 * @type:   RTM_GETx
 * @header: What follows the netlink header; what it names, the kernel filters by
 * @len:    Its bytes, at most 32
 * @fn:     Called for each message
 * @arg:    Its first argument
 *
 * Return: as nl_request()
 */
int nl_list(struct mnl_socket *s, uint16_t type, const void *header, size_t len, nl_message_fn *fn,
	    void *arg)
{
	char request[NLMSG_HDRLEN + 32] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);

	assert(len <= 32);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_DUMP;
	memcpy(mnl_nlmsg_put_extra_header(h, len), header, len);
	return nl_request(s, h, fn, arg);
}
