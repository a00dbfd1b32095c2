/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * retire.h - giving place to the next agent (agent/command/takeover.c asks): calls in progress come
 * to their end, new ones wait in the socket, then descriptors go over and this agent ends.
 */
#pragma once

#include "agent/socket/handover.h"
#include "agent/socket/server.h"

struct retire;

/*
 * struct retire_ops - what the owner brings
 * @busy: Is something in progress beside open connections?
 * @hold: Let the connections of other sockets wait, or no longer
 * @list: Add the descriptors, borrowed
 * @gone: They are the next one's: end, and do nothing on the way
 */
struct retire_ops {
	bool (*busy)(void *arg);
	void (*hold)(void *arg, bool hold);
	void (*list)(void *arg, struct handover *h);
	void (*gone)(void *arg);
};

struct retire *retire_new(struct loop *l, struct server *s, const struct retire_ops *ops,
			  void *arg);
struct retire *retire_free(struct retire *r);
void retire_call(struct retire *r, struct call *c);
