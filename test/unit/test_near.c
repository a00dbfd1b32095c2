// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_near.c - the distance of two words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/near.h"

static void slips_are_counted(void **state _unused_)
{
	static const struct {
		const char *a, *b;
		unsigned int d;
	} cases[] = {
		{"", "", 0},
		{"", "ab", 2},
		{"from", "from", 0},
		{"from", "FROM", 0},
		{"from", "form", 1}, /* two swapped */
		{"from", "frm", 1},
		{"from", "froms", 1},
		{"from", "frame", 2},
		{"from", "to", 3},
		{"protocol", "protocl", 1},
		{"protocol", "ptorocol", 2}, /* further apart than neighbours */
		{"ca", "abc", 3},
		{"ab", "ba", 1},
		{"Zz@[", "zZ@[", 0},
		{"@", "`", 1}, /* beside the letters, 32 apart as these are */
		{"[", "{", 1},
		{"NetworkPolicy", "NetworkPolicies", 3},
		{"PodList", "JobList", 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (near_distance(cases[i].a, cases[i].b) != cases[i].d ||
		    near_distance(cases[i].b, cases[i].a) != cases[i].d)
			fail_msg("%s, %s: %u", cases[i].a, cases[i].b,
				 near_distance(cases[i].a, cases[i].b));
}

static void long_words_are_near_nothing(void **state _unused_)
{
	char word[NEAR_WORD_MAX + 2];

	memset(word, 'a', sizeof(word));
	word[NEAR_WORD_MAX + 1] = '\0';
	assert_int_equal(near_distance(word, word), NEAR_NOT);
	assert_int_equal(near_distance(word, ""), NEAR_NOT);
	assert_int_equal(near_distance("", word), NEAR_NOT);
	word[NEAR_WORD_MAX] = '\0';
	assert_int_equal(near_distance(word, word), 0);
	assert_int_equal(near_distance(word, ""), NEAR_WORD_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_are_counted),
		cmocka_unit_test(long_words_are_near_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
