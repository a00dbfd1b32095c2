// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode_path.c - the paths of fields, for messages.  Every list of every object asks for one, and
 * next to none is ever shown: printf() would take longer than the decoding.  Pure.
 */
#include "watch/object/decode_internal.h"

#define PARENT_MAX 200 /* bytes of it that are shown */

static size_t append(struct decode_path *p, size_t n, const char *s, size_t max)
{
	size_t room = MIN(max, sizeof(p->s) - 1 - n), len = strnlen(s, room);

	memcpy(p->s + n, s, len);
	p->s[n + len] = '\0';
	return n + len;
}

/**
 * decode_path() - Path of a map's entry
 * @ret:    "spec.podSelector"
 * @parent: Path of the map, of which 200 bytes are kept
 * @key:    Entry
 *
 * Return: its length
 */
size_t decode_path(struct decode_path *ret, const char *parent, const char *key)
{
	size_t n = append(ret, 0, parent, PARENT_MAX);

	n = append(ret, n, ".", 1);
	return append(ret, n, key, SIZE_MAX);
}

/**
 * decode_path_item() - Path of an item in a list
 * @ret:    "spec.containers[3]"
 * @parent: Path of the map that has the list, of which 200 bytes are kept
 * @key:    The list
 * @index:  Of the item
 */
void decode_path_item(struct decode_path *ret, const char *parent, const char *key, uint32_t index)
{
	size_t n = decode_path(ret, parent, key);
	char digits[16], *p = digits + sizeof(digits);

	*--p = '\0';
	*--p = ']';
	do
		*--p = (char)('0' + index % 10);
	while (index /= 10);
	*--p = '[';
	(void)append(ret, n, p, SIZE_MAX);
}
