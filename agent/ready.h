/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ready.h - that the agent is ready, on disk: for a plugin that finds no agent, and for the agent
 * that comes next (agent/cni/last_ready.h).
 */
#pragma once

#include "agent/config/config.h"
#include "lib/loop.h"

/* struct ready_uses - @boot_id: of this boot, lasts; @is_ready: can ADD be served? */
struct ready_uses {
	struct loop *loop;
	const struct config *config;
	const char *boot_id;
	bool (*is_ready)(void *arg);
	void *arg;
};

/*
 * struct ready
 * @fd:     The file; -1 when it cannot be written
 * @until:  CLOCK_BOOTTIME until which an agent before us, that was ready, counts
 * @marked: CLOCK_BOOTTIME of the last line written; 0 for none
 */
struct ready {
	struct ready_uses use;
	int fd;
	uint64_t until, marked;
	struct loop_source *timer;
};

void ready_open(struct ready *r, const struct ready_uses *u);
void ready_follow(struct ready *r);
void ready_close(struct ready *r);
bool ready_in_grace(const struct ready *r);
