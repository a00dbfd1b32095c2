/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * complaints.h - what the log has said about requests of late: runtimes try again and again, and
 * once is enough.  Pure.
 */
#pragma once

#include "lib/util.h"

#define COMPLAINTS_MAX	   64			/* remembered, the newest */
#define COMPLAINTS_REST	   (600 * USEC_PER_SEC) /* then it is said again */
#define COMPLAINT_POD_SIZE 256

/* struct complaints - starts zeroed */
struct complaints {
	uint64_t key[COMPLAINTS_MAX], at[COMPLAINTS_MAX];
	size_t next;
};

bool complaint_is_new(struct complaints *c, const char *verb, const char *pod, const char *message,
		      uint64_t now);
const char *complaint_pod(const char *args, char ret[static COMPLAINT_POD_SIZE]);
