/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h - the one event loop of the process; loop.c is the only file that sees sd-event.
 *
 * One wake-up dispatches what is ready and then, once, the turn hook (loop_on_turn()): that is
 * where the event queue is drained into one kernel transaction.  Nothing on the loop may block;
 * a callback that holds it longer than LOOP_STALL_USEC is counted.
 */
#pragma once

#include "lib/util.h"

#define LOOP_STALL_USEC (5 * USEC_PER_MSEC)

struct loop;
struct loop_source;

#define LOOP_HOLDS 8
extern const uint64_t loop_hold_usec[LOOP_HOLDS];

/* struct loop_stats - @holds[i]: callbacks that held the loop up to loop_hold_usec[i], and longer
 * than the bound before; the last is for what is above every bound */
struct loop_stats {
	uint64_t turns;	  /* wake-ups since the start */
	uint64_t stalls;  /* callbacks that held the loop longer than LOOP_STALL_USEC */
	uint64_t longest; /* longest hold so far, microseconds */
	uint64_t held;	  /* sum of all, microseconds */
	uint64_t holds[LOOP_HOLDS + 1];
	const char *stall_by; /* name of the source behind the last stall, or NULL */
};

typedef void loop_io_fn(void *arg, uint32_t events);
typedef void loop_fn(void *arg);

int loop_new(struct loop **ret);
struct loop *loop_free(struct loop *l);
int loop_run(struct loop *l);
void loop_exit(struct loop *l, int code);
uint64_t monotonic_usec(void);
uint64_t loop_now(const struct loop *l);
const struct loop_stats *loop_stats(const struct loop *l);
void loop_on_turn(struct loop *l, loop_fn *fn, void *arg);
void loop_wake(struct loop *l);

struct loop_source *loop_io(struct loop *l, const char *name, int fd, uint32_t events,
			    loop_io_fn *fn, void *arg);
void loop_io_events(struct loop_source *s, uint32_t events);
struct loop_source *loop_timer(struct loop *l, const char *name, loop_fn *fn, void *arg);
void loop_timer_at(struct loop_source *s, uint64_t at);
struct loop_source *loop_signal(struct loop *l, const char *name, int signo, loop_fn *fn,
				void *arg);
struct loop_source *loop_source_free(struct loop_source *s);
static inline void loop_source_freep(struct loop_source **s)
{
	(void)loop_source_free(*s);
}
