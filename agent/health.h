/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * health.h - is the agent ready, and what follows when it is.
 */
#pragma once

#include "lib/loop.h"

#define PATIENCE_USEC (30 * USEC_PER_SEC) /* then we have started, even without the API server */

struct agent;

bool agent_ready(struct agent *a, const char **ret_why);
void agent_add_source(struct agent *a, struct loop_source *s);
void agent_count_latency(struct agent *a, uint64_t since);
void agent_install_when_ready(struct agent *a);
