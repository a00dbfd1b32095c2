// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recheck.c - rounds of rechecking: collect, judge, keep what is the node's own, block, cut.
 *
 *   COLLECT  the waiter lists the flows of the touched addresses
 *   JUDGE    the loop asks the wanted table about each, a thousand a turn
 *   SOURCES  the waiter asks which of the forbidden ones come from the node itself: they stay
 *   BLOCK    replies of the rest are dropped (cuts.h); wait until the kernel has that
 *   CUT      what is still forbidden is deleted; with more to judge, JUDGE again
 *
 * A round begins, judges and cuts only while the kernel holds what is wanted and the source is
 * complete: a peer that is not known yet must not cost its connections.
 */
#include "agent/recheck.h"

#include <inttypes.h>
#include <sys/epoll.h>

#include "agent/report/metrics.h"
#include "datapath/netlink/nlmsg.h"
#include "datapath/nft/table.h"
#include "datapath/policy/judge.h"
#include "datapath/policy/policy.h"
#include "datapath/route/rtnl.h"
#include "lib/log.h"

#define JUDGED_A_TURN 1000		   /* some 2 ms */
#define CUT_AT_ONCE   2000		   /* flows: so much is blocked in one transaction */
#define PAUSE_MIN     (50 * USEC_PER_MSEC) /* between two rounds */
#define PAUSE_FACTOR  4			   /* or so often as long as the round took */
#define PAUSE_FAILED  (5 * USEC_PER_SEC)

enum phase { COLLECT, JUDGE, SOURCES, BLOCK, CUT, _PHASE_MAX };

/*
 * struct recheck_round
 * @busy:      The waiter has it
 * @flows:     Of the addresses
 * @judged:    So many of them were judged
 * @forbidden: Those of them that are to be cut next
 * @cut:       Connections deleted
 */
struct recheck_round {
	struct waiter_job job;
	struct recheck *k;
	enum phase phase;
	bool busy;
	struct addr_list addrs;
	struct flow_list flows, forbidden;
	size_t judged;
	uint64_t began, cut;
	struct err err;
};

/* --- on the thread -----------------------------------------------------------------------------
 */

static void keep_foreign(struct recheck_round *r)
{
	struct flow_list *l = &r->forbidden;
	const struct addr *last = NULL;
	bool local = false;
	size_t n = 0;

	vec_foreach (f, &l->f) {
		if (!last || !addr_eq(last, &f->src))
			local = rtnl_is_local(r->k->route, &f->src);
		last = &f->src;
		if (!local)
			l->f.v[n++] = *f;
	}
	l->f.n = n;
}

static void run(struct waiter_job *j)
{
	struct recheck_round *r = container_of(j, struct recheck_round, job);
	struct conntrack *c = r->k->conntrack;
	uint64_t n = 0;

	if (r->phase == COLLECT)
		(void)conntrack_flows(c, &r->addrs, &r->flows, &r->err);
	else if (r->phase == SOURCES)
		keep_foreign(r);
	else
		(void)conntrack_cut(c, &r->addrs, &r->forbidden, &n, &r->err);
	r->cut += n;
}

/* --- on the loop -------------------------------------------------------------------------------
 */

static void submit(struct recheck_round *r)
{
	r->busy = true;
	waiter_submit(r->k->waiter, &r->job);
}

static void free_round(struct recheck_round *r)
{
	vec_done(&r->addrs.a);
	flow_list_done(&r->flows);
	flow_list_done(&r->forbidden);
	free(r);
}

/* What waits for a round or for the kernel is gone on with by the turn that follows their end. */
static void arm(struct recheck *k, bool certain)
{
	uint64_t at = cuts_next(k->cuts);

	if (certain && !k->round && (k->touched.a.n || k->all))
		at = MIN(at, k->not_before);
	loop_timer_at(k->timer, at);
}

static void end_round(struct recheck_round *r)
{
	struct recheck *k = r->k;
	uint64_t now = loop_now(k->use.loop);

	k->not_before = now + MAX(PAUSE_FACTOR * (now - r->began), PAUSE_MIN);
	k->rounds++;
	k->cut += r->cut;
	if (r->cut)
		log_info("policy", "connections cut that no policy allows any more",
			 "connections=%" PRIu64 " ms=%" PRIu64, r->cut,
			 (uint64_t)((now - r->began) / USEC_PER_MSEC));
	if (r->err.code) {
		log_warn("policy",
			 "connections that no policy allows any more may be left, trying again",
			 "err=\"%s\"", r->err.msg);
		k->not_before = now + PAUSE_FAILED;
		vec_foreach (addr, &r->addrs.a)
			vec_push(&k->touched.a, *addr);
	}
	k->round = NULL;
	free_round(r);
}

/* The turn that follows goes on. */
static void done(struct waiter_job *j)
{
	struct recheck_round *r = container_of(j, struct recheck_round, job);

	r->busy = false;
	r->phase++;
	if (r->err.code) {
		end_round(r);
		return;
	}
	if (r->phase == _PHASE_MAX || (r->phase == BLOCK && !r->forbidden.f.n)) {
		flow_list_done(&r->forbidden);
		r->phase = JUDGE;
	}
	if (r->phase == BLOCK)
		vec_foreach (f, &r->forbidden.f)
			cuts_add(r->k->cuts, f, loop_now(r->k->use.loop));
}

