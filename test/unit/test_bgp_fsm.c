// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_fsm.c - every event in every state (RFC 4271 8.2.2), and the timers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/bgp/fsm.h"

#define SEC USEC_PER_SEC

static uint64_t now = 1000 * SEC;

static struct bgp_fsm machine(uint64_t delay)
{
	struct bgp_fsm f;

	bgp_fsm_init(&f, 1);
	f.connect_usec = 5 * SEC;
	f.keepalive_usec = 30 * SEC;
	f.hold_usec = 90 * SEC;
	f.delay_usec = delay;
	return f;
}

/* States, and two that the DelayOpenTimer makes. */
enum { IDLE, CONNECT, ACTIVE, SENT, CONFIRM, UP, CONNECT_DELAYED, ACTIVE_DELAYED, _STATES };

static struct bgp_fsm in_state(int state)
{
	bool active = state == ACTIVE || state == ACTIVE_DELAYED;
	struct bgp_fsm f = machine(state >= CONNECT_DELAYED ? 3 * SEC : 0);

	if (state == IDLE)
		return f;
	bgp_fsm_event(&f, active ? BGP_EV_START_PASSIVE : BGP_EV_START, now);
	if (state >= SENT)
		bgp_fsm_event(&f, BGP_EV_TCP_ACKED, now);
	if (state == CONFIRM || state == UP)
		bgp_fsm_event(&f, BGP_EV_OPEN, now);
	if (state == UP)
		bgp_fsm_event(&f, BGP_EV_KEEPALIVE, now);
	f.retries = 7;
	return f;
}

/* One letter a step, in their order; then the state, and what the counter becomes. */
#define N BGP_DO_NOTICE
#define X BGP_DO_DROP
#define D BGP_DO_DOWN
#define C BGP_DO_CONNECT
#define O BGP_DO_OPEN
#define K BGP_DO_KEEPALIVE
#define U BGP_DO_UP
#define T BGP_DO_TAKE

/* The counter: it stays, is set to 0, grows. */
enum { S, Z, G };

struct transition {
	enum bgp_event event;
	unsigned int todo;
	enum bgp_state next;
	int counter;
	uint8_t code, subcode; /* of the NOTIFICATION, where the machine chooses it */
};

#define IGNORED(state)                                  \
	{BGP_EV_START, 0, state, S, 0, 0},              \
	{                                               \
		BGP_EV_START_PASSIVE, 0, state, S, 0, 0 \
	}

static const struct transition idle[] = {
	{BGP_EV_START, C, BGP_CONNECT, S, 0, 0},
	{BGP_EV_START_PASSIVE, 0, BGP_ACTIVE, S, 0, 0},
	{BGP_EV_IDLE_HOLD, C, BGP_CONNECT, S, 0, 0},
	{BGP_EV_TCP_ACKED, X, BGP_IDLE, S, 0, 0}, /* refuses all connections */
	{BGP_EV_TCP_CONFIRMED, X, BGP_IDLE, S, 0, 0},
	{BGP_EV_MANUAL_STOP, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_STOP, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_CONNECT_RETRY, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_HOLD, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_KEEPALIVE_DUE, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_DELAY_OPEN, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_TCP_FAILED, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_OPEN, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_HEADER_ERROR, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_OPEN_ERROR, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_COLLISION, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_NOTICE_VERSION, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_NOTICE, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_KEEPALIVE, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_UPDATE, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_UPDATE_ERROR, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_SEND_HOLD, 0, BGP_IDLE, S, 0, 0},
	{BGP_EV_REFRESH, 0, BGP_IDLE, S, 0, 0},
};

/* Of Connect and Active, with the DelayOpenTimer and without, what is the same. */
#define BEFORE_OPEN                                                                                \
	{BGP_EV_MANUAL_STOP, X, BGP_IDLE, Z, 0, 0}, {BGP_EV_STOP, X, BGP_IDLE, G, 0, 0},           \
		{BGP_EV_HOLD, X, BGP_IDLE, G, 0, 0}, {BGP_EV_KEEPALIVE_DUE, X, BGP_IDLE, G, 0, 0}, \
		{BGP_EV_DELAY_OPEN, O, BGP_OPEN_SENT, S, 0, 0},                                    \
		{BGP_EV_IDLE_HOLD, X, BGP_IDLE, G, 0, 0},                                          \
		{BGP_EV_HEADER_ERROR, X, BGP_IDLE, G, 0, 0},                                       \
		{BGP_EV_OPEN_ERROR, X, BGP_IDLE, G, 0, 0},                                         \
		{BGP_EV_COLLISION, X, BGP_IDLE, G, 0, 0}, {BGP_EV_NOTICE, X, BGP_IDLE, G, 0, 0},   \
		{BGP_EV_KEEPALIVE, X, BGP_IDLE, G, 0, 0}, {BGP_EV_UPDATE, X, BGP_IDLE, G, 0, 0},   \
		{BGP_EV_UPDATE_ERROR, X, BGP_IDLE, G, 0, 0},                                       \
		{BGP_EV_SEND_HOLD, X, BGP_IDLE, G, 0, 0},                                          \
	{                                                                                          \
		BGP_EV_REFRESH, X, BGP_IDLE, G, 0, 0                                               \
	}

