// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_bgp_session.c - one neighbour: attempts, waits, two connections at a time.
 */
#include "test/unit/bgp_bytes.h"

#include <errno.h>

#include "datapath/bgp/session.h"

#define SEC    USEC_PER_SEC
#define OUR_ID 0x0a000002

static uint64_t now;
static struct bgp_session s;
static struct bgp_todo todo;

static const struct bgp_session_config plain = {
	.ours = {.asn = 65000, .id = OUR_ID, .hold = 90, .families = 3, .as4 = true},
	.asn = 65001,
	.external = true,
	.connect_usec = 5 * SEC,
	.keepalive_usec = 30 * SEC,
};

static const struct bgp_notice cease = {6, 2, {NULL, 0}};

static void begin(const struct bgp_session_config *c)
{
	now = 1000 * SEC;
	bgp_session_init(&s, c, 1);
	todo = bgp_session_start(&s, now);
}

static int set_up(void **state _unused_)
{
	begin(&plain);
	return 0;
}

static void event(int i, enum bgp_event e)
{
	todo = bgp_session_event(&s, i, e, now);
}

static void open_of(int i, uint32_t id, uint16_t hold, bool graceful)
{
	const struct bgp_open o = {.asn = 65001,
				   .id = id,
				   .hold = hold,
				   .families = 1,
				   .as4 = true,
				   .graceful = graceful};
	_cleanup_(buf_done) struct buf b = {0};

	bgp_open_put(&b, &o);
	todo = bgp_session_open(&s, i, (const uint8_t *)b.data, b.len, now);
}

static void assert_todo(unsigned int first, unsigned int second)
{
	if (todo.conn[0] != first || todo.conn[1] != second)
		fail_msg("todo %x %x", todo.conn[0], todo.conn[1]);
}

static void assert_states(enum bgp_state first, enum bgp_state second)
{
	if (s.conn[0].fsm.state != first || s.conn[1].fsm.state != second)
		fail_msg("%s, %s", bgp_state_str(s.conn[0].fsm.state),
			 bgp_state_str(s.conn[1].fsm.state));
}

/* To the next thing that is due. */
static void pass(void)
{
	now = bgp_session_deadline(&s);
	assert_true(now != USEC_INFINITY);
	todo = bgp_session_timer(&s, now);
}

static void establish(bool graceful)
{
	event(0, BGP_EV_TCP_ACKED);
	assert_todo(BGP_DO_OPEN, 0);
	open_of(0, 1, 30, graceful);
	assert_todo(BGP_DO_KEEPALIVE, 0);
	event(0, BGP_EV_KEEPALIVE);
	assert_todo(BGP_DO_UP, 0);
	assert_int_equal(bgp_session_standing(&s), 0);
}

static void test_established(void **state _unused_)
{
	assert_todo(BGP_DO_CONNECT, 0);
	assert_int_equal(bgp_session_standing(&s), -ENOTCONN);
	establish(false);
	assert_int_equal(s.agreed.hold, 30);
	assert_int_equal(s.agreed.families, 1);
	assert_int_equal(s.conn[0].fsm.hold_usec, 30 * SEC);
	assert_int_equal(s.conn[0].open.id, 1);
	assert_int_equal(s.since, now);
}

static void test_bad_open(void **state _unused_)
{
	event(0, BGP_EV_TCP_ACKED);
	open_of(0, 1, 2, false);
	assert_todo(BGP_DO_NOTICE | BGP_DO_DROP, 0);
	assert_int_equal(s.conn[0].fsm.notice.code, 2);
	assert_int_equal(s.conn[0].fsm.notice.subcode, 6);
	begin(&plain);
	establish(false);
	open_of(0, 1, 30, false); /* a second one */
	assert_todo(BGP_DO_NOTICE | BGP_DO_DROP | BGP_DO_DOWN, 0);
	assert_int_equal(s.conn[0].fsm.notice.code, 5);
}

/* --- waits -------------------------------------------------------------------------------------
 */

static uint64_t wait_for_attempt(void)
{
	uint64_t from = now;

	pass();
	assert_todo(BGP_DO_CONNECT, 0);
	return now - from;
}

