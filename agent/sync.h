/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sync.h - does one part of the kernel's state agree with us, and when is it tried again?  Pure.
 */
#pragma once

#include "lib/err.h"

#define SYNC_RETRY_MIN_USEC (100 * USEC_PER_MSEC)
#define SYNC_RETRY_MAX_USEC (30 * USEC_PER_SEC)

/*
 * struct sync - of the table, or of the routes; starts zeroed: not known to agree
 * @ok:         The kernel holds what is wanted, as far as it was told yet
 * @partly:     But for some keys, which it refuses
 * @problem:    Unless it is @ok and not @partly: why not, for status and /readyz
 * @retry_at:   When to try again, monotonic; @retry_usec is the back-off until then
 */
struct sync {
	bool ok, partly;
	char problem[512];
	uint64_t retry_usec, retry_at;
};

void sync_succeeded(struct sync *s);
void sync_partly(struct sync *s, const char *part, const struct err *e, uint64_t now);
void sync_failed(struct sync *s, const char *part, const struct err *e, uint64_t now);
bool sync_may_try(const struct sync *s, uint64_t now);
void sync_goes_on(struct sync *s);
bool sync_is_stuck(const struct sync *s);
