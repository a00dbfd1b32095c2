// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls.c - CNI requests in steps, none of which waits.
 *
 * ADD:   addresses and journal record -> rules in the kernel -> the caller makes the link -> route
 *        in the kernel, record on disk, pod known (or waited for) -> result
 * DEL:   the caller deletes the link, and the route with it; when it is gone connections are
 *        forgotten -> rules out of the kernel -> addresses free
 * GC:    as DEL, for everything the runtime does not name
 * CHECK: our own state, then the caller compares the pod's end
 *
 * A step ends with the turn that brought it into the kernel, or with the caller's answer; so
 * calls_progress() runs at the end of every turn and looks at the calls under way.  Whatever
 * fails, and a caller that goes away, takes back what its ADD had done: as DEL, without a caller.
 */
#include "agent/cni/calls.h"

#include <stdio.h>
#include <utlist.h>

#include "agent/cni/cni_internal.h"
#include "agent/cni/cni_verbs.h"
#include "agent/socket/wire.h"
#include "datapath/route/podlink.h"
#include "lib/log.h"

#define START_WAIT_USEC (10 * USEC_PER_SEC)

/* --- steps -------------------------------------------------------------------------------------
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

/*
 * The call that this one has to wait for, or NULL.  Calls about one interface go one after another.
 * A DEL tells the ADD before it to give up; a second ADD is the runtime's mistake.
 */
static const struct cni_call *must_wait_for(const struct calls *s, struct cni_call *c)
{
	bool about_one = c->request->verb == CNI_ADD || c->request->verb == CNI_DEL;
	struct cni_call *other = about_one ? earlier(s, c) : NULL;

	if (!other)
		return NULL;
	c->step = STEP_WAIT;
	if (other->request->verb == CNI_ADD && c->request->verb == CNI_DEL &&
	    streq(other->request->network, c->request->network))
		other->doomed = true;
	return other;
}

/* An agent that has just started reads its source: the call may wait for that, for some time. */
static bool waits_for_source(const struct calls *s, struct cni_call *c)
{
	uint64_t until = c->started + START_WAIT_USEC;

	if ((c->request->verb != CNI_ADD && c->request->verb != CNI_CHECK) ||
	    s->ops->source_known(s->arg) || s->ops->now(s->arg) >= until)
		return false;
	c->step = STEP_WAIT;
	s->ops->alarm(s->arg, c, until); /* the turn that follows looks at it */
	return true;
}

static const struct verb_ops *verb_of(const struct cni_call *c)
{
	return &verbs[c->request->verb];
}

/* Begin with a call, or let it wait; true if there is something for a turn to do. */
static bool begin(struct calls *s, struct cni_call *c)
{
	const struct cni_call *other = must_wait_for(s, c);

	if (other) {
		if (other->request->verb == CNI_ADD && c->request->verb == CNI_ADD &&
		    !other->undone)
			cni_call_fail(s, c, CNI_E_TRY_AGAIN,
				      "an ADD of the same interface is under way");
		return true;
	}
	if (waits_for_source(s, c))
		return false;
	if (c->request->verb == CNI_ADD && s->ops->changes_wait(s->arg))
		c->step = STEP_WAIT; /* it must not meet an object that is gone by now */
	else if (verb_of(c)->begin)
		verb_of(c)->begin(s, c);
	else /* answered by the caller itself */
		cni_call_fail(s, c, CNI_E_ENVIRONMENT, "CNI_COMMAND: not for the agent");
	return true;
}

/* Of an ADD: those to the link before this one, or to what is being taken back. */
static bool routes_under_way_of(const struct calls *s, const struct cni_call *c)
{
	const char *problem;

	return (c->again || c->undone) &&
	       s->ops->routes(s->arg, c->at, &problem) == CNI_IN_PROGRESS;
}

