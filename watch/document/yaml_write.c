// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * yaml_write.c - write a value as YAML in block style: what is read back is the
 * same, whoever reads it.  Comments and anchors are not in a value, and are lost.  Pure.
 */
#include "watch/document/yaml_write.h"

#include <ctype.h>
#include <inttypes.h>

#include "lib/jsonw.h"
#include "watch/document/yaml_scalar.h"

#define INDENT 2

/*
 * A text that every reader takes for a string without quotes.  What begins with a digit may be a
 * number, a date or a time to some.
 */
static bool is_plain(const char *s)
{
	struct yaml_scalar scalar;
	size_t n = strlen(s);

	if (!n || !(isalpha((unsigned char)s[0]) || s[0] == '/') || strchr(" :", s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("_./+-@ :", s[i]))
			return false;
	if (strstr(s, ": "))
		return false;
	yaml_scalar_resolve(s, n, &scalar);
	return scalar.type == VALUE_STRING;
}

/**
 * yaml_write_str() - Write a string, in quotes where it needs some
 * @out: Appended to
 * @s:   String
 */
void yaml_write_str(struct buf *out, const char *s)
{
	struct jsonw w = {.out = out};

	if (is_plain(s))
		buf_puts(out, s);
	else
		jsonw_str(&w, NULL, s); /* which is YAML as well */
}

static void put_scalar(struct buf *out, const struct value *v)
{
	switch (v->type) {
	case VALUE_BOOL:
		buf_puts(out, v->boolean ? "true" : "false");
		return;
	case VALUE_INT:
		buf_printf(out, "%" PRId64, v->integer);
		return;
	case VALUE_NUMBER:
		buf_puts(out, v->text);
		return;
	case VALUE_STRING:
		yaml_write_str(out, v->text);
		return;
	case VALUE_SEQ:
		buf_puts(out, "[]");
		return;
	case VALUE_MAP:
		buf_puts(out, "{}");
		return;
	case VALUE_NULL:
	case _VALUE_MAX:
		buf_puts(out, "null");
		return;
	}
}

static bool is_block(const struct value *v)
{
	return (v->type == VALUE_MAP || v->type == VALUE_SEQ) && v->n;
}

static void indent(struct buf *out, size_t by)
{
	buf_printf(out, "%*s", (int)by, "");
}

/* The lines of a map or list; the first one has its indentation already. */
static void put_block(struct buf *out, const struct value *v, size_t by)
{
	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *inside = v->type == VALUE_MAP ? v->entry[i].value : v->items[i];

		if (i)
			indent(out, by);
		if (v->type == VALUE_SEQ) {
			buf_puts(out, "- ");
		} else {
			yaml_write_str(out, v->entry[i].key);
			buf_puts(out, is_block(inside) ? ":\n" : ": ");
			if (is_block(inside))
				indent(out, by + INDENT);
		}
		if (is_block(inside)) {
			put_block(out, inside, by + INDENT);
		} else {
			put_scalar(out, inside);
			buf_putc(out, '\n');
		}
	}
}

/**
 * yaml_write() - Write a value and all below it as one document
 * @out: Appended to, whole lines
 * @v:   Value; its depth is bounded by VALUE_DEPTH_MAX
 */
void yaml_write(struct buf *out, const struct value *v)
{
	if (is_block(v)) {
		put_block(out, v, 0);
	} else {
		put_scalar(out, v);
		buf_putc(out, '\n');
	}
}
