// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * util.c - allocation that aborts instead of failing, and cleanup for descriptors.
 */
#include "lib/util.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/outlet.h"

static _noreturn_ void out_of_memory(void)
{
	static const char msg[] = "out of memory, aborting\n";

	(void)outlet_write(msg, sizeof(msg) - 1);
	abort();
}

/**
 * xmalloc() - Allocate memory or abort
 * @size: Bytes; 0 is allowed and gives a pointer that can be freed
 *
 * Return: memory with undefined contents, never NULL
 */
void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

/**
 * xcalloc() - Allocate a zeroed array or abort
 * @n:    Items
 * @size: Bytes an item; a product that overflows aborts
 *
 * Return: zeroed memory, never NULL
 */
void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

/**
 * xrealloc() - Resize an array or abort
 * @p:    Array or NULL
 * @n:    Items wanted
 * @size: Bytes an item; a product that overflows aborts
 *
 * Return: the array, moved or not, never NULL
 */
void *xrealloc(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n ? n : 1, size ? size : 1);

	if (!q)
		out_of_memory();
	return q;
}

/**
 * xstrdup() - Copy a string or abort
 * @s: NUL-terminated string
 *
 * Return: a copy to be freed, never NULL
 */
char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

/**
 * xstrndup() - Copy at most @n bytes of a string or abort
 * @s: String; need not be terminated within @n bytes
 * @n: Bytes to copy at most
 *
 * Return: a NUL-terminated copy to be freed, never NULL
 */
char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

/**
 * xmemdup() - Copy bytes or abort
 * @p:    Source
 * @size: Bytes
 *
 * Return: a copy to be freed, never NULL
 */
void *xmemdup(const void *p, size_t size)
{
	void *q = xmalloc(size);

	if (size)
		memcpy(q, p, size);
	return q;
}

/**
 * xasprintf() - Format into fresh memory or abort
 * @fmt: printf format
 *
 * Return: a string to be freed, never NULL
 */
char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return s;
}

/**
 * closep() - Cleanup for a local descriptor: _cleanup_(closep) int fd = -1;
 * @fd: Descriptor or -1
 */
void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
