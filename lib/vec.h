/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vec.h - growable typed arrays.
 *
 * VEC(T) is a struct {T *v; size_t n, cap;} that starts zeroed.  Items are reached as vec.v[i];
 * pointers into a vector hold until the next push.
 */
#pragma once

#include "lib/util.h"

#define VEC(T)                 \
	struct {               \
		T *v;          \
		size_t n, cap; \
	}

/* vec_reserve() - make room for @more items beyond those held */
#define vec_reserve(vec, more)                                                        \
	do {                                                                          \
		if ((vec)->n + (more) > (vec)->cap) {                                 \
			(vec)->cap = MAX((vec)->cap * 2, MAX((vec)->n + (more), 4));  \
			(vec)->v = xrealloc((vec)->v, (vec)->cap, sizeof(*(vec)->v)); \
		}                                                                     \
	} while (0)

/* vec_push() - append one item, amortised O(1) */
#define vec_push(vec, ...)                            \
	do {                                          \
		vec_reserve(vec, 1);                  \
		(vec)->v[(vec)->n++] = (__VA_ARGS__); \
	} while (0)

/* vec_add() - append one zeroed item and give its address */
#define vec_add(vec)                                               \
	({                                                         \
		vec_reserve(vec, 1);                               \
		memset(&(vec)->v[(vec)->n], 0, sizeof(*(vec)->v)); \
		&(vec)->v[(vec)->n++];                             \
	})

/* vec_done() - free the memory and leave an empty vector */
#define vec_done(vec)                      \
	do {                               \
		free((vec)->v);            \
		(vec)->v = NULL;           \
		(vec)->n = (vec)->cap = 0; \
	} while (0)

/* vec_foreach() - walk by pointer: vec_foreach(p, &vec) use(p); */
#define vec_foreach(p, vec) for (__auto_type p = (vec)->v; (p) && (p) < (vec)->v + (vec)->n; (p)++)

/* vec_sort() - sort by a qsort comparison */
#define vec_sort(vec, cmp)                                                 \
	do {                                                               \
		if ((vec)->n > 1)                                          \
			qsort((vec)->v, (vec)->n, sizeof(*(vec)->v), cmp); \
	} while (0)
