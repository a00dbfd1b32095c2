// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * base64.c - four characters are three bytes.  Pure.
 */
#include "lib/base64.h"

#include <errno.h>

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/**
 * base64_decode() - Decode a text
 * @text: Text; spaces and line ends are skipped, and "=" ends it
 * @len:  Its bytes
 * @ret:  Appended to
 *
 * Source: RFC 4648, section 4.
 *
 * Return: 0; -EINVAL for any other character, and for a length that cannot be
 */
int base64_decode(const char *text, size_t len, struct buf *ret)
{
	size_t n = 0, padding = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		int v = value_of(text[i]);

		if (text[i] && strchr(" \t\r\n", text[i]))
			continue;
		if (text[i] == '=') {
			padding++;
			continue;
		}
		if (v < 0 || padding)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)v;
		if (n++ % 4)
			buf_putc(ret, (char)(bits >> (6 - 2 * ((n - 1) % 4))));
	}
	return n % 4 == 1 || padding > 2 || (padding && (n + padding) % 4) ? -EINVAL : 0;
}
