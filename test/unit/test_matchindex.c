// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_matchindex.c - which selectors match a pod, and which of them were looked at to find out.
 *
 * Selectors are named by letters; an answer is the letters in order, so that a selector that is
 * told twice shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/policy/matchindex.h"
#include "test/unit/sample_labels.h"

enum { LETTERS = 26 };

struct filed {
	struct sample_match s;
	bool in;
};

struct world {
	struct matchindex *x;
	struct filed filed[LETTERS];
};

/* struct pod_text - a pod; @ns_labels NULL: its namespace is not known */
struct pod_text {
	const char *ns, *ns_labels, *labels;
};

static void setup(struct world *w)
{
	*w = (struct world){.x = matchindex_new()};
}

/* File selector @name; @ns and @namespaces as in struct match. */
static void file(struct world *w, char name, const char *ns, const char *namespaces,
		 const char *pods)
{
	struct filed *f = &w->filed[name - 'a'];

	assert_false(f->in);
	f->in = true;
	sample_match_init(&f->s, ns, namespaces, pods);
	matchindex_add(w->x, &f->s.m);
}

static void take_out(struct world *w, char name)
{
	struct filed *f = &w->filed[name - 'a'];

	assert_true(f->in);
	f->in = false;
	matchindex_remove(w->x, &f->s.m);
	sample_match_done(&f->s);
}

/* What still stands in the index is not the index's to free. */
static void teardown(struct world *w)
{
	assert_null(matchindex_free(w->x));
	for (int i = 0; i < LETTERS; i++)
		if (w->filed[i].in)
			sample_match_done(&w->filed[i].s);
	assert_int_equal(intern_count(), 0);
}

/* struct subject - owns what a match_subject borrows */
struct subject {
	struct match_subject s;
	struct labels labels, ns_labels;
};

static void subject_init(struct subject *s, const struct pod_text *p)
{
	s->labels = sample_labels(p->labels);
	s->ns_labels = sample_labels(p->ns_labels ? p->ns_labels : "");
	s->s = (struct match_subject){intern(p->ns), &s->labels,
				      p->ns_labels ? &s->ns_labels : NULL};
}

static void subject_done(struct subject *s)
{
	intern_put(s->s.ns);
	sample_labels_done(&s->labels);
	sample_labels_done(&s->ns_labels);
}

static void ask(const struct world *w, const struct match_subject *s, char ret[static 2 * LETTERS])
{
	struct match_list l = {0};
	size_t n = 0;

	matchindex_find(w->x, s, &l);
	assert_true(l.m.n < 2 * LETTERS);
	vec_foreach (m, &l.m)
		ret[n++] = (char)('a' + (container_of(*m, struct filed, s.m) - w->filed));
	ret[n] = '\0';
	qsort(ret, n, 1, sample_letter_compare);
	vec_done(&l.m);
}

/* As ask(), while every selector there is would match: those that are told were looked at. */
static void ask_baited(struct world *w, const struct match_subject *s, char ret[static 2 * LETTERS])
{
	static const struct selector all;
	struct match kept[LETTERS];

	for (int i = 0; i < LETTERS; i++) {
		kept[i] = w->filed[i].s.m;
		w->filed[i].s.m = (struct match){NULL, NULL, &all};
	}
	ask(w, s, ret);
	for (int i = 0; i < LETTERS; i++)
		w->filed[i].s.m = kept[i];
}

/* @found: those that match; @looked_at: those and the others that had to be looked at */
static void expect(struct world *w, struct pod_text p, const char *found, const char *looked_at)
{
	char is_found[2 * LETTERS], is_looked_at[2 * LETTERS];
	struct subject s;

	subject_init(&s, &p);
	ask(w, &s.s, is_found);
	ask_baited(w, &s.s, is_looked_at);
	if (!streq(is_found, found) || !streq(is_looked_at, looked_at))
		fail_msg("pod of %s {%s} with {%s}: found '%s' of '%s', not '%s' of '%s'", p.ns,
			 p.ns_labels ? p.ns_labels : "unknown", p.labels, is_found, is_looked_at,
			 found, looked_at);
	subject_done(&s);
}

