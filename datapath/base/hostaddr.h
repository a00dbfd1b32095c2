/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostaddr.h - the addresses on which the node's host ports are reached.  Pure.
 *
 * Those of the node itself: what its Node object names, and what its interfaces to the outside
 * carry.  Not what is local for another reason: 127.0.0.0/8 and ::1, link-local ones, and what is
 * on a loopback or dummy interface, where Services (IPVS), a node-local DNS and routing daemons
 * keep theirs.
 */
#pragma once

#include "datapath/nft/table.h"
#include "lib/vec.h"

/*
 * struct local_addr - an address of an interface of the host
 * @inner: The interface leads nowhere: loopback or dummy
 * @near:  Its scope is the link or the host
 */
struct local_addr {
	struct addr addr;
	bool inner, near;
};

/* struct local_addr_list - starts zeroed */
struct local_addr_list {
	VEC(struct local_addr) v;
};

struct hostaddr;

struct hostaddr *hostaddr_new(struct nft_table *t, struct nft_set *const sets[2]);
struct hostaddr *hostaddr_free(struct hostaddr *h);
bool hostaddr_local(struct hostaddr *h, const struct local_addr_list *l);
bool hostaddr_node(struct hostaddr *h, const struct addr *ips, size_t n);
bool hostaddr_known(const struct hostaddr *h);
bool hostaddr_has(const struct hostaddr *h, const struct addr *a);
size_t hostaddr_all(const struct hostaddr *h, const struct addr **ret);
void hostaddr_describe(const struct hostaddr *h, struct buf *out);