static void judge(struct recheck_round *r)
{
	size_t end = MIN(r->judged + JUDGED_A_TURN, r->flows.f.n);

	for (; r->judged < end && r->forbidden.f.n < CUT_AT_ONCE; r->judged++) {
		const struct flow *f = &r->flows.f.v[r->judged];

		if (!f->expected && flow_judge(r->k->use.table, f) == FLOW_FORBIDDEN)
			vec_push(&r->forbidden.f, *f);
	}
	if (r->judged < r->flows.f.n && r->forbidden.f.n < CUT_AT_ONCE) {
		loop_wake(r->k->use.loop);
	} else if (r->forbidden.f.n) {
		r->phase = SOURCES;
		submit(r);
	} else {
		end_round(r);
	}
}

/* Policies may have changed again since. */
static void cut(struct recheck_round *r)
{
	struct flow_list *l = &r->forbidden;
	size_t n = 0;

	vec_foreach (f, &l->f) {
		if (flow_judge(r->k->use.table, f) == FLOW_FORBIDDEN)
			l->f.v[n++] = *f;
	}
	l->f.n = n;
	r->phase = CUT;
	submit(r);
}

static void on_waiter(void *arg, uint32_t events _unused_)
{
	waiter_dispatch(((struct recheck *)arg)->waiter);
}

/* The turn that follows looks at the time. */
static void on_timer(void *arg _unused_)
{
}

/* @all: and every isolated pod of this node */
static void take_touched(struct recheck *k, bool all)
{
	struct touched *t = policy_touched(k->use.policy, all);
	vec_foreach (x, &t->v) {
		if (*k->use.source_known &&
		    (x->gone || k->use.config->connections == CONNECTIONS_RECHECK))
			vec_push(&k->touched.a, x->addr);
	}
	vec_done(&t->v);
}

static void begin(struct recheck *k)
{
	struct recheck_round *r;

	take_touched(k, TAKE(k->all, false));
	if (!k->touched.a.n)
		return;
	r = k->round = xcalloc(1, sizeof(*r));
	r->job = (struct waiter_job){run, done, NULL};
	r->k = k;
	r->began = loop_now(k->use.loop);
	r->addrs = TAKE(k->touched, (struct addr_list){0});
	addr_list_sort(&r->addrs);
	submit(r);
}

/**
 * recheck_settle() - Note what the policies have touched; before the kernel is told
 * @k: Object; the policies are settled
 */
void recheck_settle(struct recheck *k)
{
	take_touched(k, false);
	cuts_expire(k->cuts, loop_now(k->use.loop));
}

/**
 * recheck_turn() - Go on with what there is to do; after the kernel was told
 * @k: Object
 *
 * Costs what was touched.
 */
void recheck_turn(struct recheck *k)
{
	struct recheck_round *r = k->round;
	bool certain = k->use.is_certain(k->use.arg);

	if (certain && r && !r->busy && r->phase == JUDGE)
		judge(r);
	else if (certain && r && !r->busy && r->phase == BLOCK)
		cut(r);
	else if (certain && !r && loop_now(k->use.loop) >= k->not_before)
		begin(k);
	arm(k, certain);
}

/**
 * recheck_all() - Recheck every isolated pod of this node
 * @k: Object
 *
 * After a time in which others than the wanted rules may have been in force.
 */
void recheck_all(struct recheck *k)
{
	k->all |= k->use.config->connections == CONNECTIONS_RECHECK;
}

/**
 * recheck_configure() - Take the configuration, at start and after a reload
 * @k: Object
 */
void recheck_configure(struct recheck *k)
{
	bool rechecks = k->use.config->connections == CONNECTIONS_RECHECK;

	if (rechecks && !k->rechecks)
		recheck_all(k);
	k->rechecks = rechecks;
}

/**
 * recheck_synced() - The table has been read for the first time
 * @k: Object
 */
void recheck_synced(struct recheck *k)
{
	cuts_adopt(k->cuts, loop_now(k->use.loop));
}

/**
 * recheck_open() - Begin, before the first turn
 * @k:      Zeroed
 * @u:      What it uses; copied
 * @reterr: What failed
 *
 * What is opened later would be missing when descriptors are short.
 *
 * Return: 0, -errno
 */
int recheck_open(struct recheck *k, const struct recheck_uses *u, struct err *reterr)
{
	int r = conntrack_open(&k->conntrack, reterr);

	k->use = *u;
	if (r == 0)
		r = nl_open(NETLINK_ROUTE, 0, &k->route, reterr);
	if (r < 0)
		return r;
	r = waiter_new(&k->waiter);
	if (r < 0)
		return err_set(reterr, r, "starting a thread: %s", strerror(-r));
	k->cuts = cuts_new(k->use.table, k->use.base);
	k->io = loop_io(k->use.loop, "recheck", waiter_fd(k->waiter), EPOLLIN, on_waiter, k);
	k->timer = loop_timer(k->use.loop, "recheck timer", on_timer, k);
	return 0;
}

/**
 * recheck_close() - End the thread
 * @k: Object
 */
void recheck_close(struct recheck *k)
{
	k->waiter = waiter_free(k->waiter);
	(void)loop_source_free(k->io);
	(void)loop_source_free(k->timer);
	(void)conntrack_close(k->conntrack);
	nl_closep(&k->route);
}

/**
 * recheck_put_metrics() - How often, and what was cut
 * @k:   Object
 * @out: Appended to
 */
void recheck_put_metrics(const struct recheck *k, struct buf *out)
{
	metric_head(out, "manx_connection_rechecks_total", METRIC_COUNTER,
		    "Rounds of rechecking tracked connections.");
	metric_count(out, "manx_connection_rechecks_total", NULL, k->rounds);
	metric_head(out, "manx_connections_cut_total", METRIC_COUNTER,
		    "Tracked connections cut because no policy allowed them any more.");
	metric_count(out, "manx_connections_cut_total", NULL, k->cut);
}
