/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turn.h - the end of every wake-up: what changed goes into the kernel, as one transaction.
 */
#pragma once

#include "lib/err.h"

struct agent;
struct nft_op;

void turn_run(void *agent);
void turn_configure(struct agent *a);
int turn_apply_all(void *agent, const struct nft_op **ret_op, struct err *reterr);
