// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bare.c - yajl with nothing behind it: what reading JSON costs before anybody makes use of it.
 */
#include "test/bench/bare.h"

#include "lib/util.h"

static int nothing(void *ctx _unused_)
{
	return 1;
}

static int no_boolean(void *ctx _unused_, int b _unused_)
{
	return 1;
}

static int no_text(void *ctx _unused_, const unsigned char *s _unused_, size_t n _unused_)
{
	return 1;
}

static int no_number(void *ctx _unused_, const char *s _unused_, size_t n _unused_)
{
	return 1;
}

const yajl_callbacks bare_callbacks = {
	.yajl_null = nothing,
	.yajl_boolean = no_boolean,
	.yajl_number = no_number,
	.yajl_string = no_text,
	.yajl_start_map = nothing,
	.yajl_map_key = no_text,
	.yajl_end_map = nothing,
	.yajl_start_array = nothing,
	.yajl_end_array = nothing,
};
