/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_agent.h - an agent that says what a test tells it to, on a socket of its own.
 */
#pragma once

#include <sys/types.h>

#include "lib/buf.h"

/* Messages that are no JSON: what the agent does instead of sending a message. */
#define FAKE_HUGE  "huge"  /* the length of a message that is longer than allowed */
#define FAKE_SHORT "short" /* half a message, then the end */

struct fake_agent {
	char dir[32], path[64], log[64];
	pid_t pid;
};

void fake_agent_start(struct fake_agent *f, const char *const *messages);
char *fake_agent_stop(struct fake_agent *f);
