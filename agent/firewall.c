// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * firewall.c (agent) - when the tables of others are looked at, and what is told.
 *
 * At the start, and after each change by others, with the pauses of repair.h: a job of the waiter
 * judges two packets for each range of pods, one to another pod and one to the outside, and reads
 * the host's settings that passage.c judges.
 */
#include "agent/firewall.h"

#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

#include "datapath/datapath.h"
#include "datapath/route/nodes.h"
#include "datapath/route/rtnl.h"
#include "ipam/ipam.h"
#include "lib/log.h"

#define POD_IFNAME HOST_IFNAME_PREFIX "000000000000" /* stands for all */
#define NO_INDEX   0x7fffffffu

static const char *const packet_names[] = {"between pods", "of pods to the outside"};
enum { PACKETS = 2 }; /* for each range */

/*
 * struct look_job - the waiter's
 * @own:    The node's IPv4 address; zero: none
 * @accept: Put rules into what drops them; else take ours out, if @forget
 */
struct look_job {
	struct waiter_job job;
	struct firewall *f;
	char uplink[16];
	struct addr own;
	bool accept, forget;
	struct passage passage;
	VEC(struct prefix) ranges;
	VEC(struct firewall_packet) packets;
	struct nft_hindrances found, left;
	size_t removed;
	int result;
	struct err err;
};

/* The first two addresses of a range behind its own; any of it would do. */
static void add_packets(struct look_job *p, const struct prefix *range)
{
	struct firewall_packet between = {.iif = POD_IFNAME,
					  .oif = POD_IFNAME,
					  .iif_index = NO_INDEX,
					  .oif_index = NO_INDEX,
					  .src = range->addr},
			       out;

	(void)addr_next(&between.src);
	between.dst = between.src;
	(void)addr_next(&between.dst);
	out = between;
	out.oif = *p->uplink ? p->uplink : "eth0";
	out.oif_index = *p->uplink ? if_nametoindex(p->uplink) : NO_INDEX;
	(void)addr_parse(range->addr.family == AF_INET ? "1.0.0.1" : "2000::1", &out.dst);
	vec_push(&p->packets, between);
	vec_push(&p->packets, out);
}

static int look(struct look_job *p, struct nft_hindrances *ret)
{
	nft_legacy_look(p->packets.v, p->packets.n, ret);
	return nft_firewall_look(p->f->nft, TABLE_NAME, p->packets.v, p->packets.n, ret, &p->err);
}

static bool same_chain(const struct nft_hindrance *a, const struct nft_hindrance *b)
{
	return a->family == b->family && a->legacy == b->legacy && streq(a->table, b->table) &&
	       streq(a->chain, b->chain);
}

/* What a chain does to the first packet stands for all. */
static bool is_further(const struct nft_hindrances *all, const struct nft_hindrance *h)
{
	vec_foreach (before, &all->v) {
		if (before == h)
			return false;
		if (same_chain(before, h))
			return true;
	}
	return false;
}

/* Each chain once, whatever packets it drops. */
static void open_chains(struct look_job *p)
{
	vec_foreach (h, &p->found.v) {
		if (p->result == 0 && !h->legacy && !is_further(&p->found, h))
			p->result = nft_firewall_accept(p->f->nft, h, p->ranges.v, p->ranges.n,
							&p->err);
	}
}

static void look_run(struct waiter_job *j)
{
	struct look_job *p = container_of(j, struct look_job, job);

	if (p->forget)
		p->result = nft_firewall_forget(p->f->nft, &p->removed, &p->err);
	if (p->result == 0)
		p->result = rtnl_passage(p->f->use.rtnl, p->uplink, p->own.family ? &p->own : NULL,
					 &p->passage, &p->err);
	for (size_t i = 0; i < p->ranges.n; i++)
		add_packets(p, &p->ranges.v[i]);
	if (p->result == 0)
		p->result = look(p, &p->found);
	if (p->result == 0 && p->accept && p->found.v.n) {
		open_chains(p);
		if (p->result == 0)
			p->result = look(p, &p->left);
	}
}

/* --- what is told --------------------------------------------------------------------------------
 */

static void describe(const struct look_job *p, const struct nft_hindrance *h, struct buf *out)
{
	char range[PREFIX_STR_MAX];

	buf_printf(out, "table %s %s%s drops packets %s (%s): ", nft_family_str(h->family),
		   h->table, h->legacy ? " of iptables-legacy" : "",
		   packet_names[h->packet % PACKETS],
		   prefix_str(&p->ranges.v[h->packet / PACKETS], range));
	if (h->legacy)
		buf_printf(out, "chain %s; what opens it: ", h->chain);
	else if (*h->where)
		buf_printf(out,
			   "a rule of chain %s; forward-accept: true opens it, or: ", h->where);
	else
		buf_printf(out,
			   "the policy of chain %s; forward-accept: true opens it, or: ", h->chain);
	nft_hindrance_mend(h, p->ranges.v, p->ranges.n, out);
}

static bool is_told(const struct firewall *f, const char *text)
{
	vec_foreach (known, &f->problems)
		if (streq(*known, text))
			return true;
	return false;
}

