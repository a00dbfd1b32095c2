/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_events.h - yajl's event parser in the terms of value.h, for who builds documents of the
 * events (json.c) and who drops most of them (api_stream.c).
 */
#pragma once

#include <yajl/yajl_parse.h>

#include "watch/document/value.h"

/*
 * struct json_events - who takes the events; embedded first in the context of all its functions
 * @scalar: A null, boolean, number or string; its text, not ended by NUL
 * @begin:  A map or a list begins: VALUE_MAP, VALUE_SEQ
 * @key:    Of a map; its text
 * @end:    The map or list that began last ends
 *
 * All return 1, or 0 to stop the parser.
 */
struct json_events {
	int (*scalar)(void *ctx, enum value_type type, const void *text, size_t n);
	int (*begin)(void *ctx, enum value_type type);
	int (*key)(void *ctx, const char *text, size_t n);
	int (*end)(void *ctx);
};

yajl_handle json_events_parser(struct json_events *ctx);
