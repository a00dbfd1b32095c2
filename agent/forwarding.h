/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forwarding.h - IP forwarding of the families that this node's pods have: switched on, watched,
 * switched on again; or told, where /proc/sys cannot be written.
 */
#pragma once

#include "agent/repair.h"
#include "lib/err.h"

struct agent;
struct loop_source;
struct rtnl_event;

/* enum forwarding_state - FORWARDING_IDLE: no pod has the family, the switch is not ours */
enum forwarding_state { FORWARDING_IDLE, FORWARDING_ASKED, FORWARDING_ON, FORWARDING_FAILED };

/*
 * struct forwarding - embedded in the agent; [0] is IPv4, [1] IPv6
 * @again:      It was asked for while it ran
 * @problem:    By family, of FORWARDING_FAILED
 * @uplink_off: Packets that come in through the node's interface are not forwarded: the
 *              administrator's decision, which is told and left
 */
struct forwarding {
	enum forwarding_state state[2];
	bool running, again, uplink_off;
	struct err problem[2];
	struct repair repair;
	struct loop_source *timer;
};

void forwarding_watch(struct agent *a);
void forwarding_follow(struct agent *a);
void forwarding_event(struct agent *a, const struct rtnl_event *e);
void forwarding_due(struct agent *a);
const char *forwarding_problem(const struct agent *a);
