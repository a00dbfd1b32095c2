/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * takeover.h - becoming the one agent of a run folder: from the one that runs, or when it ends.
 */
#pragma once

#include "agent/socket/handover.h"
#include "lib/err.h"

/* How a start goes about a run folder that another agent uses */
enum succession {
	SUCCESSION_REFUSE,    /* fail */
	SUCCESSION_STAND_BY,  /* wait until it ends */
	SUCCESSION_TAKE_OVER, /* replace it; where that is impossible, wait */
};

int takeover_begin(const char *run_dir, enum succession how, int *ret_lock, struct handover *ret,
		   struct err *reterr);
