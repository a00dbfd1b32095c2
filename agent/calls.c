// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls.c - CNI requests in steps, none of which waits.
 *
 * ADD:   addresses and journal record -> rules in the kernel -> the caller makes the link -> route
 *        in the kernel, record on disk, pod known (or waited for) -> result
 * DEL:   rules and route out of the kernel -> the caller deletes the link -> addresses free
 * GC:    as DEL, for everything the runtime does not name
 * CHECK: our own state, then the caller compares the pod's end
 *
 * A step ends with the turn that brought it into the kernel, or with the caller's answer; so
 * calls_progress() runs at the end of every turn and looks at the calls under way.  Whatever
 * fails, and a caller that goes away, takes back what its ADD had done.
 */
#include "agent/calls.h"

#include <stdio.h>
#include <utlist.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/turn.h"
#include "datapath/route/podlink.h"
#include "lib/jsonw.h"
#include "lib/log.h"

enum step {
	STEP_WAIT,   /* for an earlier call about the same interface to end */
	STEP_KERNEL, /* until the turn has brought our changes into the kernel */
	STEP_CALLER, /* until the caller has done its part */
	STEP_FINISH, /* ADD: route, disk, pod object */
};

/*
 * struct cni_call
 * @at:      ADD, CHECK: the attachment
 * @going:   DEL, GC: copies of what goes
 * @seq:     ADD: journal record to be on disk before the result
 * @adopted: ADD: the attachment existed before: nothing was allocated
 * @doomed:  ADD: a DEL of the same interface came
 */
struct cni_call {
	struct call *call;
	struct cni_request *request;
	enum step step;
	uint64_t started, pod_deadline;
	struct attachment *at;
	VEC(struct attachment *) going;
	uint64_t seq;
	bool adopted, doomed;
	struct loop_source *timer;
	struct cni_call *prev, *next;
};

/* The calls under way, oldest first. */
struct calls {
	struct agent *agent;
	struct cni_call *all;
};

/* --- ends --------------------------------------------------------------------------------------
 */

static void observe(struct calls *s, const struct cni_call *c, bool ok)
{
	double seconds = (double)(loop_now(s->agent->loop) - c->started) / USEC_PER_SEC;

	histogram_observe(
		&s->agent->count.cni[c->request->verb][ok ? CNI_RESULT_OK : CNI_RESULT_ERROR],
		seconds);
}

static void cni_call_free(struct calls *s, struct cni_call *c)
{
	DL_DELETE(s->all, c);
	(void)loop_source_free(c->timer);
	(void)attachment_free(c->at);
	vec_foreach (a, &c->going)
		(void)attachment_free(*a);
	vec_done(&c->going);
	(void)cni_request_free(c->request);
	free(c);
}

/* Take back what an ADD did so far. */
static void roll_back(struct calls *s, struct cni_call *c)
{
	if (c->request->verb != CNI_ADD || !c->at)
		return;
	attach_forget(s->agent, c->at);
	attach_release(s->agent, c->at);
	loop_wake(s->agent->loop);
}

static void finish(struct calls *s, struct cni_call *c, const char *text)
{
	struct call *call = c->call;

	observe(s, c, true);
	call_set_work(call, NULL);
	cni_call_free(s, c);
	call_finish(call, text, 0);
}

static void fail(struct calls *s, struct cni_call *c, int code, const char *message)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct call *call = c->call;

	log_warn("cni", "request failed",
		 "verb=%s pod=\"%s/%s\" container=%.13s code=%d err=\"%s\"",
		 cni_verb_str(c->request->verb), c->request->ns, c->request->pod, c->request->id,
		 code, message);
	cni_error_print(c->request->version, code, message, NULL, &text);
	roll_back(s, c);
	observe(s, c, false);
	call_set_work(call, NULL);
	cni_call_free(s, c);
	call_finish(call, text.data, 1);
}

/* --- what the caller is asked to do --------------------------------------------------------------
 */