#define POD(...) ((struct pod_text){__VA_ARGS__})

/* --- pivots ------------------------------------------------------------------------------------
 */

static void a_label_of_the_pod(void **state _unused_)
{
	struct world w;

	setup(&w);
	file(&w, 'a', "shop", NULL, "app=web");
	file(&w, 'b', "shop", NULL, "app=db");
	file(&w, 'c', "bank", NULL, "app=web");
	file(&w, 'd', NULL, "team=x", "app=web");
	file(&w, 'e', NULL, NULL, "app=web tier");
	expect(&w, POD("shop", "team=x", "app=web tier=1"), "ade", "ade");
	expect(&w, POD("shop", "team=y", "app=web"), "a", "ade");
	expect(&w, POD("shop", NULL, "app=web tier=1"), "ae", "ade");
	expect(&w, POD("bank", "team=x", "app=web"), "cd", "cde");
	expect(&w, POD("shop", "team=x", "app=db"), "b", "b");
	expect(&w, POD("shop", "team=x", "app=cache"), "", "");
	expect(&w, POD("shop", "team=x", "tier=web"), "", "");
	expect(&w, POD("else", "team=z", "app=db"), "", "");
	teardown(&w);
}

static void several_values(void **state _unused_)
{
	struct world w;

	setup(&w);
	file(&w, 'a', "shop", NULL, "app=cache|db|web");
	file(&w, 'b', NULL, "team=x|y", "app=db|web");
	file(&w, 'c', NULL, "team=x|y", "");
	expect(&w, POD("shop", "team=x", "app=cache"), "ac", "ac");
	expect(&w, POD("shop", "team=x", "app=db"), "abc", "abc");
	expect(&w, POD("shop", "team=y", "app=web"), "abc", "abc");
	expect(&w, POD("shop", "team=z", "app=web"), "a", "ab");
	expect(&w, POD("shop", "team=y", "app=mail"), "c", "c");
	take_out(&w, 'a'); /* under every value */
	expect(&w, POD("shop", "team=z", "app=cache"), "", "");
	expect(&w, POD("shop", "team=z", "app=db"), "", "b");
	take_out(&w, 'c');
	expect(&w, POD("shop", "team=y", "app=mail"), "", "");
	expect(&w, POD("shop", "team=x", "app=web"), "b", "b");
	teardown(&w);
}

/* Of two In terms the one with fewer values: rarer, and fewer places to stand in. */
static void the_shortest_term_is_the_pivot(void **state _unused_)
{
	struct world w;

	setup(&w);
	file(&w, 'a', "shop", NULL, "app=db|web tier=1");
	file(&w, 'b', "shop", NULL, "app=web tier=1|2");
	file(&w, 'c', "shop", NULL, "app!=x tier=1|2|3");
	expect(&w, POD("shop", "", "app=web tier=1"), "abc", "abc");
	expect(&w, POD("shop", "", "app=db tier=1"), "ac", "ac");
	expect(&w, POD("shop", "", "app=db"), "", "");
	expect(&w, POD("shop", "", "tier=1"), "c", "ac");
	expect(&w, POD("shop", "", "app=web tier=3"), "c", "bc");
	teardown(&w);
}

/* No label value that a pod must have: the namespace narrows. */
static void a_namespace(void **state _unused_)
{
	struct world w;

	setup(&w);
	file(&w, 'a', "shop", NULL, "");
	file(&w, 'b', "shop", NULL, "app");
	file(&w, 'c', "shop", NULL, "!app");
	file(&w, 'd', "shop", NULL, "app!=db");
	file(&w, 'e', "bank", NULL, "");
	expect(&w, POD("shop", NULL, "app=web"), "abd", "abcd");
	expect(&w, POD("shop", "team=x", "app=db"), "ab", "abcd");
	expect(&w, POD("shop", "team=x", ""), "acd", "abcd");
	expect(&w, POD("bank", "team=x", ""), "e", "e");
	expect(&w, POD("else", "team=x", "app=web"), "", "");
	teardown(&w);
}

