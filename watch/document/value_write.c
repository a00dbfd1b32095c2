// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * value_write.c - write a value as JSON: what was read of others goes out as it came, numbers by
 * their text, keys in their order and as often as they were there.  Pure.
 */
#include "watch/document/value_write.h"

/**
 * value_write() - Write a value and all below it
 * @w:   Where to
 * @key: Its key in an open map; NULL in a list and at the root
 * @v:   Value; its depth is bounded by VALUE_DEPTH_MAX
 */
void value_write(struct jsonw *w, const char *key, const struct value *v)
{
	switch (v->type) {
	case VALUE_BOOL:
		jsonw_bool(w, key, v->boolean);
		break;
	case VALUE_INT:
		jsonw_int(w, key, v->integer);
		break;
	case VALUE_NUMBER:
		jsonw_raw(w, key, v->text);
		break;
	case VALUE_STRING:
		jsonw_str(w, key, v->text);
		break;
	case VALUE_SEQ:
		jsonw_begin(w, key, '[');
		for (uint32_t i = 0; i < v->n; i++)
			value_write(w, NULL, v->items[i]);
		jsonw_end(w, ']');
		break;
	case VALUE_MAP:
		jsonw_begin(w, key, '{');
		for (uint32_t i = 0; i < v->n; i++)
			value_write(w, v->entry[i].key, v->entry[i].value);
		jsonw_end(w, '}');
		break;
	case VALUE_NULL:
	case _VALUE_MAX:
		jsonw_null(w, key);
		break;
	}
}