/* Nobody there: at the connect time, for as long as it takes, and he may come meanwhile. */
static void test_refused_connections(void **state _unused_)
{
	for (int i = 0; i < 20; i++) {
		uint64_t waited;

		event(0, BGP_EV_TCP_FAILED);
		assert_states(BGP_IDLE, BGP_IDLE);
		waited = wait_for_attempt();
		assert_in_range(waited, 5 * SEC * 3 / 4, 5 * SEC);
	}
	event(0, BGP_EV_TCP_FAILED);
	assert_true(bgp_session_accept(&s, now, &todo) >= 0);
	assert_int_equal(bgp_session_state(&s), BGP_OPEN_SENT);
	/* It fails, too: no attempt is forgotten. */
	event(bgp_session_state(&s) == s.conn[0].fsm.state ? 0 : 1, BGP_EV_TCP_FAILED);
	assert_int_equal(bgp_session_state(&s), BGP_IDLE);
	wait_for_attempt();
}

/* No answer to the SYN: the attempt is given up and made again. */
static void test_connect_retry(void **state _unused_)
{
	pass();
	assert_todo(BGP_DO_DROP | BGP_DO_CONNECT, 0);
	assert_states(BGP_CONNECT, BGP_IDLE);
}

/* Messages that are wrong: twice as long each time, and the neighbour is refused meanwhile. */
static void test_damping(void **state _unused_)
{
	uint64_t longest = 5 * SEC;

	for (int i = 0; i < 8; i++) {
		uint64_t waited;

		event(0, BGP_EV_TCP_ACKED);
		open_of(0, 1, 1, false);
		assert_int_equal(bgp_session_accept(&s, now, &todo), -EBUSY);
		waited = wait_for_attempt();
		assert_in_range(waited, longest * 3 / 4, longest);
		longest = MIN(longest * 2, BGP_DAMP_MAX_USEC);
	}
	/* A session that lasted ends the row. */
	establish(false);
	now += BGP_STEADY_USEC;
	event(0, BGP_EV_NOTICE);
	assert_int_equal(s.flaps, 1);
	assert_in_range(wait_for_attempt(), 5 * SEC * 3 / 4, 5 * SEC);
}

static void test_stop(void **state _unused_)
{
	establish(false);
	todo = bgp_session_stop(&s, &cease, USEC_INFINITY, now);
	assert_todo(BGP_DO_NOTICE | BGP_DO_DROP | BGP_DO_DOWN, 0);
	assert_int_equal(s.conn[0].fsm.notice.subcode, 2);
	assert_int_equal(bgp_session_deadline(&s), USEC_INFINITY);
	assert_int_equal(bgp_session_accept(&s, now, &todo), -EBUSY);
	todo = bgp_session_start(&s, now);
	assert_todo(BGP_DO_CONNECT, 0);
	/* Without a word, so that the neighbour keeps the routes. */
	establish(false);
	todo = bgp_session_stop(&s, &(struct bgp_notice){0}, USEC_INFINITY, now);
	assert_todo(BGP_DO_DROP | BGP_DO_DOWN, 0);
	/* For a time, as after too many prefixes. */
	todo = bgp_session_start(&s, now);
	establish(false);
	todo = bgp_session_stop(&s, &cease, now + 60 * SEC, now);
	assert_int_equal(bgp_session_accept(&s, now, &todo), -EBUSY);
	assert_int_equal(wait_for_attempt(), 60 * SEC);
}

static void test_passive(void **state _unused_)
{
	struct bgp_session_config c = plain;

	c.passive = true;
	begin(&c);
	assert_todo(0, 0);
	assert_states(BGP_ACTIVE, BGP_IDLE);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bgp_session_accept(&s, now, &todo), 0);
		assert_todo(BGP_DO_OPEN, 0);
		event(0, BGP_EV_TCP_FAILED);
		pass();
		assert_todo(0, 0); /* waits again */
		assert_states(BGP_ACTIVE, BGP_IDLE);
	}
}

/* --- collisions: RFC 4271 6.8 ------------------------------------------------------------------
 */

/* Ours in 0 and theirs in 1, both in OpenSent. */
static void collide(void)
{
	begin(&plain);
	assert_int_equal(bgp_session_accept(&s, now, &todo), 1);
	assert_todo(0, BGP_DO_OPEN);
	event(0, BGP_EV_TCP_ACKED);
	assert_states(BGP_OPEN_SENT, BGP_OPEN_SENT);
}