static void a_label_of_the_namespace(void **state _unused_)
{
	struct world w;

	setup(&w);
	file(&w, 'a', NULL, "team=x", "");
	file(&w, 'b', NULL, "env=dev|test team=x", "app");
	file(&w, 'c', NULL, "env=dev team!=x", "");
	expect(&w, POD("shop", "env=dev team=x", "app=web"), "ab", "abc");
	expect(&w, POD("shop", "env=dev team=y", "app=web"), "c", "c");
	expect(&w, POD("shop", "team=x", ""), "a", "ab");
	expect(&w, POD("shop", "env=test", "app=web"), "", "");
	expect(&w, POD("shop", "", "team=x"), "", ""); /* the pod's label, not the namespace's */
	expect(&w, POD("shop", NULL, "app=web"), "", "");
	teardown(&w);
}

static void no_pivot(void **state _unused_)
{
	struct world w;

	setup(&w);
	file(&w, 'a', NULL, NULL, "");
	file(&w, 'b', NULL, NULL, "!app");
	file(&w, 'c', NULL, "", "");
	file(&w, 'd', NULL, "!closed", "app!=db");
	file(&w, 'e', NULL, "team", "");
	expect(&w, POD("shop", "team=x", "app=web"), "acde", "abcde");
	expect(&w, POD("shop", "closed=1", "app=web"), "ac", "abcde");
	expect(&w, POD("shop", "", "app=db"), "ac", "abcde");
	expect(&w, POD("shop", NULL, ""), "ab", "abcde"); /* nothing is guessed about it */
	teardown(&w);
}

/* --- removal -----------------------------------------------------------------------------------
 */

/* First, last and middle of those filed under the same pivot, and the same one anew. */
static void those_that_stay_are_found(void **state _unused_)
{
	struct world w;

	setup(&w);
	for (const char *name = "abcde"; *name; name++)
		file(&w, *name, "shop", NULL, "app=web");
	take_out(&w, 'a');
	expect(&w, POD("shop", "", "app=web"), "bcde", "bcde");
	take_out(&w, 'e');
	expect(&w, POD("shop", "", "app=web"), "bcd", "bcd");
	take_out(&w, 'c');
	expect(&w, POD("shop", "", "app=web"), "bd", "bd");
	file(&w, 'c', "shop", NULL, "");
	take_out(&w, 'b');
	take_out(&w, 'd');
	expect(&w, POD("shop", "", "app=web"), "c", "c");
	file(&w, 'a', "shop", NULL, "app=web");
	expect(&w, POD("shop", "", "app=web"), "ac", "ac");
	take_out(&w, 'c');
	take_out(&w, 'a');
	expect(&w, POD("shop", "", "app=web"), "", "");
	teardown(&w);
}

static void an_answer_is_appended(void **state _unused_)
{
	struct match_list l = {0};
	struct match first;
	struct subject s;
	struct world w;

	setup(&w);
	file(&w, 'a', NULL, NULL, "");
	subject_init(&s, &POD("shop", NULL, ""));
	vec_push(&l.m, &first);
	matchindex_find(w.x, &s.s, &l);
	assert_int_equal(l.m.n, 2);
	assert_ptr_equal(l.m.v[0], &first);
	assert_ptr_equal(l.m.v[1], &w.filed[0].s.m);
	vec_done(&l.m);
	subject_done(&s);
	teardown(&w);
	assert_null(matchindex_free(NULL));
}

/* --- the parts that others use -----------------------------------------------------------------
 */

