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

struct nodes;
struct routes;
struct rtnl;

/*
 * struct routing_uses
 * @reached: Routes to other nodes are other ones now
 * @refused: The kernel refused routes, or did not tell of them; it is to be asked again
 * @applied: What came at @since is in force
 */
struct routing_uses {
	struct rtnl *rtnl;
	struct routes *routes;
	struct nodes *nodes;
	void (*reached)(void *arg);
	void (*refused)(void *arg, const struct err *e);
	void (*applied)(void *arg, uint64_t since);
	void *arg;
};

/*
 * struct routing
 * @applying:    Routes are on their way
 * @read_failed: What the kernel holds is not known: it has to be read again
 * @flushing, @next_flush: Connections being forgotten, and those that are when that is done
 */
struct routing {
	struct routing_uses use;
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

void routing_open(struct routing *g, const struct routing_uses *u);
bool routing_apply(struct routing *g, uint64_t since);
void routing_read(struct routing *g);
void routing_links(struct routing *g, links_fn *fn, void *arg);
void routing_flush(struct routing *g, const struct addr *addrs, size_t n, routing_done_fn *fn,
		   void *arg);
