/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack.h - delete the connection tracking entries of addresses.  Blocking.
 *
 * The sockets are kept open by who needs them again: closing any socket of NETLINK_NETFILTER makes
 * the kernel wait for its nf_tables clean-up, some 20 ms of RCU, while nobody else in the network
 * namespace can change nf_tables (nft_rcv_nl_event() in net/netfilter/nf_tables_api.c).
 */
#pragma once

#include "lib/addr.h"
#include "lib/err.h"

struct conntrack;

int conntrack_open(struct conntrack **ret, struct err *reterr);
struct conntrack *conntrack_close(struct conntrack *c);
static inline void conntrack_closep(struct conntrack **c)
{
	(void)conntrack_close(*c);
}
int conntrack_flush(struct conntrack *c, const struct addr *addrs, size_t n, struct err *reterr);
int conntrack_list_and_delete(struct conntrack *c, const struct addr *addrs, size_t n,
			      struct err *reterr);

/* Inside: what is read of an entry, and made of it */
struct nlbatch;
struct nlmsghdr;
bool conntrack_concerns(const struct nlmsghdr *entry, const struct addr *addr);
void conntrack_put_deletion(struct nlbatch *b, uint8_t family, const struct nlmsghdr *entry);
