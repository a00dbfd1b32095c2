/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wiring.h - modules of the agent that do not know it are given what they use.
 */
#pragma once

#include "lib/err.h"

struct agent;
struct loop_source;

int wiring_open(struct agent *a, struct err *reterr);
void wiring_close(struct agent *a);
void wiring_effects(struct agent *a, struct loop_source *retry);
