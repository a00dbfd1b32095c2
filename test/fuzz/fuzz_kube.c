// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_kube.c - any history of an API server, and of what it says when: the source must end with
 * what the server has, and keep its promises on the way (test/unit/kube_history.h).
 *
 * Input: the bytes are the chance of the model server.  A check that fails ends the process, which
 * libFuzzer takes for a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test/unit/api_world.h"

#include "test/unit/api_model.h"
#include "test/unit/kube_history.h"

#define HISTORY_MAX 1024 /* bytes: some 400 events; what is behind them is not looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of lib/log.c: each refusal would be a line. */
void log_at(enum log_level level _unused_, const char *part _unused_, const char *msg _unused_,
	    const char *fmt _unused_, ...)
{
}

bool log_enabled(enum log_level level _unused_)
{
	return false;
}

static char kubeconfig[] = "/tmp/manx-fuzz-XXXXXX";

static void remove_kubeconfig(void)
{
	(void)unlink(kubeconfig);
}

/* Once for all runs. */
static void need_kubeconfig(void)
{
	if (access(kubeconfig, F_OK) == 0)
		return;
	history_kubeconfig(kubeconfig);
	(void)atexit(remove_kubeconfig);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
#define HISTORY_MAX 1024 /* bytes: some 400 events; what is behind them is not looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {0};

	if (size < 1)
		return 0;
	w.m.bytes = data;
	w.m.left = MIN(size, HISTORY_MAX);
	model_begin(&w.m);
	need_kubeconfig();
	history_begin(&w, kubeconfig);
	while (w.m.left) {
		happen(&w);
		if (model_random(&w.m, 256) == 255)
			set_back(&w);
	}
	w.m.bytes = NULL; /* from here on by chance */
	history_end(&w);
	return 0;
}
