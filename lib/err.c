// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * err.c - fill a struct err; text from outside is made printable on the way in.
 */
#include "lib/err.h"

#include <stdio.h>

#include "lib/utf8.h"

/* Texts from outside, and those that were cut to fit, may end within a character. */
static void make_printable(char *s)
{
	utf8_mend(s);
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
}

/**
 * err_set() - Record what is wrong
 * @e:    Where to; NULL only wants the code
 * @code: -errno, not 0
 * @fmt:  Message, beginning with the path to the field
 *
 * Return: @code, so that a caller can return in the same statement
 */
int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	make_printable(e->msg);
	return code;
}

/**
 * err_prefix() - Put context in front of a recorded message
 * @e:   Recorded error or NULL
 * @fmt: What to put in front, with its own separator ("web.yaml:12: ")
 *
 * Return: the code recorded, 0 for NULL
 */
int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;
	int n;

	if (!e)
		return 0;
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->msg))
		(void)snprintf(e->msg + n, sizeof(e->msg) - n, "%s", old);
	make_printable(e->msg);
	return e->code;
}
