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

#include "agent/agent.h"
#include "datapath/netlink/nlmsg.h"
#include "datapath/policy/judge.h"
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
	struct agent *agent;
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
			local = rtnl_is_local(r->agent->recheck.route, &f->src);
		last = &f->src;
		if (!local)
			l->f.v[n++] = *f;
	}
	l->f.n = n;
}

static void run(struct waiter_job *j)
{
	struct recheck_round *r = container_of(j, struct recheck_round, job);
	struct conntrack *c = r->agent->recheck.conntrack;
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
	waiter_submit(r->agent->recheck.waiter, &r->job);
}

static void free_round(struct recheck_round *r)
{
	vec_done(&r->addrs.a);
	flow_list_done(&r->flows);
	flow_list_done(&r->forbidden);
	free(r);
}

/* What waits for a round or for the kernel is gone on with by the turn that follows their end. */
static void arm(struct agent *a, bool certain)
{
	struct recheck *k = &a->recheck;
	uint64_t at = cuts_next(k->cuts);

	if (certain && !k->round && (k->touched.a.n || k->all))
		at = MIN(at, k->not_before);
	loop_timer_at(k->timer, at);
}

static void end_round(struct recheck_round *r)
{
	struct agent *a = r->agent;
	struct recheck *k = &a->recheck;
	uint64_t now = loop_now(a->loop);

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
			cuts_add(r->agent->recheck.cuts, f, loop_now(r->agent->loop));
}

static bool is_certain(const struct agent *a)
{
	return a->source_synced && a->table_sync.ok && !table_pending(a->table) &&
	       !a->guard.unread && source_complete(a);
}

static void judge(struct recheck_round *r)
{
	size_t end = MIN(r->judged + JUDGED_A_TURN, r->flows.f.n);

	for (; r->judged < end && r->forbidden.f.n < CUT_AT_ONCE; r->judged++) {
		const struct flow *f = &r->flows.f.v[r->judged];

		if (!f->expected && flow_judge(r->agent->table, f) == FLOW_FORBIDDEN)
			vec_push(&r->forbidden.f, *f);
	}
	if (r->judged < r->flows.f.n && r->forbidden.f.n < CUT_AT_ONCE) {
		loop_wake(r->agent->loop);
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
		if (flow_judge(r->agent->table, f) == FLOW_FORBIDDEN)
			l->f.v[n++] = *f;
	}
	l->f.n = n;
	r->phase = CUT;
	submit(r);
}

static void on_waiter(void *arg, uint32_t events _unused_)
{
	waiter_dispatch(((struct agent *)arg)->recheck.waiter);
}

/* The turn that follows looks at the time. */
static void on_timer(void *arg _unused_)
{
}

/* @all: and every isolated pod of this node */
static void take_touched(struct agent *a, bool all)
{
	struct touched *t = policy_touched(a->policy, all);
	struct recheck *k = &a->recheck;

	vec_foreach (x, &t->v) {
		if (a->source_synced && (x->gone || a->config->connections == CONNECTIONS_RECHECK))
			vec_push(&k->touched.a, x->addr);
	}
	vec_done(&t->v);
}

static void begin(struct agent *a)
{
	struct recheck *k = &a->recheck;
	struct recheck_round *r;

	take_touched(a, TAKE(k->all, false));
	if (!k->touched.a.n)
		return;
	r = k->round = xcalloc(1, sizeof(*r));
	r->job = (struct waiter_job){run, done, NULL};
	r->agent = a;
	r->began = loop_now(a->loop);
	r->addrs = TAKE(k->touched, (struct addr_list){0});
	addr_list_sort(&r->addrs);
	submit(r);
}

/**
 * recheck_settle() - Note what the policies have touched; before the kernel is told
 * @a: Agent; its policies are settled
 */
void recheck_settle(struct agent *a)
{
	take_touched(a, false);
	cuts_expire(a->recheck.cuts, loop_now(a->loop));
}

/**
 * recheck_turn() - Go on with what there is to do; after the kernel was told
 * @a: Agent
 *
 * Costs what was touched.
 */
void recheck_turn(struct agent *a)
{
	struct recheck *k = &a->recheck;
	struct recheck_round *r = k->round;
	bool certain = is_certain(a);

	if (certain && r && !r->busy && r->phase == JUDGE)
		judge(r);
	else if (certain && r && !r->busy && r->phase == BLOCK)
		cut(r);
	else if (certain && !r && loop_now(a->loop) >= k->not_before)
		begin(a);
	arm(a, certain);
}

/**
 * recheck_all() - Recheck every isolated pod of this node
 * @a: Agent
 *
 * After a time in which others than the wanted rules may have been in force.
 */
void recheck_all(struct agent *a)
{
	a->recheck.all |= a->config->connections == CONNECTIONS_RECHECK;
}

/**
 * recheck_configure() - Take the configuration, at start and after a reload
 * @a: Agent
 */
void recheck_configure(struct agent *a)
{
	bool rechecks = a->config->connections == CONNECTIONS_RECHECK;

	if (rechecks && !a->recheck.rechecks)
		recheck_all(a);
	a->recheck.rechecks = rechecks;
}

/**
 * recheck_synced() - The table has been read for the first time
 * @a: Agent
 */
void recheck_synced(struct agent *a)
{
	cuts_adopt(a->recheck.cuts, loop_now(a->loop));
}

/**
 * recheck_open() - Begin, before the first turn
 * @a:      Agent; its table and loop are made
 * @reterr: What failed
 *
 * What is opened later would be missing when descriptors are short.
 *
 * Return: 0, -errno
 */
int recheck_open(struct agent *a, struct err *reterr)
{
	struct recheck *k = &a->recheck;
	int r = conntrack_open(&k->conntrack, reterr);

	if (r == 0)
		r = nl_open(NETLINK_ROUTE, 0, &k->route, reterr);
	if (r < 0)
		return r;
	r = waiter_new(&k->waiter);
	if (r < 0)
		return err_set(reterr, r, "starting a thread: %s", strerror(-r));
	k->cuts = cuts_new(a->table, &a->datapath->base);
	k->io = loop_io(a->loop, "recheck", waiter_fd(k->waiter), EPOLLIN, on_waiter, a);
	k->timer = loop_timer(a->loop, "recheck timer", on_timer, a);
	return 0;
}

/**
 * recheck_close() - End the thread
 * @a: Agent
 */
void recheck_close(struct agent *a)
{
	struct recheck *k = &a->recheck;

	k->waiter = waiter_free(k->waiter);
	(void)loop_source_free(k->io);
	(void)loop_source_free(k->timer);
	(void)conntrack_close(k->conntrack);
	nl_closep(&k->route);
}

/**
 * recheck_put_metrics() - How often, and what was cut
 * @a:   Agent
 * @out: Appended to
 */
void recheck_put_metrics(const struct agent *a, struct buf *out)
{
	const struct recheck *k = &a->recheck;

	metric_head(out, "manx_connection_rechecks_total", METRIC_COUNTER,
		    "Rounds of rechecking tracked connections.");
	metric_count(out, "manx_connection_rechecks_total", NULL, k->rounds);
	metric_head(out, "manx_connections_cut_total", METRIC_COUNTER,
		    "Tracked connections cut because no policy allowed them any more.");
	metric_count(out, "manx_connections_cut_total", NULL, k->cut);
}