static void free_problems(struct firewall *f)
{
	vec_foreach (text, &f->problems)
		free(*text);
	vec_done(&f->problems);
}

/* What is new is logged; status has all.  Takes @text. */
static void add_problem(const struct firewall *f, struct firewall *fresh, const char *what,
			char *text)
{
	if (!is_told(f, text))
		log_warn("nft", what, "err=\"%s\"", text);
	vec_push(&fresh->problems, text);
}

static void take_problems(struct firewall *f, const struct look_job *p,
			  const struct nft_hindrances *left)
{
	struct passage_findings host = {0};
	struct firewall fresh = {0};

	vec_foreach (h, &left->v) {
		_cleanup_(buf_done) struct buf text = {0};

		if (is_further(left, h))
			continue;
		describe(p, h, &text);
		add_problem(f, &fresh, "the rules of others drop packets of pods",
			    xstrdup(text.data));
	}
	passage_judge(&p->passage, &host);
	vec_foreach (text, &host.v)
		add_problem(f, &fresh, "a setting of the host is in the way of packets of pods",
			    *text);
	vec_done(&host.v);
	free_problems(f);
	vec_foreach (text, &fresh.problems)
		vec_push(&f->problems, *text);
	vec_done(&fresh.problems);
}

static void tell_accepted(const struct look_job *p)
{
	vec_foreach (h, &p->found.v) {
		if (!h->legacy && !is_further(&p->found, h))
			log_info("nft", "rules of ours let packets of pods pass",
				 "table=\"%s %s\" chain=%s comment=\"" NFT_FORWARD_COMMENT "\"",
				 nft_family_str(h->family), h->table, h->chain);
	}
}

static void look_done(struct waiter_job *j)
{
	struct look_job *p = container_of(j, struct look_job, job);
	struct firewall *f = p->f;
	bool opened = p->accept && p->found.v.n;
	bool again = once_end(&f->job);

	if (p->result < 0) {
		log_warn("nft", "the tables of others could not be looked at, will retry",
			 "err=\"%s\"", p->err.msg);
		firewall_changed(f);
	} else {
		if (opened)
			tell_accepted(p);
		if (p->removed)
			log_info("nft", "rules of ours taken out of other tables", "rules=%zu",
				 p->removed);
		f->accepts = p->accept;
		take_problems(f, p, opened ? &p->left : &p->found);
	}
	if (again)
		firewall_changed(f);
	vec_done(&p->ranges);
	vec_done(&p->packets);
	vec_done(&p->found.v);
	vec_done(&p->left.v);
	free(p);
}

/* --- when ----------------------------------------------------------------------------------------
 */

/* What the node is: addresses and the families of its pods. */
static void set_own(struct look_job *p)
{
	const struct addr *own;
	size_t n = nodes_own_addresses(p->f->use.nodes, &own);

	for (size_t i = n; i-- > 0;)
		if (own[i].family == AF_INET)
			p->own = own[i];
	p->passage.pods[0] = ipam_has_family(p->f->use.ipam, AF_INET);
	p->passage.pods[1] = ipam_has_family(p->f->use.ipam, AF_INET6);
}

static void begin(struct firewall *f)
{
	const struct prefix *ranges;
	size_t n = nodes_pods_only(f->use.nodes, &ranges);
	struct look_job *p;

	if (!once_begin(&f->job))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){look_run, look_done, NULL};
	p->f = f;
	p->accept = f->accept;
	p->forget = !p->accept && f->accepts;
	memcpy(p->uplink, f->use.uplink, sizeof(p->uplink));
	for (size_t i = 0; i < n; i++)
		vec_push(&p->ranges, ranges[i]);
	set_own(p);
	waiter_submit(f->use.waiter, &p->job);
}

/**
 * firewall_changed() - Tables of others, this node's ranges or the configuration changed
 * @f: Object
 */
void firewall_changed(struct firewall *f)
{
	repair_want(&f->repair, loop_now(f->use.loop));
	loop_timer_at(f->timer, f->repair.at);
}

/**
 * firewall_due() - Look, if it is time
 * @f: Object
 */
void firewall_due(struct firewall *f)
{
	if (repair_due(&f->repair, loop_now(f->use.loop)))
		begin(f);
}

/* The turn that follows asks firewall_due(). */
static void on_timer(void *arg _unused_)
{
}

/**
 * firewall_configure() - May rules of ours be put into tables of others?
 * @f:      Object
 * @accept: As configured
 */
void firewall_configure(struct firewall *f, bool accept)
{
	f->accept = accept;
	firewall_changed(f);
}

/**
 * firewall_open() - Begin
 * @f:      Zeroed
 * @u:      What it uses; copied
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int firewall_open(struct firewall *f, const struct firewall_uses *u, struct err *reterr)
{
	f->use = *u;
	f->accepts = true; /* whoever was here before may have put some there */
	f->timer = loop_timer(u->loop, "firewall", on_timer, f);
	return nft_firewall_open(&f->nft, reterr);
}

/**
 * firewall_close() - End; rules of ours in other tables stay
 * @f: Object
 */
void firewall_close(struct firewall *f)
{
	f->timer = loop_source_free(f->timer);
	f->nft = nft_firewall_close(f->nft);
}
