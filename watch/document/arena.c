// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arena.c - the bump allocator behind a parsed document: chunks that double from 1 KiB to
 * 64 KiB, and a chunk of its own for every piece above a quarter of that.  Pure.
 */
#include "watch/document/arena.h"

#define CHUNK_MIN 1024
#define CHUNK_MAX (64 * 1024)
#define ALIGN	  sizeof(void *)

struct arena_chunk {
	struct arena_chunk *next;
	char data[];
};

static char *add_chunk(struct arena *a, size_t size)
{
	struct arena_chunk *c = xmalloc(sizeof(*c) + size);

	c->next = a->chunks;
	a->chunks = c;
	return c->data;
}

/**
 * arena_alloc() - Give out memory
 * @a:    Arena
 * @size: Bytes, at most SIZE_MAX / 2; 0 is allowed
 *
 * Return: memory aligned for pointers and 64-bit integers, not zeroed, valid until arena_done()
 */
void *arena_alloc(struct arena *a, size_t size)
{
	size_t rounded = (MAX(size, 1) + ALIGN - 1) / ALIGN * ALIGN;
	char *p;

	a->used += rounded;
	if (rounded > CHUNK_MAX / 4)
		return add_chunk(a, rounded);
	if (rounded > a->left) {
		a->left = MAX(MIN(a->used, CHUNK_MAX), MAX(rounded, CHUNK_MIN));
		a->next = add_chunk(a, a->left);
	}
	p = a->next;
	a->next += rounded;
	a->left -= rounded;
	return p;
}

/**
 * arena_done() - Free everything that the arena gave out
 * @a: Arena; empty and usable again afterwards
 */
void arena_done(struct arena *a)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct arena){0};
}
