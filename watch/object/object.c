// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * object.c - life and comparison of typed objects, as their shapes say.  Pure.
 */
#include "watch/object/object.h"

#include "lib/intern.h"
#include "watch/object/kind.h"

/**
 * object_title() - What an object is called, for people
 * @key: Its key
 *
 * Return: "Pod default/web" or "Node a", to be freed
 */
char *object_title(const struct object_key *key)
{
	return xasprintf("%s %s%s%s", kind_str(key->kind), key->ns ?: "", key->ns ? "/" : "",
			 key->name);
}

/**
 * object_key_equal() - Compare keys
 * @a: Key
 * @b: Key
 *
 * Return: true if they are those of one object
 */
bool object_key_equal(const struct object_key *a, const struct object_key *b)
{
	return a->kind == b->kind && a->ns == b->ns && a->name == b->name;
}

/**
 * object_key_hash() - Hash a key for lib/table.h
 * @key: Key
 *
 * Its names are interned, so this is arithmetic on pointers.
 *
 * Return: the hash, in this process only
 */
uint32_t object_key_hash(const struct object_key *key)
{
	uint64_t h = ((uintptr_t)key->ns >> 4) * 0x9e3779b97f4a7c15 + ((uintptr_t)key->name >> 4);

	return (uint32_t)((h + key->kind) * 0xbf58476d1ce4e5b9 >> 32);
}

/**
 * object_key_ref() - Take one more use of a key's names
 * @key: Key
 */
void object_key_ref(const struct object_key *key)
{
	(void)intern_ref(key->ns);
	(void)intern_ref(key->name);
}

/**
 * object_key_put() - Give a use of a key's names back
 * @key: Key
 */
void object_key_put(const struct object_key *key)
{
	intern_put(key->ns);
	intern_put(key->name);
}

/**
 * object_free() - Free an object of any kind
 * @o: Object, perhaps half built; or NULL
 *
 * Return: NULL
 */
struct object *object_free(struct object *o)
{
	if (!o)
		return NULL;
	shape_free(kinds[o->kind]->shape, o);
	intern_put(o->ns);
	intern_put(o->name);
	intern_put(o->uid);
	free(o->problem);
	free(o);
	return NULL;
}

/**
 * object_equal() - Do two versions mean the same to us?
 * @a: Object
 * @b: Object
 *
 * Return: true if kind, name and every field kept are the same, the problem too
 */
bool object_equal(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && a->ns == b->ns && a->name == b->name && a->uid == b->uid &&
	       streq(a->problem, b->problem) && shape_equal(kinds[a->kind]->shape, a, b);
}

/**
 * object_copy() - Make a second object with the same content
 * @o: Object
 *
 * Return: the copy, equal by object_equal(); free with object_free()
 */
struct object *object_copy(const struct object *o)
{
	const struct shape *shape = kinds[o->kind]->shape;
	struct object *copy = xmemdup(o, shape->size);

	shape_own(shape, copy);
	(void)intern_ref(copy->ns);
	(void)intern_ref(copy->name);
	(void)intern_ref(copy->uid);
	if (copy->problem)
		copy->problem = xstrdup(copy->problem);
	return copy;
}