static void ask_about_link(struct calls *s, struct cni_call *c, const char *what)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct jsonw w = {.out = &b};
	char text[ADDR_STR_MAX], mac[MAC_STR_MAX];

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "do", what);
	jsonw_str(&w, "netns", c->request->netns);
	jsonw_str(&w, "ifname", c->at->ifname);
	jsonw_str(&w, "host_ifname", c->at->host_ifname);
	jsonw_str(&w, "mac", mac_str(&c->at->mac, mac));
	jsonw_str(&w, "host_mac", PODLINK_HOST_MAC);
	jsonw_uint(&w, "mtu", s->agent->mtu);
	jsonw_begin(&w, "addresses", '[');
	for (uint32_t i = 0; i < c->at->n_addrs; i++)
		jsonw_str(&w, NULL, addr_str(&c->at->addrs[i], text));
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	c->step = STEP_CALLER;
	call_send(c->call, b.data);
}

static void ask_to_detach(struct cni_call *c)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct jsonw w = {.out = &b};
	char text[ADDR_STR_MAX];

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "do", "detach");
	jsonw_begin(&w, "links", '[');
	vec_foreach (a, &c->going) {
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "host_ifname", (*a)->host_ifname);
		jsonw_begin(&w, "addresses", '[');
		for (uint32_t i = 0; i < (*a)->n_addrs; i++)
			jsonw_str(&w, NULL, addr_str(&(*a)->addrs[i], text));
		jsonw_end(&w, ']');
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	c->step = STEP_CALLER;
	call_send(c->call, b.data);
}

/* --- ADD ---------------------------------------------------------------------------------------
 */

/* The call about the same interface that came before this one and is not done yet. */
static struct cni_call *earlier(const struct calls *s, const struct cni_call *c)
{
	struct cni_call *o;

	for (o = s->all; o != c; o = o->next) {
		enum cni_verb v = o->request->verb;

		if ((v == CNI_ADD || v == CNI_DEL) && streq(o->request->id, c->request->id) &&
		    streq(o->request->ifname, c->request->ifname))
			return o;
	}
	return NULL;
}

static void on_pod_deadline(void *arg _unused_)
{
	/* The turn that follows looks at the deadline. */
}

static void begin_add(struct calls *s, struct cni_call *c)
{
	struct agent *a = s->agent;
	const struct attachment *old = journal_find(a->journal, c->request->id, c->request->ifname);
	struct err e = {0};
	int r;

	if (!a->source_synced) {
		fail(s, c, CNI_E_TRY_AGAIN, "the agent has not read its source yet");
		return;
	}
	c->pod_deadline = c->started + a->config->pod_wait_usec;
	c->timer = loop_timer(a->loop, "pod wait", on_pod_deadline, NULL);
	loop_timer_at(c->timer, c->pod_deadline);
	c->step = STEP_KERNEL;
	if (old) {
		c->adopted = true;
		c->at = attachment_copy(old);
		policy_attach(a->policy, old);
		return;
	}
	r = attach_make(a, c->request, &c->at, &c->seq, &e);
	if (r < 0)
		fail(s, c, -r, e.msg);
}

static void finish_add(struct calls *s, struct cni_call *c)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct agent *a = s->agent;
	struct cni_result result = {.at = c->at, .mtu = a->mtu, .prev = c->request->prev};
	bool known = policy_pod_known(a->policy, c->at->id, c->at->ifname);
	char first[ADDR_STR_MAX];

	if (!attach_routed(a, c->at)) {
		fail(s, c, CNI_E_KERNEL,
		     *a->sync.problem ? a->sync.problem : "the kernel refused the pod's route");
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
	finish(s, c, text.data);
}

/* --- DEL and GC --------------------------------------------------------------------------------
 */

static void begin_detach(struct calls *s, struct cni_call *c)
{
	c->step = STEP_KERNEL;
	vec_foreach (a, &c->going)
		attach_forget(s->agent, *a);
}

static void begin_del(struct calls *s, struct cni_call *c)
{
	const struct attachment *at =
		journal_find(s->agent->journal, c->request->id, c->request->ifname);

	/* Unknown to us: the link may still be there, and its name follows from the request. */
	vec_push(&c->going, at ? attachment_copy(at) : attach_new(c->request));
	begin_detach(s, c);
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

static void begin_gc(struct calls *s, struct cni_call *c)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(s->agent->journal, at)))
		if (!is_valid(c->request, at) && !is_being_added(s, at))
			vec_push(&c->going, attachment_copy(at));
	begin_detach(s, c);
}

