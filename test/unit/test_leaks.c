// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_leaks.c - when the addresses of a sandbox that is gone are freed; what the log says once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/cni/complaints.h"
#include "agent/leaks.h"

#define S USEC_PER_SEC

static void after_the_grace(void **state _unused_)
{
	const uint64_t gone = 100 * S, over = gone + LEAK_GRACE_USEC;

	/* Nothing is there any more. */
	assert_int_equal(leak_judge(gone, gone, false, false), LEAK_WAITS);
	assert_int_equal(leak_judge(gone, over - 1, false, false), LEAK_WAITS);
	assert_int_equal(leak_judge(gone, over, false, false), LEAK_FREE);
	/* The pod's next sandbox has addresses of its own. */
	assert_int_equal(leak_judge(gone, over - 1, false, true), LEAK_WAITS);
	assert_int_equal(leak_judge(gone, over, false, true), LEAK_FREE);
	/* The sandbox is stale. */
	assert_int_equal(leak_judge(gone, over - 1, true, false), LEAK_WAITS);
	assert_int_equal(leak_judge(gone, over, true, false), LEAK_FREE);
	/* A pod that runs, without the interface that somebody took. */
	assert_int_equal(leak_judge(gone, UINT64_MAX, true, true), LEAK_STAYS);
}

static void once_is_enough(void **state _unused_)
{
	struct complaints c = {0};

	assert_true(complaint_is_new(&c, "ADD", "default/web", "no", 0));
	assert_false(complaint_is_new(&c, "ADD", "default/web", "no", 0));
	assert_false(complaint_is_new(&c, "ADD", "default/web", "no", COMPLAINTS_REST - 1));
	assert_true(complaint_is_new(&c, "ADD", "default/web", "no", COMPLAINTS_REST));
	assert_false(complaint_is_new(&c, "ADD", "default/web", "no", COMPLAINTS_REST + 1));
	/* Any of the three makes another. */
	assert_true(complaint_is_new(&c, "DEL", "default/web", "no", S));
	assert_true(complaint_is_new(&c, "ADD", "default/api", "no", S));
	assert_true(complaint_is_new(&c, "ADD", "default/web", "never", S));
}

static void the_oldest_is_forgotten(void **state _unused_)
{
	struct complaints c = {0};
	char pod[32];

	for (int i = 0; i < COMPLAINTS_MAX + 1; i++) {
		(void)snprintf(pod, sizeof(pod), "default/%d", i);
		assert_true(complaint_is_new(&c, "ADD", pod, "no", S));
	}
	assert_false(complaint_is_new(&c, "ADD", "default/1", "no", S));
	assert_true(complaint_is_new(&c, "ADD", "default/0", "no", S));
}

static void which_pod_it_was(void **state _unused_)
{
	static const struct {
		const char *args, *expected;
	} cases[] = {
		{NULL, "/"},
		{"", "/"},
		{"K8S_POD_NAME=web", "/web"},
		{"IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;X=y", "shop/web"},
		{"XK8S_POD_NAME=no;K8S_POD_NAMES=no;K8S_POD_NAME=web\n\"", "/web?\""},
	};
	char pod[COMPLAINT_POD_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(complaint_pod(cases[i].args, pod), cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_the_grace),
		cmocka_unit_test(once_is_enough),
		cmocka_unit_test(the_oldest_is_forgotten),
		cmocka_unit_test(which_pod_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
