// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * copy.c - the format of copies: "manx-copy 1 CHECKSUM\n", then each text behind a line with its
 * length.  The checksum is of everything behind the first line.  Pure.
 */
#include "watch/folder/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/hash.h"

#define DIGITS_MAX 12 /* of a length */

/**
 * copy_done() - Free a copy, not the texts
 * @c: Copy; empty and usable again afterwards
 */
void copy_done(struct copy *c)
{
	vec_done(&c->texts);
}

/**
 * copy_append() - A text was loaded after those of the copy
 * @c:   Copy
 * @s:   Text, borrowed
 * @len: Its bytes
 *
 * Return: true; false if it is the last one already
 */
bool copy_append(struct copy *c, const char *s, size_t len)
{
	const struct copy_text *last = c->texts.n ? &c->texts.v[c->texts.n - 1] : NULL;

	if (last && last->len == len && memcmp(last->s, s, len) == 0)
		return false;
	if (last && c->texts.n == COPY_TEXTS_MAX) {
		c->texts.n--;
		memmove(&c->texts.v[1], &c->texts.v[2], (c->texts.n - 1) * sizeof(*c->texts.v));
	}
	vec_push(&c->texts, (struct copy_text){s, len});
	return true;
}

static size_t first_line(char *line, size_t size, const char *rest, size_t len)
{
	return (size_t)snprintf(line, size, "manx-copy 1 %016" PRIx64 "\n", hash_stable(rest, len));
}

/**
 * copy_pack() - Write a copy
 * @c:   Copy
 * @ret: Appended to
 */
void copy_pack(const struct copy *c, struct buf *ret)
{
	struct buf rest = {0};
	char line[64];

	buf_puts(&rest, "");
	vec_foreach (t, &c->texts) {
		buf_printf(&rest, "%zu\n", t->len);
		buf_put(&rest, t->s, t->len);
	}
	buf_put(ret, line, first_line(line, sizeof(line), rest.data, rest.len));
	buf_put(ret, rest.data, rest.len);
	buf_done(&rest);
}

/* "123\n" at *@at: the number, and *@at behind it; SIZE_MAX: that is not there. */
static size_t take_length(const char *data, size_t len, size_t *at)
{
	size_t n = 0, digits = 0;

	for (; *at < len && data[*at] >= '0' && data[*at] <= '9' && digits < DIGITS_MAX; digits++)
		n = n * 10 + (size_t)(data[(*at)++] - '0');
	if (digits == 0 || *at == len || data[*at] != '\n')
		return SIZE_MAX;
	(*at)++;
	return n;
}

/**
 * copy_unpack() - Read a copy
 * @data: Bytes
 * @len:  Their number
 * @ret:  Texts, borrowed from @data; free with copy_done(), also on failure
 *
 * Return: 0; -EBADMSG for a copy that is damaged
 */
int copy_unpack(const char *data, size_t len, struct copy *ret)
{
	const char *end = len ? memchr(data, '\n', len) : NULL;
	size_t at = end ? (size_t)(end - data) + 1 : 0;
	char line[64];

	if (!end || first_line(line, sizeof(line), data + at, len - at) != at ||
	    memcmp(line, data, at) != 0)
		return -EBADMSG;
	while (at < len) {
		size_t n = take_length(data, len, &at);

		if (n > len - at)
			return -EBADMSG;
		vec_push(&ret->texts, (struct copy_text){data + at, n});
		at += n;
	}
	return 0;
}
