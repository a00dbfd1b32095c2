// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_verbs.c - what each CNI verb does in each of its steps; calls.c leads through them.
 */
#include "agent/cni/cni_verbs.h"

#include <stdio.h>
#include <utlist.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/socket/wire.h"
#include "datapath/route/podlink.h"
#include "lib/log.h"

#define POD_ASK_USEC (100 * USEC_PER_MSEC) /* how long the watch may be behind an ADD */
#define UNSYNCED     "the agent has not read its source yet"

/* --- ends ------------------------------------------------------------------------------------ */

static void observe(struct calls *s, const struct cni_call *c, bool ok)
{
	double seconds = (double)(loop_now(s->agent->loop) - c->started) / USEC_PER_SEC;

	histogram_observe(
		&s->agent->count.cni[c->request->verb][ok ? CNI_RESULT_OK : CNI_RESULT_ERROR],
		seconds);
}

/**
 * cni_call_free() - Forget a call; its connection is the caller's business
 * @s: Calls
 * @c: Call
 */
static void cni_call_free(struct calls *s, struct cni_call *c)
{
	DL_DELETE(s->all, c);
	(void)loop_source_free(c->timer);
	(void)attachment_free(c->at);
	vec_foreach (a, &c->going)
		(void)attachment_free(*a);
	vec_done(&c->going);
	buf_done(&c->failure);
	(void)cni_request_free(c->request);
	free(c);
}

static void end(struct calls *s, struct cni_call *c, const char *text, bool ok)
{
	struct call *call = c->call;

	observe(s, c, ok);
	if (call) {
		call_set_work(call, NULL);
		call_finish(call, text, ok ? 0 : 1);
	}
	cni_call_free(s, c);
}

/**
 * cni_call_finish() - End a call with its result
 * @s:    Calls
 * @c:    Call; freed
 * @text: What the plugin prints
 */
void cni_call_finish(struct calls *s, struct cni_call *c, const char *text)
{
	end(s, c, text, true);
}

static void unroute(struct calls *s, struct cni_call *c)
{
	vec_foreach (a, &c->going)
		attach_unroute(s->agent, *a);
}

/*
 * What an ADD did so far goes, then the call ends: routes first, since the link is still there.
 * Whether that of a DEL is nobody knows; no packet is sent to it any more.
 */
static void take_back(struct calls *s, struct cni_call *c)
{
	if (c->again) { /* it did nothing that was not there before */
		if (c->again == AGAIN_MAKE && c->step == STEP_KERNEL)
			attach_want_routes(s->agent, c->at);
		end(s, c, c->failure.data, false);
		return;
	}
	if (c->request->verb != CNI_ADD || !c->at) {
		unroute(s, c);
		end(s, c, c->failure.data, false);
		return;
	}
	c->undone = true;
	c->step = STEP_KERNEL;
	vec_push(&c->going, attachment_copy(c->at));
	unroute(s, c);
	loop_wake(s->agent->loop);
}

/**
 * cni_call_fail() - End a call with an error, when what an ADD did is taken back
 * @s:       Calls
 * @c:       Call; freed, now or later
 * @code:    enum cni_code
 * @message: What is wrong
 */
void cni_call_fail(struct calls *s, struct cni_call *c, int code, const char *message)
{
	_cleanup_(freep) char *pod = xasprintf("%s/%s", c->request->ns, c->request->pod);
	const char *verb = cni_verb_str(c->request->verb);

	if (complaint_is_new(&s->complaints, verb, pod, message, loop_now(s->agent->loop)))
		log_warn("cni", "request failed",
			 "verb=%s pod=\"%s\" container=%.13s code=%d err=\"%s\"", verb, pod,
			 c->request->id, code, message);
	cni_error_print(c->request->version, code, message, NULL, &c->failure);
	take_back(s, c);
}

/**
 * cni_call_abandon() - The plugin went away: an ADD is taken back, a DEL whose link is gone goes on
 * @s: Calls
 * @c: Call; freed, now or later
 */
