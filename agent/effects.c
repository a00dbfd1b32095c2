// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * effects.c - see effects.h.
 */
#include "agent/effects.h"

#include <inttypes.h>

#include "lib/log.h"
#include "lib/loop.h"

static bool agrees(const struct sync *s)
{
	return s->ok && !s->partly;
}

/**
 * effects_problem() - Why can no ADD be served?
 * @e: Effects
 *
 * Return: the first reason, borrowed until the next turn; "" for what was not tried yet; NULL: none
 */
const char *effects_problem(const struct effects *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(e->row); i++)
		if (e->row[i].needed && !e->row[i].sync->ok)
			return e->row[i].sync->problem;
	return NULL;
}

/**
 * effects_in_sync() - Does the kernel hold what we want?
 * @e:           Effects
 * @ret_problem: If not, why not; borrowed until the next turn
 *
 * Return: true if so
 */
bool effects_in_sync(const struct effects *e, const char **ret_problem)
{
	*ret_problem = "";
	for (size_t i = 0; i < ARRAY_SIZE(e->row); i++) {
		if (!e->row[i].kernel || agrees(e->row[i].sync))
			continue;
		*ret_problem = e->row[i].sync->problem;
		return false;
	}
	return true;
}

/**
 * effects_pending() - Operations that were not acknowledged
 * @e: Effects
 *
 * Return: their number
 */
size_t effects_pending(const struct effects *e)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(e->row); i++)
		n += e->row[i].pending ? e->row[i].pending(e->row[i].arg) : 0;
	return n;
}

/**
 * effects_arm_retry() - Come back when the first of what failed may be tried again
 * @e: Effects
 */
void effects_arm_retry(const struct effects *e)
{
	uint64_t at = USEC_INFINITY;

	for (size_t i = 0; i < ARRAY_SIZE(e->row); i++) {
		const struct effect *row = &e->row[i];

		if (!agrees(row->sync) && row->sync->retry_at > loop_now(e->loop))
			at = MIN(at, row->sync->retry_at);
		if (row->retry_at) {
			uint64_t own = row->retry_at(row->arg);

			at = MIN(at, own);
		}
	}
	loop_timer_at(e->retry, at);
}

/**
 * effects_refused() - An effect failed as a whole: note it, report it, come back
 * @e:    Effects
 * @kind: Which one; of the kernel
 * @why:  Why
 */
void effects_refused(const struct effects *e, enum effect_kind kind, const struct err *why)
{
	const struct effect *row = &e->row[kind];

	sync_failed(row->sync, row->name, why, loop_now(e->loop));
	effects_arm_retry(e);
	log_err(row->name, "the kernel refused, will retry", "in_ms=%" PRIu64 " err=\"%s\"",
		(uint64_t)(row->sync->retry_usec / USEC_PER_MSEC), why->msg);
}

/**
 * effects_each_problem() - Walk what is not as it is wanted, for status
 * @e:   Effects
 * @fn:  Called for each
 * @arg: Its first argument
 */
void effects_each_problem(const struct effects *e, effect_problem_fn *fn, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(e->row); i++) {
		const struct effect *row = &e->row[i];

		if (row->sync->ok && row->sync->partly && row->keys)
			row->keys(row->arg, fn, arg);
		else if (!agrees(row->sync) && *row->sync->problem) /* else it is about to be */
			fn(arg, row->sync->problem);
	}
}
