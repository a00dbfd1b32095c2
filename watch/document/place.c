// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * place.c - take the line out of a message.  Pure.
 */
#include "watch/document/place.h"

#include <inttypes.h>

#define LINE_DIGITS_MAX 9

/* "line N: " at the beginning */
static uint32_t take_front(char *msg)
{
	static const char word[] = "line ";
	size_t digits = str_starts(msg, word) ? strspn(msg + strlen(word), "0123456789") : 0;
	const char *rest = msg + strlen(word) + digits;
	uint32_t line;

	if (digits == 0 || digits > LINE_DIGITS_MAX || !str_starts(rest, ": "))
		return 0;
	line = (uint32_t)strtoul(msg + strlen(word), NULL, 10);
	memmove(msg, rest + 2, strlen(rest + 2) + 1);
	return line;
}

/* " (line N)" at the end */
static uint32_t take_back(char *msg)
{
	static const char word[] = " (line ";
	char *last = NULL;
	size_t digits;

	for (char *p = strstr(msg, word); p; p = strstr(p + 1, word))
		last = p;
	digits = last ? strspn(last + strlen(word), "0123456789") : 0;
	if (digits == 0 || digits > LINE_DIGITS_MAX || !streq(last + strlen(word) + digits, ")"))
		return 0;
	*last = '\0';
	return (uint32_t)strtoul(last + strlen(word), NULL, 10);
}

/**
 * place_take_line() - Cut the line out of a message
 * @msg: "line N: text" or "text (line N)"; becomes "text"
 *
 * Return: the line; 0 when @msg names none
 */
uint32_t place_take_line(char *msg)
{
	uint32_t line = take_front(msg);

	return line ? line : take_back(msg);
}

/**
 * err_place() - Name the file in a message
 * @e:    Recorded error or NULL; becomes "FILE:N: text", or "FILE: text" when it names no line
 * @file: Name of the file
 *
 * Return: the code recorded, 0 for NULL
 */
int err_place(struct err *e, const char *file)
{
	uint32_t line;

	if (!e)
		return 0;
	line = place_take_line(e->msg);
	if (line == 0)
		return err_prefix(e, "%s: ", file);
	return err_prefix(e, "%s:%" PRIu32 ": ", file, line);
}
