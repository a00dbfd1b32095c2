// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_share.c - what is held until a list is complete.  (More of it: test_feed.c, test_kube.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/intern.h"
#include "test/unit/sample_pod.h"
#include "watch/kube/share.h"

static void changed(void *arg _unused_, const struct object_key *key _unused_, struct object *old)
{
	(void)object_free(old);
}

static void hold(struct share *s, enum api_event event, const char *labels, uint64_t version)
{
	struct pod *pod = sample_pod("n", labels, "", "");

	share_hold(s, &(struct api_item){.event = event, .object = &pod->o, .version = version});
}

static void nothing_is_held_once_the_list_is_complete(void **state _unused_)
{
	struct share s = {.store = store_new(changed, NULL), .kind = KIND_POD, .feed = 7};

	share_forget(&s);
	hold(&s, API_ADDED, "a=1", 3);
	assert_int_equal(store_count(s.store, KIND_POD), 0);
	assert_int_equal(share_commit(&s, 4), 1);
	assert_int_equal(store_count(s.store, KIND_POD), 1);
	assert_int_equal(s.held.n, 0);

	share_forget(&s);
	hold(&s, API_ADDED, "a=1", 3); /* as it is in force: nothing to remember */
	assert_int_equal(s.held.n, 0);
	hold(&s, API_DELETED, "a=1", 5);
	assert_int_equal(share_commit(&s, 6), 1);
	assert_int_equal(store_count(s.store, KIND_POD), 0);

	share_forget(&s);
	hold(&s, API_ADDED, "a=2", 8);
	share_forget(&s); /* it broke off */
	assert_int_equal(share_commit(&s, 9), 0);
	assert_int_equal(store_count(s.store, KIND_POD), 0);
	share_forget(&s);
	(void)store_free(s.store);
	assert_int_equal(intern_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_held_once_the_list_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
