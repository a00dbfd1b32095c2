/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nlmsg.h - netlink requests: many in one send, their acknowledgements read behind; and lists.
 *
 * libmnl builds the messages; the batch here keeps them apart and names what failed.
 */
#pragma once

#include "datapath/netlink/nlattr.h"
#include "lib/err.h"

#define NLMSG_BATCH_BYTES 65536 /* of one batch; a caller with more sends several */
#define NLMSG_ROOM	  512	/* bytes that one message may take at most */

struct nlbatch {
	struct mnl_socket *socket;
	uint32_t sequence; /* of the first message */
	uint32_t n;
	size_t len;
	char data[NLMSG_BATCH_BYTES];
};

/**
 * typedef nlbatch_result_fn - Takes the kernel's answer to one message
 * @arg:   Context
 * @index: Which message, counted from 0
 * @error: 0 or -errno
 */
typedef void nlbatch_result_fn(void *arg, uint32_t index, int error);

/**
 * typedef nl_message_fn - Takes one message of a list
 * @arg: Context
 * @h:   Message, borrowed for the call
 *
 * Return: 0; -errno: nothing more of this list is wanted
 */
typedef int nl_message_fn(void *arg, const struct nlmsghdr *h);

int nl_open(int protocol, unsigned int groups, struct mnl_socket **ret, struct err *reterr);
void nl_closep(struct mnl_socket **s);
void nlbatch_begin(struct nlbatch *b, struct mnl_socket *s);
bool nlbatch_full(const struct nlbatch *b);
struct nlmsghdr *nlbatch_add(struct nlbatch *b, uint16_t type, uint16_t flags);
void nlbatch_added(struct nlbatch *b, const struct nlmsghdr *h);
int nlbatch_send(struct nlbatch *b, nlbatch_result_fn *fn, void *arg);
int nlbatch_send_all(struct nlbatch *b, uint32_t *ret_failed);
int nl_request(struct mnl_socket *s, struct nlmsghdr *request, nl_message_fn *fn, void *arg);
int nl_list(struct mnl_socket *s, uint16_t type, const void *header, size_t len, nl_message_fn *fn,
	    void *arg);
void nl_drain(struct mnl_socket *s);
