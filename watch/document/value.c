// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * value.c - reading a document: lookups and typed access with the wording of every type error.
 *
 * Takes values that value_build.c made complete; gives borrowed pointers into their document.
 * Lookups are linear in the size of the map: decoders ask a map for a fixed, short list of keys.
 * Pure.
 */
#include "watch/document/value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/utf8.h"

#define TEXT_SHOWN_MAX 64 /* bytes of a value that a message quotes */

/**
 * value_type_str() - Name a type for a message, with its article
 * @t: Type
 *
 * Return: "a map", "null", ...
 */
const char *value_type_str(enum value_type t)
{
	static const char *const names[] = {
		[VALUE_NULL] = "null",	     [VALUE_BOOL] = "a boolean",
		[VALUE_INT] = "an integer",  [VALUE_NUMBER] = "a number",
		[VALUE_STRING] = "a string", [VALUE_SEQ] = "a list",
		[VALUE_MAP] = "a map",
	};

	static_assert(ARRAY_SIZE(names) == _VALUE_MAX, "every type has a name");
	assert(t < _VALUE_MAX);
	return names[t];
}

/* --- keys as Go folds them ---------------------------------------------------------------------
 */

/* The next character of a key in one case: all that folds to an ASCII letter is that letter. */
static int folded(const char **s)
{
	static const char kelvin[] = "\xe2\x84\xaa", long_s[] = "\xc5\xbf";
	unsigned char c = (unsigned char)**s;

	if (strncmp(*s, kelvin, sizeof(kelvin) - 1) == 0) {
		*s += sizeof(kelvin) - 1;
		return 'k';
	}
	if (strncmp(*s, long_s, sizeof(long_s) - 1) == 0) {
		*s += sizeof(long_s) - 1;
		return 's';
	}
	(*s)++;
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same_folded(const char *a, const char *key, size_t len)
{
	const char *end = key + len;

	while (*a && key < end)
		if (folded(&a) != folded(&key))
			return false;
	return !*a && key == end;
}

/**
 * value_key_is() - Is it a key by Go's rules?
 * @found: Key of a map
 * @key:   Key looked for
 *
 * Return: true if they are the same, whatever their case; see json_parse_as_go()
 */
bool value_key_is(const char *found, const char *key)
{
	return same_folded(found, key, strlen(key));
}

/* The last one counts, but a null does not undo a scalar: Go sets it on lists and maps alone. */
static const struct value *get_as_go(const struct value *map, const char *key, size_t len)
{
	const struct value *found = NULL;

	for (uint32_t i = 0; i < map->n; i++) {
		const struct value *v = map->entry[i].value;

		if (!same_folded(map->entry[i].key, key, len))
			continue;
		if (v->type != VALUE_NULL || !found || found->type == VALUE_SEQ ||
		    found->type == VALUE_MAP)
			found = v;
	}
	return found;
}

/* --- lookups -----------------------------------------------------------------------------------
 */

static const struct value *get_n(const struct value *map, const char *key, size_t len)
{
	if (!map || map->type != VALUE_MAP)
		return NULL;
	if (map->as_go)
		return get_as_go(map, key, len);
	for (uint32_t i = 0; i < map->n; i++) {
		const char *k = map->entry[i].key;

		if (*k == *key && strncmp(k, key, len) == 0 && !k[len])
			return map->entry[i].value;
	}
	return NULL;
}

/**
 * value_get() - Look a key up
 * @map: Value; NULL or another type than a map holds no key
 * @key: Key
 *
 * Time: O(entries).
 *
 * Return: the value, which may be of type VALUE_NULL; NULL if there is none
 */
const struct value *value_get(const struct value *map, const char *key)
{
	return get_n(map, key, strlen(key));
}

/**
 * value_path() - Look a value up through several maps
 * @map:    Value; NULL or another type than a map holds nothing
 * @dotted: Keys separated by dots, "metadata.name"; keys with a dot in them cannot be reached
 *
 * Return: the value, which may be of type VALUE_NULL; NULL if there is none
 */
const struct value *value_path(const struct value *map, const char *dotted)
{
	for (;;) {
		size_t len = strcspn(dotted, ".");

		map = get_n(map, dotted, len);
		if (!map || !dotted[len])
			return map;
		dotted += len + 1;
	}
}

/* Absent and null are one: the API server drops null fields before it decodes. */
static const struct value *present(const struct value *map, const char *key)
{
	const struct value *v = value_get(map, key);

	return v && v->type != VALUE_NULL ? v : NULL;
}

static int wrong(struct err *reterr, const char *path, const char *key, const struct value *v,
		 const char *what)
{
	return err_set(reterr, -EINVAL, "%s%s%s: %s (line %" PRIu32 ")", path, *path ? "." : "",
		       key, what, v->line);
}

static int wrong_type(struct err *reterr, const char *path, const char *key, const struct value *v,
		      enum value_type wanted)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "expected %s, found %s", value_type_str(wanted),
		       value_type_str(v->type));
	return wrong(reterr, path, key, v, what);
}

