/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample_labels.h - labels, selectors and matches out of short texts, and random ones; a plain
 * judge of matches.  Include after <cmocka.h>.
 *
 * Labels are words like "app=web".  Terms of a selector are words like "app=web", "app=a|b" (In),
 * "app!=a|b" (NotIn), "app" (Exists) and "!app" (DoesNotExist); "" selects everything.  Keys and
 * values stand in order.
 */
#pragma once

#include <stdio.h>

#include "datapath/policy/matchindex.h"
#include "lib/intern.h"

enum { SAMPLE_WORDS = 8, SAMPLE_TEXT = 64 };

/* The next word of *rest, cut off there; NULL at the end. */
static inline char *sample_word(char **rest, const char *between)
{
	return strtok_r(NULL, between, rest);
}

static inline struct labels sample_labels(const char *text)
{
	_cleanup_(freep) char *copy = xstrdup(text);
	struct labels l = {.v = xcalloc(SAMPLE_WORDS, sizeof(*l.v))};
	char *rest = copy, *word;

	while ((word = sample_word(&rest, " "))) {
		char *value = strchr(word, '=');

		assert_true(value && l.n < SAMPLE_WORDS);
		*value++ = '\0';
		l.v[l.n++] = (struct label){intern(word), intern(value)};
	}
	return l;
}

static inline void sample_labels_done(struct labels *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		intern_put(l->v[i].key);
		intern_put(l->v[i].value);
	}
	free(l->v);
	*l = (struct labels){0};
}

static inline struct requirement sample_term(char *word)
{
	bool negated = *word == '!';
	char *key = word + negated, *rest = key + strcspn(key, "!="), *value;
	struct requirement r = {.key = intern_n(key, (size_t)(rest - key))};

	if (!*rest) {
		r.op = negated ? SELECTOR_NOT_EXISTS : SELECTOR_EXISTS;
		return r;
	}
	r.op = *rest == '!' ? SELECTOR_NOT_IN : SELECTOR_IN;
	rest = strchr(rest, '=') + 1;
	r.values = xcalloc(SAMPLE_WORDS, sizeof(*r.values));
	while ((value = sample_word(&rest, "|"))) {
		assert_true(r.n_values < SAMPLE_WORDS);
		r.values[r.n_values++] = intern(value);
	}
	return r;
}

static inline struct selector sample_selector(const char *text)
{
	_cleanup_(freep) char *copy = xstrdup(text);
	struct selector s = {.v = xcalloc(SAMPLE_WORDS, sizeof(*s.v))};
	char *rest = copy, *word;

	while ((word = sample_word(&rest, " "))) {
		assert_true(s.n < SAMPLE_WORDS);
		s.v[s.n++] = sample_term(word);
	}
	return s;
}

/* struct sample_match - a match and what it borrows */
struct sample_match {
	struct match m;
	struct selector namespaces, pods;
};

/* @ns, @namespaces: NULL as in struct match */
static inline void sample_match_init(struct sample_match *s, const char *ns, const char *namespaces,
				     const char *pods)
{
	*s = (struct sample_match){.pods = sample_selector(pods)};
	if (namespaces)
		s->namespaces = sample_selector(namespaces);
	s->m = (struct match){ns ? intern(ns) : NULL, namespaces ? &s->namespaces : NULL, &s->pods};
}

static inline void sample_match_done(struct sample_match *s)
{
	selector_done(&s->namespaces);
	selector_done(&s->pods);
	intern_put(s->m.ns);
}

/* The document's words: by name, or by labels that must be known, or any namespace. */
static inline bool sample_match_holds(const struct sample_match *s,
				      const struct match_subject *subject)
{
	if (!selector_matches(&s->pods, subject->labels))
		return false;
	if (s->m.ns)
		return s->m.ns == subject->ns;
	return !s->m.namespaces ||
	       (subject->ns_labels && selector_matches(&s->namespaces, subject->ns_labels));
}

static inline int sample_letter_compare(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* Some of a=, b= and c=, each 1, 2 or 3. */
static inline const char *random_labels(unsigned int *seed, char text[static SAMPLE_TEXT])
{
	char *at = text;

	for (const char *key = "abc"; *key; key++)
		if (rand_r(seed) % 3)
			at += sprintf(at, "%c=%d ", *key, rand_r(seed) % 3 + 1);
	*at = '\0';
	return text;
}

/* Terms of every kind about the keys of random_labels(). */
static inline const char *random_selector(unsigned int *seed, char text[static SAMPLE_TEXT])
{
	static const char *const terms[] = {"?=1 ", "?=2 ",    "?=1|3 ", "?=1|2|3 ",
					    "? ",   "?!=2|3 ", "!? "};
	char *at = text;

	*text = '\0';
	for (const char *key = "abc"; *key; key++) {
		size_t i = (size_t)rand_r(seed) % (2 * ARRAY_SIZE(terms));

		if (i >= ARRAY_SIZE(terms))
			continue;
		at += sprintf(at, "%s", terms[i]);
		*strchr(text, '?') = *key;
	}
	return text;
}