static const struct transition connecting[] = {
	IGNORED(BGP_CONNECT),
	BEFORE_OPEN,
	{BGP_EV_CONNECT_RETRY, X | C, BGP_CONNECT, S, 0, 0},
	{BGP_EV_TCP_ACKED, O, BGP_OPEN_SENT, S, 0, 0},
	{BGP_EV_TCP_CONFIRMED, O, BGP_OPEN_SENT, S, 0, 0},
	{BGP_EV_TCP_FAILED, X, BGP_IDLE, S, 0, 0},
	{BGP_EV_OPEN, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_NOTICE_VERSION, X, BGP_IDLE, G, 0, 0},
};

static const struct transition connecting_delayed[] = {
	IGNORED(BGP_CONNECT),
	BEFORE_OPEN,
	{BGP_EV_CONNECT_RETRY, X | C, BGP_CONNECT, S, 0, 0},
	{BGP_EV_TCP_ACKED, 0, BGP_CONNECT, S, 0, 0},
	{BGP_EV_TCP_CONFIRMED, 0, BGP_CONNECT, S, 0, 0},
	{BGP_EV_TCP_FAILED, X, BGP_ACTIVE, S, 0, 0},
	{BGP_EV_OPEN, O | K, BGP_OPEN_CONFIRM, S, 0, 0}, /* event 20 */
	{BGP_EV_NOTICE_VERSION, X, BGP_IDLE, S, 0, 0},
};

static const struct transition active[] = {
	IGNORED(BGP_ACTIVE),
	BEFORE_OPEN,
	{BGP_EV_CONNECT_RETRY, C, BGP_CONNECT, S, 0, 0},
	{BGP_EV_TCP_ACKED, O, BGP_OPEN_SENT, S, 0, 0},
	{BGP_EV_TCP_CONFIRMED, O, BGP_OPEN_SENT, S, 0, 0},
	{BGP_EV_TCP_FAILED, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_OPEN, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_NOTICE_VERSION, X, BGP_IDLE, G, 0, 0},
};

static const struct transition active_delayed[] = {
	IGNORED(BGP_ACTIVE),
	BEFORE_OPEN,
	{BGP_EV_CONNECT_RETRY, C, BGP_CONNECT, S, 0, 0},
	{BGP_EV_TCP_ACKED, 0, BGP_ACTIVE, S, 0, 0},
	{BGP_EV_TCP_CONFIRMED, 0, BGP_ACTIVE, S, 0, 0},
	{BGP_EV_TCP_FAILED, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_OPEN, O | K, BGP_OPEN_CONFIRM, S, 0, 0},
	{BGP_EV_NOTICE_VERSION, X, BGP_IDLE, S, 0, 0},
};

static const struct transition sent[] = {
	IGNORED(BGP_OPEN_SENT),
	{BGP_EV_MANUAL_STOP, N | X, BGP_IDLE, Z, 0, 0},
	{BGP_EV_STOP, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_CONNECT_RETRY, N | X, BGP_IDLE, G, 5, 1},
	{BGP_EV_HOLD, N | X, BGP_IDLE, G, 4, 0},
	{BGP_EV_KEEPALIVE_DUE, N | X, BGP_IDLE, G, 5, 1},
	{BGP_EV_DELAY_OPEN, N | X, BGP_IDLE, G, 5, 1},
	{BGP_EV_IDLE_HOLD, N | X, BGP_IDLE, G, 5, 1},
	{BGP_EV_TCP_ACKED, 0, BGP_OPEN_SENT, S, 0, 0},
	{BGP_EV_TCP_CONFIRMED, 0, BGP_OPEN_SENT, S, 0, 0},
	{BGP_EV_TCP_FAILED, X, BGP_ACTIVE, S, 0, 0},
	{BGP_EV_OPEN, K, BGP_OPEN_CONFIRM, S, 0, 0},
	{BGP_EV_HEADER_ERROR, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_OPEN_ERROR, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_COLLISION, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_NOTICE_VERSION, X, BGP_IDLE, S, 0, 0},
	{BGP_EV_NOTICE, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_KEEPALIVE, N | X, BGP_IDLE, G, 5, 1},
	{BGP_EV_UPDATE, N | X, BGP_IDLE, G, 5, 1},
	{BGP_EV_UPDATE_ERROR, N | X, BGP_IDLE, G, 5, 1},
	{BGP_EV_SEND_HOLD, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_REFRESH, N | X, BGP_IDLE, G, 5, 1},
};