/* The rows of an ADD's pod are in the kernel, or are not and will not be. */
static void after_kernel(struct calls *s, struct cni_call *c)
{
	const char *problem = NULL;
	enum cni_settled state;

	if (c->undone) {
		detach_go_on(s, c);
		return;
	}
	state = s->ops->rules(s->arg, c->at, &problem);
	if (state == CNI_REFUSED)
		cni_call_fail(s, c, CNI_E_KERNEL, problem);
	else if (state == CNI_IN_FORCE && c->again)
		again_ask(s, c);
	else if (state == CNI_IN_FORCE)
		cni_call_ask_link(s, c, "attach", c->request->netns);
}

static void progress(struct calls *s, struct cni_call *c)
{
	if (c->doomed && !c->undone && c->step != STEP_CALLER) { /* an ADD */
		cni_call_fail(s, c, CNI_E_TRY_AGAIN, "a DEL of the same interface came");
		return;
	}
	switch (c->step) {
	case STEP_WAIT:
		if (earlier(s, c))
			break;
		if (begin(s, c))
			s->ops->wake(s->arg);
		break;
	case STEP_KERNEL:
		if (!routes_under_way_of(s, c))
			after_kernel(s, c);
		break;
	case STEP_FINISH:
		add_finish(s, c);
		break;
	case STEP_FLUSH:
		detach_finish(s, c);
		break;
	case STEP_CALLER:
		break;
	}
}

static bool is_going(const struct cni_call *c, const char *host_ifname)
{
	vec_foreach (g, &c->going)
		if (streq((*g)->host_ifname, host_ifname))
			return true;
	return false;
}

/**
 * calls_take_away() - Is a link about to be deleted, or just deleted, by a call?
 * @s:           Calls
 * @host_ifname: Its end in the host
 *
 * Return: true if so
 */
bool calls_take_away(const struct calls *s, const char *host_ifname)
{
	const struct cni_call *c;

	DL_FOREACH (s->all, c)
		if (is_going(c, host_ifname))
			return true;
	return false;
}

/**
 * calls_link_gone() - The kernel told that a pod's link is gone
 * @s:           Calls
 * @host_ifname: Its end in the host
 */
void calls_link_gone(struct calls *s, const char *host_ifname)
{
	struct cni_call *c;

	DL_FOREACH (s->all, c)
		if (is_going(c, host_ifname))
			detach_link_gone(s, c);
}

/**
 * calls_under_way() - Is the runtime at work on an interface?
 * @s:  Calls
 * @at: Attachment
 *
 * Return: true during ADD, DEL and a GC that takes it away
 */
bool calls_under_way(const struct calls *s, const struct attachment *at)
{
	const struct cni_call *c;

	DL_FOREACH (s->all, c) {
		bool add = c->request->verb == CNI_ADD && streq(c->request->id, at->id) &&
			   streq(c->request->ifname, at->ifname);

		if (add || is_going(c, at->host_ifname))
			return true;
	}
	return false;
}

/**
 * calls_idle() - Is nothing in progress?
 * @s: Calls
 *
 * Return: true if so
 */
bool calls_idle(const struct calls *s)
{
	return !s->all;
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

	DL_FOREACH_SAFE (s->all, c, next)
		progress(s, c);
}

/* --- messages ----------------------------------------------------------------------------------
 */

static void take_beside(struct cni_call *c, const struct value *m)
{
	const struct value *list = NULL;
	char text[ADDR_STR_MAX];

	(void)value_get_seq(m, "", "beside", &list, NULL);
	for (uint32_t i = 0; c->request->verb == CNI_ADD && i < c->at->n_addrs; i++) {
		(void)addr_str(&c->at->addrs[i], text);
		for (uint32_t n = 0; list && n < list->n; n++)
			c->beside[i] |= list->items[n]->type == VALUE_STRING &&
					streq(list->items[n]->text, text);
	}
}

/* 0 when it is done; else why it failed, and in words. */
static enum cni_code failure_of(const struct value *m, const char **ret_message)
{
	int64_t code = CNI_E_KERNEL;

	if (value_get_str(m, "", "error", ret_message, NULL) <= 0)
		return 0;
	(void)value_get_int(m, "", "code", 1, 999, &code, NULL);
	return (enum cni_code)code;
}

