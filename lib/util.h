/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * util.h - the few macros and allocation helpers that every file uses.
 *
 * Out of memory aborts: the kernel keeps forwarding and the restart reconciles, so no caller
 * carries an error path for it (ARCHITECTURE.md, "Conventions").
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a)		      (sizeof(a) / sizeof((a)[0]))
#define _cleanup_(f)		      __attribute__((cleanup(f)))
#define _printf_(f, v)		      __attribute__((format(printf, f, v)))
#define _unused_		      __attribute__((unused))
#define _noreturn_		      __attribute__((noreturn))
#define MIN(a, b)		      ((a) < (b) ? (a) : (b))
#define MAX(a, b)		      ((a) > (b) ? (a) : (b))
#define USEC_PER_SEC		      1000000ULL
#define USEC_PER_MSEC		      1000ULL
#define USEC_INFINITY		      UINT64_MAX
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

/* TAKE() - hand a pointer or descriptor on and leave @empty behind, so that cleanup skips it */
#define TAKE(p, empty)                      \
	({                                  \
		__typeof__(p) _taken = (p); \
		(p) = (empty);              \
		_taken;                     \
	})

/**
 * streq() - Compare two strings for equality
 * @a: String or NULL
 * @b: String or NULL
 *
 * Return: true if both are NULL or both hold the same bytes
 */
static inline bool streq(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

/**
 * str_starts() - Test a string for a prefix
 * @s:      String, not NULL
 * @prefix: Prefix, not NULL
 *
 * Return: true if @s begins with @prefix
 */
static inline bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/**
 * str_ends() - Test a string for a suffix
 * @s:      String, not NULL
 * @suffix: Suffix, not NULL
 *
 * Return: true if @s ends with @suffix
 */
static inline bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t size) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) _printf_(1, 2) __attribute__((malloc, returns_nonnull));

/* Cleanup for locals that hold heap memory: _cleanup_(freep) char *s = NULL; */
static inline void freep(void *p)
{
	free(*(void **)p);
}

void closep(int *fd);