static const struct transition confirmed[] = {
	IGNORED(BGP_OPEN_CONFIRM),
	{BGP_EV_MANUAL_STOP, N | X, BGP_IDLE, Z, 0, 0},
	{BGP_EV_STOP, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_CONNECT_RETRY, N | X, BGP_IDLE, G, 5, 2},
	{BGP_EV_HOLD, N | X, BGP_IDLE, G, 4, 0},
	{BGP_EV_KEEPALIVE_DUE, K, BGP_OPEN_CONFIRM, S, 0, 0},
	{BGP_EV_DELAY_OPEN, N | X, BGP_IDLE, G, 5, 2},
	{BGP_EV_IDLE_HOLD, N | X, BGP_IDLE, G, 5, 2},
	{BGP_EV_TCP_ACKED, 0, BGP_OPEN_CONFIRM, S, 0, 0},
	{BGP_EV_TCP_CONFIRMED, 0, BGP_OPEN_CONFIRM, S, 0, 0},
	{BGP_EV_TCP_FAILED, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_OPEN, N | X, BGP_IDLE, G, 5, 2},
	{BGP_EV_HEADER_ERROR, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_OPEN_ERROR, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_COLLISION, N | X, BGP_IDLE, G, 0, 0},
	{BGP_EV_NOTICE_VERSION, X, BGP_IDLE, S, 0, 0},
	{BGP_EV_NOTICE, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_KEEPALIVE, U, BGP_ESTABLISHED, S, 0, 0},
	{BGP_EV_UPDATE, N | X, BGP_IDLE, G, 5, 2},
	{BGP_EV_UPDATE_ERROR, N | X, BGP_IDLE, G, 5, 2},
	{BGP_EV_SEND_HOLD, X, BGP_IDLE, G, 0, 0},
	{BGP_EV_REFRESH, N | X, BGP_IDLE, G, 5, 2},
};

static const struct transition up[] = {
	IGNORED(BGP_ESTABLISHED),
	{BGP_EV_MANUAL_STOP, N | X | D, BGP_IDLE, Z, 0, 0},
	{BGP_EV_STOP, N | X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_CONNECT_RETRY, N | X | D, BGP_IDLE, G, 5, 3},
	{BGP_EV_HOLD, N | X | D, BGP_IDLE, G, 4, 0},
	{BGP_EV_KEEPALIVE_DUE, K, BGP_ESTABLISHED, S, 0, 0},
	{BGP_EV_DELAY_OPEN, N | X | D, BGP_IDLE, G, 5, 3},
	{BGP_EV_IDLE_HOLD, N | X | D, BGP_IDLE, G, 5, 3},
	{BGP_EV_TCP_ACKED, 0, BGP_ESTABLISHED, S, 0, 0},
	{BGP_EV_TCP_CONFIRMED, 0, BGP_ESTABLISHED, S, 0, 0},
	{BGP_EV_TCP_FAILED, X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_OPEN, N | X | D, BGP_IDLE, G, 5, 3},
	{BGP_EV_HEADER_ERROR, N | X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_OPEN_ERROR, N | X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_COLLISION, N | X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_NOTICE_VERSION, X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_NOTICE, X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_KEEPALIVE, 0, BGP_ESTABLISHED, S, 0, 0},
	{BGP_EV_UPDATE, T, BGP_ESTABLISHED, S, 0, 0},
	{BGP_EV_UPDATE_ERROR, N | X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_SEND_HOLD, X | D, BGP_IDLE, G, 0, 0},
	{BGP_EV_REFRESH, T, BGP_ESTABLISHED, S, 0, 0},
};

