// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * durable.c - a disk that is full, read-only or broken: told in log, status and metrics, tried
 * again with back-off, and well again by itself.
 *
 * Meanwhile ADD fails with the file and the reason, and everything that runs goes on.
 */
#include "agent/durable.h"

#include <inttypes.h>
#include <sys/epoll.h>

#include "agent/agent.h"
#include "lib/log.h"

static void failed(struct agent *a, const struct err *e)
{
	struct sync *s = &a->durable.sync;

	sync_failed(s, "journal", e, loop_now(a->loop));
	a->durable.failures++;
	effects_arm_retry(&a->effects);
	log_err("ipam", "the journal cannot be written, pods cannot be added",
		"in_ms=%" PRIu64 " err=\"%s\"", (uint64_t)(s->retry_usec / USEC_PER_MSEC), e->msg);
}

static void on_disk(void *arg, uint32_t events _unused_)
{
	struct agent *a = arg;
	struct err e = {0};

	if (journal_poll(a->journal, &e) < 0)
		failed(a, &e);
}

/**
 * durable_watch() - Put the journal on the loop
 * @a: Agent; its journal is open
 */
void durable_watch(struct agent *a)
{
	sync_succeeded(&a->durable.sync);
	agent_add_source(a,
			 loop_io(a->loop, "journal", journal_fd(a->journal), EPOLLIN, on_disk, a));
}

/**
 * durable_follow() - Notice what became of the writes of this turn
 * @a: Agent
 */
void durable_follow(struct agent *a)
{
	int refused = journal_refused(a->journal);
	struct err e = {0};

	if (refused && a->durable.sync.ok) {
		(void)err_set(&e, refused, "writing %s: %s", journal_path(a->journal),
			      strerror(-refused));
		failed(a, &e);
	} else if (!refused && !a->durable.sync.ok) {
		sync_succeeded(&a->durable.sync);
		log_info("ipam", "the journal can be written again", "file=%s",
			 journal_path(a->journal));
	}
}

/**
 * durable_retry() - Try a disk that failed once more, when its time has come
 * @a: Agent
 */
void durable_retry(struct agent *a)
{
	struct err e = {0};
	int r;

	if (a->durable.sync.ok || !sync_may_try(&a->durable.sync, loop_now(a->loop)))
		return;
	r = journal_poll(a->journal, &e);
	if (r == 0)
		r = journal_probe(a->journal, &e);
	if (r < 0)
		failed(a, &e);
}
