// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_sync.c - agreement with the kernel, and the back-off after a refusal.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/sync.h"

static void unknown_is_not_agreed(void **state _unused_)
{
	struct sync s = {0};

	assert_false(s.ok);
	assert_true(sync_may_try(&s, 0));
	sync_succeeded(&s);
	assert_true(s.ok);
}

static void back_off_doubles_up_to_a_limit(void **state _unused_)
{
	struct err e = {.code = -EIO, .msg = "no"};
	struct sync s = {0};
	uint64_t now = 1000, wait = SYNC_RETRY_MIN_USEC;

	for (int i = 0; i < 20; i++) {
		sync_failed(&s, "nft", &e, now);
		assert_false(s.ok);
		assert_string_equal(s.problem, "nft: no");
		assert_false(sync_may_try(&s, now + wait - 1));
		assert_true(sync_may_try(&s, now + wait));
		now += wait;
		wait = MIN(wait * 2, SYNC_RETRY_MAX_USEC);
	}
	assert_int_equal(wait, SYNC_RETRY_MAX_USEC);
}

static void success_forgets_the_back_off(void **state _unused_)
{
	struct err e = {.code = -EIO, .msg = "no"};
	struct sync s = {0};

	sync_failed(&s, "nft", &e, 0);
	sync_failed(&s, "nft", &e, 0);
	sync_succeeded(&s);
	assert_true(s.ok);
	assert_string_equal(s.problem, "");
	assert_true(sync_may_try(&s, 0));
	sync_failed(&s, "nft", &e, 0);
	assert_false(s.ok);
	assert_true(sync_may_try(&s, SYNC_RETRY_MIN_USEC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_is_not_agreed),
		cmocka_unit_test(back_off_doubles_up_to_a_limit),
		cmocka_unit_test(success_forgets_the_back_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
