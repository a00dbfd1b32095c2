/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - memory that is given out piece by piece and freed all at once.
 */
#pragma once

#include "lib/util.h"

struct arena_chunk;

/* struct arena - starts zeroed; @used counts the bytes given out, for limits and figures */
struct arena {
	struct arena_chunk *chunks; /* newest first */
	char *next;		    /* free space in the newest small chunk */
	size_t left;
	size_t used;
};

void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void arena_done(struct arena *a);