static void finish_detach(struct calls *s, struct cni_call *c)
{
	vec_foreach (a, &c->going) {
		attach_release(s->agent, *a);
		log_info("cni", "pod detached", "pod=\"%s/%s\" ifname=%s", (*a)->ns, (*a)->pod,
			 (*a)->host_ifname);
	}
	finish(s, c, "");
}

/* --- CHECK and STATUS --------------------------------------------------------------------------
 */

static void begin_check(struct calls *s, struct cni_call *c)
{
	struct agent *a = s->agent;
	const struct attachment *at = journal_find(a->journal, c->request->id, c->request->ifname);
	struct err e = {0};

	if (!at) {
		fail(s, c, CNI_E_UNKNOWN, "the container has no such interface of ours");
		return;
	}
	if (cni_check_prev(c->request, at, &e) < 0) {
		fail(s, c, CNI_E_MISMATCH, e.msg);
		return;
	}
	c->at = attachment_copy(at);
	if (!attach_routed(a, at) || rtnl_link_exists(a->rtnl, at->host_ifname) <= 0) {
		fail(s, c, CNI_E_MISMATCH, "the host's end or its route is missing");
		return;
	}
	ask_about_link(s, c, "check");
}

static void begin_status(struct calls *s, struct cni_call *c)
{
	const char *why;

	if (agent_ready(s->agent, &why))
		finish(s, c, "");
	else
		fail(s, c, CNI_E_NOT_AVAILABLE, why);
}

/* --- steps -------------------------------------------------------------------------------------
 */

/*
 * Calls about one interface go one after another.  A DEL tells the ADD before it to give up; a
 * second ADD is the runtime's mistake.
 */
static bool must_wait(struct calls *s, struct cni_call *c)
{
	bool about_one = c->request->verb == CNI_ADD || c->request->verb == CNI_DEL;
	struct cni_call *other = about_one ? earlier(s, c) : NULL;

	if (!other)
		return false;
	c->step = STEP_WAIT;
	if (other->request->verb == CNI_ADD && c->request->verb == CNI_DEL)
		other->doomed = true;
	return true;
}

static void begin(struct calls *s, struct cni_call *c)
{
	if (must_wait(s, c)) {
		if (earlier(s, c)->request->verb == CNI_ADD && c->request->verb == CNI_ADD)
			fail(s, c, CNI_E_TRY_AGAIN, "an ADD of the same interface is under way");
		return;
	}
	switch (c->request->verb) {
	case CNI_ADD:
		begin_add(s, c);
		break;
	case CNI_DEL:
		begin_del(s, c);
		break;
	case CNI_CHECK:
		begin_check(s, c);
		break;
	case CNI_GC:
		begin_gc(s, c);
		break;
	case CNI_STATUS:
		begin_status(s, c);
		break;
	case CNI_VERSION: /* answered by the caller itself */
	case _CNI_VERB_MAX:
		fail(s, c, CNI_E_ENVIRONMENT, "CNI_COMMAND: not for the agent");
		break;
	}
}

/* The kernel took, or refused, everything that was pending. */
static void after_kernel(struct calls *s, struct cni_call *c)
{
	if (!s->agent->sync.table_ok && c->request->verb == CNI_ADD)
		fail(s, c, CNI_E_KERNEL, s->agent->sync.problem);
	else if (c->request->verb == CNI_ADD)
		ask_about_link(s, c, "attach");
	else
		ask_to_detach(c);
}

static void progress(struct calls *s, struct cni_call *c)
{
	if (c->doomed && c->step != STEP_CALLER) {
		fail(s, c, CNI_E_TRY_AGAIN, "a DEL of the same interface came");
		return;
	}
	switch (c->step) {
	case STEP_WAIT:
		if (earlier(s, c))
			break;
		begin(s, c);
		loop_wake(s->agent->loop);
		break;
	case STEP_KERNEL:
		after_kernel(s, c);
		break;
	case STEP_FINISH:
		finish_add(s, c);
		break;
	case STEP_CALLER:
		break;
	}
}

