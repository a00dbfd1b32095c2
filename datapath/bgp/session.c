// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * session.c - the connections of one neighbour (session.h).  Pure.
 */
#include "datapath/bgp/session.h"

#include <errno.h>

#include "lib/random.h"

static struct bgp_fsm *fsm_of(struct bgp_session *s, int i)
{
	return &s->conn[i].fsm;
}

static enum bgp_state state_of(const struct bgp_session *s, int i)
{
	return s->conn[i].fsm.state;
}

/**
 * bgp_session_init() - Prepare
 * @s:    Session; bgp_session_start() begins
 * @c:    What it is to be
 * @seed: Differs from node to node and from neighbour to neighbour
 */
void bgp_session_init(struct bgp_session *s, const struct bgp_session_config *c, uint64_t seed)
{
	*s = (struct bgp_session){.config = *c, .random = seed, .idle_hold = USEC_INFINITY};
	for (int i = 0; i < BGP_CONNECTIONS; i++) {
		struct bgp_fsm *f = fsm_of(s, i);

		bgp_fsm_init(f, seed + (uint64_t)i);
		f->connect_usec = c->connect_usec;
		f->keepalive_usec = c->keepalive_usec;
		f->delay_usec = c->delay_usec;
	}
}

/**
 * bgp_session_state() - How far the session is
 * @s: Session
 *
 * Return: the state of the connection that has come farthest
 */
enum bgp_state bgp_session_state(const struct bgp_session *s)
{
	return MAX(state_of(s, 0), state_of(s, 1));
}

/**
 * bgp_session_standing() - The connection whose messages are the session's
 * @s: Session
 *
 * Return: its place; -ENOTCONN if none is Established
 */
int bgp_session_standing(const struct bgp_session *s)
{
	for (int i = 0; i < BGP_CONNECTIONS; i++)
		if (state_of(s, i) == BGP_ESTABLISHED)
			return i;
	return -ENOTCONN;
}

/* --- waits -------------------------------------------------------------------------------------
 */

/* Did a connection fail, and nothing that somebody said? */
static bool is_loss(enum bgp_event e)
{
	return e == BGP_EV_TCP_FAILED || e == BGP_EV_HOLD || e == BGP_EV_SEND_HOLD;
}

static uint64_t jittered(struct bgp_session *s, uint64_t usec)
{
	return usec - random_below(&s->random, usec / 4 + 1);
}

/* Nothing is left: wait for the next attempt. */
static void hold_idle(struct bgp_session *s, enum bgp_event why, uint64_t now)
{
	uint64_t usec = s->config.connect_usec;

	s->damped = !is_loss(why);
	if (s->damped) {
		usec = MIN(BGP_DAMP_MIN_USEC << MIN(s->row, 16), BGP_DAMP_MAX_USEC);
		s->row++;
	}
	s->idle_hold = now + jittered(s, usec);
}

/* --- events ------------------------------------------------------------------------------------
 */

static void begin(struct bgp_session *s, int i, bool incoming)
{
	s->conn[i].incoming = incoming;
	s->conn[i].open = (struct bgp_open){0};
	s->conn[i].fsm.passive = incoming || s->config.passive;
}

/* One stands: no other is tried for. */
static unsigned int give_up(struct bgp_session *s, int i, uint64_t now)
{
	if (state_of(s, i) != BGP_CONNECT && state_of(s, i) != BGP_ACTIVE)
		return 0;
	return bgp_fsm_event(fsm_of(s, i), BGP_EV_MANUAL_STOP, now);
}

static void note_state(struct bgp_session *s, enum bgp_state before, uint64_t now)
{
	if (before != bgp_session_state(s))
		s->since = now;
}

/* A session that lasted was none of the failures in a row. */
static void note_down(struct bgp_session *s, unsigned int todo, uint64_t now)
{
	if (!(todo & BGP_DO_DOWN))
		return;
	s->flaps++;
	if (now - s->since >= BGP_STEADY_USEC)
		s->row = 0;
}

static void feed(struct bgp_session *s, int i, enum bgp_event e, uint64_t now,
		 struct bgp_todo *todo)
{
	int other = !i;

	todo->conn[i] |= bgp_fsm_event(fsm_of(s, i), e, now);
	note_down(s, todo->conn[i], now);
	if (todo->conn[i] & BGP_DO_UP)
		todo->conn[other] |= give_up(s, other, now);
	/* What they began does not go on as an attempt of ours, nor beside another connection. */
	if (e == BGP_EV_TCP_FAILED && (s->conn[i].incoming || state_of(s, other) != BGP_IDLE))
		todo->conn[i] |= give_up(s, i, now);
	if (state_of(s, i) == BGP_IDLE && state_of(s, other) == BGP_IDLE && s->running &&
	    s->idle_hold == USEC_INFINITY)
		hold_idle(s, e, now);
}

