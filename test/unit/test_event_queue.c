// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_event_queue.c - what is told and when, by scripts of problems, answers and time; and many
 * nodes that see the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/intern.h"
#include "watch/kube/event_queue.h"

#define SECOND USEC_PER_SEC
#define MINUTE (60 * SECOND)

/* struct world - the queue under test, and its time */
struct world {
	struct event_queue *queue;
	uint64_t now;
};

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->queue = event_queue_new(42);
	w->now = 1000 * SECOND;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)event_queue_free(w->queue);
	free(w);
	assert_int_equal(intern_count(), 0);
	return 0;
}

/* --- words -------------------------------------------------------------------------------------
 */

static void tell_shared(struct world *w, const char *name, const char *uid, const char *note,
			uint64_t spread)
{
	const char *ns = intern("ns"), *n = intern(name), *u = intern(uid);
	const struct event e = {KIND_NETPOL, ns, n, u, "Wrong", note};

	event_queue_tell(w->queue, &e, spread, w->now);
	intern_put(ns);
	intern_put(n);
	intern_put(u);
}

static void tell(struct world *w, const char *name, const char *note)
{
	tell_shared(w, name, "u", note, 0);
}

static void change(struct world *w, const char *name,
		   void (*fn)(struct event_queue *q, const struct object_key *key))
{
	const char *ns = intern("ns"), *n = intern(name);

	fn(w->queue, &(struct object_key){KIND_NETPOL, ns, n});
	intern_put(ns);
	intern_put(n);
}

static bool idle(struct world *w)
{
	return event_queue_deadline(w->queue) == USEC_INFINITY;
}

/* The next one, if it comes within @within; time goes on to where it comes. */
static bool next(struct world *w, uint64_t within, struct event *ret)
{
	uint64_t until = w->now + within;

	for (int i = 0; i < 4; i++) {
		uint64_t at = event_queue_deadline(w->queue);

		if (at > until)
			return false;
		w->now = MAX(w->now, at);
		if (event_queue_next(w->queue, w->now, ret))
			return true;
	}
	fail_msg("the deadline comes, and nothing is there");
	return false;
}

static void expect(struct world *w, uint64_t within, const char *name, const char *note)
{
	struct event e;

	assert_true(next(w, within, &e));
	assert_string_equal(e.name, name);
	assert_string_equal(e.note, note);
	assert_string_equal(e.ns, "ns");
	assert_string_equal(e.reason, "Wrong");
}

static void expect_nothing(struct world *w, uint64_t within)
{
	struct event e;
	uint64_t now = w->now;

	if (next(w, within, &e))
		fail_msg("%s: %s", e.name, e.note);
	w->now = now + within;
}

static void done(struct world *w, enum event_result r)
{
	event_queue_done(w->queue, r, 0, w->now);
}

static uint64_t count(struct world *w, enum event_result r)
{
	return event_queue_counts(w->queue)[r];
}

/* --- one object --------------------------------------------------------------------------------
 */

static void a_problem_is_told_at_once_and_once(void **state)
{
	struct world *w = *state;
	struct event e;

	assert_true(idle(w));
	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	assert_true(idle(w)); /* one under way at a time */
	tell(w, "b", "x");
	assert_true(idle(w));
	assert_false(event_queue_next(w->queue, w->now + MINUTE, &e));
	change(w, "b", event_queue_gone);
	tell(w, "a", "x");
	assert_true(idle(w));
	done(w, EVENT_CREATED);
	tell(w, "a", "x");
	expect_nothing(w, 60 * MINUTE);
	assert_int_equal(count(w, EVENT_CREATED), 1);
}

static void what_stays_is_told_again_after_an_hour(void **state)
{
	struct world *w = *state;
	uint64_t first;

	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	first = w->now;
	done(w, EVENT_EXISTED);
	for (uint64_t hour = 1; hour < 4; hour++) {
		expect(w, EVENT_AGAIN_USEC, "a", "x");
		assert_int_equal(w->now, first + hour * EVENT_AGAIN_USEC);
		done(w, EVENT_CREATED);
	}
}

