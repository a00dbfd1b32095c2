// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * intern.c - the pool behind intern.h: a hash table of counted strings.
 */
#include "lib/intern.h"

#include "lib/hash.h"
#include "lib/ptr_table.h"

struct entry {
	uint32_t uses;
	uint32_t hash;
	char s[];
};

static struct ptr_table pool;

/* struct text - @s ends with no NUL */
struct text {
	const char *s;
	size_t len;
};

static bool is_text(const void *item, const void *key)
{
	const struct entry *e = item;
	const struct text *text = key;

	return strncmp(e->s, text->s, text->len) == 0 && !e->s[text->len];
}

static bool is_entry(const void *item, const void *key)
{
	return item == key;
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
	const struct text text = {s, len};
	uint32_t hash = (uint32_t)hash_stable(s, len);
	struct entry *e = ptr_table_get(&pool, hash, is_text, &text);

	if (!e) {
		e = xmalloc(sizeof(*e) + len + 1);
		*e = (struct entry){.hash = hash};
		memcpy(e->s, s, len);
		e->s[len] = '\0';
		ptr_table_add(&pool, hash, e);
	}
	e->uses++;
	return e->s;
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
	struct entry *e;

	if (!interned)
		return;
	e = container_of(interned, struct entry, s);
	if (--e->uses)
		return;
	ptr_table_remove(&pool, ptr_table_find(&pool, e->hash, is_entry, e));
	free(e);
	if (!pool.n)
		ptr_table_done(&pool);
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
