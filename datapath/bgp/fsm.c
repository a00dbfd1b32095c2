// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fsm.c - the state machine of fsm.h, a function for each state.  Pure.
 */
#include "datapath/bgp/fsm.h"

#include "lib/random.h"

/**
 * bgp_state_str() - Name of a state
 * @s: State
 *
 * Return: static text
 */
const char *bgp_state_str(enum bgp_state s)
{
	static const char *const names[] = {"Idle",	"Connect",     "Active",
					    "OpenSent", "OpenConfirm", "Established"};

	return s < _BGP_STATE_MAX ? names[s] : "?";
}

/**
 * bgp_fsm_init() - Prepare
 * @f:    State machine; the times are to be set
 * @seed: Differs from node to node
 */
void bgp_fsm_init(struct bgp_fsm *f, uint64_t seed)
{
	*f = (struct bgp_fsm){.random = seed};
	for (int i = 0; i < _BGP_TIMER_MAX; i++)
		f->timer[i] = USEC_INFINITY;
}

/* --- timers ------------------------------------------------------------------------------------
 */

static void stop(struct bgp_fsm *f, enum bgp_timer t)
{
	f->timer[t] = USEC_INFINITY;
}

static bool runs(const struct bgp_fsm *f, enum bgp_timer t)
{
	return f->timer[t] != USEC_INFINITY;
}

/* 10: between three quarters and the whole. */
static uint64_t jittered(struct bgp_fsm *f, uint64_t usec)
{
	return usec - random_below(&f->random, usec / 4 + 1);
}

static void start_connect_retry(struct bgp_fsm *f, uint64_t now)
{
	if (f->passive)
		stop(f, BGP_TIMER_CONNECT_RETRY);
	else
		f->timer[BGP_TIMER_CONNECT_RETRY] = now + jittered(f, f->connect_usec);
}

static void start_hold(struct bgp_fsm *f, uint64_t now)
{
	f->timer[BGP_TIMER_HOLD] = f->hold_usec ? now + f->hold_usec : USEC_INFINITY;
}

static void start_keepalive(struct bgp_fsm *f, uint64_t now)
{
	uint64_t usec = MIN(f->hold_usec / 3, f->keepalive_usec);

	f->timer[BGP_TIMER_KEEPALIVE] = f->hold_usec ? now + jittered(f, usec) : USEC_INFINITY;
}

/**
 * bgp_fsm_sent() - Bytes went out: the neighbour reads (RFC 9687 3)
 * @f:   State machine
 * @now: Monotonic time
 */
void bgp_fsm_sent(struct bgp_fsm *f, uint64_t now)
{
	if (f->state == BGP_ESTABLISHED && f->hold_usec)
		f->timer[BGP_TIMER_SEND_HOLD] = now + MAX(BGP_SEND_HOLD_MIN_USEC, 2 * f->hold_usec);
}

static const enum bgp_event expires[_BGP_TIMER_MAX] = {
	[BGP_TIMER_CONNECT_RETRY] = BGP_EV_CONNECT_RETRY,
	[BGP_TIMER_HOLD] = BGP_EV_HOLD,
	[BGP_TIMER_KEEPALIVE] = BGP_EV_KEEPALIVE_DUE,
	[BGP_TIMER_DELAY_OPEN] = BGP_EV_DELAY_OPEN,
	[BGP_TIMER_SEND_HOLD] = BGP_EV_SEND_HOLD,
};

/**
 * bgp_fsm_deadline() - When the next timer expires
 * @f: State machine
 *
 * Return: monotonic time; USEC_INFINITY: none runs
 */
uint64_t bgp_fsm_deadline(const struct bgp_fsm *f)
{
	uint64_t first = USEC_INFINITY;

	for (int i = 0; i < _BGP_TIMER_MAX; i++)
		first = MIN(first, f->timer[i]);
	return first;
}

/**
 * bgp_fsm_expired() - The event of a timer that has expired
 * @f:   State machine
 * @now: Monotonic time
 *
 * Return: for bgp_fsm_event(), after which others may have expired, too; 0: none has
 */
enum bgp_event bgp_fsm_expired(const struct bgp_fsm *f, uint64_t now)
{
	for (int i = 0; i < _BGP_TIMER_MAX; i++)
		if (f->timer[i] <= now)
			return expires[i];
	return (enum bgp_event)0;
}

