/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * must.h - what has to hold in a fuzz target, sanitizers or not.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define must(condition)                                                                   \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
				#condition);                                              \
			abort();                                                          \
		}                                                                         \
	} while (0)
