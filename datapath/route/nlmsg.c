// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlmsg.c - batches and dumps over a netlink socket.
 */
#include "datapath/route/nlmsg.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <time.h>

#define SOCKET_BUFFER (4 << 20) /* bytes: room for the acknowledgements of a full batch */

/**
 * nl_open() - Open a netlink socket
 * @protocol: NETLINK_ROUTE or NETLINK_NETFILTER
 * @groups:   Multicast groups as a bit mask, 0 for none
 * @ret:      Socket; untouched on failure
 * @reterr:   What failed
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
	(void)mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
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

/**
 * nlbatch_begin() - Begin an empty batch
 * @b: Batch
 * @s: Socket to send it through
 */
void nlbatch_begin(struct nlbatch *b, struct mnl_socket *s)
{
	static uint32_t last;

	b->socket = s;
	b->n = 0;
	b->len = 0;
	last += 1u << 16;
	b->sequence = (uint32_t)time(NULL) + last;
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
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->data + b->len);

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
	b->len += MNL_ALIGN(h->nlmsg_len);
	b->n++;
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

	if (b->n && mnl_socket_sendto(b->socket, b->data, b->len) < 0)
		return -errno;
	while (acks < b->n) {
		ssize_t n = mnl_socket_recvfrom(b->socket, answer, sizeof(answer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		acks += read_acks(b, answer, (size_t)n, fn, arg);
	}
	nlbatch_begin(b, b->socket);
	return 0;
}

static int dump_once(struct mnl_socket *s, struct nlmsghdr *request, mnl_cb_t fn, void *arg)
{
	char answer[65536];
	int r = MNL_CB_OK;

	if (mnl_socket_sendto(s, request, request->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(s, answer, sizeof(answer));

		if (n < 0)
			return -errno;
		r = mnl_cb_run(answer, (size_t)n, request->nlmsg_seq, mnl_socket_get_portid(s), fn,
			       arg);
	}
	return r < 0 ? -errno : 0;
}

/**
 * nl_dump() - Ask for a list or one object
 * @s:       Socket
 * @request: Request, complete but for its sequence number
 * @fn:      Called for each message
 * @arg:     Its last argument
 *
 * A dump that the kernel declares inconsistent is -EINTR: the caller begins again.
 *
 * Return: 0, -errno
 */
int nl_dump(struct mnl_socket *s, struct nlmsghdr *request, mnl_cb_t fn, void *arg)
{
	static uint32_t sequence;

	request->nlmsg_seq = (uint32_t)time(NULL) ^ (++sequence << 16);
	request->nlmsg_flags |= NLM_F_REQUEST;
	return dump_once(s, request, fn, arg);
}

/**
 * nl_put_addr() - Append an address as an attribute
 * @h:    Message
 * @type: Attribute
 * @a:    Address
 */
void nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a)
{
	mnl_attr_put(h, type, addr_len(a), a->b);
}

static void keep_error(void *arg, uint32_t index _unused_, int error)
{
	*(int *)arg = error;
}

/**
 * link_set_mtu() - Set the MTU of a link in the namespace of a socket
 * @s:      Socket
 * @ifname: Name of the link
 * @mtu:    Bytes
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int link_set_mtu(struct mnl_socket *s, const char *ifname, uint32_t mtu, struct err *reterr)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct nlmsghdr *h;
	int error = 0, r;

	nlbatch_begin(b, s);
	h = nlbatch_add(b, RTM_NEWLINK, 0);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, ifname);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	nlbatch_added(b, h);
	r = nlbatch_send(b, keep_error, &error);
	r = r < 0 ? r : error;
	return r == 0 ? 0 : err_set(reterr, r, "MTU of %s: %s", ifname, strerror(-r));
}