/**
 * bgp_session_event() - Something happened to a connection that is no error of the neighbour's
 * @s:   Session
 * @i:   Its place
 * @e:   What; an OPEN: bgp_session_open(), errors: bgp_session_error()
 * @now: Monotonic time
 *
 * Return: what is to be done
 */
struct bgp_todo bgp_session_event(struct bgp_session *s, int i, enum bgp_event e, uint64_t now)
{
	enum bgp_state before = bgp_session_state(s);
	struct bgp_todo todo = {0};

	feed(s, i, e, now, &todo);
	note_state(s, before, now);
	return todo;
}

/**
 * bgp_session_error() - The neighbour sent something that is wrong
 * @s:    Session
 * @i:    Place of its connection
 * @e:    What is wrong
 * @says: What a NOTIFICATION says; its data are borrowed until that is sent
 * @now:  Monotonic time
 *
 * Return: what is to be done
 */
struct bgp_todo bgp_session_error(struct bgp_session *s, int i, enum bgp_event e,
				  const struct bgp_notice *says, uint64_t now)
{
	fsm_of(s, i)->notice = *says;
	return bgp_session_event(s, i, e, now);
}

/* --- start, stop, time -------------------------------------------------------------------------
 */

static struct bgp_todo attempt(struct bgp_session *s, enum bgp_event e, uint64_t now)
{
	int i = state_of(s, 0) == BGP_IDLE ? 0 : 1;
	enum bgp_state before = bgp_session_state(s);
	struct bgp_todo todo = {0};

	s->idle_hold = USEC_INFINITY;
	s->damped = false;
	if (before != BGP_IDLE)
		return todo;
	begin(s, i, false);
	todo.conn[i] = bgp_fsm_event(fsm_of(s, i), e, now);
	note_state(s, before, now);
	return todo;
}

/**
 * bgp_session_start() - Begin, or go on at once
 * @s:   Session
 * @now: Monotonic time
 *
 * Return: what is to be done
 */
struct bgp_todo bgp_session_start(struct bgp_session *s, uint64_t now)
{
	s->running = true;
	s->row = 0;
	return attempt(s, BGP_EV_START, now);
}

/**
 * bgp_session_stop() - End
 * @s:     Session
 * @says:  What a NOTIFICATION says; code 0: none is sent, so that a neighbour keeps the routes
 *         (RFC 4724)
 * @again: When it begins again; USEC_INFINITY: not by itself
 * @now:   Monotonic time
 *
 * Return: what is to be done
 */
struct bgp_todo bgp_session_stop(struct bgp_session *s, const struct bgp_notice *says,
				 uint64_t again, uint64_t now)
{
	enum bgp_state before = bgp_session_state(s);
	struct bgp_todo todo = {0};

	s->running = again != USEC_INFINITY;
	s->idle_hold = again;
	s->damped = true;
	for (int i = 0; i < BGP_CONNECTIONS; i++) {
		struct bgp_fsm *f = fsm_of(s, i);

		f->notice = *says;
		todo.conn[i] = f->state == BGP_IDLE ? 0 : bgp_fsm_event(f, BGP_EV_MANUAL_STOP, now);
		note_down(s, todo.conn[i], now);
		if (!says->code)
			todo.conn[i] &= ~(unsigned int)BGP_DO_NOTICE;
	}
	note_state(s, before, now);
	return todo;
}

/**
 * bgp_session_deadline() - When to call bgp_session_timer()
 * @s: Session
 *
 * Return: monotonic time; USEC_INFINITY: nothing is waited for
 */
uint64_t bgp_session_deadline(const struct bgp_session *s)
{
	uint64_t first = s->idle_hold;

	for (int i = 0; i < BGP_CONNECTIONS; i++)
		first = MIN(first, bgp_fsm_deadline(&s->conn[i].fsm));
	return first;
}

/**
 * bgp_session_timer() - Time has passed
 * @s:   Session
 * @now: Monotonic time; nothing happens before bgp_session_deadline()
 *
 * Return: what is to be done; more may be due at once
 */
struct bgp_todo bgp_session_timer(struct bgp_session *s, uint64_t now)
{
	for (int i = 0; i < BGP_CONNECTIONS; i++) {
		enum bgp_event e = bgp_fsm_expired(fsm_of(s, i), now);

		if (e)
			return bgp_session_event(s, i, e, now);
	}
	if (s->idle_hold <= now)
		return attempt(s, BGP_EV_IDLE_HOLD, now);
	return (struct bgp_todo){0};
}

