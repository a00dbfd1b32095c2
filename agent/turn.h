/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turn.h - the end of every wake-up: what changed goes into the kernel, as one transaction.
 */
#pragma once

struct agent;

void turn_run(void *agent);
void turn_configure(struct agent *a);
