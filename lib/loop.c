// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loop.c - sd-event behind loop.h: sources, the turn hook, stall counting.
 *
 * sd-event dispatches one source a wake-up and then its post sources; the turn hook is such a
 * post source.  Sources are created for the life of the process or freed by their owner; failing
 * to create one means that the process has no descriptors left, which aborts like lack of memory.
 */
#include "lib/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "lib/outlet.h"

const uint64_t loop_hold_usec[LOOP_HOLDS] = {100, 200, 500, 1000, 2000, 5000, 20000, 100000};

struct loop {
	sd_event *event;
	sd_event_source *post;
	sd_event_source *wake;
	loop_fn *turn;
	void *turn_arg;
	struct loop_stats stats;
	int exit_code;
};

struct loop_source {
	struct loop *loop;
	sd_event_source *source;
	const char *name;
	loop_io_fn *io;
	loop_fn *fn;
	void *arg;
};

/**
 * monotonic_usec() - Monotonic time now, not of the wake-up
 *
 * Return: microseconds of CLOCK_MONOTONIC
 */
uint64_t monotonic_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void count_hold(struct loop *l, const char *name, uint64_t began)
{
	uint64_t held = monotonic_usec() - began;
	size_t i = 0;

	while (i < LOOP_HOLDS && held > loop_hold_usec[i])
		i++;
	l->stats.holds[i]++;
	l->stats.held += held;
	l->stats.longest = MAX(l->stats.longest, held);
	if (held <= LOOP_STALL_USEC)
		return;
	l->stats.stalls++;
	l->stats.stall_by = name;
}

static void must(int r, const char *what)
{
	char text[256];

	if (r >= 0)
		return;
	(void)snprintf(text, sizeof(text), "event loop: %s: %s, aborting\n", what, strerror(-r));
	(void)outlet_write(text, strlen(text));
	abort();
}

static int on_post(sd_event_source *s _unused_, void *arg)
{
	struct loop *l = arg;
	uint64_t began = monotonic_usec();

	l->stats.turns++;
	if (l->turn)
		l->turn(l->turn_arg);
	count_hold(l, "turn", began);
	return 0;
}

static int on_wake(sd_event_source *s _unused_, void *arg _unused_)
{
	return 0;
}

/**
 * loop_new() - Create the loop
 * @ret: Loop; untouched on failure
 *
 * Return: 0, -errno
 */
int loop_new(struct loop **ret)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	int r = sd_event_new(&l->event);

	if (r < 0) {
		free(l);
		return r;
	}
	must(sd_event_add_post(l->event, &l->post, on_post, l), "turn hook");
	must(sd_event_add_defer(l->event, &l->wake, on_wake, l), "wake-up");
	must(sd_event_source_set_enabled(l->wake, SD_EVENT_OFF), "wake-up");
	*ret = l;
	return 0;
}

/**
 * loop_free() - Free the loop; its sources must have been freed
 * @l: Loop or NULL
 *
 * Return: NULL
 */
struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	sd_event_source_unref(l->post);
	sd_event_source_unref(l->wake);
	sd_event_unref(l->event);
	free(l);
	return NULL;
}

/**
 * loop_run() - Dispatch events until loop_exit()
 * @l: Loop
 *
 * Return: the code given to loop_exit(), or -errno
 */
int loop_run(struct loop *l)
{
	int r = sd_event_loop(l->event);

	return r < 0 ? r : l->exit_code;
}

/**
 * loop_exit() - End loop_run() after the current callback
 * @l:    Loop
 * @code: Exit code, 0 or above
 */
void loop_exit(struct loop *l, int code)
{
	l->exit_code = code;
	must(sd_event_exit(l->event, code), "exit");
}

/**
 * loop_now() - Monotonic time of the current wake-up
 * @l: Loop
 *
 * Return: microseconds of CLOCK_MONOTONIC, the same throughout one callback
 */
uint64_t loop_now(const struct loop *l)
{
	uint64_t usec = 0;

	must(sd_event_now(l->event, CLOCK_MONOTONIC, &usec), "now");
	return usec;
}

/**
 * loop_stats() - Counters of the loop
 * @l: Loop
 *
 * Return: the counters, borrowed
 */
const struct loop_stats *loop_stats(const struct loop *l)
{
	return &l->stats;
}

/**
 * loop_on_turn() - Set what runs once at the end of every wake-up
 * @l:   Loop
 * @fn:  Function
 * @arg: Its argument
 */
void loop_on_turn(struct loop *l, loop_fn *fn, void *arg)
{
	l->turn = fn;
	l->turn_arg = arg;
}

/**
 * loop_wake() - Ask for one more turn without an event from outside
 * @l: Loop
 */