/**
 * calls_progress() - Take every call under way as far as it goes
 * @s: Calls
 *
 * Called at the end of each turn, after the kernel has answered.
 */
void calls_progress(struct calls *s)
{
	struct cni_call *c, *next;

	DL_FOREACH_SAFE(s->all, c, next)
	progress(s, c);
}

/* --- messages ----------------------------------------------------------------------------------
 */

static void caller_done(struct calls *s, struct cni_call *c)
{
	switch (c->request->verb) {
	case CNI_ADD:
		c->step = STEP_FINISH;
		attach_want_routes(s->agent, c->at);
		break;
	case CNI_CHECK:
		finish(s, c, "");
		break;
	default:
		finish_detach(s, c);
		break;
	}
}

static void caller_answered(struct calls *s, struct cni_call *c, const struct value *m)
{
	const char *message = NULL;
	int64_t code = CNI_E_KERNEL;

	if (c->step != STEP_CALLER) {
		fail(s, c, CNI_E_DECODE, "unexpected message from the plugin");
		return;
	}
	if (value_get_str(m, "", "error", &message, NULL) <= 0) {
		caller_done(s, c);
		return;
	}
	(void)value_get_int(m, "", "code", 1, 999, &code, NULL);
	fail(s, c, (int)code, message);
}

static const char *env_of(const struct value *env, const char *name)
{
	const char *s = NULL;

	(void)value_get_str(env, "env", name, &s, NULL);
	return s;
}

/**
 * calls_cni() - A CNI request came
 * @s:    Calls
 * @call: Its connection
 * @m:    The message (wire.h)
 */
void calls_cni(struct calls *s, struct call *call, const struct value *m)
{
	const struct value *env = NULL;
	const char *conf = "";
	struct cni_request *q = NULL;
	struct err e = {0};
	struct cni_env ce;
	struct cni_call *c;

	(void)value_get_map(m, "", "env", &env, NULL);
	(void)value_get_str(m, "", "stdin", &conf, NULL);
	ce = (struct cni_env){
		.command = env_of(env, "CNI_COMMAND"),
		.container_id = env_of(env, "CNI_CONTAINERID"),
		.netns = env_of(env, "CNI_NETNS"),
		.ifname = env_of(env, "CNI_IFNAME"),
		.args = env_of(env, "CNI_ARGS"),
		.path = env_of(env, "CNI_PATH"),
	};
	if (cni_request_parse(&ce, conf, strlen(conf), &q, &e) < 0) {
		_cleanup_(buf_done) struct buf text = {0};

		log_warn("cni", "bad request", "err=\"%s\"", e.msg);
		cni_error_print(NULL, e.code < 0 ? -e.code : e.code, e.msg, NULL, &text);
		call_finish(call, text.data, 1);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->call = call;
	c->request = q;
	c->started = loop_now(s->agent->loop);
	DL_APPEND(s->all, c);
	call_set_work(call, c);
	begin(s, c);
}

/**
 * calls_answer() - The caller of a CNI request answered
 * @s:    Calls
 * @work: The state of its connection
 * @m:    The message (wire.h)
 */
void calls_answer(struct calls *s, void *work, const struct value *m)
{
	caller_answered(s, work, m);
}

/**
 * calls_closed() - The caller of a CNI request went away before the end
 * @s:    Calls
 * @work: The state of its connection
 */
void calls_closed(struct calls *s, void *work)
{
	struct cni_call *c = work;

	log_warn("cni", "the plugin went away, taking back", "pod=\"%s/%s\" container=%.13s",
		 c->request->ns, c->request->pod, c->request->id);
	roll_back(s, c);
	observe(s, c, false);
	cni_call_free(s, c);
}

/**
 * calls_new() - Begin to serve
 * @a: Agent
 *
 * Return: the calls, to be freed
 */
struct calls *calls_new(struct agent *a)
{
	struct calls *s = xcalloc(1, sizeof(*s));

	s->agent = a;
	return s;
}

/**
 * calls_free() - End; the server must have been closed
 * @s: Calls or NULL
 *
 * Return: NULL
 */
struct calls *calls_free(struct calls *s)
{
	free(s);
	return NULL;
}
