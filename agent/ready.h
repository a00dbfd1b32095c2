/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ready.h - that the agent is ready, on disk: for a plugin that finds no agent, and for the agent
 * that comes next (agent/cni/last_ready.h).
 */
#pragma once

#include "lib/loop.h"

struct agent;

/*
 * struct ready
 * @fd:     The file; -1 when it cannot be written
 * @until:  CLOCK_BOOTTIME until which an agent before us, that was ready, counts
 * @marked: CLOCK_BOOTTIME of the last line written; 0 for none
 */
struct ready {
	int fd;
	uint64_t until, marked;
	struct loop_source *timer;
};

void ready_open(struct agent *a);
void ready_follow(struct agent *a);
void ready_close(struct agent *a);
bool ready_in_grace(const struct agent *a);