void loop_wake(struct loop *l)
{
	must(sd_event_source_set_enabled(l->wake, SD_EVENT_ONESHOT), "wake-up");
}

static struct loop_source *source_new(struct loop *l, const char *name, void *arg)
{
	struct loop_source *s = xcalloc(1, sizeof(*s));

	*s = (struct loop_source){.loop = l, .name = name, .arg = arg};
	return s;
}

static int on_io(sd_event_source *source _unused_, int fd _unused_, uint32_t events, void *arg)
{
	struct loop_source *s = arg;
	struct loop *l = s->loop;
	const char *name = s->name;
	uint64_t began = monotonic_usec();

	s->io(s->arg, events); /* may free s */
	count_hold(l, name, began);
	return 0;
}

/**
 * loop_io() - Watch a descriptor
 * @l:      Loop
 * @name:   Name for stall reports, a literal
 * @fd:     Descriptor, borrowed; must stay open until the source is freed
 * @events: EPOLLIN, EPOLLOUT, ...
 * @fn:     Called with the events that are ready; may free the source
 * @arg:    Its first argument
 *
 * Return: the source, to be freed
 */
struct loop_source *loop_io(struct loop *l, const char *name, int fd, uint32_t events,
			    loop_io_fn *fn, void *arg)
{
	struct loop_source *s = source_new(l, name, arg);

	s->io = fn;
	must(sd_event_add_io(l->event, &s->source, fd, events, on_io, s), name);
	return s;
}

/**
 * loop_io_events() - Change what is watched for
 * @s:      Source from loop_io()
 * @events: EPOLLIN, EPOLLOUT, ..., 0 for nothing but errors
 */
void loop_io_events(struct loop_source *s, uint32_t events)
{
	must(sd_event_source_set_io_events(s->source, events), s->name);
}

static int run_plain(struct loop_source *s)
{
	struct loop *l = s->loop;
	const char *name = s->name;
	uint64_t began = monotonic_usec();

	s->fn(s->arg); /* may free s */
	count_hold(l, name, began);
	return 0;
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *arg)
{
	return run_plain(arg);
}

/**
 * loop_timer() - Create a timer, not armed yet
 * @l:    Loop
 * @name: Name for stall reports, a literal
 * @fn:   Called once each time it expires; may free the source
 * @arg:  Its argument
 *
 * Return: the source, to be freed
 */
struct loop_source *loop_timer(struct loop *l, const char *name, loop_fn *fn, void *arg)
{
	struct loop_source *s = source_new(l, name, arg);

	s->fn = fn;
	must(sd_event_add_time(l->event, &s->source, CLOCK_MONOTONIC, USEC_INFINITY, 1, on_timer,
			       s),
	     name);
	must(sd_event_source_set_enabled(s->source, SD_EVENT_OFF), name);
	return s;
}

/**
 * loop_timer_at() - Arm or disarm a timer
 * @s:  Source from loop_timer()
 * @at: Monotonic time in microseconds; USEC_INFINITY disarms
 *
 * Nothing happens when the loop has come to its end: what is freed then may still arm timers.
 */
void loop_timer_at(struct loop_source *s, uint64_t at)
{
	if (sd_event_get_state(sd_event_source_get_event(s->source)) == SD_EVENT_FINISHED)
		return;
	must(sd_event_source_set_time(s->source, at), s->name);
	must(sd_event_source_set_enabled(s->source,
					 at == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT),
	     s->name);
}

static int on_signal(sd_event_source *source _unused_, const struct signalfd_siginfo *si _unused_,
		     void *arg)
{
	return run_plain(arg);
}

/**
 * loop_signal() - Receive a signal as an event; blocks its ordinary delivery
 * @l:     Loop
 * @name:  Name for stall reports, a literal
 * @signo: Signal number
 * @fn:    Called at each signal
 * @arg:   Its argument
 *
 * Return: the source, to be freed
 */
struct loop_source *loop_signal(struct loop *l, const char *name, int signo, loop_fn *fn, void *arg)
{
	struct loop_source *s = source_new(l, name, arg);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->fn = fn;
	must(sd_event_add_signal(l->event, &s->source, signo, on_signal, s), name);
	return s;
}

/**
 * loop_source_free() - Stop and free a source
 * @s: Source or NULL; may be the one whose callback runs
 *
 * Return: NULL
 */
struct loop_source *loop_source_free(struct loop_source *s)
{
	if (!s)
		return NULL;
	(void)sd_event_source_set_enabled(s->source, SD_EVENT_OFF);
	sd_event_source_unref(s->source);
	free(s);
	return NULL;
}
