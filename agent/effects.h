/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * effects.h - what the agent brings about outside of itself, a row each: does it hold what is
 * wanted, what waits, and when is what was refused tried again?
 */
#pragma once

#include "agent/sync.h"

struct loop;
struct loop_source;

/* enum effect_kind - in the order in which they are brought about */
enum effect_kind { EFFECT_TABLE, EFFECT_ROUTES, EFFECT_JOURNAL, _EFFECT_MAX };

typedef void effect_problem_fn(void *arg, const char *text);

/*
 * struct effect - one of them
 * @name:     In the log and before its problems
 * @sync:     Its state
 * @needed:   No ADD can be served without it
 * @kernel:   It is part of the kernel's state
 * @arg:      First argument of the functions
 * @pending:  Operations not acknowledged; NULL: it counts none
 * @keys:     Walk its refused keys, each with its problem; NULL: that of @sync says it all
 * @retry_at: When something else of it is to be tried again; NULL: never
 */
struct effect {
	const char *name;
	struct sync *sync;
	bool needed, kernel;
	void *arg;
	size_t (*pending)(void *arg);
	void (*keys)(void *arg, effect_problem_fn *fn, void *fn_arg);
	uint64_t (*retry_at)(void *arg);
};

/* struct effects - embedded in the agent; @retry: the timer of all of them */
struct effects {
	struct loop *loop;
	struct loop_source *retry;
	struct effect row[_EFFECT_MAX];
};

const char *effects_problem(const struct effects *e);
bool effects_in_sync(const struct effects *e, const char **ret_problem);
size_t effects_pending(const struct effects *e);
void effects_arm_retry(const struct effects *e);
void effects_refused(const struct effects *e, enum effect_kind kind, const struct err *why);
void effects_each_problem(const struct effects *e, effect_problem_fn *fn, void *arg);
