// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * json_events.c - the callbacks of yajl's event parser.  Pure.
 *
 * Numbers keep their text; whether one is whole is seen by its form, as in 1, not 1.0 or 1e3.
 */
#include "watch/document/json_events.h"

static void *take_memory(void *ctx _unused_, size_t size)
{
	return xmalloc(size);
}

static void *resize_memory(void *ctx _unused_, void *p, size_t size)
{
	return xrealloc(p, 1, size);
}

static void give_memory(void *ctx _unused_, void *p)
{
	free(p);
}

static int on_null(void *ctx)
{
	return ((struct json_events *)ctx)->scalar(ctx, VALUE_NULL, NULL, 0);
}

static int on_boolean(void *ctx, int boolean)
{
	const char *text = boolean ? "true" : "false";

	return ((struct json_events *)ctx)->scalar(ctx, VALUE_BOOL, text, strlen(text));
}

static int on_number(void *ctx, const char *text, size_t n)
{
	bool whole = !memchr(text, '.', n) && !memchr(text, 'e', n) && !memchr(text, 'E', n);

	return ((struct json_events *)ctx)->scalar(ctx, whole ? VALUE_INT : VALUE_NUMBER, text, n);
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	return ((struct json_events *)ctx)->scalar(ctx, VALUE_STRING, text, n);
}

static int on_start_map(void *ctx)
{
	return ((struct json_events *)ctx)->begin(ctx, VALUE_MAP);
}

static int on_start_array(void *ctx)
{
	return ((struct json_events *)ctx)->begin(ctx, VALUE_SEQ);
}

static int on_key(void *ctx, const unsigned char *text, size_t n)
{
	return ((struct json_events *)ctx)->key(ctx, (const char *)text, n);
}

static int on_end(void *ctx)
{
	return ((struct json_events *)ctx)->end(ctx);
}

/**
 * json_events_parser() - Create a parser
 * @ctx: Who takes the events; must outlive it
 *
 * yajl's limits hold, and none on depth and size: those are the taker's.
 *
 * Return: the parser, for yajl_free()
 */
yajl_handle json_events_parser(struct json_events *ctx)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_start_map,
		.yajl_map_key = on_key,
		.yajl_end_map = on_end,
		.yajl_start_array = on_start_array,
		.yajl_end_array = on_end,
	};
	yajl_alloc_funcs memory = {take_memory, resize_memory, give_memory, NULL};

	return yajl_alloc(&callbacks, &memory, ctx);
}