/* Whichever OPEN comes first, the same one stays: that of the higher identifier. */
static void test_collision(void **state _unused_)
{
	for (int first = 0; first < 2; first++) {
		for (int higher = 0; higher < 2; higher++) {
			uint32_t id = higher ? OUR_ID + 1 : OUR_ID - 1;
			int stays = higher ? 1 : 0; /* theirs, if theirs is higher */

			collide();
			open_of(first, id, 90, false);
			assert_int_equal(todo.conn[first], BGP_DO_KEEPALIVE);
			open_of(!first, id, 90, false);
			assert_int_equal(todo.conn[!stays], BGP_DO_NOTICE | BGP_DO_DROP);
			assert_int_equal(todo.conn[stays], stays == first ? 0 : BGP_DO_KEEPALIVE);
			assert_int_equal(s.conn[!stays].fsm.notice.code, 6);
			assert_int_equal(s.conn[!stays].fsm.notice.subcode, 7);
			event(stays, BGP_EV_KEEPALIVE);
			assert_int_equal(bgp_session_standing(&s), stays);
			assert_int_equal(s.conn[!stays].fsm.state, BGP_IDLE);
			assert_int_equal(s.idle_hold, USEC_INFINITY);
		}
	}
}

/* RFC 6286 2.3: the same identifier in two ASes; theirs is the higher AS. */
static void test_collision_of_equals(void **state _unused_)
{
	collide();
	open_of(0, OUR_ID, 90, false);
	open_of(1, OUR_ID, 90, false);
	assert_todo(BGP_DO_NOTICE | BGP_DO_DROP, BGP_DO_KEEPALIVE);
}

/* Theirs stands before ours is through: ours is given up, silently. */
static void test_attempt_beside_a_session(void **state _unused_)
{
	assert_int_equal(bgp_session_accept(&s, now, &todo), 1);
	open_of(1, 1, 90, false);
	event(1, BGP_EV_KEEPALIVE);
	assert_todo(BGP_DO_DROP, BGP_DO_UP);
	assert_states(BGP_IDLE, BGP_ESTABLISHED);
}

/* A third one is too many. */
static void test_no_place(void **state _unused_)
{
	collide();
	assert_int_equal(bgp_session_accept(&s, now, &todo), -EBUSY);
}

static void test_collision_with_a_session(void **state _unused_)
{
	establish(false);
	assert_int_equal(bgp_session_accept(&s, now, &todo), 1);
	open_of(1, 1, 90, false);
	assert_todo(0, BGP_DO_NOTICE | BGP_DO_DROP);
	assert_int_equal(bgp_session_standing(&s), 0);
	assert_int_equal(s.agreed.hold, 30); /* the other one has agreed on nothing */
}

/* RFC 4724 4.2: it has restarted, and comes back. */
static void test_graceful_return(void **state _unused_)
{
	establish(true);
	assert_int_equal(bgp_session_accept(&s, now, &todo), 1);
	open_of(1, 1, 90, true);
	assert_todo(BGP_DO_DROP | BGP_DO_DOWN, BGP_DO_KEEPALIVE);
	assert_states(BGP_IDLE, BGP_OPEN_CONFIRM);
	event(1, BGP_EV_KEEPALIVE);
	assert_todo(0, BGP_DO_UP);
	assert_int_equal(s.flaps, 1);
}

/* Both of one neighbour that waits behind a restart of its own: the newer one stays. */
static void test_two_of_theirs(void **state _unused_)
{
	struct bgp_session_config c = plain;

	c.passive = true;
	begin(&c);
	assert_int_equal(bgp_session_accept(&s, now, &todo), 0);
	open_of(0, 1, 90, false);
	assert_int_equal(bgp_session_accept(&s, now, &todo), 1);
	open_of(1, 1, 90, false);
	assert_todo(BGP_DO_NOTICE | BGP_DO_DROP, BGP_DO_KEEPALIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_established, set_up),
		cmocka_unit_test_setup(test_bad_open, set_up),
		cmocka_unit_test_setup(test_refused_connections, set_up),
		cmocka_unit_test_setup(test_connect_retry, set_up),
		cmocka_unit_test_setup(test_damping, set_up),
		cmocka_unit_test_setup(test_stop, set_up),
		cmocka_unit_test_setup(test_passive, set_up),
		cmocka_unit_test_setup(test_collision, set_up),
		cmocka_unit_test_setup(test_collision_of_equals, set_up),
		cmocka_unit_test_setup(test_attempt_beside_a_session, set_up),
		cmocka_unit_test_setup(test_no_place, set_up),
		cmocka_unit_test_setup(test_collision_with_a_session, set_up),
		cmocka_unit_test_setup(test_graceful_return, set_up),
		cmocka_unit_test_setup(test_two_of_theirs, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
