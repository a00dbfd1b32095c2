// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_interest.c - of which namespaces are pods needed; random use against looking at everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/policy/interest.h"
#include "lib/intern.h"

enum { NAMES = 6 };

/* struct told - what holds by what was told */
struct told {
	const char *names[NAMES];
	bool needed[NAMES], all;
	size_t changes;
};

static void on_need(void *arg, const char *ns, bool needed)
{
	struct told *t = arg;
	int i = 0;

	t->changes++;
	if (!ns) {
		assert_int_not_equal(t->all, needed);
		t->all = needed;
		return;
	}
	while (t->names[i] != ns)
		assert_true(++i < NAMES);
	assert_int_not_equal(t->needed[i], needed);
	t->needed[i] = needed;
}

static int set_up(void **state)
{
	struct told *t = xcalloc(1, sizeof(*t));

	for (int i = 0; i < NAMES; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%d", i);
		t->names[i] = intern(name);
	}
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct told *t = *state;

	for (int i = 0; i < NAMES; i++)
		intern_put(t->names[i]);
	free(t);
	return intern_count() == 0 ? 0 : -1;
}

/* key in (values) */
static struct selector in(const char *key, const char *value)
{
	struct selector s = {.n = 1, .v = xcalloc(1, sizeof(*s.v))};

	s.v[0] = (struct requirement){.key = intern(key),
				      .op = SELECTOR_IN,
				      .n_values = 1,
				      .values = xcalloc(1, sizeof(*s.v[0].values))};
	s.v[0].values[0] = intern(value);
	return s;
}

static void a_namespace_of_its_own(void **state)
{
	struct told *t = *state;
	struct interest *i = interest_new(on_need, t);
	const struct match m = {.ns = t->names[0]};

	interest_add(i, &m);
	assert_true(t->needed[0]);
	interest_add(i, &m); /* another term of the same */
	interest_remove(i, &m);
	assert_true(t->needed[0]);
	interest_remove(i, &m);
	assert_false(t->needed[0]);
	assert_int_equal(t->changes, 2);
	(void)interest_free(i);
}

static void namespaces_by_label(void **state)
{
	struct told *t = *state;
	struct interest *i = interest_new(on_need, t);
	struct selector s = in("team", "a");
	const struct match m = {.namespaces = &s};
	struct label a = {s.v[0].key, s.v[0].values[0]};
	const struct labels yes = {1, &a}, no = {0};

	interest_namespace(i, t->names[0], &yes);
	interest_namespace(i, t->names[1], &no);
	assert_int_equal(t->changes, 0);
	interest_add(i, &m);
	assert_true(t->needed[0]);
	assert_false(t->needed[1]);
	interest_namespace(i, t->names[1], &yes);
	assert_true(t->needed[1]);
	interest_namespace(i, t->names[0], &yes); /* nothing new */
	assert_int_equal(t->changes, 2);
	interest_namespace(i, t->names[0], &no);
	assert_false(t->needed[0]);
	interest_namespace(i, t->names[1], NULL);
	assert_false(t->needed[1]);
	interest_namespace(i, t->names[0], NULL);
	interest_remove(i, &m);
	selector_done(&s);
	(void)interest_free(i);
}

static void all_namespaces(void **state)
{
	struct told *t = *state;
	struct interest *i = interest_new(on_need, t);
	const struct match any = {0};

	interest_add(i, &any);
	interest_add(i, &any);
	assert_true(t->all);
	interest_remove(i, &any);
	assert_true(t->all);
	interest_remove(i, &any);
	assert_false(t->all);
	(void)interest_free(i);
}

static void nobody_asks(void **state)
{
	struct told *t = *state;
	struct interest *i = interest_new(NULL, NULL);
	const struct match m = {.ns = t->names[0]};

	interest_add(i, &m);
	interest_remove(i, &m);
	(void)interest_free(i);
	assert_null(interest_free(NULL));
}

/* --- random use --------------------------------------------------------------------------------
 */

enum { VALUES = 3, TERMS = 40 };

/* struct world - @value: of the one label of a namespace, -1: it is not known */
struct world {
	struct told *told;
	struct interest *interest;
	struct selector selectors[VALUES], everything;
	struct label labels[VALUES];
	int value[NAMES];
	struct match term[TERMS];
	bool used[TERMS];
};

static void compare(const struct world *w)
{
	bool all = false;

	for (int k = 0; k < TERMS; k++)
		all |= w->used[k] && !w->term[k].ns && !w->term[k].namespaces;
	assert_int_equal(w->told->all, all);
	for (int n = 0; n < NAMES; n++) {
		bool needed = false;

		for (int k = 0; k < TERMS; k++) {
			const struct match *m = &w->term[k];

			if (!w->used[k])
				continue;
			needed |= m->ns == w->told->names[n];
			needed |= m->namespaces && w->value[n] >= 0 &&
				  (m->namespaces == &w->everything ||
				   m->namespaces == &w->selectors[w->value[n]]);
		}
		assert_int_equal(w->told->needed[n], needed);
	}
}

static void set_value(struct world *w, int n, int value)
{
	const struct labels l = {1, value >= 0 ? &w->labels[value] : NULL};

	interest_namespace(w->interest, w->told->names[n], value >= 0 ? &l : NULL);
	w->value[n] = value;
}

static void toggle_term(struct world *w, int k)
{
	if (w->used[k])
		interest_remove(w->interest, &w->term[k]);
	else
		interest_add(w->interest, &w->term[k]);
	w->used[k] = !w->used[k];
}

static void make_terms(struct world *w)
{
	for (int v = 0; v < VALUES; v++) {
		char value[16];

		(void)snprintf(value, sizeof(value), "v%d", v);
		w->selectors[v] = in("k", value);
		w->labels[v] =
			(struct label){w->selectors[v].v[0].key, w->selectors[v].v[0].values[0]};
	}
	for (int k = 0; k < TERMS; k++) {
		if (k % 4 == 0)
			w->term[k].ns = w->told->names[k % NAMES];
		else if (k % 4 == 1)
			w->term[k].namespaces = &w->selectors[k % VALUES];
		else if (k % 8 == 2)
			w->term[k].namespaces = &w->everything;
		else if (k % 8 == 3)
			w->term[k].namespaces = &w->selectors[k / 8 % VALUES];
	}
}

static void random_use(void **state)
{
	struct world w = {.told = *state};
	unsigned int seed = 5;

	w.interest = interest_new(on_need, w.told);
	make_terms(&w);
	for (int n = 0; n < NAMES; n++)
		w.value[n] = -1;
	for (int step = 0; step < 20000; step++) {
		if (rand_r(&seed) % 2)
			toggle_term(&w, rand_r(&seed) % TERMS);
		else
			set_value(&w, rand_r(&seed) % NAMES, rand_r(&seed) % (VALUES + 1) - 1);
		compare(&w);
	}
	for (int k = 0; k < TERMS; k++)
		if (w.used[k])
			toggle_term(&w, k);
	for (int n = 0; n < NAMES; n++)
		if (w.value[n] >= 0)
			set_value(&w, n, -1);
	(void)interest_free(w.interest);
	for (int v = 0; v < VALUES; v++)
		selector_done(&w.selectors[v]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_namespace_of_its_own),
		TEST(namespaces_by_label),
		TEST(all_namespaces),
		TEST(nobody_asks),
		TEST(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