/* --- what several states do --------------------------------------------------------------------
 */

static void be_idle(struct bgp_fsm *f)
{
	f->state = BGP_IDLE;
	for (int i = 0; i < _BGP_TIMER_MAX; i++)
		stop(f, (enum bgp_timer)i);
}

/* Without a NOTIFICATION. */
static unsigned int end(struct bgp_fsm *f, bool counts)
{
	unsigned int down = f->state == BGP_ESTABLISHED ? BGP_DO_DOWN : 0;

	f->retries = counts ? f->retries + 1 : f->retries;
	be_idle(f);
	return BGP_DO_DROP | down;
}

/* With the NOTIFICATION that the event brought. */
static unsigned int refuse(struct bgp_fsm *f)
{
	return BGP_DO_NOTICE | end(f, true);
}

static unsigned int refuse_with(struct bgp_fsm *f, enum bgp_error code, uint8_t subcode)
{
	f->notice = (struct bgp_notice){(uint8_t)code, subcode, {NULL, 0}};
	return refuse(f);
}

static unsigned int unexpected(struct bgp_fsm *f)
{
	return refuse_with(f, BGP_ERR_FSM, (uint8_t)(f->state - BGP_OPEN_SENT + BGP_FSM_OPEN_SENT));
}

static unsigned int manual_stop(struct bgp_fsm *f, bool says)
{
	unsigned int todo = end(f, false) | (says ? BGP_DO_NOTICE : 0);

	f->retries = 0;
	return todo;
}

static unsigned int send_open(struct bgp_fsm *f, uint64_t now)
{
	stop(f, BGP_TIMER_CONNECT_RETRY);
	stop(f, BGP_TIMER_DELAY_OPEN);
	f->timer[BGP_TIMER_HOLD] = now + BGP_LONG_HOLD_USEC;
	f->state = BGP_OPEN_SENT;
	return BGP_DO_OPEN;
}

/* Both have said what they can. */
static unsigned int confirm(struct bgp_fsm *f, uint64_t now)
{
	stop(f, BGP_TIMER_CONNECT_RETRY);
	stop(f, BGP_TIMER_DELAY_OPEN);
	start_hold(f, now);
	start_keepalive(f, now);
	f->state = BGP_OPEN_CONFIRM;
	return BGP_DO_KEEPALIVE;
}

static unsigned int try_to_connect(struct bgp_fsm *f, uint64_t now)
{
	start_connect_retry(f, now);
	f->state = BGP_CONNECT;
	return BGP_DO_CONNECT;
}

static unsigned int be_active(struct bgp_fsm *f, uint64_t now)
{
	stop(f, BGP_TIMER_DELAY_OPEN);
	stop(f, BGP_TIMER_HOLD);
	start_connect_retry(f, now);
	f->state = BGP_ACTIVE;
	return 0;
}

/* --- states ------------------------------------------------------------------------------------
 */

static unsigned int in_idle(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	switch (e) {
	case BGP_EV_START:
	case BGP_EV_IDLE_HOLD:
		return f->passive ? be_active(f, now) : try_to_connect(f, now);
	case BGP_EV_START_PASSIVE:
		return be_active(f, now);
	case BGP_EV_TCP_ACKED:
	case BGP_EV_TCP_CONFIRMED:
		return BGP_DO_DROP;
	default:
		return 0;
	}
}

static unsigned int connected(struct bgp_fsm *f, uint64_t now)
{
	if (!f->delay_usec)
		return send_open(f, now);
	stop(f, BGP_TIMER_CONNECT_RETRY);
	f->timer[BGP_TIMER_DELAY_OPEN] = now + f->delay_usec;
	return 0;
}

/* Connect and Active: no OPEN was sent, so there is nobody who waits for a NOTIFICATION. */
static unsigned int before_open(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	bool delayed = runs(f, BGP_TIMER_DELAY_OPEN);

	switch (e) {
	case BGP_EV_START:
	case BGP_EV_START_PASSIVE:
		return 0;
	case BGP_EV_MANUAL_STOP:
		return manual_stop(f, false);
	case BGP_EV_DELAY_OPEN:
		return send_open(f, now);
	case BGP_EV_TCP_ACKED:
	case BGP_EV_TCP_CONFIRMED:
		return connected(f, now);
	case BGP_EV_OPEN:
		return delayed ? BGP_DO_OPEN | confirm(f, now) : end(f, true);
	case BGP_EV_NOTICE_VERSION:
		return end(f, !delayed);
	default:
		return end(f, true);
	}
}

