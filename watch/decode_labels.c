// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode_labels.c - labels, label selectors and names.  Pure.
 *
 * Source: apimachinery validation (IsQualifiedName, IsValidLabelValue, IsDNS1123Subdomain,
 * IsDNS1123Label, IsValidPortName) and meta/v1 validation ValidateLabelSelector.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/intern.h"
#include "watch/decode_internal.h"

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

/* Label values, and the part of a key behind the slash. */
static bool is_label_text(const char *s, size_t n)
{
	if (n > 63 || (n && (!is_alnum(s[0]) || !is_alnum(s[n - 1]))))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	return true;
}

static bool is_label_key(const char *s)
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
	return *name && is_label_text(name, strlen(name));
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

/* --- labels ------------------------------------------------------------------------------------ */

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/**
 * labels_add() - Add a label unless its key is there
 * @l:     Labels
 * @key:   Key
 * @value: Value
 */
void labels_add(struct labels *l, const char *key, const char *value)
{
	if (labels_get(l, key))
		return;
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct label){intern(key), intern(value)};
	qsort(l->v, l->n, sizeof(*l->v), compare_labels);
}

static int decode_label(const struct value_entry *e, const char *path, struct label *ret,
			struct err *reterr)
{
	if (e->value->type != VALUE_STRING)
		return err_set(reterr, -EINVAL, "%s.%.80s: expected a string, found %s (line %u)",
			       path, e->key, value_type_str(e->value->type), e->value->line);
	if (!is_label_key(e->key))
		return err_set(reterr, -EINVAL, "%s: '%.80s' is not a label key", path, e->key);
	if (!is_label_text(e->value->text, strlen(e->value->text)))
		return err_set(reterr, -EINVAL, "%s.%.80s: '%.80s' is not a label value", path,
			       e->key, e->value->text);
	*ret = (struct label){intern(e->key), intern(e->value->text)};
	return 0;
}

/**
 * decode_labels() - A map of labels
 * @map:    Map
 * @path:   Its path
 * @key:    Entry
 * @ret:    Labels, sorted; those that could be read when something is wrong
 * @reterr: What is wrong
 *
 * Return: 0, -EINVAL
 */
int decode_labels(const struct value *map, const char *path, const char *key, struct labels *ret,
		  struct err *reterr)
{
	const struct value *m = NULL;
	char here[DECODE_PATH_MAX];
	int r = value_get_map(map, path, key, &m, reterr);

	if (r <= 0)
		return r;
	(void)snprintf(here, sizeof(here), "%s.%s", path, key);
	if (m->n > DECODE_ENTRIES_MAX)
		return err_set(reterr, -EINVAL, "%s: %u labels, at most %d are supported", here,
			       m->n, DECODE_ENTRIES_MAX);
	ret->v = xcalloc(m->n, sizeof(*ret->v));
	r = 0;
	for (uint32_t i = 0; i < m->n && r == 0; i++) {
		r = decode_label(&m->entry[i], here, &ret->v[ret->n], reterr);
		ret->n += r == 0;
	}
	qsort(ret->v, ret->n, sizeof(*ret->v), compare_labels);
	return r;
}

/* --- selectors --------------------------------------------------------------------------------- */

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_requirements(const void *a, const void *b)
{
	const struct requirement *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	if (c || x->op != y->op)
		return c ? c : (int)x->op - (int)y->op;
	for (uint32_t i = 0; i < x->n_values && i < y->n_values; i++) {
		c = strcmp(x->values[i], y->values[i]);
		if (c)
			return c;
	}
	return x->n_values < y->n_values ? -1 : x->n_values > y->n_values;
}

static void requirement_free(struct requirement *r)
{
	for (uint32_t i = 0; i < r->n_values; i++)
		intern_put(r->values[i]);
	free(r->values);
	intern_put(r->key);
}

static void sort_values(struct requirement *r)
{
	uint32_t n = 0;

	if (r->n_values > 1)
		qsort(r->values, r->n_values, sizeof(*r->values), compare_strings);
	for (uint32_t i = 0; i < r->n_values; i++) {
		if (n && r->values[n - 1] == r->values[i])
			intern_put(r->values[i]);
		else
			r->values[n++] = r->values[i];
	}
	r->n_values = n;
}

static void sort_requirements(struct selector *s)
{
	uint32_t n = 0;

	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), compare_requirements);
	for (uint32_t i = 0; i < s->n; i++) {
		if (n && compare_requirements(&s->v[n - 1], &s->v[i]) == 0)
			requirement_free(&s->v[i]);
		else
			s->v[n++] = s->v[i];
	}
	s->n = n;
}

