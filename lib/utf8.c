// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * utf8.c - validation of text from outside, after RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF.
 */
#include "lib/utf8.h"

/* Length of the sequence at @p, 0 if it is malformed or runs past @end. */
static size_t sequence(const unsigned char *p, const unsigned char *end)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (!n || p[0] > 0xf4 || (size_t)(end - p) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/**
 * utf8_valid() - Test whether bytes are UTF-8
 * @s:   Bytes; NUL counts as a character
 * @len: Number of bytes
 *
 * Time: O(len).  Source: RFC 3629, section 4.
 *
 * Return: true if they are
 */
bool utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + len;

	while (p < end) {
		size_t n = sequence(p, end);

		if (!n)
			return false;
		p += n;
	}
	return true;
}

/* Of eight ASCII bytes only a NUL gets its highest bit when one is taken from each. */
static bool eight_plain(const char *s)
{
	const uint64_t high = 0x8080808080808080, ones = 0x0101010101010101;
	uint64_t word;

	memcpy(&word, s, sizeof(word));
	return !((word | (word - ones)) & high);
}

/**
 * utf8_plain() - Test whether bytes are ASCII without NUL, as nearly all names are
 * @s:   Bytes
 * @len: Number of bytes
 *
 * Time: O(len), eight at once.
 *
 * Return: true if they are: valid UTF-8, and a string of @len bytes
 */
bool utf8_plain(const char *s, size_t len)
{
	if (len >= 8) {
		for (size_t i = 0; i < len - 8; i += 8)
			if (!eight_plain(s + i))
				return false;
		return eight_plain(s + len - 8);
	}
	for (size_t i = 0; i < len; i++)
		if ((signed char)s[i] <= 0)
			return false;
	return true;
}

/**
 * utf8_mend() - Replace every byte that is not part of a character
 * @s: Text; with '?' in their places afterwards
 */
void utf8_mend(char *s)
{
	const char *end = s + strlen(s);

	while (s < end) {
		size_t n = sequence((const unsigned char *)s, (const unsigned char *)end);

		if (!n)
			*s = '?';
		s += MAX(n, 1);
	}
}

/**
 * utf8_cut() - Shorten a text for a message without splitting a character
 * @s:   Valid UTF-8
 * @len: Its bytes
 * @max: Bytes to keep at most
 *
 * Return: the number of bytes to keep
 */
size_t utf8_cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}
