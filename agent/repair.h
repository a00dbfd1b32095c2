/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repair.h - when is our table read again after somebody else changed it?  Pure.
 *
 * The first time at once.  With each further time soon after that the pause doubles, so that a
 * fight with another program costs little; after twice the pause in peace it begins anew.
 */
#pragma once

#include "lib/util.h"

#define REPAIR_PAUSE_MIN_USEC (20 * USEC_PER_MSEC)
#define REPAIR_PAUSE_MAX_USEC USEC_PER_SEC

/*
 * struct repair - starts zeroed
 * @wanted: Somebody changed the table since it was read
 * @at:     Not before this time, monotonic, microseconds
 * @pause:  Between the last time and @at
 */
struct repair {
	bool wanted;
	uint64_t at, pause;
};

void repair_want(struct repair *r, uint64_t now);
bool repair_due(struct repair *r, uint64_t now);
