// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_places.c - who is let in, who has to go, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/report/places.h"

static const struct addr here = {AF_INET, {127, 0, 0, 1}};
static const struct addr here6 = {AF_INET6, {[15] = 1}};
static const struct addr far = {AF_INET, {192, 0, 2, 1}};
static const struct addr near = {AF_INET, {192, 0, 2, 2}};

/* One more, at @now; who has to go for it goes.  Gives that one's descriptor; 0: nobody. */
static int come(struct places *s, int fd, const struct addr *peer, uint64_t now)
{
	struct place *mine = places_take(s, fd, peer, now), *p;
	int gone = 0;

	assert_non_null(mine);
	p = places_victim(s, mine);
	if (p) {
		gone = p->fd;
		assert_ptr_not_equal(p, mine);
		*p = (struct place){0};
	}
	return gone;
}

static void the_one_that_waits_longest_goes(void **state _unused_)
{
	struct places s = {0};
	int fd = 1;

	for (; fd <= PLACES_MAX; fd++)
		assert_int_equal(come(&s, fd, fd % 2 ? &here : &here6, (uint64_t)fd), 0);
	assert_int_equal(come(&s, fd++, &here, 1000), 1);
	assert_int_equal(come(&s, fd++, &far, 1000), 2);
	/* An answer was complete: it waits since then. */
	s.p[2].since = 2000;
	assert_int_equal(s.p[2].fd, 3);
	assert_int_equal(come(&s, fd++, &here, 2001), 4);
}

static void an_address_has_few_places(void **state _unused_)
{
	struct places s = {0};
	int fd = 1;

	assert_int_equal(come(&s, 100, &near, 0), 0);
	assert_int_equal(come(&s, 101, &here, 0), 0);
	for (; fd <= PLACES_PER_ADDRESS; fd++)
		assert_int_equal(come(&s, fd, &far, (uint64_t)fd), 0);
	for (int i = 1; i < 50; i++, fd++)
		assert_int_equal(come(&s, fd, &far, (uint64_t)fd), i);
	assert_int_equal(come(&s, 102, &near, 1000), 0);
}

/* Those told to end hold a place for a moment. */
static void those_that_end_do_not_count(void **state _unused_)
{
	struct places s = {0};
	struct place *mine;

	for (int fd = 1; fd <= PLACES_MAX; fd++)
		assert_int_equal(come(&s, fd, &here, (uint64_t)fd), 0);
	mine = places_take(&s, 500, &here, 500);
	places_victim(&s, mine)->fd = -1;
	assert_null(places_victim(&s, mine));
	for (int i = PLACES_MAX + 1; i < 2 * PLACES_MAX; i++) {
		mine = places_take(&s, 500 + i, &here, 500);
		places_victim(&s, mine)->fd = -1;
	}
	assert_null(places_take(&s, 999, &here, 999));
}

static void a_request_has_its_time(void **state _unused_)
{
	struct places s = {0};
	const uint64_t began = 7 * USEC_PER_SEC;

	assert_int_equal(places_deadline(&s), USEC_INFINITY);
	assert_null(places_overdue(&s, USEC_INFINITY - 1));
	(void)come(&s, 4, &here, began + 1);
	(void)come(&s, 3, &here, began);
	assert_int_equal(places_deadline(&s), began + PLACES_USEC);
	assert_null(places_overdue(&s, began + PLACES_USEC - 1));
	assert_int_equal(places_overdue(&s, began + PLACES_USEC)->fd, 3);
	places_overdue(&s, began + PLACES_USEC)->fd = -1;
	assert_null(places_overdue(&s, began + PLACES_USEC));
	assert_int_equal(places_deadline(&s), began + 1 + PLACES_USEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_that_waits_longest_goes),
		cmocka_unit_test(an_address_has_few_places),
		cmocka_unit_test(those_that_end_do_not_count),
		cmocka_unit_test(a_request_has_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
