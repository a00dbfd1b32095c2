// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labels.c - labels: read, looked up, set.  Pure.
 */
#include "watch/object/labels.h"

#include <errno.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"

SHAPE(const, shape_label, struct label, 0, SHAPE_NAME(struct label, key),
      SHAPE_NAME(struct label, value));

static int compare_key(const void *key, const void *label)
{
	return strcmp(key, ((const struct label *)label)->key);
}

/**
 * labels_get() - Look a label up
 * @l:   Labels
 * @key: Key; need not be interned
 *
 * Time: O(log labels).
 *
 * Return: the value, borrowed; NULL if there is none
 */
const char *labels_get(const struct labels *l, const char *key)
{
	const struct label *found = NULL;

	if (l->n)
		found = bsearch(key, l->v, l->n, sizeof(*l->v), compare_key);
	return found ? found->value : NULL;
}

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
