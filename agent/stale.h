/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stale.h - what decides who may talk is not known, or has not been for too long.
 *
 * Pods that run keep the last state.  A new pod would start under policies that may have changed
 * long ago, or never came: beyond `stale-limit` it has to wait (CNI code 11), /readyz, STATUS and
 * status say why.  Of a folder everything is known at once.
 */
#pragma once

#include "lib/util.h"

struct agent;
struct loop_source;

/*
 * struct stale - embedded in the agent
 * @timer: When the limit is reached, for the log
 * @said:  The log says that pods have to wait
 * @why:   For whoever asks
 */
struct stale {
	struct loop_source *timer;
	bool said;
	char why[640];
};

void stale_watch(struct agent *a);
void stale_follow(void *agent);
bool stale_now(struct agent *a, const char **ret_why);
double stale_seconds(const struct agent *a);
