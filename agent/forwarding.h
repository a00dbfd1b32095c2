/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forwarding.h - IP forwarding of the families that this node's pods have: switched on, watched,
 * switched on again; or told, where /proc/sys cannot be written.
 */
#pragma once

#include "agent/repair.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/once.h"
#include "lib/waiter.h"

struct ipam;
struct rtnl;
struct rtnl_event;

/* enum forwarding_state - FORWARDING_IDLE: no pod has the family, the switch is not ours */
enum forwarding_state { FORWARDING_IDLE, FORWARDING_ASKED, FORWARDING_ON, FORWARDING_FAILED };

/*
 * struct forwarding_uses
 * @ipam:   Tells the families of pods
 * @uplink: The node's interface, 16 bytes that may change; "" while it is not known
 * @looked: The state may be another
 */
struct forwarding_uses {
	struct loop *loop;
	struct waiter *waiter;
	struct rtnl *rtnl;
	const struct ipam *ipam;
	const char *uplink;
	void (*looked)(void *arg);
	void *arg;
};

/*
 * struct forwarding - [0] is IPv4, [1] IPv6
 * @problem:    By family, of FORWARDING_FAILED
 * @uplink_off: Packets that come in through the node's interface are not forwarded: the
 *              administrator's decision, which is told and left
 */
struct forwarding {
	struct forwarding_uses use;
	enum forwarding_state state[2];
	struct once job;
	bool uplink_off;
	struct err problem[2];
	struct repair repair;
	struct loop_source *timer;
};

void forwarding_open(struct forwarding *f, const struct forwarding_uses *u);
void forwarding_close(struct forwarding *f);
void forwarding_follow(struct forwarding *f);
void forwarding_event(struct forwarding *f, const struct rtnl_event *e);
void forwarding_due(struct forwarding *f);
const char *forwarding_problem(const struct forwarding *f);
