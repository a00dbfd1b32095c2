// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * forwarding.c - when the switches of forwarding are looked at, and what is told of it.
 *
 * systemd-sysctl, network managers and other programs switch it off; the kernel tells.  A fight
 * has the pauses of repair.h.
 */
#include "agent/forwarding.h"

#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "lib/log.h"

static const uint8_t families[2] = {AF_INET, AF_INET6};

/*
 * struct forward_job - the waiter's
 * @uplink: The node's interface; "" while that is not known
 */
struct forward_job {
	struct waiter_job job;
	struct agent *agent;
	bool wanted[2], uplink_off;
	char uplink[16];
	int result[2];
	struct err err[2];
	struct buf changed;
};

static void forward_run(struct waiter_job *j)
{
	struct forward_job *p = container_of(j, struct forward_job, job);

	for (int i = 0; i < 2; i++)
		if (p->wanted[i])
			p->result[i] = rtnl_enable_forwarding(p->agent->rtnl, families[i],
							      &p->changed, &p->err[i]);
	p->uplink_off = p->wanted[0] && *p->uplink && !rtnl_forwards(p->uplink);
}

static void take_family(struct forwarding *f, const struct forward_job *p, int i)
{
	enum forwarding_state before = f->state[i];

	if (!p->wanted[i] || before == FORWARDING_IDLE)
		return;
	f->state[i] = p->result[i] < 0 ? FORWARDING_FAILED : FORWARDING_ON;
	f->problem[i] = p->err[i];
	if (f->state[i] == FORWARDING_FAILED)
		log_err("route", "packets of pods are not forwarded", "err=\"%s\"", p->err[i].msg);
}

static void tell_uplink(struct forwarding *f, const struct forward_job *p)
{
	if (p->uplink_off && !f->uplink_off)
		log_warn("route", "packets for pods are not forwarded from the node's interface",
			 "ifname=%s mend=\"sysctl -w net/ipv4/conf/%s/forwarding=1\"", p->uplink,
			 p->uplink);
	f->uplink_off = p->uplink_off;
}

static void look(struct agent *a);

static void forward_done(struct waiter_job *j)
{
	struct forward_job *p = container_of(j, struct forward_job, job);
	struct forwarding *f = &p->agent->forwarding;

	if (p->changed.len)
		log_info("route", "switched on", "sysctl=\"%s\"", p->changed.data);
	for (int i = 0; i < 2; i++)
		take_family(f, p, i);
	tell_uplink(f, p);
	f->running = false;
	if (TAKE(f->again, false))
		look(p->agent);
	agent_install_when_ready(p->agent); /* before anybody can ask whether we are */
	buf_done(&p->changed);
	free(p);
}

static void look(struct agent *a)
{
	struct forwarding *f = &a->forwarding;
	struct forward_job *p;

	f->again = f->running;
	if (f->running)
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){forward_run, forward_done, NULL};
	p->agent = a;
	for (int i = 0; i < 2; i++)
		p->wanted[i] = f->state[i] != FORWARDING_IDLE;
	memcpy(p->uplink, a->mtu_ifname, sizeof(p->uplink));
	f->running = true;
	waiter_submit(a->routing.waiter, &p->job);
}

/**
 * forwarding_follow() - The families of this node's pods, or the node's interface, may have changed
 * @a: Agent
 */
void forwarding_follow(struct agent *a)
{
	struct forwarding *f = &a->forwarding;

	for (int i = 0; i < 2; i++) {
		bool has = ipam_has_family(a->ipam, families[i]);

		if (has && f->state[i] == FORWARDING_IDLE)
			f->state[i] = FORWARDING_ASKED;
		else if (!has)
			f->state[i] = FORWARDING_IDLE;
	}
	look(a);
}

/**
 * forwarding_event() - Somebody switched forwarding of a family, or of an interface
 * @a: Agent
 * @e: RTNL_FORWARDING
 */
void forwarding_event(struct agent *a, const struct rtnl_event *e)
{
	struct forwarding *f = &a->forwarding;
	int i = e->family == AF_INET6;
	char ifname[IF_NAMESIZE];

	if (e->ifindex) {
		if (e->family == AF_INET && if_indextoname(e->ifindex, ifname) &&
		    streq(ifname, a->mtu_ifname))
			look(a);
		return;
	}
	if (f->state[i] == FORWARDING_IDLE || (e->on && f->state[i] == FORWARDING_ON))
		return;
	if (!e->on && f->state[i] == FORWARDING_ON)
		log_warn("route", "somebody switched forwarding off", "family=%s",
			 i ? "IPv6" : "IPv4");
	repair_want(&f->repair, loop_now(a->loop));
	loop_timer_at(f->timer, f->repair.at);
}

/**
 * forwarding_due() - Look again after somebody's change, if it is time
 * @a: Agent
 */
void forwarding_due(struct agent *a)
{
	if (repair_due(&a->forwarding.repair, loop_now(a->loop)))
		look(a);
}

/**
 * forwarding_problem() - Why packets of pods are not forwarded
 * @a: Agent
 *
 * Return: text, borrowed until the next turn; NULL if they are, or no pod needs it
 */
const char *forwarding_problem(const struct agent *a)
{
	const struct forwarding *f = &a->forwarding;

	for (int i = 0; i < 2; i++) {
		if (f->state[i] == FORWARDING_FAILED)
			return f->problem[i].msg;
		if (f->state[i] == FORWARDING_ASKED)
			return "IP forwarding has not been looked at yet";
	}
	return NULL;
}

/* The turn that follows asks forwarding_due(). */
static void on_timer(void *arg _unused_)
{
}

/**
 * forwarding_watch() - Begin
 * @a: Agent
 */
void forwarding_watch(struct agent *a)
{
	a->forwarding.timer = loop_timer(a->loop, "forwarding", on_timer, a);
	agent_add_source(a, a->forwarding.timer);
}
