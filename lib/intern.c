// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * intern.c - the pool behind intern.h: a hash table of counted strings.
 */
#include "lib/intern.h"

#include "lib/hash.h"

struct entry {
	struct entry *next;
	uint32_t uses;
	uint32_t hash;
	char s[];
};

static struct {
	struct entry **bucket;
	size_t n_buckets; /* a power of two */
	size_t n;
} pool;

static struct entry **slot_of(const char *s, size_t len, uint32_t hash)
{
	struct entry **e = &pool.bucket[hash & (pool.n_buckets - 1)];

	while (*e && !((*e)->hash == hash && strncmp((*e)->s, s, len) == 0 && !(*e)->s[len]))
		e = &(*e)->next;
	return e;
}

static void grow(void)
{
	size_t n = pool.n_buckets ? pool.n_buckets * 2 : 64;
	struct entry **bucket = xcalloc(n, sizeof(*bucket));

	for (size_t i = 0; i < pool.n_buckets; i++) {
		struct entry *next;

		for (struct entry *e = pool.bucket[i]; e; e = next) {
			next = e->next;
			e->next = bucket[e->hash & (n - 1)];
			bucket[e->hash & (n - 1)] = e;
		}
	}
	free(pool.bucket);
	pool.bucket = bucket;
	pool.n_buckets = n;
}

/**
 * intern_n() - Give the pool's copy of a string and count one use
 * @s:   Bytes without NUL
 * @len: Number of bytes
 *
 * Return: the pool's copy; give it back with intern_put()
 */
const char *intern_n(const char *s, size_t len)
{
	uint32_t hash = (uint32_t)hash_stable(s, len);
	struct entry **e;

	if (pool.n >= pool.n_buckets)
		grow();
	e = slot_of(s, len, hash);
	if (!*e) {
		struct entry *new = xmalloc(sizeof(*new) + len + 1);

		*new = (struct entry){.hash = hash};
		memcpy(new->s, s, len);
		new->s[len] = '\0';
		*e = new;
		pool.n++;
	}
	(*e)->uses++;
	return (*e)->s;
}

/**
 * intern() - Give the pool's copy of a string and count one use
 * @s: String
 *
 * Return: the pool's copy; give it back with intern_put()
 */
const char *intern(const char *s)
{
	return intern_n(s, strlen(s));
}

/**
 * intern_ref() - Count one more use of an interned string
 * @interned: String from intern(), or NULL
 *
 * Return: @interned
 */
const char *intern_ref(const char *interned)
{
	if (interned)
		container_of(interned, struct entry, s)->uses++;
	return interned;
}

/**
 * intern_put() - Give one use back; the last one frees the string
 * @interned: String from intern(), or NULL
 */
void intern_put(const char *interned)
{
	struct entry *e, **slot;

	if (!interned)
		return;
	e = container_of(interned, struct entry, s);
	if (--e->uses)
		return;
	slot = &pool.bucket[e->hash & (pool.n_buckets - 1)];
	while (*slot != e)
		slot = &(*slot)->next;
	*slot = e->next;
	free(e);
	if (--pool.n == 0) {
		free(pool.bucket);
		pool.bucket = NULL;
		pool.n_buckets = 0;
	}
}

/**
 * intern_count() - Number of distinct strings in the pool
 *
 * Return: the number; 0 proves that nothing leaked
 */
size_t intern_count(void)
{
	return pool.n;
}
