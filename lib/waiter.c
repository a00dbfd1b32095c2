// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * waiter.c - a queue of jobs, a thread that runs them, a queue of those that have run.
 *
 * The two queues and the flag are all that loop and thread share, under one lock that is never
 * held across a system call of a job.  Signals go to the loop alone.
 */
#include "lib/waiter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#define STACK_BYTES (256 << 10) /* netlink buffers of 64 KiB stand on it */

/*
 * struct waiter
 * @todo, @ran: First come, first served
 * @unfinished: Jobs submitted whose end has not been dispatched; the loop's own
 */
struct waiter {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct waiter_job *todo, *ran;
	bool ending;
	int event;
	size_t unfinished;
};

static struct waiter_job *next_job(struct waiter *w)
{
	struct waiter_job *j;

	pthread_mutex_lock(&w->lock);
	while (!w->todo && !w->ending)
		pthread_cond_wait(&w->work, &w->lock);
	j = w->todo;
	if (j)
		LL_DELETE(w->todo, j);
	pthread_mutex_unlock(&w->lock);
	return j;
}

static void *run(void *arg)
{
	struct waiter *w = arg;
	struct waiter_job *j;

	while ((j = next_job(w))) {
		j->run(j);
		pthread_mutex_lock(&w->lock);
		j->next = NULL;
		LL_APPEND(w->ran, j);
		pthread_mutex_unlock(&w->lock);
		(void)!write(w->event, &(uint64_t){1}, sizeof(uint64_t));
	}
	return NULL;
}

static int start_thread(struct waiter *w)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&w->thread, &attr, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

/**
 * waiter_new() - Start the thread
 * @ret: Waiter, to be freed; untouched on failure
 *
 * Return: 0; -EAGAIN, -EMFILE, -ENFILE, -ENOMEM: no thread or descriptor is left
 */
int waiter_new(struct waiter **ret)
{
	struct waiter *w;
	int r, event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (event < 0)
		return -errno;
	w = xcalloc(1, sizeof(*w));
	w->event = event;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	r = start_thread(w);
	if (r < 0) {
		close(event);
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

/**
 * waiter_free() - Run and dispatch what is left, end the thread
 * @w: Waiter or NULL
 *
 * Return: NULL
 */
struct waiter *waiter_free(struct waiter *w)
{
	if (!w)
		return NULL;
	waiter_drain(w);
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	close(w->event);
	free(w);
	return NULL;
}

/**
 * waiter_fd() - Descriptor that is readable when waiter_dispatch() has something to do
 * @w: Waiter
 *
 * Return: the descriptor
 */
int waiter_fd(const struct waiter *w)
{
	return w->event;
}

/**
 * waiter_submit() - Have a job run, behind those submitted before
 * @w: Waiter
 * @j: Job; the thread's until its @done is called
 */
void waiter_submit(struct waiter *w, struct waiter_job *j)
{
	j->next = NULL;
	w->unfinished++;
	pthread_mutex_lock(&w->lock);
	LL_APPEND(w->todo, j);
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

/**
 * waiter_dispatch() - Call @done of the jobs that have run, in the order of their submission
 * @w: Waiter
 *
 * Never waits.  @done may submit further jobs.
 */
void waiter_dispatch(struct waiter *w)
{
	struct waiter_job *ran, *j, *next;
	uint64_t n;

	(void)!read(w->event, &n, sizeof(n));
	pthread_mutex_lock(&w->lock);
	ran = TAKE(w->ran, NULL);
	pthread_mutex_unlock(&w->lock);
	LL_FOREACH_SAFE (ran, j, next) {
		w->unfinished--;
		j->done(j);
	}
}

/**
 * waiter_drain() - Wait until every job has run and was dispatched; blocking, for start and exit
 * @w: Waiter
 */
void waiter_drain(struct waiter *w)
{
	struct pollfd p = {.fd = w->event, .events = POLLIN};

	while (w->unfinished) {
		(void)poll(&p, 1, -1);
		waiter_dispatch(w);
	}
}