void cni_call_abandon(struct calls *s, struct cni_call *c)
{
	c->call = NULL;
	if (c->step == STEP_CALLER && c->flushing)
		detach_go_on(s, c);
	else if (c->step != STEP_FLUSH && !c->undone)
		take_back(s, c);
}

/* --- what the caller is asked to do ---------------------------------------------------------- */

/**
 * cni_call_ask_link() - Ask the plugin to make or compare the link
 * @s:     Calls
 * @c:     Call with an attachment
 * @what:  "attach" or "check"
 * @netns: Path of the pod's network namespace
 */
void cni_call_ask_link(struct calls *s, struct cni_call *c, const char *what, const char *netns)
{
	_cleanup_(buf_done) struct buf b = {0};

	uint32_t had = streq(what, "check") ? fences_mtu(&s->agent->fences, c->at->host_ifname) : 0;

	wire_link(what, c->at, netns, had ?: s->agent->uplink.mtu, &b);
	c->step = STEP_CALLER;
	call_send(c->call, b.data);
}

/*
 * Links that go, and with each its routes.  A route that was deleted before would have the kernel
 * wait for one more RCU grace period before it has deleted the link, some 10 ms.
 */
static void ask_detach(struct cni_call *c)
{
	_cleanup_(buf_done) struct buf b = {0};

	wire_detach((const struct attachment *const *)c->going.v, c->going.n, &b);
	c->step = STEP_CALLER;
	call_send(c->call, b.data);
}

/* --- ADD ------------------------------------------------------------------------------------- */

/*
 * The watch has not told of the pod: ask for it, once.  At the deadline nothing is left to do, the
 * turn that follows looks at it.
 */
static void on_pod_wait(void *arg)
{
	struct cni_call *c = arg;
	struct agent *a = c->calls->agent;

	if (c->asked)
		return;
	c->asked = true;
	if (c->at && !policy_pod_known(a->policy, c->at->id, c->at->ifname))
		source_fetch_pod(a, c->request->ns, c->request->pod);
	loop_timer_at(c->timer, c->pod_deadline);
}

/*
 * Is an attachment that a request names by container and interface of its network?  What an earlier
 * version made names none: whoever names the rest may have it.
 */
static bool is_of_network(const struct cni_request *q, const struct attachment *at)
{
	return !at->network || streq(at->network, q->network);
}

static void fail_of_another(struct calls *s, struct cni_call *c, enum cni_code code,
			    const struct attachment *at)
{
	_cleanup_(freep) char *message = xasprintf(
		"interface %s of this container belongs to network %s", at->ifname, at->network);

	cni_call_fail(s, c, code, message);
}

/**
 * add_begin() - ADD: addresses, journal record, rules wanted
 * @s: Calls
 * @c: Call; freed if it fails
 */
void add_begin(struct calls *s, struct cni_call *c)
{
	struct agent *a = s->agent;
	const struct attachment *old = journal_find(a->journal, c->request->id, c->request->ifname);
	struct err e = {0};
	const char *why;
	int r;

	if (stale_now(a, &why)) {
		cni_call_fail(s, c, CNI_E_TRY_AGAIN, why);
		return;
	}
	if (old && !is_of_network(c->request, old)) {
		fail_of_another(s, c, CNI_E_ENVIRONMENT, old);
		return;
	}
	c->pod_deadline = c->started + a->config->pod_wait_usec;
	(void)loop_source_free(c->timer); /* of calls.c, while the source was read */
	c->timer = loop_timer(a->loop, "pod wait", on_pod_wait, c);
	loop_timer_at(c->timer, c->started + MIN(POD_ASK_USEC, a->config->pod_wait_usec));
	c->step = STEP_KERNEL;
	if (old) {
		again_begin(s, c, old);
		return;
	}
	r = attach_make(a, c->request, &c->at, &c->seq, &e);
	if (r < 0)
		cni_call_fail(s, c, -r, e.msg);
}

/**
 * add_finish() - ADD, when the link is made: answer once route, disk and pod object are there
 * @s: Calls
 * @c: Call; freed if it is answered
 */