/* --- a second connection -----------------------------------------------------------------------
 */

/**
 * bgp_session_accept() - The neighbour has connected
 * @s:   Session
 * @now: Monotonic time
 * @ret: What is to be done
 *
 * Return: its place; -EBUSY if it is to be closed at once
 */
int bgp_session_accept(struct bgp_session *s, uint64_t now, struct bgp_todo *ret)
{
	int i = 0;

	*ret = (struct bgp_todo){0};
	if (!s->running || s->damped)
		return -EBUSY;
	/* Who waits for it takes it; an attempt of ours goes on beside it. */
	for (i = 0; i < BGP_CONNECTIONS && state_of(s, i) != BGP_ACTIVE; i++)
		;
	for (int j = 0; i == BGP_CONNECTIONS && j < BGP_CONNECTIONS; j++)
		if (state_of(s, j) == BGP_IDLE)
			i = j;
	if (i == BGP_CONNECTIONS)
		return -EBUSY;
	if (state_of(s, i) == BGP_IDLE)
		(void)bgp_fsm_event(fsm_of(s, i), BGP_EV_START_PASSIVE, now);
	s->idle_hold = USEC_INFINITY;
	begin(s, i, true);
	*ret = bgp_session_event(s, i, BGP_EV_TCP_CONFIRMED, now);
	return i;
}

/* RFC 4271 6.8, RFC 6286 2.3: what the speaker of the higher identifier began stays. */
static bool ours_stays(const struct bgp_session *s, const struct bgp_open *theirs)
{
	const struct bgp_open *ours = &s->config.ours;

	return ours->id != theirs->id ? ours->id > theirs->id : ours->asn > theirs->asn;
}

/* Two that the neighbour began: it knows nothing of the older one any more. */
static bool newer_stays(const struct bgp_session *s, int i)
{
	const struct bgp_connection *c = &s->conn[i];

	if (c->incoming == s->conn[!i].incoming)
		return true;
	return c->incoming != ours_stays(s, &c->open);
}

/* Of a place that an OPEN came from; false: it has to go. */
static bool collide(struct bgp_session *s, int i, uint64_t now, struct bgp_todo *todo)
{
	int other = !i;
	enum bgp_state state = state_of(s, other);

	fsm_of(s, i)->notice = (struct bgp_notice){BGP_ERR_CEASE, BGP_CEASE_COLLISION, {NULL, 0}};
	fsm_of(s, other)->notice = fsm_of(s, i)->notice;
	if (state == BGP_ESTABLISHED && s->conn[other].open.graceful) {
		/* RFC 4724 4.2: it has restarted; the old connection is a lost one. */
		feed(s, other, BGP_EV_TCP_FAILED, now, todo);
		return true;
	}
	if (state < BGP_OPEN_CONFIRM)
		return true;
	if (state == BGP_ESTABLISHED || !newer_stays(s, i))
		return false;
	feed(s, other, BGP_EV_COLLISION, now, todo);
	return true;
}

/**
 * bgp_session_open() - An OPEN came
 * @s:    Session
 * @i:    Place of its connection
 * @data: Message that bgp_frame() let pass
 * @len:  Its bytes
 * @now:  Monotonic time
 *
 * Return: what is to be done; of the NOTIFICATIONs among it the data are within @s
 */
struct bgp_todo bgp_session_open(struct bgp_session *s, int i, const uint8_t *data, size_t len,
				 uint64_t now)
{
	struct bgp_connection *c = &s->conn[i];
	const struct bgp_expected want = {
		.ours = &s->config.ours, .asn = s->config.asn, .external = s->config.external};
	enum bgp_state before = bgp_session_state(s);
	struct bgp_todo todo = {0};
	struct bgp_agreed agreed;
	struct bgp_notice bad;

	if (c->fsm.state >= BGP_OPEN_CONFIRM) /* a second one: unexpected */
		return bgp_session_event(s, i, BGP_EV_OPEN, now);
	if (!bgp_open_read(data, len, &c->open, &bad) ||
	    !bgp_open_check(&c->open, &want, &agreed, &bad, s->scratch))
		return bgp_session_error(s, i, BGP_EV_OPEN_ERROR, &bad, now);
	c->fsm.hold_usec = agreed.hold * USEC_PER_SEC;
	if (collide(s, i, now, &todo)) {
		s->agreed = agreed;
		feed(s, i, BGP_EV_OPEN, now, &todo);
	} else {
		feed(s, i, BGP_EV_COLLISION, now, &todo);
	}
	note_state(s, before, now);
	return todo;
}
