/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * routing.h - what the agent asks of rtnetlink and conntrack while it runs, as jobs of a waiter:
 * routes to apply and to read, the MTU to follow, links to list, connections to forget.
 *
 * Each of the first three is under way at most once; asked for meanwhile it runs once more.
 */
#pragma once

#include "datapath/route/conntrack.h"
#include "lib/vec.h"
#include "lib/waiter.h"

struct agent;

/* struct routing_asked - one kind of job; @again: it was asked for while it ran */
struct routing_asked {
	bool running, again;
};

/*
 * struct routing - embedded in the agent
 * @applying:    Routes are on their way
 * @setting:     Jobs under way that set MTUs
 * @read_failed: What the kernel holds is not known: it has to be read again
 * @flushing, @next_flush: Connections being forgotten, and those that are when that is done
 */
struct routing {
	struct waiter *waiter;
	struct routing_asked read, mtu;
	bool applying, read_failed;
	unsigned int setting;
	struct conntrack *conntrack;
	struct flush_job *flushing, *next_flush;
};

/* struct link_names - owned by who has it; starts zeroed */
struct link_names {
	VEC(char *) v;
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
void routing_follow_mtu(struct agent *a);
void routing_links(struct agent *a, links_fn *fn, void *arg);
void routing_flush(struct agent *a, const struct addr *addrs, size_t n, routing_done_fn *fn,
		   void *arg);

void link_names_add(void *names, const char *ifname);
void link_names_sort(struct link_names *n);
bool link_names_have(const struct link_names *sorted, const char *ifname);
void link_names_done(struct link_names *n);