static int get_typed(const struct value *map, const char *path, const char *key,
		     enum value_type type, const struct value **ret, struct err *reterr)
{
	const struct value *v = present(map, key);

	if (!v)
		return 0;
	if (v->type != type)
		return wrong_type(reterr, path, key, v, type);
	*ret = v;
	return 1;
}

/**
 * value_get_str() - String entry of a map
 * @map:    Map to look in
 * @path:   Path of @map itself, "" at the root; only for the message
 * @key:    Key
 * @ret:    The string, borrowed from the document
 * @reterr: Message, or NULL
 *
 * Return: 1; 0 if absent or null; -EINVAL for another type
 */
int value_get_str(const struct value *map, const char *path, const char *key, const char **ret,
		  struct err *reterr)
{
	const struct value *v = NULL;
	int r = get_typed(map, path, key, VALUE_STRING, &v, reterr);

	if (r > 0)
		*ret = v->text;
	return r;
}

/**
 * value_get_bool() - Boolean entry of a map
 * @map:    Map to look in
 * @path:   Path of @map itself, "" at the root; only for the message
 * @key:    Key
 * @ret:    The boolean
 * @reterr: Message, or NULL
 *
 * Return: 1; 0 if absent or null; -EINVAL for another type
 */
int value_get_bool(const struct value *map, const char *path, const char *key, bool *ret,
		   struct err *reterr)
{
	const struct value *v = NULL;
	int r = get_typed(map, path, key, VALUE_BOOL, &v, reterr);

	if (r > 0)
		*ret = v->boolean;
	return r;
}

/* A number where an integer is wanted: a fraction, or beyond even int64_t? */
static int wrong_number(struct err *reterr, const char *path, const char *key,
			const struct value *v)
{
	bool fraction = strpbrk(v->text, ".eE") && !strpbrk(v->text, "xX");
	char what[TEXT_SHOWN_MAX + 64];

	(void)snprintf(what, sizeof(what),
		       fraction ? "%.*s is not an integer" : "%.*s is out of range",
		       (int)utf8_cut(v->text, v->n, TEXT_SHOWN_MAX), v->text);
	return wrong(reterr, path, key, v, what);
}

/**
 * value_get_int() - Integer entry of a map, within bounds
 * @map:    Map to look in
 * @path:   Path of @map itself, "" at the root; only for the message
 * @key:    Key
 * @min:    Lowest value allowed
 * @max:    Highest value allowed
 * @ret:    The integer
 * @reterr: Message, or NULL
 *
 * Return: 1; 0 if absent or null; -EINVAL for another type, a fraction or a value out of bounds
 */
int value_get_int(const struct value *map, const char *path, const char *key, int64_t min,
		  int64_t max, int64_t *ret, struct err *reterr)
{
	const struct value *v = present(map, key);
	char what[96];

	if (!v)
		return 0;
	if (v->type == VALUE_NUMBER)
		return wrong_number(reterr, path, key, v);
	if (v->type != VALUE_INT)
		return wrong_type(reterr, path, key, v, VALUE_INT);
	if (v->integer < min || v->integer > max) {
		bool low = v->integer < min;

		(void)snprintf(what, sizeof(what), "%" PRId64 " is %s %" PRId64, v->integer,
			       low ? "below" : "above", low ? min : max);
		return wrong(reterr, path, key, v, what);
	}
	*ret = v->integer;
	return 1;
}

/**
 * value_get_map() - Map entry of a map
 * @map:    Map to look in
 * @path:   Path of @map itself, "" at the root; only for the message
 * @key:    Key
 * @ret:    The map, borrowed from the document
 * @reterr: Message, or NULL
 *
 * Return: 1; 0 if absent or null; -EINVAL for another type
 */
int value_get_map(const struct value *map, const char *path, const char *key,
		  const struct value **ret, struct err *reterr)
{
	return get_typed(map, path, key, VALUE_MAP, ret, reterr);
}

/**
 * value_get_seq() - List entry of a map
 * @map:    Map to look in
 * @path:   Path of @map itself, "" at the root; only for the message
 * @key:    Key
 * @ret:    The list, borrowed from the document
 * @reterr: Message, or NULL
 *
 * Return: 1; 0 if absent or null; -EINVAL for another type
 */
int value_get_seq(const struct value *map, const char *path, const char *key,
		  const struct value **ret, struct err *reterr)
{
	return get_typed(map, path, key, VALUE_SEQ, ret, reterr);
}
