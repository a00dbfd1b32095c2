// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * doc_keys.c - the table of a document's keys: equal keys are equal pointers, so that finding
 * duplicates costs the same for long keys as for short ones.  The keys lie in the document's
 * arena and outlive the table.  Pure.
 */
#include "watch/document/doc_keys.h"

#include "lib/hash.h"

#define CAP_MIN 64

/* Keys hold no NUL, so that key->s[len] ends one of length @len. */
static bool is_key(const struct doc_key *key, const char *s, size_t len, uint64_t hash)
{
	return key->hash == hash && strncmp(key->s, s, len) == 0 && !key->s[len];
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

	key->hash = hash;
	key->in_map = 0;
	memcpy(key->s, s, len);
	key->s[len] = '\0';
	return key;
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
	while (keys->v[i] && !is_key(keys->v[i], s, len, hash))
		i = (i + 1) & (keys->cap - 1);
	if (!keys->v[i]) {
		keys->v[i] = new_key(arena, s, len, hash);
		keys->n++;
	}
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
