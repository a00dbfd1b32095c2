// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode_labels.c - names, labels, and what all decoders ask of an entry.  Pure.
 *
 * Source: apimachinery validation (IsQualifiedName, IsValidLabelValue, IsDNS1123Subdomain,
 * IsDNS1123Label, IsValidPortName).
 */
#include <errno.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/**
 * is_dns_label() - DNS-1123 label
 * @s: Text
 *
 * Return: true for at most 63 lower case letters, digits and inner '-'
 */
bool is_dns_label(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_lower_or_digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

/**
 * is_dns_subdomain() - DNS-1123 subdomain
 * @s: Text
 *
 * Return: true for at most 253 bytes of labels with dots between them
 */
bool is_dns_subdomain(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i == n - 1 || s[i - 1] == '.' || s[i + 1] == '.';

		if (!is_lower_or_digit(s[i]) && (edge || s[i] != '-') &&
		    (s[i] != '.' || i == 0 || i == n - 1 || s[i - 1] == '.'))
			return false;
	}
	return true;
}

/**
 * is_service_name() - Port name (IANA service name)
 * @s: Text
 *
 * Return: true for at most 15 lower case letters, digits and inner single '-', one letter at least
 */
bool is_service_name(const char *s)
{
	size_t n = strlen(s);
	bool letter = false;

	if (!n || n > 15 || s[0] == '-' || s[n - 1] == '-' || strstr(s, "--"))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_lower_or_digit(s[i]) && s[i] != '-')
			return false;
		letter |= s[i] >= 'a' && s[i] <= 'z';
	}
	return letter;
}

/* The part of a key behind the slash has the form of a value, but is not empty. */
static bool is_label_text(const char *s)
{
	size_t n = strlen(s);

	if (n > 63 || (n && (!is_alnum(s[0]) || !is_alnum(s[n - 1]))))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	return true;
}

/**
 * is_label_value() - Value of a label
 * @v: Value
 *
 * Return: true for "", for at most 63 letters, digits and inner '-', '_', '.', and for null, which
 *         the API server reads as ""
 */
bool is_label_value(const struct value *v)
{
	return v->type == VALUE_NULL || (v->type == VALUE_STRING && is_label_text(v->text));
}

/**
 * intern_label_value() - Text of a label's value
 * @v: Value that is_label_value()
 *
 * Return: interned
 */
const char *intern_label_value(const struct value *v)
{
	return intern(v->type == VALUE_NULL ? "" : v->text);
}

/**
 * is_label_key() - Key of a label
 * @s: Text
 *
 * Return: true for a name of at most 63 letters, digits and inner '-', '_', '.', perhaps behind a
 *         DNS-1123 subdomain and a slash
 */
bool is_label_key(const char *s)
{
	const char *slash = strchr(s, '/');
	const char *name = slash ? slash + 1 : s;
	char prefix[254];

	if (slash) {
		if ((size_t)(slash - s) >= sizeof(prefix))
			return false;
		memcpy(prefix, s, (size_t)(slash - s));
		prefix[slash - s] = '\0';
		if (!is_dns_subdomain(prefix))
			return false;
	}
	return *name && is_label_text(name);
}

/**
 * expect_map() - An entry of a list that has to be a map
 * @v:      Entry; null counts as an empty map, as in the API server
 * @path:   Its path
 * @reterr: What is wrong
 *
 * Return: 0, -EINVAL
 */
int expect_map(const struct value *v, const char *path, struct err *reterr)
{
	if (v->type == VALUE_MAP || v->type == VALUE_NULL)
		return 0;
	return err_set(reterr, -EINVAL, "%s: expected a map, found %s (line %u)", path,
		       value_type_str(v->type), v->line);
}

/**
 * decode_list() - A list of bounded length
 * @map:    Map
 * @path:   Its path
 * @key:    Entry
 * @ret:    List; untouched if absent
 * @reterr: What is wrong
 *
 * Return: 1 found, 0 absent, -EINVAL
 */
