// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * selector.c - label selectors: read, brought into the one order that struct selector has, and
 * decided.  Pure.
 *
 * Source: meta/v1 validation ValidateLabelSelector.
 */
#include <errno.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"
#include "watch/object/labels.h"

#define LINEAR_MAX 16 /* labels up to which comparing pointers beats a binary search */

SHAPE(static const, shape_name, const char *, 0, {.type = SHAPE_TYPE_NAME, .size = sizeof(char *)});
SHAPE(const, shape_requirement, struct requirement, 0, SHAPE_NAME(struct requirement, key),
      SHAPE_BYTES(struct requirement, op),
      SHAPE_LIST(struct requirement, n_values, values, shape_name));
SHAPE(static const, shape_selector, struct selector, 0,
      SHAPE_LIST(struct selector, n, v, shape_requirement));

/**
 * selector_done() - Free what a selector owns
 * @s: Selector
 */
void selector_done(struct selector *s)
{
	shape_free(&shape_selector, s);
	*s = (struct selector){0};
}

/**
 * selector_copy() - Copy a selector
 * @s: Selector
 *
 * Return: a copy, to be freed with selector_done()
 */
struct selector selector_copy(const struct selector *s)
{
	struct selector c = *s;

	shape_own(&shape_selector, &c);
	return c;
}

/**
 * selector_equal() - Compare selectors
 * @a: Selector
 * @b: Selector
 *
 * Return: true if both have the same terms
 */
bool selector_equal(const struct selector *a, const struct selector *b)
{
	return shape_equal(&shape_selector, a, b);
}

/* --- deciding ----------------------------------------------------------------------------------
 */

/* As labels_get() for an interned key: pointers suffice. */
static const char *value_of(const struct labels *l, const char *interned)
{
	if (l->n > LINEAR_MAX)
		return labels_get(l, interned);
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].key == interned)
			return l->v[i].value;
	return NULL;
}

static bool has_value(const struct requirement *r, const char *value)
{
	for (uint32_t i = 0; i < r->n_values; i++)
		if (r->values[i] == value)
			return true;
	return false;
}

static bool requirement_holds(const struct requirement *r, const struct labels *l)
{
	const char *value = value_of(l, r->key);

	switch (r->op) {
	case SELECTOR_IN:
		return value && has_value(r, value);
	case SELECTOR_NOT_IN:
		return !value || !has_value(r, value);
	case SELECTOR_EXISTS:
		return value;
	case SELECTOR_NOT_EXISTS:
		return !value;
	case _SELECTOR_MAX:
		break;
	}
	return false;
}

/**
 * selector_matches() - Decide a label selector
 * @s: Selector
 * @l: Labels
 *
 * Time: O(terms * log labels + values).
 * Source: apimachinery labels.Requirement.Matches: NotIn holds also when the key is absent.
 *
 * Return: true if every term holds
 */
bool selector_matches(const struct selector *s, const struct labels *l)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (!requirement_holds(&s->v[i], l))
			return false;
	return true;
}

/* --- reading -----------------------------------------------------------------------------------
 */

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
			shape_free(&shape_requirement, &s->v[i]);
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
		       "%s.operator: '%.*s' is not In, NotIn, Exists or DoesNotExist", path,
		       SHOWN(s));
}

static int decode_values(const struct value *list, const char *path, struct requirement *r,
			 struct err *reterr)
{
	r->values = xcalloc(list->n, sizeof(*r->values));
	for (uint32_t i = 0; i < list->n; i++) {
		const struct value *v = list->items[i];

		if (!is_label_value(v))
			return err_set(reterr, -EINVAL, "%s.values[%u]: not a label value", path,
				       i);
		r->values[r->n_values++] = intern_label_value(v);
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

	if (expect_map(e, path, reterr) < 0 || value_get_str(e, path, "key", &key, reterr) < 0)
		return -EINVAL;
	if (!key)
		return err_set(reterr, -EINVAL, "%s.key: required", path);
	if (!is_label_key(key))
		return err_set(reterr, -EINVAL, "%s.key: '%.*s' is not a label key", path,
			       SHOWN(key));
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
		struct decode_path here;
		int r;

		decode_path_item(&here, path, "matchExpressions", i);
		r = decode_expression(list->items[i], here.s, &s->v[s->n++], reterr);
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
	if (r == 0)
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
	struct decode_path here;
	int r = value_get_map(map, path, key, &m, reterr);

	*ret_given = r != 0;
	if (r <= 0)
		return r;
	(void)decode_path(&here, path, key);
	r = decode_terms(m, here.s, &s, reterr);
	if (r < 0) {
		selector_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}
