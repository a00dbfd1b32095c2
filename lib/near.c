// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * near.c - the distance of two words: letters put in, left out, exchanged, or two swapped, without
 * regard to case.  Pure.
 */
#include "lib/near.h"

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/**
 * near_distance() - Count the slips that make one word of another
 * @a: Word
 * @b: Word
 *
 * A slip is a letter too much, too few or another one, or two neighbours swapped (optimal string
 * alignment); upper and lower case are the same.  Time: O(product of the lengths), each of which is
 * at most NEAR_WORD_MAX.
 *
 * Return: the number, 0 for words that differ by case alone; NEAR_NOT if a word is too long
 */
unsigned int near_distance(const char *a, const char *b)
{
	size_t n = strnlen(a, NEAR_WORD_MAX + 1), m = strnlen(b, NEAR_WORD_MAX + 1);
	unsigned char d[NEAR_WORD_MAX + 1][NEAR_WORD_MAX + 1];

	if (n > NEAR_WORD_MAX || m > NEAR_WORD_MAX)
		return NEAR_NOT;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned char)j;
	for (size_t i = 1; i <= n; i++) {
		d[i][0] = (unsigned char)i;
		for (size_t j = 1; j <= m; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);
			int other = d[i - 1][j - 1] + (x != y);
			int gap = MIN(d[i - 1][j], d[i][j - 1]) + 1;

			d[i][j] = (unsigned char)MIN(other, gap);
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
				d[i][j] = (unsigned char)MIN(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}
