/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durable.h - the journal's disk on the loop: its results taken, failures told and tried again.
 */
#pragma once

#include "agent/sync.h"
#include "lib/loop.h"

struct journal;

/* struct durable_uses - @failed: it has to be tried again, durable.sync says when */
struct durable_uses {
	struct loop *loop;
	struct journal *journal;
	void (*failed)(void *arg);
	void *arg;
};

/*
 * struct durable
 * @sync:     Does the disk take what is written?
 * @failures: Times that it did not, tries again included
 */
struct durable {
	struct durable_uses use;
	struct loop_source *io;
	struct sync sync;
	uint64_t failures;
};

void durable_open(struct durable *d, const struct durable_uses *u);
void durable_close(struct durable *d);
void durable_follow(struct durable *d);
void durable_retry(struct durable *d);
