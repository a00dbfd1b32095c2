// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_verbs.c - what each CNI verb does in each of its steps; calls.c leads through them.
 */
#include "agent/cni/cni_verbs.h"

#include <stdio.h>
#include <utlist.h>

#include "agent/socket/wire.h"
#include "datapath/route/podlink.h"
#include "lib/log.h"

#define POD_ASK_USEC (100 * USEC_PER_MSEC) /* how long the watch may be behind an ADD */
#define UNSYNCED     "the agent has not read its source yet"

/* --- ends ------------------------------------------------------------------------------------ */

static void observe(struct calls *s, const struct cni_call *c, bool ok)
{
	s->ops->observe(s->arg, c->request->verb, ok, s->ops->now(s->arg) - c->started);
}

/**
 * cni_call_free() - Forget a call; its connection is the caller's business
 * @s: Calls
 * @c: Call
 */
static void cni_call_free(struct calls *s, struct cni_call *c)
{
	DL_DELETE(s->all, c);
	s->ops->alarm(s->arg, c, USEC_INFINITY);
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
	if (call)
		s->ops->finish(s->arg, call, text, ok ? 0 : 1);
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
		s->ops->unroute(s->arg, *a);
}

/*
 * What an ADD did so far goes, then the call ends: routes first, since the link is still there.
 * Whether that of a DEL is nobody knows; no packet is sent to it any more.
 */
