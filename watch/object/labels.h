/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * labels.h - labels, and selectors of labels.  Pure.
 */
#pragma once

#include "watch/object/shape.h"

struct label {
	const char *key;
	const char *value;
};

/* struct labels - sorted by strcmp of the keys, each key once */
struct labels {
	uint32_t n;
	struct label *v;
};

enum selector_op {
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_NOT_EXISTS,
	_SELECTOR_MAX
};

/* struct requirement - one term of a selector; @values sorted by strcmp, none twice */
struct requirement {
	const char *key;
	enum selector_op op;
	uint32_t n_values;
	const char **values;
};

/*
 * struct selector - all terms must hold; none at all selects everything.  matchLabels become
 * SELECTOR_IN with one value.  Terms are sorted (key, op, values) and none stands twice, so that
 * selectors of the same meaning and spelling compare equal.
 * Source: k8s.io/apimachinery meta/v1 LabelSelector.
 */
struct selector {
	uint32_t n;
	struct requirement *v;
};

extern const struct shape shape_label, shape_requirement;

/* Members of the shape of a struct that has labels, or a selector. */
#define SHAPE_LABELS(type, m)	SHAPE_LIST(type, m.n, m.v, shape_label)
#define SHAPE_SELECTOR(type, m) SHAPE_LIST(type, m.n, m.v, shape_requirement)

const char *labels_get(const struct labels *l, const char *key);
bool selector_matches(const struct selector *s, const struct labels *l);
bool selector_equal(const struct selector *a, const struct selector *b);
struct selector selector_copy(const struct selector *s);
void selector_done(struct selector *s);