static void another_problem_is_told_at_once(void **state)
{
	struct world *w = *state;

	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	done(w, EVENT_CREATED);
	tell(w, "a", "y");
	expect(w, 0, "a", "y");
	done(w, EVENT_CREATED);
	expect_nothing(w, 60 * MINUTE);
}

static void what_was_repaired_is_not_told(void **state)
{
	struct world *w = *state;

	tell(w, "a", "x");
	change(w, "a", event_queue_right);
	expect_nothing(w, 180 * MINUTE);
	tell(w, "b", "x");
	expect(w, 0, "b", "x");
	done(w, EVENT_CREATED);
	change(w, "b", event_queue_right);
	expect_nothing(w, 180 * MINUTE);
}

/* Broken, repaired, broken and so on: the same is not told each time. */
static void a_problem_that_comes_and_goes(void **state)
{
	struct world *w = *state;
	uint64_t first = w->now;

	for (int i = 0; i < 100; i++) {
		struct event e;

		tell(w, "a", "x");
		if (next(w, 0, &e))
			done(w, EVENT_CREATED);
		w->now += SECOND;
		change(w, "a", event_queue_right);
	}
	assert_int_equal(count(w, EVENT_CREATED), 1);
	tell(w, "a", "x");
	expect(w, EVENT_AGAIN_USEC, "a", "x");
	assert_int_equal(w->now, first + EVENT_AGAIN_USEC);
}

static void an_object_of_the_same_name_is_another(void **state)
{
	struct world *w = *state;

	tell_shared(w, "a", "u1", "x", 0);
	expect(w, 0, "a", "x");
	done(w, EVENT_CREATED);
	change(w, "a", event_queue_gone);
	expect_nothing(w, 180 * MINUTE);
	tell_shared(w, "a", "u2", "x", 0);
	expect(w, 0, "a", "x");
	done(w, EVENT_CREATED);
	tell_shared(w, "a", "u3", "x", 0); /* its end was not seen */
	expect(w, 0, "a", "x");
}

/* --- while it is under way ---------------------------------------------------------------------
 */

static void it_changes_meanwhile(void **state)
{
	struct world *w = *state;

	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	tell(w, "a", "y");
	done(w, EVENT_CREATED);
	expect(w, 0, "a", "y");
	tell(w, "a", "z");
	done(w, EVENT_FAILED); /* of y, which nobody wants to know any more */
	expect(w, MINUTE, "a", "z");
	done(w, EVENT_CREATED);
	expect_nothing(w, 60 * MINUTE);
}

static void it_is_repaired_or_goes_meanwhile(void **state)
{
	const enum event_result results[] = {EVENT_CREATED, EVENT_FAILED};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		tell(w, "a", "x");
		expect(w, MINUTE, "a", "x");
		change(w, "a", event_queue_gone);
		done(w, results[i]);
		tell(w, "b", i ? "x" : "y");
		expect(w, MINUTE, "b", i ? "x" : "y");
		change(w, "b", event_queue_right);
		done(w, results[i]);
		expect_nothing(w, 180 * MINUTE);
	}
	tell(w, "a", "x");
	expect(w, MINUTE, "a", "x");
	event_queue_clear(w->queue);
	done(w, EVENT_CREATED);
	assert_true(idle(w));
}

/* --- failures ----------------------------------------------------------------------------------
 */

