/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiter.h - a thread that waits, so that the loop need not.
 *
 * Some system calls can only wait: a netlink request executes inside send(), behind whoever holds
 * the kernel's RTNL lock, be the socket non-blocking or not.  A job is such calls and the memory
 * that they fill.  Jobs run one after another in the order of waiter_submit(); when one has run,
 * the descriptor becomes readable and waiter_dispatch() hands it back, on the loop.
 *
 * A job decides nothing and touches nothing but itself: between submission and its end the loop
 * leaves its memory alone, and the thread leaves everything else alone (no log, no interned
 * strings, no parts).
 */
#pragma once

#include "lib/util.h"

struct waiter;
struct waiter_job;

/**
 * typedef waiter_fn - One end of a job
 * @j: Job; embedded in what belongs to it
 */
typedef void waiter_fn(struct waiter_job *j);

/*
 * struct waiter_job - embedded in the owner's
 * @run:  The system calls; on the thread
 * @done: The consequences, on the loop; frees the job
 * @next: The waiter's own
 */
struct waiter_job {
	waiter_fn *run, *done;
	struct waiter_job *next;
};

int waiter_new(struct waiter **ret);
struct waiter *waiter_free(struct waiter *w);
int waiter_fd(const struct waiter *w);
void waiter_submit(struct waiter *w, struct waiter_job *j);
void waiter_dispatch(struct waiter *w);
void waiter_drain(struct waiter *w);
