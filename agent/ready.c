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
 * @r: Zeroed
 * @u: What it uses; copied
 */
void ready_open(struct ready *r, const struct ready_uses *u)
{
	_cleanup_(freep) char *path = instance_last_ready_path(u->config->run_dir);
	char text[LAST_READY_LEN + 1];
	uint64_t now = boottime_usec();
	ssize_t n;

	r->use = *u;
	r->timer = loop_timer(u->loop, "ready", on_timer, r);
	r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	n = r->fd < 0 ? -1 : pread(r->fd, text, sizeof(text), 0);
	if (n < 0) {
		log_warn("agent", "cannot be kept, STATUS fails while the agent restarts",
			 "file=%s err=\"%s\"", path, strerror(errno));
		return;
	}
	r->until = now + last_ready_left(text, (size_t)n, u->boot_id, now);
}

static void mark(struct ready *r, uint64_t now)
{
	char text[LAST_READY_LEN + 1];

	last_ready_print(r->use.boot_id, now, r->use.config->status_grace_usec, text);
	if (r->fd >= 0 && pwrite(r->fd, text, LAST_READY_LEN, 0) != LAST_READY_LEN)
		log_warn("agent", "last-ready not written", "err=\"%s\"", strerror(errno));
	r->marked = now;
}

/**
 * ready_follow() - Note that the agent is ready, if it is and the last note is old
 * @r: Object, at the end of a turn
 */
void ready_follow(struct ready *r)
{
	uint64_t now = boottime_usec();

	if (!r->use.is_ready(r->use.arg) || (r->marked && now - r->marked < MARK_USEC))
		return;
	mark(r, now);
	loop_timer_at(r->timer, loop_now(r->use.loop) + MARK_USEC);
}

/**
 * ready_close() - Note it a last time: the grace begins now
 * @r: Object; zeroed if it was not opened
 */
void ready_close(struct ready *r)
{
	if (!r->timer)
		return;
	if (r->fd >= 0 && r->marked && r->use.is_ready(r->use.arg))
		mark(r, boottime_usec());
	if (r->fd >= 0)
		close(r->fd);
	r->timer = loop_source_free(r->timer);
}

/**
 * ready_in_grace() - Are we about to start, in the place of an agent that was ready a moment ago?
 * @r: Object
 *
 * Return: true if so; false once we were ready ourselves
 */
bool ready_in_grace(const struct ready *r)
{
	return !r->marked && boottime_usec() < r->until;
}
