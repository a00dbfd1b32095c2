/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostaddrs.h - follow the node's own addresses, for host ports; and forget what was tracked on a
 * host port before a pod had it.
 */
#pragma once

#include "ipam/attachment.h"
#include "lib/err.h"
#include "lib/once.h"
#include "lib/waiter.h"

struct conntrack;
struct hostaddr;
struct nodes;
struct rtnl;

/* struct hostaddrs_uses - @refused: the kernel did not tell; it is to be asked again */
struct hostaddrs_uses {
	struct waiter *waiter;
	struct rtnl *rtnl;
	struct conntrack *conntrack;
	const struct nodes *nodes;
	void (*refused)(void *arg, const struct err *e);
	void *arg;
};

/* struct hostaddrs - @failed: the last time that they were read */
struct hostaddrs {
	struct hostaddrs_uses use;
	struct hostaddr *addrs;
	struct once job;
	bool failed;
};

void hostaddrs_open(struct hostaddrs *h, const struct hostaddrs_uses *u);
void hostaddrs_read(struct hostaddrs *h);
void hostaddrs_settle(struct hostaddrs *h);
void hostaddrs_forget(struct hostaddrs *h, const struct attachment *at);
int hostaddrs_check(const struct hostaddrs *h, const struct attachment *at, struct err *reterr);
