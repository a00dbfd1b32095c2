// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ready.c - <run-dir>/last-ready is kept current while the agent is ready.
 *
 * A killed agent writes no last words: the line is at most MARK_USEC old.  Writing it is one
 * pwrite() of 100 bytes, without fsync: a reboot ends its meaning anyway.
 */
#include "agent/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/cni/last_ready.h"
#include "agent/command/instance.h"
#include "lib/log.h"

#define MARK_USEC (5 * USEC_PER_SEC)

/* The turn that follows looks at it. */
static void on_timer(void *arg _unused_)
{
}

/**
 * ready_open() - Begin: learn when an agent before us was ready
 * @a: Agent whose run folder is locked and whose loop runs
 */
void ready_open(struct agent *a)
{
	_cleanup_(freep) char *path = instance_last_ready_path(a->config->run_dir);
	char text[LAST_READY_LEN + 1];
	uint64_t now = boottime_usec();
	ssize_t n;

	a->ready.timer = loop_timer(a->loop, "ready", on_timer, a);
	agent_add_source(a, a->ready.timer);
	a->ready.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	n = a->ready.fd < 0 ? -1 : pread(a->ready.fd, text, sizeof(text), 0);
	if (n < 0) {
		log_warn("agent", "cannot be kept, STATUS fails while the agent restarts",
			 "file=%s err=\"%s\"", path, strerror(errno));
		return;
	}
	a->ready.until = now + last_ready_left(text, (size_t)n, a->boot_id, now);
}

static void mark(struct agent *a, uint64_t now)
{
	char text[LAST_READY_LEN + 1];

	last_ready_print(a->boot_id, now, a->config->status_grace_usec, text);
	if (a->ready.fd >= 0 && pwrite(a->ready.fd, text, LAST_READY_LEN, 0) != LAST_READY_LEN)
		log_warn("agent", "last-ready not written", "err=\"%s\"", strerror(errno));
	a->ready.marked = now;
}

/**
 * ready_follow() - Note that the agent is ready, if it is and the last note is old
 * @a: Agent, at the end of a turn
 */
void ready_follow(struct agent *a)
{
	uint64_t now = boottime_usec();
	const char *why;

	if (!agent_ready(a, &why) || (a->ready.marked && now - a->ready.marked < MARK_USEC))
		return;
	mark(a, now);
	loop_timer_at(a->ready.timer, loop_now(a->loop) + MARK_USEC);
}

/**
 * ready_close() - Note it a last time: the grace begins now
 * @a: Agent that ends
 */
void ready_close(struct agent *a)
{
	const char *why;

	if (a->ready.fd < 0)
		return;
	if (a->ready.marked && agent_ready(a, &why))
		mark(a, boottime_usec());
	close(a->ready.fd);
	a->ready.fd = -1;
}

/**
 * ready_in_grace() - Are we about to start, in the place of an agent that was ready a moment ago?
 * @a: Agent
 *
 * Return: true if so; false once we were ready ourselves
 */
bool ready_in_grace(const struct agent *a)
{
	return !a->ready.marked && boottime_usec() < a->ready.until;
}
