/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jsonw.h - write JSON into a buffer: commas and escapes, nothing more.
 *
 *	struct jsonw w = {.out = &buf};
 *	jsonw_begin(&w, NULL, '{');
 *	jsonw_str(&w, "name", pod->name);
 *	jsonw_begin(&w, "ips", '[');
 *	jsonw_str(&w, NULL, "10.0.0.1");
 *	jsonw_end(&w, ']');
 *	jsonw_end(&w, '}');
 *
 * Every call takes the key, or NULL inside an array and at the root.
 */
#pragma once

#include "lib/buf.h"

struct jsonw {
	struct buf *out;
	bool comma; /* the next value needs one in front */
};

void jsonw_begin(struct jsonw *w, const char *key, char open);
void jsonw_end(struct jsonw *w, char close);
void jsonw_str(struct jsonw *w, const char *key, const char *s);
void jsonw_int(struct jsonw *w, const char *key, int64_t v);
void jsonw_uint(struct jsonw *w, const char *key, uint64_t v);
void jsonw_bool(struct jsonw *w, const char *key, bool v);
void jsonw_double(struct jsonw *w, const char *key, double v);
void jsonw_null(struct jsonw *w, const char *key);
void jsonw_raw(struct jsonw *w, const char *key, const char *json);
