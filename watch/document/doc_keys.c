// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * doc_keys.c - the table of a document's keys: equal keys are equal pointers, so that finding
 * duplicates costs the same for long keys as for short ones.  The keys lie in the document's
 * arena and outlive the table.
 *
 * Objects of a list have their keys in the same order, so the key that came after the last one the
 * last time is tried first: most keys need no hash.  Pure.
 */
#include "watch/document/doc_keys.h"

#include "lib/hash.h"

#define CAP_MIN 64

static bool is_key(const struct doc_key *key, const char *s, size_t len)
{
	return key->len == len && memcmp(key->s, s, len) == 0;
}

static void grow(struct doc_keys *keys)
{
	size_t cap = keys->cap ? keys->cap * 2 : CAP_MIN;
	struct doc_key **v = xcalloc(cap, sizeof(struct doc_key *));

	for (size_t i = 0; i < keys->cap; i++) {
		size_t j;

		if (!keys->v[i])
			continue;
		j = keys->v[i]->hash & (cap - 1);
		while (v[j])
			j = (j + 1) & (cap - 1);
		v[j] = keys->v[i];
	}
	free(keys->v);
	keys->v = v;
	keys->cap = cap;
}

static struct doc_key *new_key(struct arena *arena, const char *s, size_t len, uint64_t hash)
{
	struct doc_key *key = arena_alloc(arena, sizeof(*key) + len + 1);

	*key = (struct doc_key){.hash = hash, .len = len};
	memcpy(key->s, s, len);
	key->s[len] = '\0';
	return key;
}

/**
 * doc_key_guess() - The one copy of a key, if it is the one that is expected
 * @keys: Table
 * @s:    Bytes
 * @len:  Number of bytes
 *
 * Return: the key; NULL tells nothing
 */
struct doc_key *doc_key_guess(struct doc_keys *keys, const char *s, size_t len)
{
	struct doc_key *guess = keys->last ? keys->last->next : NULL;

	if (!guess || !is_key(guess, s, len))
		return NULL;
	keys->last = guess;
	return guess;
}

/**
 * doc_key_get() - The one copy of a key
 * @keys:  Table
 * @arena: Where a new key is kept
 * @s:     Bytes without NUL
 * @len:   Number of bytes
 *
 * Time: O(len) expected.
 *
 * Return: the key; of two calls with the same bytes both give the same pointer
 */
struct doc_key *doc_key_get(struct doc_keys *keys, struct arena *arena, const char *s, size_t len)
{
	uint64_t hash = hash_stable(s, len);
	size_t i;

	if (keys->n * 2 >= keys->cap)
		grow(keys);
	i = hash & (keys->cap - 1);
	while (keys->v[i] && (keys->v[i]->hash != hash || !is_key(keys->v[i], s, len)))
		i = (i + 1) & (keys->cap - 1);
	if (!keys->v[i]) {
		keys->v[i] = new_key(arena, s, len, hash);
		keys->n++;
	}
	if (keys->last)
		keys->last->next = keys->v[i];
	keys->last = keys->v[i];
	return keys->v[i];
}

/**
 * doc_keys_done() - Free the table; the keys stay in their arena
 * @keys: Table; empty and usable again afterwards
 */
void doc_keys_done(struct doc_keys *keys)
{
	free(keys->v);
	*keys = (struct doc_keys){0};
}
