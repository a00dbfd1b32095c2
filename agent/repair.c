// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * repair.c - the pace of repairs.  Pure.
 */
#include "agent/repair.h"

/**
 * repair_want() - Somebody changed our table
 * @r:   State
 * @now: Monotonic time, microseconds
 *
 * It is due at @r->at.
 */
void repair_want(struct repair *r, uint64_t now)
{
	if (now > r->at + r->pause)
		r->pause = 0;
	r->wanted = true;
	r->at = MAX(r->at, now);
}

/**
 * repair_due() - Is the table to be read now?
 * @r:   State; if so, the repair counts as done
 * @now: Monotonic time
 *
 * Return: true if so
 */
bool repair_due(struct repair *r, uint64_t now)
{
	if (!r->wanted || now < r->at)
		return false;
	r->wanted = false;
	r->pause = MIN(MAX(2 * r->pause, REPAIR_PAUSE_MIN_USEC), REPAIR_PAUSE_MAX_USEC);
	r->at = now + r->pause;
	return true;
}
