// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * jsonw.c - the JSON writer (RFC 8259).  Pure.
 */
#include "lib/jsonw.h"

#include <inttypes.h>

static void put_string(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 0x20)
			buf_printf(b, "\\u%04x", c);
		else
			buf_putc(b, *s);
	}
	buf_putc(b, '"');
}

static void put_key(struct jsonw *w, const char *key)
{
	if (w->comma)
		buf_putc(w->out, ',');
	w->comma = true;
	if (!key)
		return;
	put_string(w->out, key);
	buf_putc(w->out, ':');
}

/**
 * jsonw_begin() - Open an object or array
 * @w:    Writer
 * @key:  Key or NULL
 * @open: '{' or '['
 */
void jsonw_begin(struct jsonw *w, const char *key, char open)
{
	put_key(w, key);
	buf_putc(w->out, open);
	w->comma = false;
}

/**
 * jsonw_end() - Close what jsonw_begin() opened
 * @w:     Writer
 * @close: '}' or ']'
 */
void jsonw_end(struct jsonw *w, char close)
{
	buf_putc(w->out, close);
	w->comma = true;
}

/**
 * jsonw_str() - Write a string
 * @w:   Writer
 * @key: Key or NULL
 * @s:   Valid UTF-8; NULL writes null
 */
void jsonw_str(struct jsonw *w, const char *key, const char *s)
{
	put_key(w, key);
	if (s)
		put_string(w->out, s);
	else
		buf_puts(w->out, "null");
}

/**
 * jsonw_int() - Write a signed integer
 * @w:   Writer
 * @key: Key or NULL
 * @v:   Value
 */
void jsonw_int(struct jsonw *w, const char *key, int64_t v)
{
	put_key(w, key);
	buf_printf(w->out, "%" PRId64, v);
}

/**
 * jsonw_uint() - Write an unsigned integer
 * @w:   Writer
 * @key: Key or NULL
 * @v:   Value
 */
void jsonw_uint(struct jsonw *w, const char *key, uint64_t v)
{
	put_key(w, key);
	buf_printf(w->out, "%" PRIu64, v);
}

/**
 * jsonw_bool() - Write true or false
 * @w:   Writer
 * @key: Key or NULL
 * @v:   Value
 */
void jsonw_bool(struct jsonw *w, const char *key, bool v)
{
	put_key(w, key);
	buf_puts(w->out, v ? "true" : "false");
}

/**
 * jsonw_double() - Write a number with up to six decimals
 * @w:   Writer
 * @key: Key or NULL
 * @v:   Finite value
 */
void jsonw_double(struct jsonw *w, const char *key, double v)
{
	put_key(w, key);
	buf_printf(w->out, "%.6f", v);
}

/**
 * jsonw_null() - Write null
 * @w:   Writer
 * @key: Key or NULL
 */
void jsonw_null(struct jsonw *w, const char *key)
{
	put_key(w, key);
	buf_puts(w->out, "null");
}

/**
 * jsonw_raw() - Write a value that is JSON text already
 * @w:    Writer
 * @key:  Key or NULL
 * @json: Text, complete and valid
 */
void jsonw_raw(struct jsonw *w, const char *key, const char *json)
{
	put_key(w, key);
	buf_puts(w->out, json);
}