static unsigned int in_connect(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	if (e == BGP_EV_CONNECT_RETRY) {
		stop(f, BGP_TIMER_DELAY_OPEN);
		return BGP_DO_DROP | try_to_connect(f, now);
	}
	if (e == BGP_EV_TCP_FAILED) {
		if (!runs(f, BGP_TIMER_DELAY_OPEN))
			return end(f, false);
		return BGP_DO_DROP | be_active(f, now);
	}
	return before_open(f, e, now);
}

static unsigned int in_active(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	if (e == BGP_EV_CONNECT_RETRY)
		return try_to_connect(f, now);
	return before_open(f, e, now);
}

/* OpenSent, OpenConfirm, Established: what they have in common. */
static unsigned int after_open(struct bgp_fsm *f, enum bgp_event e)
{
	switch (e) {
	case BGP_EV_START:
	case BGP_EV_START_PASSIVE:
	case BGP_EV_TCP_ACKED: /* another connection of the neighbour: session.h */
	case BGP_EV_TCP_CONFIRMED:
		return 0;
	case BGP_EV_MANUAL_STOP:
		return manual_stop(f, true);
	case BGP_EV_STOP:
	case BGP_EV_HEADER_ERROR:
	case BGP_EV_OPEN_ERROR:
	case BGP_EV_COLLISION:
	case BGP_EV_UPDATE_ERROR:
		return refuse(f);
	case BGP_EV_HOLD:
		return refuse_with(f, BGP_ERR_HOLD, 0);
	case BGP_EV_TCP_FAILED:
	case BGP_EV_NOTICE:
	case BGP_EV_SEND_HOLD: /* who does not read gets no NOTIFICATION either */
		return end(f, true);
	case BGP_EV_NOTICE_VERSION:
		return end(f, f->state == BGP_ESTABLISHED);
	default:
		return unexpected(f);
	}
}

static unsigned int in_open_sent(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	switch (e) {
	case BGP_EV_OPEN:
		return confirm(f, now);
	case BGP_EV_TCP_FAILED:
		return BGP_DO_DROP | be_active(f, now);
	case BGP_EV_UPDATE_ERROR: /* an UPDATE all the same */
		return unexpected(f);
	default:
		return after_open(f, e);
	}
}

static unsigned int keepalive_due(struct bgp_fsm *f, uint64_t now)
{
	start_keepalive(f, now);
	return BGP_DO_KEEPALIVE;
}

static unsigned int in_open_confirm(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	switch (e) {
	case BGP_EV_KEEPALIVE:
		start_hold(f, now);
		f->state = BGP_ESTABLISHED;
		bgp_fsm_sent(f, now);
		return BGP_DO_UP;
	case BGP_EV_KEEPALIVE_DUE:
		return keepalive_due(f, now);
	case BGP_EV_UPDATE_ERROR:
		return unexpected(f);
	default:
		return after_open(f, e);
	}
}

static unsigned int in_established(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	switch (e) {
	case BGP_EV_KEEPALIVE_DUE:
		return keepalive_due(f, now);
	case BGP_EV_KEEPALIVE:
		start_hold(f, now);
		return 0;
	case BGP_EV_UPDATE:
		start_hold(f, now);
		return BGP_DO_TAKE;
	case BGP_EV_REFRESH:
		return BGP_DO_TAKE;
	default:
		return after_open(f, e);
	}
}

/**
 * bgp_fsm_event() - Something happened
 * @f:   State machine
 * @e:   What
 * @now: Monotonic time
 *
 * Return: what is to be done
 */
unsigned int bgp_fsm_event(struct bgp_fsm *f, enum bgp_event e, uint64_t now)
{
	switch (f->state) {
	case BGP_CONNECT:
		return in_connect(f, e, now);
	case BGP_ACTIVE:
		return in_active(f, e, now);
	case BGP_OPEN_SENT:
		return in_open_sent(f, e, now);
	case BGP_OPEN_CONFIRM:
		return in_open_confirm(f, e, now);
	case BGP_ESTABLISHED:
		return in_established(f, e, now);
	case BGP_IDLE:
	case _BGP_STATE_MAX:
		break;
	}
	return in_idle(f, e, now);
}
