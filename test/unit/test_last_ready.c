// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_last_ready.c - for how long an agent that went away still counts as ready.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/cni/last_ready.h"

#define BOOT  "01234567-89ab-cdef-0123-456789abcdef"
#define OTHER "01234567-89ab-cdef-0123-456789abcde0"
#define S     USEC_PER_SEC

static uint64_t left(uint64_t at, uint64_t grace, uint64_t now)
{
	char text[LAST_READY_LEN + 1];

	last_ready_print(BOOT, at, grace, text);
	assert_int_equal(strlen(text), LAST_READY_LEN);
	return last_ready_left(text, LAST_READY_LEN, BOOT, now);
}

static void within_the_grace(void **state _unused_)
{
	assert_int_equal(left(100 * S, 120 * S, 100 * S), 120 * S);
	assert_int_equal(left(100 * S, 120 * S, 219 * S), S);
	assert_int_equal(left(100 * S, 120 * S, 220 * S - 1), 1);
	assert_int_equal(left(0, 120 * S, 0), 120 * S);
	assert_int_equal(left(UINT64_MAX - 5, 10, UINT64_MAX), 5);
}

static void beyond_it(void **state _unused_)
{
	assert_int_equal(left(100 * S, 120 * S, 220 * S), 0);
	assert_int_equal(left(100 * S, 120 * S, UINT64_MAX), 0);
	assert_int_equal(left(100 * S, 0, 100 * S), 0);
	/* of the future; a grace that nobody may configure */
	assert_int_equal(left(100 * S, 120 * S, 100 * S - 1), 0);
	assert_int_equal(left(100 * S, LAST_READY_GRACE_MAX, 100 * S), LAST_READY_GRACE_MAX);
	assert_int_equal(left(100 * S, LAST_READY_GRACE_MAX + 1, 100 * S), 0);
}

/* Every byte counts, and so does their number. */
static void anything_else(void **state _unused_)
{
	char text[LAST_READY_LEN + 1];

	last_ready_print(BOOT, 100 * S, 120 * S, text);
	assert_int_equal(last_ready_left(text, LAST_READY_LEN, OTHER, 100 * S), 0);
	assert_int_equal(last_ready_left(text, LAST_READY_LEN, "", 100 * S), 0);
	for (size_t len = 0; len < LAST_READY_LEN; len++)
		assert_int_equal(last_ready_left(text, len, BOOT, 100 * S), 0);
	for (size_t i = 0; i < LAST_READY_LEN; i++) {
		char kept = text[i];

		text[i] = 'x';
		assert_int_equal(last_ready_left(text, LAST_READY_LEN, BOOT, 100 * S), 0);
		text[i] = kept;
	}
	text[LAST_READY_LEN - 2] = '1'; /* half of a write: the two times differ */
	assert_int_equal(last_ready_left(text, LAST_READY_LEN, BOOT, 100 * S), 0);
	memset(text + 37, '9', 20); /* more than 64 bits */
	memset(text + 37 + 42, '9', 20);
	assert_int_equal(last_ready_left(text, LAST_READY_LEN, BOOT, UINT64_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_the_grace),
		cmocka_unit_test(beyond_it),
		cmocka_unit_test(anything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