int decode_list(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr)
{
	const struct value *list = NULL;
	int r = value_get_seq(map, path, key, &list, reterr);

	if (r <= 0)
		return r;
	if (list->n > DECODE_ENTRIES_MAX)
		return err_set(reterr, -EINVAL, "%s.%s: %u entries, at most %d are supported", path,
			       key, list->n, DECODE_ENTRIES_MAX);
	*ret = list;
	return 1;
}

/**
 * decode_name() - A name: string, interned
 * @map:    Map
 * @path:   Its path
 * @key:    Entry
 * @ret:    Interned string; untouched if absent or empty
 * @reterr: What is wrong
 *
 * Return: 1 found, 0 absent, -EINVAL
 */
int decode_name(const struct value *map, const char *path, const char *key, const char **ret,
		struct err *reterr)
{
	const char *s = NULL;
	int r = value_get_str(map, path, key, &s, reterr);

	if (r <= 0 || !*s)
		return MIN(r, 0);
	*ret = intern(s);
	return 1;
}

/* --- labels ------------------------------------------------------------------------------------
 */

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/**
 * labels_set() - Add a label, or give it another value
 * @l:     Labels
 * @key:   Key
 * @value: Value
 *
 * Time: O(labels).
 */
void labels_set(struct labels *l, const char *key, const char *value)
{
	uint32_t i = 0;

	while (i < l->n && strcmp(l->v[i].key, key) < 0)
		i++;
	if (i < l->n && streq(l->v[i].key, key)) {
		intern_put(l->v[i].value);
		l->v[i].value = intern(value);
		return;
	}
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	memmove(&l->v[i + 1], &l->v[i], (l->n - i) * sizeof(*l->v));
	l->v[i] = (struct label){intern(key), intern(value)};
	l->n++;
}

static int decode_label(const struct value_entry *e, const char *path, struct label *ret,
			struct err *reterr)
{
	const struct value *v = e->value;

	if (!is_label_key(e->key))
		return err_set(reterr, -EINVAL, "%s: '%.*s' is not a label key", path,
			       SHOWN(e->key));
	if (v->type != VALUE_STRING && v->type != VALUE_NULL)
		return err_set(reterr, -EINVAL, "%s.%.*s: expected a string, found %s (line %u)",
			       path, SHOWN(e->key), value_type_str(v->type), v->line);
	if (!is_label_value(v))
		return err_set(reterr, -EINVAL, "%s.%.*s: '%.*s' is not a label value", path,
			       SHOWN(e->key), SHOWN(v->text));
	*ret = (struct label){intern(e->key), intern_label_value(v)};
	return 0;
}

/**
 * decode_labels() - A map of labels
 * @map:    Map
 * @path:   Its path
 * @key:    Entry
 * @ret:    Labels, sorted; without those that are wrong
 * @reterr: What is wrong first
 *
 * Return: 0, -EINVAL
 */
int decode_labels(const struct value *map, const char *path, const char *key, struct labels *ret,
		  struct err *reterr)
{
	const struct value *m = NULL;
	struct decode_path here;
	int r = value_get_map(map, path, key, &m, reterr);

	if (r <= 0)
		return r;
	(void)decode_path(&here, path, key);
	if (m->n > DECODE_ENTRIES_MAX)
		return err_set(reterr, -EINVAL, "%s: %u labels, at most %d are supported", here.s,
			       m->n, DECODE_ENTRIES_MAX);
	ret->v = xcalloc(m->n, sizeof(*ret->v));
	r = 0;
	for (uint32_t i = 0; i < m->n; i++)
		if (keep_error(&r, decode_label(&m->entry[i], here.s, &ret->v[ret->n],
						unless_told(r, reterr))) == 0)
			ret->n++;
	qsort(ret->v, ret->n, sizeof(*ret->v), compare_labels);
	return r;
}