void add_finish(struct calls *s, struct cni_call *c)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct agent *a = s->agent;
	struct cni_result result = {
		.at = c->at, .beside = c->beside, .mtu = a->uplink.mtu, .prev = c->request->prev};
	bool known = policy_pod_known(a->policy, c->at->id, c->at->ifname);
	char first[ADDR_STR_MAX];

	if (attach_under_way(a, c->at))
		return;
	if (!attach_routed(a, c->at)) {
		cni_call_fail(s, c, CNI_E_KERNEL,
			      *a->routes_sync.problem ? a->routes_sync.problem
						      : "the kernel refused the pod's route");
		return;
	}
	if (!journal_synced(a->journal, c->seq) && journal_trouble(a->journal)) {
		cni_call_fail(s, c, CNI_E_IO, a->durable.sync.problem);
		return;
	}
	if (!journal_synced(a->journal, c->seq))
		return;
	if (!known && loop_now(a->loop) < c->pod_deadline)
		return;
	log_info("cni", known ? "pod attached" : "pod attached, isolated until its object is known",
		 "pod=\"%s/%s\" address=%s ifname=%s us=%llu", c->at->ns, c->at->pod,
		 addr_str(&c->at->addrs[0], first), c->at->host_ifname,
		 (unsigned long long)(loop_now(a->loop) - c->started));
	(void)mac_parse(PODLINK_HOST_MAC, &result.host_mac);
	cni_result_print(c->request->version, &result, &text);
	cni_call_finish(s, c, text.data);
}

/* --- DEL and GC ------------------------------------------------------------------------------ */

/**
 * del_begin() - DEL: one link goes
 * @s: Calls
 * @c: Call
 */
void del_begin(struct calls *s, struct cni_call *c)
{
	const struct attachment *at =
		journal_find(s->agent->journal, c->request->id, c->request->ifname);
	char host_ifname[IFNAME_MAX + 1];

	attachment_host_ifname(c->request->network, c->request->id, c->request->ifname,
			       host_ifname);
	if (!at) { /* its record may have been lost */
		at = journal_find_link(s->agent->journal, host_ifname);
		at = at && attachment_is_unexplained(at) ? at : NULL;
	} else if (!is_of_network(c->request, at)) { /* as after an ADD that was refused for it */
		log_info("cni", "DEL of another network, nothing to do",
			 "pod=\"%s/%s\" network=%s owner=%s", at->ns, at->pod, c->request->network,
			 at->network);
		cni_call_finish(s, c, "");
		return;
	}
	/* Unknown to us: the link may still be there, and its name follows from the request. */
	vec_push(&c->going, at ? attachment_copy(at) : attach_new(c->request));
	ask_detach(c);
}

/*
 * Does a GC reach an attachment?  One that names no network may be any other's: only its DEL takes
 * it away, or that its pod is gone.
 */
static bool is_reached(const struct cni_request *q, const struct attachment *at)
{
	return streq(at->network, q->network);
}

static bool is_valid(const struct cni_request *q, const struct attachment *at)
{
	for (uint32_t i = 0; i < q->n_valid; i++)
		if (streq(q->valid[i].id, at->id) && streq(q->valid[i].ifname, at->ifname))
			return true;
	return false;
}

static bool is_being_added(const struct calls *s, const struct attachment *at)
{
	struct cni_call *o;

	DL_FOREACH (s->all, o) {
		if (o->request->verb == CNI_ADD && o->at && streq(o->at->id, at->id) &&
		    streq(o->at->ifname, at->ifname))
			return true;
	}
	return false;
}

/**
 * gc_begin() - GC: the links of its network go that the runtime does not name
 * @s: Calls
 * @c: Call
 */
void gc_begin(struct calls *s, struct cni_call *c)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(s->agent->journal, at)))
		if (is_reached(c->request, at) && !is_valid(c->request, at) &&
		    !is_being_added(s, at))
			vec_push(&c->going, attachment_copy(at));
	ask_detach(c);
}

static void on_flushed(void *arg)
{
	struct cni_call *c = arg;

	c->flushed = true; /* the turn that follows looks at it */
}

