/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * routing.h - what the agent asks of rtnetlink and conntrack while it runs, as jobs of a waiter:
 * routes to apply and to read, links to list, connections to forget.
 */
#pragma once

#include "agent/link_names.h"
#include "datapath/route/conntrack.h"
#include "lib/once.h"
#include "lib/vec.h"
#include "lib/waiter.h"

struct agent;

/*
 * struct routing - embedded in the agent
 * @applying:    Routes are on their way
 * @read_failed: What the kernel holds is not known: it has to be read again
 * @flushing, @next_flush: Connections being forgotten, and those that are when that is done
 */
struct routing {
	struct waiter *waiter;
	struct once read;
	bool applying, read_failed;
	struct conntrack *conntrack;
	struct flush_job *flushing, *next_flush;
};

/**
 * typedef links_fn - Takes the names of all pods' links that exist
 * @arg:   Context
 * @links: Sorted, borrowed; NULL when they could not be read
 * @why:   Then, why
 */
typedef void links_fn(void *arg, const struct link_names *links, const char *why);

/**
 * typedef routing_done_fn - A job has ended
 * @arg: Context
 */
typedef void routing_done_fn(void *arg);

bool routing_apply(struct agent *a, uint64_t since);
void routing_read(struct agent *a);
void routing_links(struct agent *a, links_fn *fn, void *arg);
void routing_flush(struct agent *a, const struct addr *addrs, size_t n, routing_done_fn *fn,
		   void *arg);