static const struct {
	const char *name;
	const struct transition *rows;
	size_t n;
} tables[_STATES] = {
	[IDLE] = {"Idle", idle, ARRAY_SIZE(idle)},
	[CONNECT] = {"Connect", connecting, ARRAY_SIZE(connecting)},
	[ACTIVE] = {"Active", active, ARRAY_SIZE(active)},
	[SENT] = {"OpenSent", sent, ARRAY_SIZE(sent)},
	[CONFIRM] = {"OpenConfirm", confirmed, ARRAY_SIZE(confirmed)},
	[UP] = {"Established", up, ARRAY_SIZE(up)},
	[CONNECT_DELAYED] = {"Connect, delayed", connecting_delayed,
			     ARRAY_SIZE(connecting_delayed)},
	[ACTIVE_DELAYED] = {"Active, delayed", active_delayed, ARRAY_SIZE(active_delayed)},
};

/* Of the timers only those run that the state has. */
static void assert_timers(const struct bgp_fsm *f, const char *name, int event)
{
	static const unsigned int may_run[_BGP_STATE_MAX] = {
		[BGP_CONNECT] = 1 << BGP_TIMER_CONNECT_RETRY | 1 << BGP_TIMER_DELAY_OPEN,
		[BGP_ACTIVE] = 1 << BGP_TIMER_CONNECT_RETRY | 1 << BGP_TIMER_DELAY_OPEN,
		[BGP_OPEN_SENT] = 1 << BGP_TIMER_HOLD,
		[BGP_OPEN_CONFIRM] = 1 << BGP_TIMER_HOLD | 1 << BGP_TIMER_KEEPALIVE,
		[BGP_ESTABLISHED] = 1 << BGP_TIMER_HOLD | 1 << BGP_TIMER_KEEPALIVE |
				    1 << BGP_TIMER_SEND_HOLD,
	};

	for (int t = 0; t < _BGP_TIMER_MAX; t++)
		if (f->timer[t] != USEC_INFINITY && !(may_run[f->state] >> t & 1))
			fail_msg("%s, event %d: timer %d runs", name, event, t);
	if (f->state != BGP_IDLE && bgp_fsm_deadline(f) == USEC_INFINITY)
		fail_msg("%s, event %d: no timer runs", name, event);
}

static void check(int state, const struct transition *t)
{
	static const uint32_t counter[] = {[S] = 7, [Z] = 0, [G] = 8};
	static const struct bgp_notice given = {77, 7, {NULL, 0}};
	const char *name = tables[state].name;
	struct bgp_fsm f = in_state(state);
	unsigned int todo;

	f.retries = 7;
	f.notice = given;
	todo = bgp_fsm_event(&f, t->event, now);
	if (todo != t->todo || f.state != t->next || f.retries != counter[t->counter])
		fail_msg("%s, event %d: todo %x, %s, counter %u", name, (int)t->event, todo,
			 bgp_state_str(f.state), f.retries);
	if (todo & BGP_DO_NOTICE && (f.notice.code != (t->code ?: given.code) ||
				     f.notice.subcode != (t->code ? t->subcode : given.subcode)))
		fail_msg("%s, event %d: %d/%d", name, (int)t->event, f.notice.code,
			 f.notice.subcode);
	assert_timers(&f, name, (int)t->event);
}

static void test_every_event_in_every_state(void **state _unused_)
{
	static const enum bgp_event events[] = {2,  3,	5,  8,	9,  10, 11, 12, 13, 16, 17, 18,
						19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30};

	for (int s = 0; s < _STATES; s++) {
		uint64_t seen = 0;

		for (size_t i = 0; i < tables[s].n; i++) {
			check(s, &tables[s].rows[i]);
			seen |= 1ull << tables[s].rows[i].event;
		}
		for (size_t i = 0; i < ARRAY_SIZE(events); i++)
			if (!(seen >> events[i] & 1))
				fail_msg("%s: event %d is missing", tables[s].name, events[i]);
	}
}

/* --- timers ------------------------------------------------------------------------------------
 */

static void assert_due(const struct bgp_fsm *f, enum bgp_timer t, uint64_t min, uint64_t max)
{
	uint64_t in = f->timer[t] - now;

	if (in < min || in > max)
		fail_msg("timer %d is due in %llu us", (int)t, (unsigned long long)in);
}

