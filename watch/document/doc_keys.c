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

/* struct text - @s ends with no NUL */
struct text {
	const char *s;
	size_t len;
};

static bool is_key(const void *item, const void *key)
{
	const struct doc_key *k = item;
	const struct text *text = key;

	return k->len == text->len && memcmp(k->s, text->s, text->len) == 0;
}

static struct doc_key *new_key(struct arena *arena, const struct text *text)
{
	struct doc_key *key = arena_alloc(arena, sizeof(*key) + text->len + 1);

	*key = (struct doc_key){.len = text->len};
	memcpy(key->s, text->s, text->len);
	key->s[text->len] = '\0';
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
	const struct text text = {s, len};

	if (!guess || !is_key(guess, &text))
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
	const struct text text = {s, len};
	uint32_t hash = (uint32_t)hash_stable(s, len);
	struct doc_key *key = ptr_table_get(&keys->table, hash, is_key, &text);

	if (!key) {
		key = new_key(arena, &text);
		ptr_table_add(&keys->table, hash, key);
	}
	if (keys->last)
		keys->last->next = key;
	keys->last = key;
	return key;
}

/**
 * doc_keys_done() - Free the table; the keys stay in their arena
 * @keys: Table; empty and usable again afterwards
 */
void doc_keys_done(struct doc_keys *keys)
{
	ptr_table_done(&keys->table);
	*keys = (struct doc_keys){0};
}
