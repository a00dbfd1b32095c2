/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wiring.h - modules of the agent that do not know it are given what they use.
 */
#pragma once

#include "lib/err.h"

struct agent;

int wiring_open(struct agent *a, struct err *reterr);
void wiring_close(struct agent *a);
