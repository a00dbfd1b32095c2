/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leaks.h - addresses of pods whose interface is gone and whose DEL does not come.
 */
#pragma once

#include "lib/buf.h"
#include "lib/util.h"

struct agent;
struct attachment;
struct loop_source;

#define LEAK_GRACE_USEC (30 * USEC_PER_SEC) /* for the DEL; runtimes send it within seconds */

enum leak {
	LEAK_WAITS, /* for its DEL, until the grace is over */
	LEAK_STAYS, /* its pod may go on without the interface: nobody else may have its address */
	LEAK_FREE,  /* nothing can use the address any more */
	_LEAK_MAX
};

enum leak leak_judge(uint64_t gone, uint64_t now, bool netns_exists, bool pod_exists);

void leaks_watch(struct agent *a);
void leaks_begin(struct agent *a);
void leaks_each(const struct agent *a, void (*fn)(void *arg, const char *text), void *arg);
void leaks_put_metrics(const struct agent *a, struct buf *out);
