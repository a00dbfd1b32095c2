/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - one neighbour: its connections, of which one becomes the session, and the waits
 * between attempts.  Pure.
 *
 * Takes what happens to connections and in time, gives what is to be done with each.  Two can be
 * there at a time: ours and theirs collide (RFC 4271 6.8), or a neighbour that has restarted comes
 * back before its old connection is known to be dead (RFC 4724 4.2).  Whoever owns the sockets has
 * two places for them, 0 and 1.
 *
 * After a failure nothing happens for a while (IdleHoldTimer).  Where a connection failed that is
 * the connect time, and the neighbour may come meanwhile; where messages were wrong the wait
 * doubles, and the neighbour is refused until it is over (8.1.1, DampPeerOscillations).
 */
#pragma once

#include "datapath/bgp/fsm.h"
#include "datapath/bgp/open.h"

#define BGP_DAMP_MIN_USEC (5 * USEC_PER_SEC)
#define BGP_DAMP_MAX_USEC (120 * USEC_PER_SEC)
#define BGP_STEADY_USEC	  (5 * 60 * USEC_PER_SEC) /* a session that lasted: waits begin anew */
#define BGP_CONNECTIONS	  2

/*
 * struct bgp_session_config - what a session is to be
 * @ours:     Our OPEN
 * @asn, @external: As in struct bgp_expected
 * @passive:  Never connect
 * @connect_usec, @keepalive_usec, @delay_usec: As in struct bgp_fsm
 */
struct bgp_session_config {
	struct bgp_open ours;
	uint32_t asn;
	bool external, passive;
	uint64_t connect_usec, keepalive_usec, delay_usec;
};

/*
 * struct bgp_connection - one of them
 * @incoming: They connected
 * @open:     Their OPEN, from OpenConfirm on
 */
struct bgp_connection {
	struct bgp_fsm fsm;
	bool incoming;
	struct bgp_open open;
};

/*
 * struct bgp_session - a neighbour
 * @running:   Started and not stopped
 * @agreed:    What both can, from OpenConfirm on; of the connection that stands
 * @idle_hold: When the next attempt begins; USEC_INFINITY: not by itself
 * @damped:    Meanwhile the neighbour is refused
 * @row:       Failures in a row that were more than a lost connection
 * @since:     When the state was last entered that bgp_session_state() gives
 * @flaps:     Sessions that stood and ended
 * @scratch:   For the data of a NOTIFICATION
 */
struct bgp_session {
	struct bgp_session_config config;
	struct bgp_connection conn[BGP_CONNECTIONS];
	struct bgp_agreed agreed;
	bool running, damped;
	uint64_t idle_hold, since, random;
	uint32_t row, flaps;
	uint8_t scratch[16];
};

/* struct bgp_todo - BGP_DO_ bits, of each connection */
struct bgp_todo {
	unsigned int conn[BGP_CONNECTIONS];
};

void bgp_session_init(struct bgp_session *s, const struct bgp_session_config *c, uint64_t seed);
struct bgp_todo bgp_session_start(struct bgp_session *s, uint64_t now);
struct bgp_todo bgp_session_stop(struct bgp_session *s, const struct bgp_notice *says,
				 uint64_t again, uint64_t now);
struct bgp_todo bgp_session_timer(struct bgp_session *s, uint64_t now);
uint64_t bgp_session_deadline(const struct bgp_session *s);
int bgp_session_accept(struct bgp_session *s, uint64_t now, struct bgp_todo *ret);
struct bgp_todo bgp_session_event(struct bgp_session *s, int i, enum bgp_event e, uint64_t now);
struct bgp_todo bgp_session_error(struct bgp_session *s, int i, enum bgp_event e,
				  const struct bgp_notice *says, uint64_t now);
struct bgp_todo bgp_session_open(struct bgp_session *s, int i, const uint8_t *data, size_t len,
				 uint64_t now);
enum bgp_state bgp_session_state(const struct bgp_session *s);
int bgp_session_standing(const struct bgp_session *s);