/* Each wait is longer than the bound of the one before; then it is given up for an hour. */
static void failures_are_tried_again_a_few_times(void **state)
{
	struct world *w = *state;
	uint64_t bound = EVENT_RETRY_MIN_USEC;

	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	for (int i = 1; i < EVENT_TRIES; i++) {
		uint64_t before = w->now;

		done(w, EVENT_FAILED);
		tell(w, "a", "x"); /* no news */
		assert_int_equal(count(w, EVENT_DROPPED), 0);
		expect(w, bound, "a", "x");
		assert_in_range(w->now - before, bound / 2, bound);
		bound *= 2;
	}
	done(w, EVENT_FAILED);
	assert_int_equal(count(w, EVENT_FAILED), EVENT_TRIES);
	assert_int_equal(count(w, EVENT_DROPPED), 1);
	expect_nothing(w, 60 * MINUTE);
	expect(w, 2 * MINUTE, "a", "x");
	done(w, EVENT_FAILED);
	expect(w, EVENT_RETRY_MIN_USEC, "a", "x"); /* as if for the first time */
	done(w, EVENT_CREATED);
}

static void nothing_is_sent_while_the_server_wants_to_rest(void **state)
{
	struct world *w = *state;
	uint64_t before = w->now;

	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	event_queue_done(w->queue, EVENT_FAILED, 30 * SECOND, w->now);
	tell(w, "b", "y");
	expect(w, MINUTE, "b", "y"); /* its time came first */
	assert_int_equal(w->now, before + 30 * SECOND);
	done(w, EVENT_CREATED);
	expect(w, 0, "a", "x");
}

static void what_the_server_does_not_want_is_not_tried_again(void **state)
{
	struct world *w = *state;

	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	done(w, EVENT_REFUSED);
	tell(w, "b", "x");
	expect(w, 0, "b", "x");
	done(w, EVENT_FORBIDDEN);
	expect_nothing(w, 60 * MINUTE);
	assert_int_equal(count(w, EVENT_REFUSED), 1);
	assert_int_equal(count(w, EVENT_FORBIDDEN), 1);
	assert_int_equal(count(w, EVENT_DROPPED), 0);
}

/* --- limits ------------------------------------------------------------------------------------
 */

static void a_burst_and_then_slowly(void **state)
{
	struct world *w = *state;
	uint64_t first = w->now;
	char name[16];
	struct event e;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		tell(w, name, "x");
	}
	for (uint64_t i = 0; i < 100; i++) {
		assert_true(next(w, MINUTE, &e));
		assert_int_equal(w->now - first,
				 i < EVENT_BURST ? 0 : (i - EVENT_BURST + 1) * EVENT_PERIOD_USEC);
		done(w, EVENT_CREATED);
	}
	/* Looking for something too soon costs nothing. */
	tell(w, "p0", "z");
	assert_false(event_queue_next(w->queue, w->now + EVENT_PERIOD_USEC / 2, &e));
	assert_true(next(w, EVENT_PERIOD_USEC, &e));
	done(w, EVENT_CREATED);
	/* Time brings no more than one burst back. */
	w->now += 100 * EVENT_PERIOD_USEC;
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		tell(w, name, "y");
	}
	for (int i = 0; i < EVENT_BURST; i++) {
		assert_true(next(w, 0, &e));
		done(w, EVENT_CREATED);
	}
	assert_false(next(w, EVENT_PERIOD_USEC - 1, &e));
}

/* Of the objects above the limit those go that were not heard of for longest. */
static void memory_is_bounded(void **state)
{
	struct world *w = *state;
	char name[16];

	tell(w, "old", "x");
	tell(w, "settled", "x");
	change(w, "settled", event_queue_right);
	for (int i = 0; i < EVENT_OBJECTS_MAX - 1; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		tell(w, name, "x");
		tell(w, "old", "x"); /* heard of again, and so the settled one goes */
	}
	assert_int_equal(count(w, EVENT_DROPPED), 0);
	tell(w, "one", "x");
	assert_int_equal(count(w, EVENT_DROPPED), 1); /* p0 */
	tell(w, "two", "x");
	assert_int_equal(count(w, EVENT_DROPPED), 2);
	tell(w, "old", "x");
	assert_int_equal(count(w, EVENT_DROPPED), 2); /* it is there, nothing made room for it */
	expect(w, 0, "p2", "x");
}

