/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.h - pods' interfaces and routes, when somebody else takes them away.
 *
 * A route is made again, an interface that was set down is set up.  One that was deleted cannot
 * come back, since its other end went from the pod: the pod is isolated as before but for its
 * routes, and the runtime is told by CHECK.  In a fight with another program the pauses grow.
 */
#pragma once

#include "agent/culprits.h"
#include "agent/repair.h"
#include "datapath/route/rtnl.h"
#include "ipam/attachment.h"
#include "lib/buf.h"
#include "lib/vec.h"

struct agent;
struct loop_source;
struct up_job;

/* struct gone_link - @since: monotonic, microseconds */
struct gone_link {
	char *ifname;
	uint64_t since;
};

/*
 * struct links - embedded in the agent
 * @lost:     Routes that others took, to be made again when @repair says so
 * @rising:   Interfaces that are being set up
 * @gone:     Host's ends of interfaces that are gone while their pods are attached
 * @leaks:    Looks at them again (leaks.h)
 * @freed:    Of these, so many were freed without a DEL
 */
struct links {
	struct repair repair;
	struct loop_source *timer;
	struct up_job *rising;
	VEC(struct prefix) lost;
	VEC(struct gone_link) gone;
	struct loop_source *leaks;
	uint64_t freed;
	struct culprits routes, interfaces;
};

void links_watch(struct agent *a);
void links_event(struct agent *a, const struct rtnl_event *e);
void links_overrun(struct agent *a);
void links_due(struct agent *a);
void links_made(struct agent *a, const char *host_ifname);
bool links_are_gone(const struct agent *a, const struct attachment *at);
void links_put_metrics(const struct agent *a, struct buf *out);
