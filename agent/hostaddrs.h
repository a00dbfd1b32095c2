/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostaddrs.h - follow the node's own addresses, for host ports; and forget what was tracked on a
 * host port before a pod had it.
 */
#pragma once

#include "ipam/attachment.h"
#include "lib/err.h"

struct agent;

/* struct hostaddrs - embedded in the agent; @again: asked for while it runs; @failed: the last time
 */
struct hostaddrs {
	struct hostaddr *addrs;
	bool running, again, failed;
};

void hostaddrs_read(struct agent *a);
void hostaddrs_settle(struct agent *a);
void hostaddrs_forget(struct agent *a, const struct attachment *at);
int hostaddrs_check(const struct agent *a, const struct attachment *at, struct err *reterr);