/* The one under way may be forgotten as well. */
static void the_one_under_way_is_forgotten(void **state)
{
	struct world *w = *state;
	char name[16];

	tell(w, "a", "x");
	expect(w, 0, "a", "x");
	for (int i = 0; i < EVENT_OBJECTS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		tell(w, name, "x");
	}
	assert_int_equal(count(w, EVENT_DROPPED), 0);
	done(w, EVENT_CREATED);
	expect(w, 0, "p0", "x");
}

/* --- many nodes --------------------------------------------------------------------------------
 */

#define NODES	 1000
#define PROBLEMS 4
#define PACE	 (20 * USEC_PER_MSEC)

/*
 * A thousand nodes see four broken policies at one moment: each is told within a second, and no
 * second has more requests than a server bears.
 */
static void many_nodes_do_not_come_at_once(void **state _unused_)
{
	static uint32_t per_second[NODES * PROBLEMS * PACE / SECOND + 2];
	uint64_t first[PROBLEMS];
	char name[2] = "0";
	uint32_t all = 0;

	memset(first, 0xff, sizeof(first));
	for (uint64_t node = 0; node < NODES; node++) {
		struct world w = {event_queue_new(node * 0x9e3779b97f4a7c15), 0};
		struct event e;

		for (int i = 0; i < PROBLEMS; i++) {
			name[0] = (char)('0' + i);
			tell_shared(&w, name, "u", "x", NODES * PACE);
		}
		for (int i = 0; i < PROBLEMS; i++) {
			assert_true(next(&w, NODES * PROBLEMS * PACE, &e));
			first[e.name[0] - '0'] = MIN(first[e.name[0] - '0'], w.now);
			assert_true(w.now / SECOND < ARRAY_SIZE(per_second));
			per_second[w.now / SECOND]++;
			done(&w, EVENT_EXISTED);
		}
		(void)event_queue_free(w.queue);
	}
	for (int i = 0; i < PROBLEMS; i++)
		assert_true(first[i] < SECOND);
	for (size_t i = 0; i < ARRAY_SIZE(per_second); i++) {
		assert_true(per_second[i] < 3 * SECOND / PACE);
		all += per_second[i];
	}
	assert_int_equal(all, NODES * PROBLEMS);
}

/* The random time is drawn once, and is short again when there is less to tell. */
static void a_spread_has_an_end(void **state)
{
	struct world *w = *state;
	uint64_t at;

	tell_shared(w, "a", "u", "x", SECOND);
	at = event_queue_deadline(w->queue);
	assert_in_range(at, w->now, w->now + SECOND - 1);
	for (int i = 0; i < 10; i++) {
		tell_shared(w, "a", "u", "x", SECOND);
		assert_int_equal(event_queue_deadline(w->queue), at);
	}
	for (int i = 0; i < 1000; i++) {
		change(w, "a", i % 2 ? event_queue_gone : event_queue_right);
		tell_shared(w, "a", "u", "x", SECOND);
	}
	expect(w, SECOND, "a", "x");
	change(w, "a", event_queue_right);
	done(w, EVENT_CREATED);
	for (int i = 0; i < 10; i++) {
		tell_shared(w, "a", "u", i % 2 ? "y" : "z", SECOND);
		expect(w, SECOND, "a", i % 2 ? "y" : "z");
		done(w, EVENT_CREATED);
	}
}

/* And an hour later not either: the more there is to tell, the more seldom it is told. */
static void nor_later(void **state)
{
	const uint64_t spread = 100 * SECOND;
	struct world *w = *state;
	uint64_t told = 0, end;
	char name[16];
	struct event e;

	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		tell_shared(w, name, "u", "x", spread);
	}
	for (end = w->now + 200 * 60 * MINUTE; next(w, end - w->now, &e); told++)
		done(w, EVENT_CREATED);
	/* In 200 hours: 200 x 200 without the spread. */
	assert_in_range(told, 200 * 60 * 60 / 100, 2 * 200 * 60 * 60 / 100);
}