static void looked(struct calls *s, struct cni_call *c, const struct value *m)
{
	const char *message = NULL;
	enum cni_code code = failure_of(m, &message);

	if (!code)
		take_beside(c, m);
	again_looked(s, c, code, message);
}

static void on_answer(struct call_work *w, const struct value *m)
{
	struct cni_call *c = container_of(w, struct cni_call, work);
	struct calls *s = c->calls;
	const char *message = NULL;
	enum cni_code code;

	if (c->undone || c->step == STEP_FLUSH) /* what goes on now nobody can stop */
		return;
	if (c->step != STEP_CALLER) {
		cni_call_fail(s, c, CNI_E_DECODE, "unexpected message from the plugin");
		return;
	}
	if (c->again == AGAIN_LOOK || c->again == AGAIN_LOOK_THERE) {
		looked(s, c, m);
		return;
	}
	code = failure_of(m, &message);
	if (!code)
		take_beside(c, m);
	if (c->flushing || !code)
		verb_of(c)->answered(s, c);
	else
		cni_call_fail(s, c, (int)code, message);
}

/* The caller went away before the end. */
static void on_closed(struct call_work *w)
{
	struct cni_call *c = container_of(w, struct cni_call, work);

	log_warn("cni", "the plugin went away, taking back", "pod=\"%s/%s\" container=%.13s",
		 c->request->ns, c->request->pod, c->request->id);
	cni_call_abandon(c->calls, c);
}

/* Once: the runtime tries again with the next container. */
static void bad_request(struct calls *s, const struct cni_env *ce, const struct err *e)
{
	char pod[COMPLAINT_POD_SIZE], verb[CNI_SHOWN_MAX], id[CNI_SHOWN_MAX];

	(void)complaint_pod(ce->args, pod);
	(void)cni_shown(ce->command ? ce->command : "", verb);
	if (complaint_is_new(&s->complaints, verb, pod, e->msg, s->ops->now(s->arg)))
		log_warn("cni", "bad request", "verb=%s pod=\"%s\" container=%.13s err=\"%s\"",
			 verb, pod, cni_shown(ce->container_id ? ce->container_id : "", id),
			 e->msg);
}

/**
 * calls_cni() - A CNI request came
 * @s:    Calls
 * @call: Its connection
 * @m:    The message (wire.h)
 */
void calls_cni(struct calls *s, struct call *call, const struct value *m)
{
	const char *conf;
	struct cni_request *q = NULL;
	struct err e = {0};
	struct cni_env ce;
	struct cni_call *c;

	wire_read_cni(m, &ce, &conf);
	if (cni_request_parse(&ce, conf, strlen(conf), &q, &e) < 0) {
		_cleanup_(buf_done) struct buf text = {0};

		bad_request(s, &ce, &e);
		cni_error_print(NULL, e.code < 0 ? -e.code : e.code, e.msg, NULL, &text);
		s->ops->finish(s->arg, call, text.data, 1);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->work = (struct call_work){on_answer, on_closed};
	c->calls = s;
	c->call = call;
	c->request = q;
	c->started = s->ops->now(s->arg);
	DL_APPEND(s->all, c);
	s->ops->listen(s->arg, call, &c->work);
	(void)begin(s, c);
}

/**
 * calls_alarm() - The time has come that a call asked for
 * @c: Call
 */
void calls_alarm(struct cni_call *c)
{
	if (c->request->verb == CNI_ADD && c->step != STEP_WAIT)
		add_alarm(c->calls, c);
}

/**
 * calls_flushed() - The connections of what goes are forgotten
 * @c: Call; the turn that follows looks at it
 */
void calls_flushed(struct cni_call *c)
{
	c->flushed = true;
}

/**
 * calls_new() - Begin to serve
 * @ops: What it asks of the agent and has it do; borrowed, lasts
 * @arg: First argument of these
 *
 * Return: the calls, to be freed
 */
struct calls *calls_new(const struct cni_ops *ops, void *arg)
{
	struct calls *s = xcalloc(1, sizeof(*s));

	s->ops = ops;
	s->arg = arg;
	return s;
}