static void pivot_of_a_selector(void **state _unused_)
{
	static const struct {
		const char *selector, *key;
	} checks[] = {
		{"", NULL},
		{"app", NULL},
		{"app!=web", NULL},
		{"!app tier", NULL},
		{"app=web", "app"},
		{"app!=x tier=1|2", "tier"},
		{"app=db|web tier=1", "tier"},
		{"app=web tier=1|2", "app"},
		{"app=db|web env=1|2|3 tier=1 zone=1|2", "tier"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct selector s = sample_selector(checks[i].selector);
		const struct requirement *r = selector_pivot(&s);

		if (!streq(r ? r->key : NULL, checks[i].key))
			fail_msg("pivot of {%s} is %s", checks[i].selector, r ? r->key : "none");
		selector_done(&s);
	}
}

static void the_namespaces_part(void **state _unused_)
{
	static const struct selector none, all;
	struct selector x = sample_selector("team=x");
	struct labels lx = sample_labels("team=x"), ly = sample_labels("team=y");
	const char *shop = intern("shop"), *bank = intern("bank");
	const struct match bound = {shop, NULL, &none}, chosen = {NULL, &x, &none},
			   every = {NULL, &all, &none}, any = {NULL, NULL, &none};

	assert_true(match_ns(&bound, shop, NULL));
	assert_true(match_ns(&bound, shop, &ly));
	assert_false(match_ns(&bound, bank, &lx));
	assert_true(match_ns(&chosen, shop, &lx));
	assert_false(match_ns(&chosen, shop, &ly));
	assert_false(match_ns(&chosen, shop, NULL));
	assert_true(match_ns(&every, bank, &ly));
	assert_false(match_ns(&every, bank, NULL));
	assert_true(match_ns(&any, bank, NULL));
	selector_done(&x);
	sample_labels_done(&lx);
	sample_labels_done(&ly);
	intern_put(shop);
	intern_put(bank);
	assert_int_equal(intern_count(), 0);
}

/* --- random use --------------------------------------------------------------------------------
 */

static const char *const random_ns[] = {"n1", "n2", "n3"};

static void change_one(struct world *w, unsigned int *seed)
{
	char name = (char)('a' + rand_r(seed) % LETTERS), pods[SAMPLE_TEXT], ns[SAMPLE_TEXT];
	int where = rand_r(seed) % 4;

	if (w->filed[name - 'a'].in)
		take_out(w, name);
	else
		file(w, name, where < 2 ? random_ns[where] : NULL,
		     where == 2 ? random_selector(seed, ns) : NULL, random_selector(seed, pods));
}

static void compare_with_a_walk(struct world *w, unsigned int *seed)
{
	char labels[SAMPLE_TEXT], ns_labels[SAMPLE_TEXT], found[2 * LETTERS], walk[LETTERS + 1];
	bool known = rand_r(seed) % 4;
	const struct pod_text p = {random_ns[rand_r(seed) % 3],
				   known ? random_labels(seed, ns_labels) : NULL,
				   random_labels(seed, labels)};
	struct subject s;
	size_t n = 0;

	subject_init(&s, &p);
	ask(w, &s.s, found);
	for (int i = 0; i < LETTERS; i++)
		if (w->filed[i].in && sample_match_holds(&w->filed[i].s, &s.s))
			walk[n++] = (char)('a' + i);
	walk[n] = '\0';
	if (!streq(found, walk))
		fail_msg("pod of %s {%s} with {%s}: found '%s', not '%s'", p.ns,
			 known ? ns_labels : "unknown", labels, found, walk);
	subject_done(&s);
}

static void random_use(void **state _unused_)
{
	unsigned int seed = 11;
	struct world w;

	setup(&w);
	for (int step = 0; step < 10000; step++) {
		change_one(&w, &seed);
		compare_with_a_walk(&w, &seed);
	}
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_label_of_the_pod),
		cmocka_unit_test(several_values),
		cmocka_unit_test(the_shortest_term_is_the_pivot),
		cmocka_unit_test(a_namespace),
		cmocka_unit_test(a_label_of_the_namespace),
		cmocka_unit_test(no_pivot),
		cmocka_unit_test(those_that_stay_are_found),
		cmocka_unit_test(an_answer_is_appended),
		cmocka_unit_test(pivot_of_a_selector),
		cmocka_unit_test(the_namespaces_part),
		cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
