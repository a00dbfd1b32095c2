/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsm.h - one connection of a BGP session: (state, event, now) -> what to do.  Pure.
 *
 * Events have the numbers of RFC 4271 8.1, states and transitions are those of 8.2.2.  Several
 * connections of one neighbour, the waits between attempts and what an OPEN says: session.h.
 *
 * Where it is not the letter of 8.2.2: a NOTIFICATION is never answered by one (event 25 in
 * OpenSent); an error of a header is answered by its own code in every state (6.1; events 21 and 22
 * in Established); an unexpected message has the subcode of RFC 6608.  A passive neighbour is never
 * connected to, so that its ConnectRetryTimer does not run.
 *
 * Sources: RFC 4271 8, 10; RFC 9687 (SendHoldTimer); RFC 2918; RFC 6608.
 */
#pragma once

#include "datapath/bgp/proto.h"

#define BGP_LONG_HOLD_USEC     (4 * 60 * USEC_PER_SEC) /* until an OPEN came, 8.2.2 */
#define BGP_SEND_HOLD_MIN_USEC (8 * 60 * USEC_PER_SEC) /* RFC 9687 3.2 */

enum bgp_state {
	BGP_IDLE,
	BGP_CONNECT,
	BGP_ACTIVE,
	BGP_OPEN_SENT,
	BGP_OPEN_CONFIRM,
	BGP_ESTABLISHED,
	_BGP_STATE_MAX
};

enum bgp_event {
	BGP_EV_START = 3,
	BGP_EV_START_PASSIVE = 5,
	BGP_EV_MANUAL_STOP =
		2, /* the FSM's notice says what a NOTIFICATION says; so do 8, 21-23, 28 */
	BGP_EV_STOP = 8,
	BGP_EV_CONNECT_RETRY = 9,
	BGP_EV_HOLD = 10,
	BGP_EV_KEEPALIVE_DUE = 11,
	BGP_EV_DELAY_OPEN = 12,
	BGP_EV_IDLE_HOLD = 13,
	BGP_EV_TCP_ACKED = 16,	   /* our attempt succeeded */
	BGP_EV_TCP_CONFIRMED = 17, /* theirs was accepted */
	BGP_EV_TCP_FAILED = 18,	   /* refused, timed out, closed, reset */
	BGP_EV_OPEN = 19,	   /* 20 while the DelayOpenTimer runs */
	BGP_EV_HEADER_ERROR = 21,
	BGP_EV_OPEN_ERROR = 22,
	BGP_EV_COLLISION = 23,
	BGP_EV_NOTICE_VERSION = 24,
	BGP_EV_NOTICE = 25,
	BGP_EV_KEEPALIVE = 26,
	BGP_EV_UPDATE = 27,
	BGP_EV_UPDATE_ERROR = 28,
	BGP_EV_SEND_HOLD = 29, /* RFC 9687 */
	BGP_EV_REFRESH = 30,   /* RFC 2918; no number there */
	_BGP_EV_MAX
};

/* What is to be done, in this order. */
enum {
	BGP_DO_NOTICE = 1 << 0,	 /* send a NOTIFICATION of the FSM's notice */
	BGP_DO_DROP = 1 << 1,	 /* close the connection, or give the attempt up */
	BGP_DO_DOWN = 1 << 2,	 /* the session has ended: its routes go, or become stale */
	BGP_DO_CONNECT = 1 << 3, /* try to connect */
	BGP_DO_OPEN = 1 << 4,	 /* send OPEN */
	BGP_DO_KEEPALIVE = 1 << 5,
	BGP_DO_UP = 1 << 6,   /* the session stands: send the table */
	BGP_DO_TAKE = 1 << 7, /* the message counts */
};

enum bgp_timer {
	BGP_TIMER_CONNECT_RETRY,
	BGP_TIMER_HOLD,
	BGP_TIMER_KEEPALIVE,
	BGP_TIMER_DELAY_OPEN,
	BGP_TIMER_SEND_HOLD,
	_BGP_TIMER_MAX
};

/*
 * struct bgp_fsm - one connection
 * @passive:       Never connect
 * @connect_usec:  ConnectRetryTime
 * @delay_usec:    DelayOpenTime; 0: OPEN is sent at once
 * @keepalive_usec: Wanted; at most a third of the hold time counts
 * @hold_usec:     As it was agreed on, before event 19; 0: neither hold nor keepalives
 * @timer:         When each expires; USEC_INFINITY: it does not run
 * @random:        For jitter (10)
 * @retries:       ConnectRetryCounter
 * @notice:        See BGP_DO_NOTICE; its data are borrowed
 */
struct bgp_fsm {
	enum bgp_state state;
	bool passive;
	uint64_t connect_usec, delay_usec, keepalive_usec, hold_usec;
	uint64_t timer[_BGP_TIMER_MAX];
	uint64_t random;
	uint32_t retries;
	struct bgp_notice notice;
};

const char *bgp_state_str(enum bgp_state s);
void bgp_fsm_init(struct bgp_fsm *f, uint64_t seed);
unsigned int bgp_fsm_event(struct bgp_fsm *f, enum bgp_event e, uint64_t now);
void bgp_fsm_sent(struct bgp_fsm *f, uint64_t now);
uint64_t bgp_fsm_deadline(const struct bgp_fsm *f);
enum bgp_event bgp_fsm_expired(const struct bgp_fsm *f, uint64_t now);
