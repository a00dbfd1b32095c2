// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * uplink.c - a job of the waiter that finds the interface, and one that sets the MTU of all pods.
 */
#include "agent/uplink.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/fences.h"
#include "datapath/route/nodes.h"
#include "datapath/route/podlink.h"
#include "datapath/route/rtnl.h"
#include "ipam/ipam.h"
#include "ipam/journal.h"
#include "lib/log.h"

#define DEFAULT_MTU 1500 /* while no interface carries the node's address */

/* struct pod_end - what it takes to set the MTU of both ends */
struct pod_end {
	char *pod, *host_ifname, *ifname, *netns;
	uint32_t mtu; /* of the host's end, when it is done */
	struct err err;
};

struct set_job {
	struct waiter_job job;
	struct uplink *uplink;
	uint32_t mtu;
	VEC(struct pod_end) ends;
};

static void set_run(struct waiter_job *j)
{
	struct set_job *p = container_of(j, struct set_job, job);

	vec_foreach (e, &p->ends) {
		const struct podlink pod = {.netns = e->netns,
					    .ifname = e->ifname,
					    .host_ifname = e->host_ifname,
					    .mtu = p->mtu};

		(void)rtnl_link_follow(p->uplink->use.rtnl, &pod, &e->mtu, &e->err);
	}
}

/* The same reason for all pods is told once. */
static void tell_not_entered(const struct set_job *p, size_t n)
{
	if (n)
		log_info("route", "running pods keep their MTU until they are made anew",
			 "pods=%zu mtu=%u reason=\"entering them takes CAP_SYS_ADMIN\"", n, p->mtu);
}

static void set_done(struct waiter_job *j)
{
	struct set_job *p = container_of(j, struct set_job, job);
	size_t not_entered = 0;

	p->uplink->setting--;
	vec_foreach (e, &p->ends) {
		fences_set_mtu(p->uplink->use.fences, e->host_ifname, e->mtu);
		if (e->err.code == -EPERM)
			not_entered++;
		else if (e->err.code)
			log_warn("route", "MTU not set", "pod=\"%s\" err=\"%s\"", e->pod,
				 e->err.msg);
		free(e->pod);
		free(e->host_ifname);
		free(e->ifname);
		free(e->netns);
	}
	tell_not_entered(p, not_entered);
	vec_done(&p->ends);
	free(p);
}

static void set_all(struct uplink *u)
{
	struct set_job *p = xcalloc(1, sizeof(*p));
	const struct attachment *at = NULL;

	p->job = (struct waiter_job){set_run, set_done, NULL};
	p->uplink = u;
	p->mtu = u->mtu;
	while ((at = journal_next(u->use.journal, at)))
		if (!attachment_is_unexplained(at))
			vec_push(&p->ends,
				 (struct pod_end){.pod = xasprintf("%s/%s", at->ns, at->pod),
						  .host_ifname = xstrdup(at->host_ifname),
						  .ifname = xstrdup(at->ifname),
						  .netns = xstrdup(at->netns)});
	u->setting++;
	waiter_submit(u->use.waiter, &p->job);
}

struct mtu_job {
	struct waiter_job job;
	struct uplink *uplink;
	struct addr own;
	int result;
	char ifname[16];
	uint32_t mtu;
};

static void mtu_run(struct waiter_job *j)
{
	struct mtu_job *p = container_of(j, struct mtu_job, job);

	p->result = rtnl_link_of(p->uplink->use.rtnl, &p->own, p->ifname, &p->mtu);
}

static void take_mtu(struct uplink *u, uint32_t mtu)
{
	if (mtu == u->mtu)
		return;
	log_info("route", "MTU of pods", "mtu=%u before=%u ifname=%s", mtu, u->mtu, u->ifname);
	u->mtu = mtu;
	set_all(u);
}

static uint32_t wanted_mtu(const struct uplink *u)
{
	if (u->configured)
		return u->configured;
	return podlink_mtu_of_link(u->link_mtu, ipam_has_family(u->use.ipam, AF_INET6))
		       ?: DEFAULT_MTU;
}

/* The interface of the node's traffic, and its MTU. */
static void take_uplink(struct uplink *u, const char *ifname, uint32_t mtu)
{
	bool another = !streq(ifname, u->ifname);

	(void)snprintf(u->ifname, sizeof(u->ifname), "%s", ifname);
	u->link_mtu = mtu;
	u->use.seen(u->use.arg, another);
}

static void mtu_done(struct waiter_job *j)
{
	struct mtu_job *p = container_of(j, struct mtu_job, job);
	struct uplink *u = p->uplink;

	if (p->result == 0)
		take_uplink(u, p->ifname, p->mtu);
	else if (!u->link_mtu) /* else it stays: an address may come again */
		log_info("route", "no interface is known that carries the node's traffic", NULL);
	take_mtu(u, wanted_mtu(u));
	if (once_end(&u->job))
		uplink_follow(u);
	free(p);
}

/**
 * uplink_follow() - Look for the interface that carries the node's traffic, and at its MTU
 * @u: Object
 *
 * When the MTU changed, every pod link is given the new one.
 */
void uplink_follow(struct uplink *u)
{
	struct mtu_job *p;
	struct addr own;

	if (!nodes_own_address(u->use.nodes, &own)) {
		take_mtu(u, wanted_mtu(u));
		return;
	}
	if (!once_begin(&u->job))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){mtu_run, mtu_done, NULL};
	p->uplink = u;
	p->own = own;
	waiter_submit(u->use.waiter, &p->job);
}

/**
 * uplink_moved() - Has the node another address than when this was asked last?
 * @u: Object
 *
 * Return: true if so
 */
bool uplink_moved(struct uplink *u)
{
	struct addr now = {0};

	(void)nodes_own_address(u->use.nodes, &now);
	if (memcmp(&now, &u->followed, sizeof(now)) == 0)
		return false;
	u->followed = now;
	return true;
}

/**
 * uplink_configure() - Take the MTU from the configuration
 * @u:   Object
 * @mtu: Bytes; 0: it is that of the interface
 */
void uplink_configure(struct uplink *u, uint32_t mtu)
{
	u->configured = mtu;
	uplink_follow(u);
}

/**
 * uplink_open() - Begin
 * @u:   Zeroed
 * @use: What it uses; copied
 */
void uplink_open(struct uplink *u, const struct uplink_uses *use)
{
	u->use = *use;
}
