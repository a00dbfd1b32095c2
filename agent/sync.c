// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sync.c - agreement and back-off.  Pure.
 */
#include "agent/sync.h"

#include <stdio.h>

/**
 * sync_succeeded() - The kernel took everything
 * @s: State
 */
void sync_succeeded(struct sync *s)
{
	*s = (struct sync){.ok = true};
}

static void back_off(struct sync *s, const char *part, const struct err *e, uint64_t now)
{
	(void)snprintf(s->problem, sizeof(s->problem), "%s: %.480s", part, e->msg);
	s->retry_usec = MIN(MAX(s->retry_usec * 2, SYNC_RETRY_MIN_USEC), SYNC_RETRY_MAX_USEC);
	s->retry_at = now + s->retry_usec;
}

/**
 * sync_partly() - The kernel refused some keys, and all others go on
 * @s:    State; as after sync_failed(), but @ok is as it was
 * @part: "nft", "route"
 * @e:    Why
 * @now:  Monotonic time, microseconds
 */
void sync_partly(struct sync *s, const char *part, const struct err *e, uint64_t now)
{
	s->partly = true;
	back_off(s, part, e, now);
}

/**
 * sync_failed() - The kernel refused something
 * @s:    State; its back-off doubles, from SYNC_RETRY_MIN_USEC to SYNC_RETRY_MAX_USEC
 * @part: "nft", "route"
 * @e:    Why
 * @now:  Monotonic time, microseconds
 */
void sync_failed(struct sync *s, const char *part, const struct err *e, uint64_t now)
{
	s->ok = s->partly = false;
	back_off(s, part, e, now);
}

/**
 * sync_may_try() - May what the kernel refused be tried again?
 * @s:   State
 * @now: Monotonic time, microseconds
 *
 * Return: true if nothing was refused, or the back-off is over
 */
bool sync_may_try(const struct sync *s, uint64_t now)
{
	return now >= s->retry_at;
}

/**
 * sync_goes_on() - The kernel took something, and more is to come
 * @s: State; the back-off after sync_failed() ends, but begins no lower the next time
 */
void sync_goes_on(struct sync *s)
{
	if (!s->partly)
		s->retry_at = 0;
}

/**
 * sync_is_stuck() - Does all that is pending wait for the back-off to be over?
 * @s: State
 *
 * Return: true after sync_failed(), until something goes on
 */
bool sync_is_stuck(const struct sync *s)
{
	return !s->ok && !s->partly && s->retry_at;
}
