// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_effects.c - one key refused is a problem, and no reason to serve no pod; a whole effect is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

#include "agent/effects.h"

struct world {
	struct effects e;
	struct sync sync[_EFFECT_MAX];
	char said[200];
};

static size_t two_wait(void *arg _unused_)
{
	return 2;
}

static void one_key(void *arg _unused_, effect_problem_fn *fn, void *fn_arg)
{
	fn(fn_arg, "nft: this key");
}

static void say(void *arg, const char *text)
{
	struct world *w = arg;
	size_t len = strlen(w->said);

	(void)snprintf(w->said + len, sizeof(w->said) - len, "%s;", text);
}

static void setup(struct world *w)
{
	*w = (struct world){0};
	for (size_t i = 0; i < _EFFECT_MAX; i++) {
		w->e.row[i] = (struct effect){.sync = &w->sync[i],
					      .kernel = i != EFFECT_JOURNAL,
					      .needed = i != EFFECT_ROUTES,
					      .pending = two_wait};
		sync_succeeded(&w->sync[i]);
	}
	w->e.row[EFFECT_TABLE].keys = one_key;
}

static const char *problems(struct world *w)
{
	w->said[0] = '\0';
	effects_each_problem(&w->e, say, w);
	return w->said;
}

static void all_is_well(void **state _unused_)
{
	const char *problem;
	struct world w;

	setup(&w);
	assert_true(effects_in_sync(&w.e, &problem));
	assert_null(effects_problem(&w.e));
	assert_string_equal(problems(&w), "");
	assert_int_equal(effects_pending(&w.e), 2 * _EFFECT_MAX);
}

static void a_key_is_refused(void **state _unused_)
{
	const struct err e = {-EINVAL, "this key, and more"};
	const char *problem;
	struct world w;

	setup(&w);
	sync_partly(&w.sync[EFFECT_TABLE], "nft", &e, 0);
	assert_false(effects_in_sync(&w.e, &problem));
	assert_string_equal(problem, "nft: this key, and more");
	assert_null(effects_problem(&w.e));
	assert_string_equal(problems(&w), "nft: this key;");
	assert_false(sync_is_stuck(&w.sync[EFFECT_TABLE]));
}

/* Routes to other nodes are no reason to serve no pod, and a disk is none of the kernel's. */
static void an_effect_fails(void **state _unused_)
{
	static const bool needed[] = {true, false, true}, kernel[] = {true, true, false};
	const struct err e = {-EIO, "broken"};

	for (size_t i = 0; i < _EFFECT_MAX; i++) {
		const char *problem;
		struct world w;

		setup(&w);
		sync_failed(&w.sync[i], "x", &e, 0);
		assert_int_equal(!effects_in_sync(&w.e, &problem), kernel[i]);
		assert_string_equal(problem, kernel[i] ? "x: broken" : "");
		assert_int_equal(effects_problem(&w.e) != NULL, needed[i]);
		assert_string_equal(problems(&w), "x: broken;");
		assert_true(sync_is_stuck(&w.sync[i]));
		sync_goes_on(&w.sync[i]);
		assert_false(sync_is_stuck(&w.sync[i]));
	}
}

/* A start that has not come so far is no problem to report, but no pod can be served. */
static void what_was_not_tried_yet(void **state _unused_)
{
	const char *problem;
	struct world w;

	setup(&w);
	w.sync[EFFECT_TABLE] = (struct sync){0};
	assert_false(effects_in_sync(&w.e, &problem));
	assert_string_equal(effects_problem(&w.e), "");
	assert_string_equal(problems(&w), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(a_key_is_refused),
		cmocka_unit_test(an_effect_fails),
		cmocka_unit_test(what_was_not_tried_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
