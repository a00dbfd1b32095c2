/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * copy.h - the last good version of a manifest file, as it is kept on disk.  Pure.
 *
 * A copy holds texts in the order in which they were loaded: the last one with nothing wrong, and
 * those since in which some object or document was wrong.  Loaded one after the other they give
 * what was in force.  Beyond COPY_TEXTS_MAX the oldest but the first goes.
 */
#pragma once

#include "lib/buf.h"
#include "lib/vec.h"

#define COPY_TEXTS_MAX 8

/* struct copy_text - borrowed */
struct copy_text {
	const char *s;
	size_t len;
};

struct copy {
	VEC(struct copy_text) texts;
};

bool copy_append(struct copy *c, const char *s, size_t len);
void copy_pack(const struct copy *c, struct buf *ret);
int copy_unpack(const char *data, size_t len, struct copy *ret);
void copy_done(struct copy *c);
