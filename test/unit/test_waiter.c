// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_waiter.c - jobs run elsewhere, in order, and come back through the descriptor.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/waiter.h"

enum { JOBS = 1000 };

/* struct log - what happened; @ran belongs to the thread until the jobs have come back */
struct log {
	struct waiter *w;
	int ran[JOBS], done[JOBS];
	int n_ran, n_done;
	pthread_t thread;
};

struct numbered {
	struct waiter_job job;
	struct log *log;
	int number, gate;
	struct numbered *then;
};

static void run(struct waiter_job *j)
{
	struct numbered *n = container_of(j, struct numbered, job);
	uint64_t opened;

	if (n->gate >= 0)
		assert_int_equal(read(n->gate, &opened, sizeof(opened)), sizeof(opened));
	n->log->thread = pthread_self();
	n->log->ran[n->log->n_ran++] = n->number;
}

static void done(struct waiter_job *j)
{
	struct numbered *n = container_of(j, struct numbered, job);

	n->log->done[n->log->n_done++] = n->number;
	if (n->then)
		waiter_submit(n->log->w, &n->then->job);
}

static struct numbered numbered(struct log *l, int number)
{
	return (struct numbered){{run, done, NULL}, l, number, -1, NULL};
}

static bool readable(const struct waiter *w, int timeout)
{
	struct pollfd p = {.fd = waiter_fd(w), .events = POLLIN};

	return poll(&p, 1, timeout) == 1;
}

static void in_order_on_another_thread(void **state _unused_)
{
	struct numbered *jobs = xcalloc(JOBS, sizeof(*jobs));
	struct log l = {0};

	assert_int_equal(waiter_new(&l.w), 0);
	assert_false(readable(l.w, 0));
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = numbered(&l, i);
		waiter_submit(l.w, &jobs[i].job);
	}
	waiter_drain(l.w);
	assert_int_equal(l.n_done, JOBS);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(l.ran[i], i);
		assert_int_equal(l.done[i], i);
	}
	assert_false(pthread_equal(l.thread, pthread_self()));
	(void)waiter_free(l.w);
	free(jobs);
}

/* While a job waits, the loop goes on; nothing is handed back before it has run. */
static void the_loop_does_not_wait(void **state _unused_)
{
	int gate = eventfd(0, EFD_CLOEXEC);
	struct log l = {0};
	struct numbered j;

	assert_int_equal(waiter_new(&l.w), 0);
	j = numbered(&l, 7);
	j.gate = gate;
	waiter_submit(l.w, &j.job);
	waiter_dispatch(l.w);
	assert_int_equal(l.n_done, 0);
	assert_int_equal(write(gate, &(uint64_t){1}, 8), 8);
	assert_true(readable(l.w, 10000));
	waiter_dispatch(l.w);
	assert_int_equal(l.n_done, 1);
	assert_false(readable(l.w, 0));
	(void)waiter_free(l.w);
	close(gate);
}

static void an_end_may_submit_another(void **state _unused_)
{
	struct log l = {0};
	struct numbered first, second;

	assert_int_equal(waiter_new(&l.w), 0);
	first = numbered(&l, 1);
	second = numbered(&l, 2);
	first.then = &second;
	waiter_submit(l.w, &first.job);
	waiter_drain(l.w);
	assert_int_equal(l.n_done, 2);
	assert_int_equal(l.done[1], 2);
	(void)waiter_free(l.w);
}

/* What was submitted has its end: its owner frees memory there. */
static void freeing_runs_what_is_left(void **state _unused_)
{
	struct log l = {0};
	struct numbered j[3];

	assert_int_equal(waiter_new(&l.w), 0);
	for (int i = 0; i < 3; i++) {
		j[i] = numbered(&l, i);
		waiter_submit(l.w, &j[i].job);
	}
	(void)waiter_free(l.w);
	assert_int_equal(l.n_done, 3);
	assert_null(waiter_free(NULL));
}

static void mask_of(struct waiter_job *j)
{
	sigset_t now;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &now);
	container_of(j, struct numbered, job)->number = sigismember(&now, SIGTERM);
}

static void signals_are_for_the_loop(void **state _unused_)
{
	struct log l = {0};
	struct numbered j = numbered(&l, -1);

	j.job.run = mask_of;
	assert_int_equal(waiter_new(&l.w), 0);
	waiter_submit(l.w, &j.job);
	(void)waiter_free(l.w);
	assert_int_equal(j.number, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_on_another_thread),
		cmocka_unit_test(the_loop_does_not_wait),
		cmocka_unit_test(an_end_may_submit_another),
		cmocka_unit_test(freeing_runs_what_is_left),
		cmocka_unit_test(signals_are_for_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
