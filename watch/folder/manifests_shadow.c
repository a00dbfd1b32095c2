// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * manifests_shadow.c - versions of objects that are not in force, because an earlier file defines
 * the same ones.  They bear the marks that they had in the store (manifests.c).  Pure.
 */
#include <utlist.h>

#include "watch/folder/manifests_internal.h"

static bool is_shadowed(const void *item, const void *key)
{
	return object_key_equal(&((const struct shadowed *)item)->key, key);
}

static struct shadowed *find(const struct manifests *m, const struct object_key *key)
{
	return ptr_table_get(&m->shadowed, object_key_hash(key), is_shadowed, key);
}

static struct shadowed *need(struct manifests *m, const struct object_key *key)
{
	struct shadowed *s = find(m, key);

	if (s)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->key = *key;
	object_key_ref(key);
	ptr_table_add(&m->shadowed, object_key_hash(key), s);
	return s;
}

static void drop(struct manifests *m, struct shadowed *s)
{
	ptr_table_remove(&m->shadowed, ptr_table_find(&m->shadowed, object_key_hash(&s->key),
						      is_shadowed, &s->key));
	vec_done(&s->shadows);
	object_key_put(&s->key);
	free(s);
}

/**
 * shadow_of_file() - Look the version of one file up
 * @m:   Manifests
 * @f:   File
 * @key: Object
 *
 * Return: the shadow; NULL if the file has none
 */
struct shadow *shadow_of_file(const struct manifests *m, const struct file *f,
			      const struct object_key *key)
{
	const struct shadowed *of = find(m, key);

	for (size_t i = 0; of && i < of->shadows.n; i++)
		if (of->shadows.v[i]->o->feed == f->number)
			return of->shadows.v[i];
	return NULL;
}

/**
 * shadow_first() - The version that comes in force next
 * @m:   Manifests
 * @key: Object
 *
 * Return: the shadow of the first file by name; NULL if there is none
 */
struct shadow *shadow_first(const struct manifests *m, const struct object_key *key)
{
	const struct shadowed *of = find(m, key);

	return of ? of->shadows.v[0] : NULL;
}

/**
 * shadow_add() - Keep a version that is not in force
 * @m: Manifests, without one of this file
 * @o: Version, marked; taken over
 */
void shadow_add(struct manifests *m, struct object *o)
{
	const struct object_key key = key_of(o);
	struct shadowed *of = need(m, &key);
	struct shadow *s = xcalloc(1, sizeof(*s));
	struct file *f = file_of(m, o);
	size_t i = 0;

	*s = (struct shadow){.of = of, .o = o};
	DL_APPEND(f->shadows, s);
	while (i < of->shadows.n && strcmp(file_of(m, of->shadows.v[i]->o)->name, f->name) < 0)
		i++;
	vec_push(&of->shadows, s);
	memmove(&of->shadows.v[i + 1], &of->shadows.v[i], (of->shadows.n - 1 - i) * sizeof(s));
	of->shadows.v[i] = s;
}

/**
 * shadow_remove() - Keep a version no longer
 * @m: Manifests
 * @s: Shadow
 *
 * Return: its object, now the caller's
 */
struct object *shadow_remove(struct manifests *m, struct shadow *s)
{
	struct shadowed *of = s->of;
	struct object *o = s->o;
	size_t i = 0;

	while (of->shadows.v[i] != s)
		i++;
	of->shadows.n--;
	memmove(&of->shadows.v[i], &of->shadows.v[i + 1], (of->shadows.n - i) * sizeof(s));
	if (!of->shadows.n)
		drop(m, of);
	DL_DELETE(file_of(m, o)->shadows, s);
	free(s);
	return o;
}