static void add_match_label(struct selector *s, const struct label *l)
{
	struct requirement *r = &s->v[s->n++];

	*r = (struct requirement){.key = l->key, .op = SELECTOR_IN, .n_values = 1};
	r->values = xmalloc(sizeof(*r->values));
	r->values[0] = l->value;
}

static int decode_operator(const struct value *e, const char *path, enum selector_op *ret,
			   struct err *reterr)
{
	static const char *const names[] = {"In", "NotIn", "Exists", "DoesNotExist"};
	const char *s = "";

	_Static_assert(ARRAY_SIZE(names) == _SELECTOR_MAX, "a name for every operator");
	if (value_get_str(e, path, "operator", &s, reterr) < 0)
		return -EINVAL;
	for (int i = 0; i < _SELECTOR_MAX; i++) {
		if (!streq(s, names[i]))
			continue;
		*ret = (enum selector_op)i;
		return 0;
	}
	return err_set(reterr, -EINVAL,
		       "%s.operator: '%.40s' is not In, NotIn, Exists or DoesNotExist", path, s);
}

static int decode_values(const struct value *list, const char *path, struct requirement *r,
			 struct err *reterr)
{
	r->values = xcalloc(list->n, sizeof(*r->values));
	for (uint32_t i = 0; i < list->n; i++) {
		const struct value *v = list->items[i];

		if (v->type != VALUE_STRING || !is_label_text(v->text, strlen(v->text)))
			return err_set(reterr, -EINVAL, "%s.values[%u]: not a label value", path,
				       i);
		r->values[r->n_values++] = intern(v->text);
	}
	sort_values(r);
	return 0;
}

static int decode_expression(const struct value *e, const char *path, struct requirement *r,
			     struct err *reterr)
{
	const struct value *list = NULL;
	const char *key = NULL;
	bool needs_values;

	if (e->type != VALUE_MAP)
		return err_set(reterr, -EINVAL, "%s: expected a map, found %s (line %u)", path,
			       value_type_str(e->type), e->line);
	if (value_get_str(e, path, "key", &key, reterr) < 0)
		return -EINVAL;
	if (!key || !is_label_key(key))
		return err_set(reterr, -EINVAL, "%s.key: '%.80s' is not a label key", path,
			       key ? key : "");
	r->key = intern(key);
	if (decode_operator(e, path, &r->op, reterr) < 0 ||
	    decode_list(e, path, "values", &list, reterr) < 0)
		return -EINVAL;
	needs_values = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;
	if (needs_values && (!list || !list->n))
		return err_set(reterr, -EINVAL, "%s.values: required for In and NotIn", path);
	if (!needs_values && list && list->n)
		return err_set(reterr, -EINVAL, "%s.values: forbidden for Exists and DoesNotExist",
			       path);
	return list ? decode_values(list, path, r, reterr) : 0;
}

static int decode_expressions(const struct value *list, const char *path, struct selector *s,
			      struct err *reterr)
{
	for (uint32_t i = 0; i < list->n; i++) {
		char here[DECODE_PATH_MAX];
		int r;

		(void)snprintf(here, sizeof(here), "%.200s.matchExpressions[%u]", path, i);
		r = decode_expression(list->items[i], here, &s->v[s->n++], reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_terms(const struct value *m, const char *path, struct selector *s,
			struct err *reterr)
{
	struct labels labels = {0};
	const struct value *list = NULL;
	int r = decode_labels(m, path, "matchLabels", &labels, reterr);
	int r2 = decode_list(m, path, "matchExpressions", &list, r < 0 ? NULL : reterr);

	s->v = xcalloc(labels.n + (list ? list->n : 0), sizeof(*s->v));
	for (uint32_t i = 0; i < labels.n; i++)
		add_match_label(s, &labels.v[i]);
	free(labels.v);
	if (r < 0 || r2 < 0)
		return -EINVAL;
	r = list ? decode_expressions(list, path, s, reterr) : 0;
	sort_requirements(s);
	return r;
}

/**
 * decode_selector() - A label selector
 * @map:       Map
 * @path:      Its path
 * @key:       Entry
 * @ret_given: True if it is present
 * @ret:       Selector; empty if absent or wrong
 * @reterr:    What is wrong
 *
 * Return: 0, -EINVAL
 */
int decode_selector(const struct value *map, const char *path, const char *key, bool *ret_given,
		    struct selector *ret, struct err *reterr)
{
	const struct value *m = NULL;
	struct selector s = {0};
	char here[DECODE_PATH_MAX];
	int r = value_get_map(map, path, key, &m, reterr);

	*ret_given = r != 0;
	if (r <= 0)
		return r;
	(void)snprintf(here, sizeof(here), "%.200s.%s", path, key);
	r = decode_terms(m, here, &s, reterr);
	if (r < 0) {
		selector_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}