/*
 * struct cluster - nodes that tell the same to one server, which keeps an event for an hour
 * @maker:  Who told it last
 * @dead:   A node that has ended; NODES: none
 * @kept:   Until when the server keeps it
 * @absent: For how long there was none
 */
struct cluster {
	struct event_queue *node[NODES];
	size_t maker, dead;
	uint64_t now, kept, absent;
	uint32_t asked;
};

static size_t first_to_ask(const struct cluster *c)
{
	uint64_t at, soonest = USEC_INFINITY;
	size_t first = 0;

	for (size_t i = 0; i < NODES; i++) {
		at = i == c->dead ? USEC_INFINITY : event_queue_deadline(c->node[i]);
		if (at < soonest) {
			soonest = at;
			first = i;
		}
	}
	return first;
}

static void ask(struct cluster *c, size_t i)
{
	struct event e;

	c->now = MAX(c->now, event_queue_deadline(c->node[i]));
	if (!event_queue_next(c->node[i], c->now, &e))
		return;
	c->asked++;
	if (c->now < c->kept) {
		event_queue_done(c->node[i], EVENT_EXISTED, 0, c->now);
		return;
	}
	event_queue_done(c->node[i], EVENT_CREATED, 0, c->now);
	c->absent += c->now - c->kept;
	c->kept = c->now + 60 * MINUTE;
	c->maker = i;
}

static void pass(struct cluster *c, uint64_t time)
{
	uint64_t until = c->now + time;
	size_t i;

	while (event_queue_deadline(c->node[i = first_to_ask(c)]) < until)
		ask(c, i);
	c->now = until;
}

static void make_cluster(struct cluster *c)
{
	*c = (struct cluster){.dead = NODES};
	for (size_t i = 0; i < NODES; i++) {
		struct world w = {event_queue_new(i * 0x9e3779b97f4a7c15), 0};

		tell_shared(&w, "a", "u", "x", NODES * PACE);
		c->node[i] = w.queue;
	}
}

/* Once all know of it, a thousand nodes ask less than three times a minute, and it is there. */
static void one_tells_and_the_others_follow(void **state _unused_)
{
	static struct cluster c;

	make_cluster(&c);
	pass(&c, 10 * MINUTE);
	assert_int_equal(c.asked, NODES);
	for (int i = 1; i < 24; i++) {
		c.asked = 0;
		c.absent = 0;
		if (i == 6 || i == 18)
			c.dead = c.maker;
		pass(&c, 60 * MINUTE);
		assert_in_range(c.asked, 1, 3 * 60);
		assert_in_range(c.absent, 0, 5 * MINUTE);
	}
	for (size_t i = 0; i < NODES; i++)
		(void)event_queue_free(c.node[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_problem_is_told_at_once_and_once),
		TEST(what_stays_is_told_again_after_an_hour),
		TEST(another_problem_is_told_at_once),
		TEST(what_was_repaired_is_not_told),
		TEST(a_problem_that_comes_and_goes),
		TEST(an_object_of_the_same_name_is_another),
		TEST(it_changes_meanwhile),
		TEST(it_is_repaired_or_goes_meanwhile),
		TEST(failures_are_tried_again_a_few_times),
		TEST(nothing_is_sent_while_the_server_wants_to_rest),
		TEST(what_the_server_does_not_want_is_not_tried_again),
		TEST(a_burst_and_then_slowly),
		TEST(memory_is_bounded),
		TEST(the_one_under_way_is_forgotten),
		TEST(many_nodes_do_not_come_at_once),
		TEST(a_spread_has_an_end),
		TEST(nor_later),
		TEST(one_tells_and_the_others_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
