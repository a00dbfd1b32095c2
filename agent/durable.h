/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durable.h - the journal's disk on the loop: its results taken, failures told and tried again.
 */
#pragma once

#include "agent/sync.h"

struct agent;

/*
 * struct durable - embedded in the agent
 * @sync:     Does the disk take what is written?
 * @failures: Times that it did not, tries again included
 */
struct durable {
	struct sync sync;
	uint64_t failures;
};

void durable_watch(struct agent *a);
void durable_follow(struct agent *a);
void durable_retry(struct agent *a);
