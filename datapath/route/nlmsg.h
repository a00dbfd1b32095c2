/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nlmsg.h - rtnetlink requests: many in one send, their acknowledgements read behind.
 *
 * libmnl builds the messages; the batch here keeps them apart and names what failed.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "lib/addr.h"
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

typedef void nlbatch_result_fn(void *arg, uint32_t index, int error);

int nl_open(int protocol, unsigned int groups, struct mnl_socket **ret, struct err *reterr);
void nl_closep(struct mnl_socket **s);
void nlbatch_begin(struct nlbatch *b, struct mnl_socket *s);
bool nlbatch_full(const struct nlbatch *b);
struct nlmsghdr *nlbatch_add(struct nlbatch *b, uint16_t type, uint16_t flags);
void nlbatch_added(struct nlbatch *b, const struct nlmsghdr *h);
int nlbatch_send(struct nlbatch *b, nlbatch_result_fn *fn, void *arg);
int nl_dump(struct mnl_socket *s, struct nlmsghdr *request, mnl_cb_t fn, void *arg);
void nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a);
int link_set_mtu(struct mnl_socket *s, const char *ifname, uint32_t mtu, struct err *reterr);
