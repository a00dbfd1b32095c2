// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * retire.c - the side of the agent that goes.  Until the next one has confirmed that it has the
 * descriptors everything can be taken back: it goes away, or says nothing, and this agent goes on.
 */
#include "agent/retire.h"

#include "lib/log.h"

#define DRAIN_USEC   (10 * USEC_PER_SEC) /* then calls in progress are left to end as they may */
#define CONFIRM_USEC (5 * USEC_PER_SEC)
#define LOOK_USEC    (5 * USEC_PER_MSEC)

/*
 * struct retire
 * @call: Of the next agent; NULL: none asked
 * @sent: It has the descriptors
 */
struct retire {
	struct call_work work;
	struct loop *loop;
	struct server *server;
	const struct retire_ops *ops;
	void *arg;
	struct loop_source *timer;
	struct call *call;
	uint64_t until;
	bool sent;
};

/* This one goes on, once the connection is found to be closed. */
static void give_up(struct retire *r, const char *why)
{
	log_warn("agent", "the next agent does not take over, going on", "err=\"%s\"", why);
	call_break(r->call);
}

static void hand_over(struct retire *r)
{
	struct handover h = {0};
	int error;

	r->ops->hold(r->arg, true);
	r->ops->list(r->arg, &h);
	error = call_hand_over(r->call, &h);
	handover_forget(&h);
	r->sent = true;
	r->until = loop_now(r->loop) + CONFIRM_USEC;
	loop_timer_at(r->timer, r->until);
	if (error < 0)
		give_up(r, strerror(-error));
}

static void on_timer(void *arg)
{
	struct retire *r = arg;
	bool late = loop_now(r->loop) >= r->until;
	bool busy = server_calls(r->server) > 1 || r->ops->busy(r->arg);

	if (r->sent) {
		give_up(r, "no confirmation");
	} else if (busy && !late) {
		loop_timer_at(r->timer, loop_now(r->loop) + LOOK_USEC);
	} else {
		if (busy)
			log_warn("agent", "calls in progress are left to the next agent",
				 "connections=%zu", server_calls(r->server) - 1);
		hand_over(r);
	}
}

static void on_message(struct call_work *w, const struct value *m)
{
	struct retire *r = container_of(w, struct retire, work);
	bool done = false;

	(void)value_get_bool(m, "", "done", &done, NULL);
	if (!r->sent || !done) {
		give_up(r, "unexpected message");
		return;
	}
	loop_timer_at(r->timer, USEC_INFINITY);
	call_send(r->call, "{\"result\":\"\",\"exit\":0}"); /* the connection ends with us */
	r->ops->gone(r->arg);
}

static void on_closed(struct call_work *w)
{
	struct retire *r = container_of(w, struct retire, work);

	r->call = NULL;
	loop_timer_at(r->timer, USEC_INFINITY);
	server_hold(r->server, false);
	r->ops->hold(r->arg, false);
	log_warn("agent", "the next agent went away, going on", NULL);
}

/**
 * retire_call() - The next agent asks for the descriptors
 * @r: Object
 * @c: Its call
 */
void retire_call(struct retire *r, struct call *c)
{
	if (r->call) {
		call_finish(c, "another take-over is in progress\n", 1);
		return;
	}
	log_info("agent", "another agent takes over", "connections=%zu",
		 server_calls(r->server) - 1);
	r->call = c;
	r->sent = false;
	call_set_work(c, &r->work);
	server_hold(r->server, true);
	r->until = loop_now(r->loop) + DRAIN_USEC;
	loop_timer_at(r->timer, loop_now(r->loop));
}

/**
 * retire_new() - Be ready to give place
 * @l:   Loop
 * @s:   Server on which the next agent calls
 * @ops: What the owner brings; borrowed, lasts
 * @arg: First argument of its functions
 *
 * Return: object, to be freed
 */
struct retire *retire_new(struct loop *l, struct server *s, const struct retire_ops *ops, void *arg)
{
	struct retire *r = xcalloc(1, sizeof(*r));

	*r = (struct retire){
		.work = {on_message, on_closed}, .loop = l, .server = s, .ops = ops, .arg = arg};
	r->timer = loop_timer(l, "retire", on_timer, r);
	return r;
}

/**
 * retire_free() - Give place no more; a call in progress has ended
 * @r: Object or NULL
 *
 * Return: NULL
 */
struct retire *retire_free(struct retire *r)
{
	if (!r)
		return NULL;
	if (r->call)
		call_set_work(r->call, NULL);
	(void)loop_source_free(r->timer);
	free(r);
	return NULL;
}