static void flush(struct calls *s, struct cni_call *c)
{
	VEC(struct addr) addrs = {0};

	c->flushing = true;
	vec_foreach (at, &c->going)
		for (uint32_t i = 0; i < (*at)->n_addrs; i++)
			vec_push(&addrs, (*at)->addrs[i]);
	routing_flush(s->agent, addrs.v, addrs.n, on_flushed, c);
	vec_done(&addrs);
}

/**
 * detach_link_gone() - The kernel told that a link is gone that a plugin is deleting
 * @s: Calls
 * @c: Its call
 *
 * No packet reaches the pod any more, though the plugin waits for the kernel for tens of
 * milliseconds: meanwhile the connections are forgotten.  A GC has many links, and waits.
 */
void detach_link_gone(struct calls *s, struct cni_call *c)
{
	if (c->step == STEP_CALLER && c->going.n == 1 && !c->flushing)
		flush(s, c);
}

/**
 * detach_go_on() - When no packet reaches what goes: rules not wanted any more, forget the
 * connections
 * @s: Calls
 * @c: Call
 */
void detach_go_on(struct calls *s, struct cni_call *c)
{
	c->step = STEP_FLUSH;
	vec_foreach (at, &c->going)
		attach_forget(s->agent, *at);
	if (!c->flushing)
		flush(s, c);
}

/**
 * detach_finish() - When the connections are forgotten: free the addresses
 * @s: Calls
 * @c: Call; freed if it is done
 */
void detach_finish(struct calls *s, struct cni_call *c)
{
	if (!c->flushed)
		return;
	vec_foreach (at, &c->going) {
		attach_release(s->agent, *at);
		log_info("cni", c->undone ? "taken back" : "pod detached",
			 "pod=\"%s/%s\" ifname=%s", (*at)->ns, (*at)->pod, (*at)->host_ifname);
	}
	end(s, c, c->undone ? c->failure.data : "", !c->undone);
	loop_wake(s->agent->loop); /* the journal was written to after the turn looked at it */
}

/* --- CHECK and STATUS ------------------------------------------------------------------------ */

/**
 * check_begin() - CHECK: compare our own state, then ask for the pod's end
 * @s: Calls
 * @c: Call; freed if it fails
 */
void check_begin(struct calls *s, struct cni_call *c)
{
	struct agent *a = s->agent;
	const struct attachment *at = journal_find(a->journal, c->request->id, c->request->ifname);
	struct err e = {0};

	if (!a->source_synced) { /* routes are not compared with the kernel before that */
		cni_call_fail(s, c, CNI_E_TRY_AGAIN, UNSYNCED);
		return;
	}
	if (!at) {
		cni_call_fail(s, c, CNI_E_UNKNOWN, "the container has no such interface of ours");
		return;
	}
	if (!is_of_network(c->request, at)) {
		fail_of_another(s, c, CNI_E_UNKNOWN, at);
		return;
	}
	if (cni_check_prev(c->request, at, &e) < 0) {
		cni_call_fail(s, c, CNI_E_MISMATCH, e.msg);
		return;
	}
	c->at = attachment_copy(at);
	if (links_are_gone(a, at)) {
		cni_call_fail(s, c, CNI_E_MISMATCH,
			      "the interface was deleted; only a new pod gets one");
		return;
	}
	if (!attach_routed(a, at)) {
		cni_call_fail(s, c, CNI_E_MISMATCH, "the route to the pod is missing");
		return;
	}
	cni_call_ask_link(s, c, "check", c->request->netns);
}

/**
 * status_begin() - STATUS: answer whether ADD can be served
 * @s: Calls
 * @c: Call; freed
 *
 * An agent that takes the place of one that was ready a moment ago answers for it: containerd makes
 * an error the Node's condition within seconds.
 */
void status_begin(struct calls *s, struct cni_call *c)
{
	const char *why;

	if (!agent_ready(s->agent, &why) && !ready_in_grace(s->agent))
		cni_call_fail(s, c, CNI_E_NOT_AVAILABLE, why);
	else if (cniconf_problem(&s->agent->cniconf))
		cni_call_fail(s, c, CNI_E_LIMITED, cniconf_problem(&s->agent->cniconf));
	else
		cni_call_finish(s, c, "");
}
