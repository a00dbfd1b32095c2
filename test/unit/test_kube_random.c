// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kube_random.c - the whole source against a model of the API server, by chance: whatever
 * happens, what is in force is what the server has once it is quiet, and nothing that is needed and
 * was there all the time is ever removed, nothing goes back to an older version.
 *
 * `test_kube_random SEED` runs that one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/unit/api_world.h"

#include "test/unit/api_model.h"
#include "test/unit/kube_history.h"

enum { SEEDS = 300, STEPS = 600 };
static uint64_t first_seed = 1, seeds = SEEDS;

static void run(struct world *w)
{
	for (int i = 0; i < STEPS; i++) {
		happen(w);
		if (i % 200 == 199)
			set_back(w);
	}
}

static void random_histories(void **state _unused_)
{
	char kubeconfig[] = "/tmp/manx-test-XXXXXX";

	history_kubeconfig(kubeconfig);
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct world w = {.seed = seed};

		model_init(&w.m, seed);
		history_begin(&w, kubeconfig);
		run(&w);
		history_end(&w);
	}
	(void)unlink(kubeconfig);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_histories)};

	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 10);
		seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	}
	log_set_level(LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