static void take_back(struct calls *s, struct cni_call *c)
{
	if (c->again) { /* it did nothing that was not there before */
		if (c->again == AGAIN_MAKE && c->step == STEP_KERNEL)
			s->ops->want_routes(s->arg, c->at);
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
	s->ops->wake(s->arg);
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

	if (complaint_is_new(&s->complaints, verb, pod, message, s->ops->now(s->arg)))
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

	uint32_t had = streq(what, "check") ? s->ops->mtu(s->arg, c->at->host_ifname) : 0;

	wire_link(what, c->at, netns, had ?: s->ops->mtu(s->arg, NULL), &b);
	c->step = STEP_CALLER;
	s->ops->send(s->arg, c->call, b.data);
}

/*
 * Links that go, and with each its routes.  A route that was deleted before would have the kernel
 * wait for one more RCU grace period before it has deleted the link, some 10 ms.
 */
static void ask_detach(struct calls *s, struct cni_call *c)
{
	_cleanup_(buf_done) struct buf b = {0};

	wire_detach((const struct attachment *const *)c->going.v, c->going.n, &b);
	c->step = STEP_CALLER;
	s->ops->send(s->arg, c->call, b.data);
}

/* --- ADD ------------------------------------------------------------------------------------- */

/**
 * add_alarm() - ADD: the watch has not told of the pod: ask for it, once
 * @s: Calls
 * @c: Call
 *
 * At the deadline nothing is left to do, the turn that follows looks at it.
 */
void add_alarm(struct calls *s, struct cni_call *c)
{
	if (c->asked)
		return;
	c->asked = true;
	if (c->at && !s->ops->pod_known(s->arg, c->at))
		s->ops->fetch_pod(s->arg, c->request->ns, c->request->pod);
	s->ops->alarm(s->arg, c, c->pod_deadline);
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

/* Addresses, journal record, rules wanted. */
static void add_begin(struct calls *s, struct cni_call *c)
{
	const struct attachment *old = s->ops->find(s->arg, c->request->id, c->request->ifname);
	const char *why = s->ops->blocked(s->arg);
	uint64_t wait = s->ops->pod_wait(s->arg);
	struct err e = {0};
	int r;

	if (why) {
		cni_call_fail(s, c, CNI_E_TRY_AGAIN, why);
		return;
	}
	if (old && !is_of_network(c->request, old)) {
		fail_of_another(s, c, CNI_E_ENVIRONMENT, old);
		return;
	}
	c->pod_deadline = c->started + wait;
	s->ops->alarm(s->arg, c, c->started + MIN(POD_ASK_USEC, wait));
	c->step = STEP_KERNEL;
	if (old) {
		again_begin(s, c, old);
		return;
	}
	r = s->ops->make(s->arg, c->request, &c->at, &c->seq, &e);
	if (r < 0)
		cni_call_fail(s, c, -r, e.msg);
}

/* The link is made. */
static void add_answered(struct calls *s, struct cni_call *c)
{
	c->step = STEP_FINISH;
	s->ops->want_routes(s->arg, c->at);
	s->ops->forget_ports(s->arg, c->at);
}

static void attached(struct calls *s, struct cni_call *c, bool known)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct cni_result result = {.at = c->at,
				    .beside = c->beside,
				    .mtu = s->ops->mtu(s->arg, NULL),
				    .prev = c->request->prev};
	char first[ADDR_STR_MAX];

	log_info("cni", known ? "pod attached" : "pod attached, isolated until its object is known",
		 "pod=\"%s/%s\" address=%s ifname=%s us=%llu", c->at->ns, c->at->pod,
		 addr_str(&c->at->addrs[0], first), c->at->host_ifname,
		 (unsigned long long)(s->ops->now(s->arg) - c->started));
	(void)mac_parse(PODLINK_HOST_MAC, &result.host_mac);
	cni_result_print(c->request->version, &result, &text);
	cni_call_finish(s, c, text.data);
}

/**
 * add_finish() - ADD, when the link is made: answer once route, disk and pod object are there
 * @s: Calls
 * @c: Call; freed if it is answered
 */
void add_finish(struct calls *s, struct cni_call *c)
{
	const char *problem = NULL;
	enum cni_settled state = s->ops->routes(s->arg, c->at, &problem);
	bool known;

	if (state == CNI_REFUSED)
		cni_call_fail(s, c, CNI_E_KERNEL, problem);
	if (state != CNI_IN_FORCE)
		return;
	state = s->ops->record(s->arg, c->seq, &problem);
	if (state == CNI_REFUSED)
		cni_call_fail(s, c, CNI_E_IO, problem);
	if (state != CNI_IN_FORCE)
		return;
	known = s->ops->pod_known(s->arg, c->at);
	if (known || s->ops->now(s->arg) >= c->pod_deadline)
		attached(s, c, known);
}

/* --- DEL and GC ------------------------------------------------------------------------------ */

/* One link goes. */
static void del_begin(struct calls *s, struct cni_call *c)
{
	const struct attachment *at = s->ops->find(s->arg, c->request->id, c->request->ifname);
	char host_ifname[IFNAME_MAX + 1];

	attachment_host_ifname(c->request->network, c->request->id, c->request->ifname,
			       host_ifname);
	if (!at) { /* its record may have been lost */
		at = s->ops->find_link(s->arg, host_ifname);
		at = at && attachment_is_unexplained(at) ? at : NULL;
	} else if (!is_of_network(c->request, at)) { /* as after an ADD that was refused for it */
		log_info("cni", "DEL of another network, nothing to do",
			 "pod=\"%s/%s\" network=%s owner=%s", at->ns, at->pod, c->request->network,
			 at->network);
		cni_call_finish(s, c, "");
		return;
	}
	/* Unknown to us: the link may still be there, and its name follows from the request. */
	vec_push(&c->going, at ? attachment_copy(at) : cni_attachment_new(c->request));
	ask_detach(s, c);
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

/* The links of its network go that the runtime does not name. */
static void gc_begin(struct calls *s, struct cni_call *c)
{
	const struct attachment *at = NULL;

	while ((at = s->ops->next(s->arg, at)))
		if (is_reached(c->request, at) && !is_valid(c->request, at) &&
		    !is_being_added(s, at))
			vec_push(&c->going, attachment_copy(at));
	ask_detach(s, c);
}

static void flush(struct calls *s, struct cni_call *c)
{
	VEC(struct addr) addrs = {0};

	c->flushing = true;
	vec_foreach (at, &c->going)
		for (uint32_t i = 0; i < (*at)->n_addrs; i++)
			vec_push(&addrs, (*at)->addrs[i]);
	s->ops->flush(s->arg, c, addrs.v, addrs.n);
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
		s->ops->forget_rules(s->arg, *at);
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
		s->ops->release(s->arg, *at);
		log_info("cni", c->undone ? "taken back" : "pod detached",
			 "pod=\"%s/%s\" ifname=%s", (*at)->ns, (*at)->pod, (*at)->host_ifname);
	}
	end(s, c, c->undone ? c->failure.data : "", !c->undone);
	s->ops->wake(s->arg); /* the journal was written to after the turn looked at it */
}

/* --- CHECK and STATUS ------------------------------------------------------------------------ */

/* Our own state is compared, then the pod's end. */
static void check_begin(struct calls *s, struct cni_call *c)
{
	const struct attachment *at = s->ops->find(s->arg, c->request->id, c->request->ifname);
	const char *problem = NULL;
	struct err e = {0};

	if (!s->ops->source_known(s->arg)) /* routes are not compared with the kernel before that */
		cni_call_fail(s, c, CNI_E_TRY_AGAIN, UNSYNCED);
	else if (!at)
		cni_call_fail(s, c, CNI_E_UNKNOWN, "the container has no such interface of ours");
	else if (!is_of_network(c->request, at))
		fail_of_another(s, c, CNI_E_UNKNOWN, at);
	else if (cni_check_prev(c->request, at, &e) < 0)
		cni_call_fail(s, c, CNI_E_MISMATCH, e.msg);
	else if (s->ops->link_lost(s->arg, at))
		cni_call_fail(s, c, CNI_E_MISMATCH,
			      "the interface was deleted; only a new pod gets one");
	else if (s->ops->routes(s->arg, at, &problem) != CNI_IN_FORCE)
		cni_call_fail(s, c, CNI_E_MISMATCH, "the route to the pod is missing");
	else {
		c->at = attachment_copy(at);
		cni_call_ask_link(s, c, "check", c->request->netns);
	}
}

static void check_answered(struct calls *s, struct cni_call *c)
{
	cni_call_finish(s, c, "");
}

/*
 * Can ADD be served?  An agent that takes the place of one that was ready a moment ago answers for
 * it: containerd makes an error the Node's condition within seconds.
 */
static void status_begin(struct calls *s, struct cni_call *c)
{
	const char *why = s->ops->not_ready(s->arg), *other = s->ops->overridden(s->arg);

	if (why)
		cni_call_fail(s, c, CNI_E_NOT_AVAILABLE, why);
	else if (other)
		cni_call_fail(s, c, CNI_E_LIMITED, other);
	else
		cni_call_finish(s, c, "");
}

const struct verb_ops verbs[_CNI_VERB_MAX] = {
	[CNI_ADD] = {add_begin, add_answered},	     [CNI_DEL] = {del_begin, detach_go_on},
	[CNI_CHECK] = {check_begin, check_answered}, [CNI_GC] = {gc_begin, detach_go_on},
	[CNI_STATUS] = {status_begin, NULL},
};
