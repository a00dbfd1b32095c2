/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * last_ready.h - <run-dir>/last-ready: when an agent was last ready, for the plugin while there is
 * none and for the agent that comes next.  Pure.
 *
 * One line of LAST_READY_LEN bytes, written over in place: the id of the boot, the time, the grace
 * and the time again; times are CLOCK_BOOTTIME in microseconds, which no clock step changes and
 * suspend does not stop.  A reader that met a write finds two different times, and reads again.
 */
#pragma once

#include "lib/util.h"

#define LAST_READY_NAME	     "last-ready"
#define BOOT_ID_LEN	     36 /* characters of /proc/sys/kernel/random/boot_id */
#define LAST_READY_LEN	     100
#define LAST_READY_GRACE_MAX (3600 * USEC_PER_SEC)

void last_ready_print(const char *boot_id, uint64_t at, uint64_t grace,
		      char ret[static LAST_READY_LEN + 1]);
uint64_t last_ready_left(const char *text, size_t len, const char *boot_id, uint64_t now);
