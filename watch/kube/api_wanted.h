/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_wanted.h - which fields of an object are kept: trees of keys, one a kind.  Pure.
 *
 * What a decoder reads must be in its kind's tree; test/unit/test_api_stream.c compares the two.
 */
#pragma once

#include "watch/object/object.h"

/*
 * struct wanted - a key; a list of them ends with one whose @key is NULL
 * @n:      Bytes of @key
 * @inside: What is wanted inside its value, of a list in each of its items; wanted_all: everything
 */
struct wanted {
	const char *key;
	size_t n;
	const struct wanted *inside;
};

extern const struct wanted wanted_all[];
extern const struct wanted wanted_of_status[];
extern const struct wanted wanted_of_bookmark[];

const struct wanted *wanted_of_kind(enum kind kind);
const struct wanted *wanted_find(const struct wanted *w, const char *key, size_t n);