static void test_times(void **state _unused_)
{
	struct bgp_fsm f = in_state(CONNECT);

	assert_due(&f, BGP_TIMER_CONNECT_RETRY, 5 * SEC * 3 / 4, 5 * SEC);
	f = in_state(CONNECT_DELAYED);
	assert_due(&f, BGP_TIMER_DELAY_OPEN, 3 * SEC, 3 * SEC);
	f = in_state(SENT);
	assert_due(&f, BGP_TIMER_HOLD, 240 * SEC, 240 * SEC);
	f = in_state(CONFIRM);
	assert_due(&f, BGP_TIMER_HOLD, 90 * SEC, 90 * SEC);
	assert_due(&f, BGP_TIMER_KEEPALIVE, 30 * SEC * 3 / 4, 30 * SEC);
	f = in_state(UP);
	assert_due(&f, BGP_TIMER_SEND_HOLD, 480 * SEC, 480 * SEC);
}

static void test_short_hold_time(void **state _unused_)
{
	struct bgp_fsm f = in_state(SENT);

	f.hold_usec = 3 * SEC;
	bgp_fsm_event(&f, BGP_EV_OPEN, now);
	assert_due(&f, BGP_TIMER_HOLD, 3 * SEC, 3 * SEC);
	assert_due(&f, BGP_TIMER_KEEPALIVE, SEC * 3 / 4, SEC);
	f = in_state(SENT);
	f.hold_usec = 600 * SEC; /* longer than half of 8 minutes: twice as long */
	bgp_fsm_event(&f, BGP_EV_OPEN, now);
	bgp_fsm_event(&f, BGP_EV_KEEPALIVE, now);
	assert_due(&f, BGP_TIMER_SEND_HOLD, 1200 * SEC, 1200 * SEC);
}

/* 4.2: a hold time of 0 means neither keepalives nor a limit; 9687 3: nor for sending. */
static void test_no_hold_time(void **state _unused_)
{
	struct bgp_fsm f = in_state(SENT);

	f.hold_usec = 0;
	bgp_fsm_event(&f, BGP_EV_OPEN, now);
	assert_int_equal(bgp_fsm_deadline(&f), USEC_INFINITY);
	bgp_fsm_event(&f, BGP_EV_KEEPALIVE, now);
	bgp_fsm_event(&f, BGP_EV_UPDATE, now);
	bgp_fsm_sent(&f, now);
	assert_int_equal(f.state, BGP_ESTABLISHED);
	assert_int_equal(bgp_fsm_deadline(&f), USEC_INFINITY);
}

static void test_what_restarts_timers(void **state _unused_)
{
	struct bgp_fsm f = in_state(UP);

	now += 10 * SEC;
	bgp_fsm_event(&f, BGP_EV_KEEPALIVE, now);
	assert_due(&f, BGP_TIMER_HOLD, 90 * SEC, 90 * SEC);
	assert_due(&f, BGP_TIMER_SEND_HOLD, 470 * SEC, 470 * SEC);
	now += 10 * SEC;
	bgp_fsm_event(&f, BGP_EV_UPDATE, now);
	assert_due(&f, BGP_TIMER_HOLD, 90 * SEC, 90 * SEC);
	bgp_fsm_sent(&f, now);
	assert_due(&f, BGP_TIMER_SEND_HOLD, 480 * SEC, 480 * SEC);
	bgp_fsm_event(&f, BGP_EV_KEEPALIVE_DUE, now);
	assert_due(&f, BGP_TIMER_KEEPALIVE, 30 * SEC * 3 / 4, 30 * SEC);
	assert_int_equal(bgp_fsm_expired(&f, now), 0);
	assert_int_equal(bgp_fsm_expired(&f, now + 90 * SEC), BGP_EV_HOLD);
	assert_int_equal(bgp_fsm_expired(&f, now + 30 * SEC), BGP_EV_KEEPALIVE_DUE);
}

static void test_passive(void **state _unused_)
{
	struct bgp_fsm f = machine(0);

	f.passive = true;
	assert_int_equal(bgp_fsm_event(&f, BGP_EV_START, now), 0);
	assert_int_equal(f.state, BGP_ACTIVE);
	assert_int_equal(bgp_fsm_deadline(&f), USEC_INFINITY);
	assert_int_equal(bgp_fsm_event(&f, BGP_EV_TCP_CONFIRMED, now), BGP_DO_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_event_in_every_state),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_short_hold_time),
		cmocka_unit_test(test_no_hold_time),
		cmocka_unit_test(test_what_restarts_timers),
		cmocka_unit_test(test_passive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
