// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_repair.c - how often our table is repaired while somebody else keeps changing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/repair.h"

#define SEC USEC_PER_SEC

static void nothing_is_due_that_nobody_wants(void **state _unused_)
{
	struct repair r = {0};

	assert_false(repair_due(&r, 100 * SEC));
}

static void the_first_is_due_at_once_and_once(void **state _unused_)
{
	struct repair r = {0};

	repair_want(&r, 100 * SEC);
	assert_int_equal(r.at, 100 * SEC);
	assert_true(repair_due(&r, 100 * SEC));
	assert_false(repair_due(&r, 101 * SEC));
}

/* A change every millisecond, for a minute: how often is the table read? */
static void a_fight_is_answered_less_and_less(void **state _unused_)
{
	struct repair r = {0};
	uint64_t now, last = 0, pause = 0;
	int n = 0;

	for (now = 100 * SEC; now < 160 * SEC; now += USEC_PER_MSEC) {
		repair_want(&r, now);
		if (!repair_due(&r, now))
			continue;
		assert_true(now - last >= pause);
		pause = n ? now - last : 0;
		last = now;
		n++;
	}
	/* 20, 40, ... 640 ms are 1.3 s; then once a second. */
	assert_in_range(n, 60, 70);
}

/* What is wanted stays so until it is done. */
static void no_change_is_forgotten(void **state _unused_)
{
	struct repair r = {0};

	repair_want(&r, 100 * SEC);
	assert_true(repair_due(&r, 100 * SEC));
	repair_want(&r, 100 * SEC + 1);
	assert_int_equal(r.at, 100 * SEC + REPAIR_PAUSE_MIN_USEC);
	assert_false(repair_due(&r, r.at - 1));
	assert_true(repair_due(&r, r.at));
}

/* Changes that come seldom are each answered at once. */
static void no_fight_no_pause(void **state _unused_)
{
	struct repair r = {0};

	for (uint64_t now = 100 * SEC; now < 160 * SEC; now += SEC / 20) {
		repair_want(&r, now);
		assert_true(repair_due(&r, now));
	}
}

static void after_peace_it_is_as_at_first(void **state _unused_)
{
	struct repair r = {0};
	uint64_t now = 100 * SEC;

	for (int i = 0; i < 20; i++) {
		repair_want(&r, now);
		now = r.at;
		assert_true(repair_due(&r, now));
	}
	assert_int_equal(r.pause, REPAIR_PAUSE_MAX_USEC);
	now = r.at + r.pause + 1;
	repair_want(&r, now);
	assert_int_equal(r.at, now);
	assert_true(repair_due(&r, now));
	assert_int_equal(r.pause, REPAIR_PAUSE_MIN_USEC);
}

/* Until twice the pause is over, to the microsecond. */
static void when_peace_begins(void **state _unused_)
{
	for (unsigned int later = 0; later < 2; later++) {
		struct repair r = {0};
		uint64_t pause;

		repair_want(&r, 100 * SEC);
		assert_true(repair_due(&r, 100 * SEC));
		pause = r.pause;
		repair_want(&r, r.at + pause + later);
		assert_true(repair_due(&r, r.at));
		assert_int_equal(r.pause, later ? pause : 2 * pause);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_that_nobody_wants),
		cmocka_unit_test(the_first_is_due_at_once_and_once),
		cmocka_unit_test(a_fight_is_answered_less_and_less),
		cmocka_unit_test(no_change_is_forgotten),
		cmocka_unit_test(no_fight_no_pause),
		cmocka_unit_test(after_peace_it_is_as_at_first),
		cmocka_unit_test(when_peace_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
