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

#include "ipam/journal.h"
#include "lib/log.h"

static void failed(struct durable *d, const struct err *e)
{
	struct sync *s = &d->sync;

	sync_failed(s, "journal", e, loop_now(d->use.loop));
	d->failures++;
	d->use.failed(d->use.arg);
	log_err("ipam", "the journal cannot be written, pods cannot be added",
		"in_ms=%" PRIu64 " err=\"%s\"", (uint64_t)(s->retry_usec / USEC_PER_MSEC), e->msg);
}

static void on_disk(void *arg, uint32_t events _unused_)
{
	struct durable *d = arg;
	struct err e = {0};

	if (journal_poll(d->use.journal, &e) < 0)
		failed(d, &e);
}

/**
 * durable_open() - Put the journal on the loop
 * @d: Zeroed
 * @u: What it uses; copied
 */
void durable_open(struct durable *d, const struct durable_uses *u)
{
	d->use = *u;
	sync_succeeded(&d->sync);
	d->io = loop_io(u->loop, "journal", journal_fd(u->journal), EPOLLIN, on_disk, d);
}

/**
 * durable_close() - Look at it no more
 * @d: Object
 */
void durable_close(struct durable *d)
{
	d->io = loop_source_free(d->io);
}

/**
 * durable_follow() - Notice what became of the writes of this turn
 * @d: Object
 */
void durable_follow(struct durable *d)
{
	int refused = journal_refused(d->use.journal);
	struct err e = {0};

	if (refused && d->sync.ok) {
		(void)err_set(&e, refused, "writing %s: %s", journal_path(d->use.journal),
			      strerror(-refused));
		failed(d, &e);
	} else if (!refused && !d->sync.ok) {
		sync_succeeded(&d->sync);
		log_info("ipam", "the journal can be written again", "file=%s",
			 journal_path(d->use.journal));
	}
}

/**
 * durable_retry() - Try a disk that failed once more, when its time has come
 * @d: Object
 */
void durable_retry(struct durable *d)
{
	struct err e = {0};
	int r;

	if (d->sync.ok || !sync_may_try(&d->sync, loop_now(d->use.loop)))
		return;
	r = journal_poll(d->use.journal, &e);
	if (r == 0)
		r = journal_probe(d->use.journal, &e);
	if (r < 0)
		failed(d, &e);
}
