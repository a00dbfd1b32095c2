/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meddle.h - what others may do to the table in the kernel while the agent is away.  Pure.
 */
#pragma once

#include "random.h"
#include "shadow.h"

void meddle(struct shadow *kernel, struct rng *r);
