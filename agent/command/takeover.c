// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * takeover.c - the side of the agent that comes: ask for descriptors, or wait for the lock.
 *
 *   new  {"call":"take-over"}            old: takes no calls any more, ends those in progress
 *   old  {"do":"take-over", ...}         and descriptors; it could still go on
 *   new  {"done":true}                   now it may not
 *   old  {"result":"","exit":0}          and the end of the connection, when it has closed the rest
 *
 * The lock comes with the descriptors, so no third agent can come between.  Whoever dies in the
 * middle leaves one agent: before the result that is the old one, or nobody, and then the lock is
 * free; behind it the new one.
 */
#include "agent/command/takeover.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "agent/command/instance.h"
#include "agent/socket/client.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/notify.h"

#define ANSWER_SEC 20 /* for each answer; the old agent has 10 s for calls in progress */
#define TRY_USEC   (250 * USEC_PER_MSEC)

/* --- asking ------------------------------------------------------------------------------------
 */

/* 1: descriptors came; -EOPNOTSUPP: the agent answered something else. */
static int take_descriptors(int fd, struct handover *ret, struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct client_fds fds = {0};
	const char *text = NULL;
	int r = client_receive(fd, &fds, &doc, reterr);

	if (r < 0) {
		for (size_t i = 0; i < fds.n; i++)
			closep(&fds.fd[i]);
		return r;
	}
	(void)value_get_str(value_root(doc), "", "result", &text, NULL);
	if (text && !fds.n)
		return err_set(reterr, -EOPNOTSUPP, "it says: %.*s", (int)strcspn(text, "\n"),
			       text);
	return handover_receive(value_root(doc), fds.fd, fds.n, ret, reterr);
}

/* The old agent has confirmed, and then it has ended. */
static int wait_for_its_end(int fd, struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL, *nothing = NULL;
	const char *text = NULL;
	int r = client_send(fd, "{\"done\":true}", reterr);

	if (r == 0)
		r = client_receive(fd, NULL, &doc, reterr);
	if (r < 0)
		return r;
	(void)value_get_str(value_root(doc), "", "result", &text, NULL);
	if (!text)
		return err_set(reterr, -EPROTO, "the agent did not confirm");
	r = client_receive(fd, NULL, &nothing, NULL);
	if (r == -EPIPE)
		return 0;
	return err_set(reterr, -ETIMEDOUT, "the agent confirmed and does not end");
}

/* 1: it is ours; 0: nobody listens; -errno: the running agent does not hand over. */
static int ask(const char *run_dir, struct handover *ret, struct err *reterr)
{
	_cleanup_(freep) char *path = instance_socket_path(run_dir);
	struct handover h = {0};
	_cleanup_(closep) int fd = client_connect(path, ANSWER_SEC, reterr);
	int r;

	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return 0;
	if (fd < 0)
		return fd;
	r = client_send(fd, "{\"call\":\"take-over\"}", reterr);
	if (r == 0)
		r = take_descriptors(fd, &h, reterr);
	if (r == 0)
		r = wait_for_its_end(fd, reterr);
	if (r < 0) {
		handover_close(&h);
		return r;
	}
	*ret = h;
	return 1;
}

/* --- waiting -----------------------------------------------------------------------------------
 */

/*
 * struct wait
 * @asking: There may be an agent that does not listen yet
 * @result: 1 while it waits
 */
struct wait {
	struct loop *loop;
	struct loop_source *timer;
	const char *run_dir;
	bool asking;
	int *lock;
	struct handover *inherited;
	struct err *err;
	int result;
};

/* 1: it is ours; 0: it has to wait; -errno. */
static int inherit(struct wait *w)
{
	struct err e = {0};
	int r = ask(w->run_dir, w->inherited, &e);

	if (r < 0) {
		log_warn("agent",
			 "the running agent does not hand over, waiting until it ends; new pods "
			 "are its business",
			 "run-dir=%s err=\"%s\"", w->run_dir, e.msg);
		w->asking = false;
		return 0;
	}
	if (r == 0)
		return 0;
	*w->lock = handover_take(w->inherited, HANDOVER_LOCK);
	if (*w->lock < 0)
		return err_set(w->err, -EPROTO, "the agent handed over everything but the lock");
	r = instance_inherit(w->run_dir, *w->lock, w->err);
	return r < 0 ? r : 1;
}

static int try(struct wait *w)
{
	int r = w->asking ? inherit(w) : 0;

	if (r == 0) {
		r = instance_lock(w->run_dir, w->lock, w->err);
		return r == -EBUSY ? 0 : r < 0 ? r : 1;
	}
	return r;
}

static void on_timer(void *arg)
{
	struct wait *w = arg;

	w->result = try(w);
	if (w->result == 0)
		loop_timer_at(w->timer, monotonic_usec() + TRY_USEC);
	else
		loop_exit(w->loop, 0);
}

static void on_signal(void *arg)
{
	struct wait *w = arg;

	w->result = err_set(w->err, -EINTR, "ended while another agent runs");
	loop_exit(w->loop, 0);
}

/* Until it is ours, for as long as it takes: a signal ends it. */
static void wait_for_it(struct wait *w)
{
	struct loop_source *stop[2];
	struct notify *notify;

	if (loop_new(&w->loop) < 0)
		return;
	notify = notify_new(w->loop); /* a watchdog has to be fed */
	stop[0] = loop_signal(w->loop, "SIGTERM", SIGTERM, on_signal, w);
	stop[1] = loop_signal(w->loop, "SIGINT", SIGINT, on_signal, w);
	log_info("agent", "standing by until the running agent ends", "run-dir=%s", w->run_dir);
	w->timer = loop_timer(w->loop, "lock", on_timer, w);
	loop_timer_at(w->timer, monotonic_usec() + TRY_USEC);
	(void)loop_run(w->loop);
	(void)loop_source_free(w->timer);
	(void)loop_source_free(stop[0]);
	(void)loop_source_free(stop[1]);
	(void)notify_free(notify);
	(void)loop_free(w->loop);
}

/**
 * takeover_begin() - Become the one agent of a run folder
 * @run_dir:  Folder, exists
 * @how:      What to do about another one
 * @ret_lock: Descriptor that holds the lock
 * @ret:      Further descriptors of the agent that was replaced; empty if none was
 * @reterr:   Message
 *
 * Blocks; before the loop of the agent runs.
 *
 * Return: 0; -EBUSY if another agent runs and that is to be an error; -EINTR if it waited and was
 * told to end; -errno
 */
int takeover_begin(const char *run_dir, enum succession how, int *ret_lock, struct handover *ret,
		   struct err *reterr)
{
	struct wait w = {.run_dir = run_dir,
			 .asking = how == SUCCESSION_TAKE_OVER,
			 .lock = ret_lock,
			 .inherited = ret,
			 .err = reterr};
	uint64_t began = monotonic_usec();

	if (how == SUCCESSION_REFUSE)
		return instance_lock(run_dir, ret_lock, reterr);
	w.result = try(&w);
	if (w.result == 0)
		wait_for_it(&w);
	if (w.result > 0 && ret->name.n)
		log_info("agent", "took over from the agent that ran", "ms=%" PRIu64,
			 (uint64_t)((monotonic_usec() - began) / USEC_PER_MSEC));
	return w.result > 0 ? 0 : w.result;
}
