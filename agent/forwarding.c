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

#include "datapath/route/rtnl.h"
#include "ipam/ipam.h"
#include "lib/log.h"

static const uint8_t families[2] = {AF_INET, AF_INET6};

/*
 * struct forward_job - the waiter's
 * @uplink: The node's interface; "" while that is not known
 */
struct forward_job {
	struct waiter_job job;
	struct forwarding *f;
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
			p->result[i] = rtnl_enable_forwarding(p->f->use.rtnl, families[i],
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

static void look(struct forwarding *f);

static void forward_done(struct waiter_job *j)
{
	struct forward_job *p = container_of(j, struct forward_job, job);
	struct forwarding *f = p->f;

	if (p->changed.len)
		log_info("route", "switched on", "sysctl=\"%s\"", p->changed.data);
	for (int i = 0; i < 2; i++)
		take_family(f, p, i);
	tell_uplink(f, p);
	if (once_end(&f->job))
		look(f);
	f->use.looked(f->use.arg);
	buf_done(&p->changed);
	free(p);
}

static void look(struct forwarding *f)
{
	struct forward_job *p;

	if (!once_begin(&f->job))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){forward_run, forward_done, NULL};
	p->f = f;
	for (int i = 0; i < 2; i++)
		p->wanted[i] = f->state[i] != FORWARDING_IDLE;
	memcpy(p->uplink, f->use.uplink, sizeof(p->uplink));
	waiter_submit(f->use.waiter, &p->job);
}

/**
 * forwarding_follow() - The families of this node's pods, or the node's interface, may have changed
 * @f: Object
 */
void forwarding_follow(struct forwarding *f)
{
	for (int i = 0; i < 2; i++) {
		bool has = ipam_has_family(f->use.ipam, families[i]);

		if (has && f->state[i] == FORWARDING_IDLE)
			f->state[i] = FORWARDING_ASKED;
		else if (!has)
			f->state[i] = FORWARDING_IDLE;
	}
	look(f);
}

/**
 * forwarding_event() - Somebody switched forwarding of a family, or of an interface
 * @f: Object
 * @e: RTNL_FORWARDING
 */
void forwarding_event(struct forwarding *f, const struct rtnl_event *e)
{
	int i = e->family == AF_INET6;
	char ifname[IF_NAMESIZE];

	if (e->ifindex) {
		if (e->family == AF_INET && if_indextoname(e->ifindex, ifname) &&
		    streq(ifname, f->use.uplink))
			look(f);
		return;
	}
	if (f->state[i] == FORWARDING_IDLE || (e->on && f->state[i] == FORWARDING_ON))
		return;
	if (!e->on && f->state[i] == FORWARDING_ON)
		log_warn("route", "somebody switched forwarding off", "family=%s",
			 i ? "IPv6" : "IPv4");
	repair_want(&f->repair, loop_now(f->use.loop));
	loop_timer_at(f->timer, f->repair.at);
}

/**
 * forwarding_due() - Look again after somebody's change, if it is time
 * @f: Object
 */
void forwarding_due(struct forwarding *f)
{
	if (repair_due(&f->repair, loop_now(f->use.loop)))
		look(f);
}

/**
 * forwarding_problem() - Why packets of pods are not forwarded
 * @f: Object
 *
 * Return: text, borrowed until the next turn; NULL if they are, or no pod needs it
 */
const char *forwarding_problem(const struct forwarding *f)
{
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
 * forwarding_open() - Begin
 * @f: Zeroed
 * @u: What it uses; copied
 */
void forwarding_open(struct forwarding *f, const struct forwarding_uses *u)
{
	f->use = *u;
	f->timer = loop_timer(u->loop, "forwarding", on_timer, f);
}

/**
 * forwarding_close() - Look no more
 * @f: Object
 */
void forwarding_close(struct forwarding *f)
{
	f->timer = loop_source_free(f->timer);
}
