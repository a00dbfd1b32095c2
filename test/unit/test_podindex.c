// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_podindex.c - which pods match a selector, and how many were looked at to find out.
 */
#include "test/unit/podindex_world.h"

static void expect(const struct world *w, const char *ns, const char *namespaces, const char *pods,
		   const char *letters)
{
	struct sample_match q;
	struct answer a;

	sample_match_init(&q, ns, namespaces, pods);
	find(w, &q.m, &a);
	if (!streq(a.letters, letters))
		fail_msg("{%s} of %s %s: found '%s', not '%s'", pods, ns ? ns : "namespaces",
			 namespaces ? namespaces : "", a.letters, letters);
	sample_match_done(&q);
}

static void expect_in(const struct world *w, const char *ns, const char *letters)
{
	expect(w, ns, NULL, "", letters);
}

/* --- finding -----------------------------------------------------------------------------------
 */

static void by_namespace(void **state _unused_)
{
	struct world w;

	setup(&w);
	expect(&w, "shop", NULL, "", "");
	expect_in(&w, "shop", "");
	add(&w, 'a', "shop", "app=web");
	add(&w, 'b', "shop", "");
	add(&w, 'c', "bank", "app=web");
	expect(&w, "shop", NULL, "", "ab");
	expect(&w, "bank", NULL, "", "c");
	expect(&w, "else", NULL, "", "");
	expect(&w, "shop", NULL, "app", "a");
	expect(&w, "shop", NULL, "!app", "b");
	expect(&w, "shop", NULL, "app!=web", "b");
	expect_in(&w, "shop", "ab");
	expect_in(&w, "bank", "c");
	expect_in(&w, "else", "");
	teardown(&w);
	assert_null(podindex_free(NULL));
}

static void by_label(void **state _unused_)
{
	struct world w;

	setup(&w);
	add(&w, 'a', "shop", "app=web tier=1");
	add(&w, 'b', "shop", "app=web tier=2");
	add(&w, 'c', "shop", "app=db tier=1");
	add(&w, 'd', "bank", "app=web tier=1");
	add(&w, 'e', "shop", "");
	expect(&w, "shop", NULL, "app=web", "ab");
	expect(&w, "shop", NULL, "tier=1", "ac");
	expect(&w, "shop", NULL, "app=web tier=1", "a");
	expect(&w, "shop", NULL, "app=web tier!=1", "b");
	expect(&w, "shop", NULL, "app=web !tier", "");
	expect(&w, "shop", NULL, "app=1", "");
	expect(&w, "bank", NULL, "app=db", "");
	teardown(&w);
}

/* Each value is a list of its own; a pod stands in one of them. */
static void several_values(void **state _unused_)
{
	struct world w;

	setup(&w);
	add(&w, 'a', "shop", "app=web tier=1");
	add(&w, 'b', "shop", "app=db tier=2");
	add(&w, 'c', "shop", "app=cache tier=3");
	add(&w, 'd', "bank", "app=db tier=1");
	expect(&w, "shop", NULL, "app=cache|db|mail|web", "abc");
	expect(&w, "shop", NULL, "app=db|web tier=1|2|3", "ab");
	expect(&w, "shop", NULL, "app=cache|db|web tier=2|3", "bc");
	expect(&w, NULL, NULL, "app=db|web", "abd");
	teardown(&w);
}

static void across_namespaces(void **state _unused_)
{
	struct world w;

	setup(&w);
	know(&w.known[0], "shop", "env=dev team=x");
	know(&w.known[1], "bank", "env=dev team=y");
	know(&w.known[2], "bare", "");
	add(&w, 'a', "shop", "app=web");
	add(&w, 'b', "bank", "app=web");
	add(&w, 'c', "bank", "app=db");
	add(&w, 'd', "bare", "app=web");
	add(&w, 'e', "shop", "");
	expect(&w, NULL, "team=x", "app=web", "a");
	expect(&w, NULL, "team=x|y", "app=web", "ab");
	expect(&w, NULL, "env=dev", "", "abce");
	expect(&w, NULL, "!team", "app=web", "d");
	expect(&w, NULL, "", "app=web", "abd");
	expect(&w, NULL, "", "", "abcde");
	expect(&w, NULL, "team=z", "", "");
	forget(&w.known[0]); /* the labels are asked for with every question */
	know(&w.known[0], "shop", "team=z");
	expect(&w, NULL, "team=x", "app=web", "");
	expect(&w, NULL, "team=z", "", "ae");
	teardown(&w);
}

/* Nothing is guessed about the labels of a namespace that is not known. */
static void unknown_namespaces(void **state _unused_)
{
	struct world w;

	setup(&w);
	know(&w.known[0], "shop", "team=x");
	add(&w, 'a', "shop", "app=web");
	add(&w, 'b', "bank", "app=web");
	expect(&w, NULL, "", "app=web", "a");
	expect(&w, NULL, "team!=y", "app=web", "a");
	expect(&w, NULL, "!team", "", "");
	expect(&w, NULL, NULL, "app=web", "ab"); /* any namespace at all */
	expect(&w, NULL, NULL, "", "ab");
	expect(&w, "bank", NULL, "app=web", "b"); /* bound by name: no label is needed */
	teardown(&w);
}

/* --- removal -----------------------------------------------------------------------------------
 */

static void add_five(struct world *w)
{
	add(w, 'a', "shop", "app=web tier=1");
	add(w, 'b', "shop", "app=web tier=2");
	add(w, 'c', "shop", "app=web tier=1");
	add(w, 'd', "bank", "app=web");
	add(w, 'e', "shop", "");
}

/* @left: those that are in, in order */
static void expect_of_five(const struct world *w, const char *left)
{
	static const struct {
		const char *ns, *pods, *of;
	} lists[] = {
		{NULL, "", "abcde"},	  {"shop", "", "abce"}, {"shop", "app=web", "abc"},
		{"shop", "tier=1", "ac"}, {"bank", "", "d"},	{NULL, "app=web", "abcd"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		char want[LETTERS] = "";
		size_t n = 0;

		for (const char *c = lists[i].of; *c; c++)
			if (strchr(left, *c))
				want[n++] = *c;
		expect(w, lists[i].ns, NULL, lists[i].pods, want);
	}
}

/* All 120 orders, written in the factorial system. */
static void removal_in_any_order(void **state _unused_)
{
	for (int order = 0; order < 120; order++) {
		char left[] = "abcde";
		int digits = order;
		struct world w;

		setup(&w);
		add_five(&w);
		for (int n = 5; n > 0; n--) {
			char *gone = left + digits % n;

			digits /= n;
			take_out(&w, *gone);
			memmove(gone, gone + 1, strlen(gone));
			expect_of_five(&w, left);
		}
		teardown(&w);
	}
}

/* --- cost --------------------------------------------------------------------------------------
 */

enum { CROWD = 200 };

/* struct crowd - in every namespace pods with each of two labels and some with none */
struct crowd {
	struct world w;
	struct entry pods[NAMESPACES][CROWD];
};

static const char *const crowd_ns[NAMESPACES] = {"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"};

/* n0 holds three pods of app=x, every other namespace one half, and n7 none at all. */
static const char *crowd_labels(int ns, int pod)
{
	if (ns == 0)
		return pod < 3 ? "app=x" : pod % 2 ? "app=y" : "";
	return pod % 2 || ns == 7 ? "app=y" : "app=x";
}

static struct crowd *crowd_new(void)
{
	struct crowd *c = xcalloc(1, sizeof(*c));

	setup(&c->w);
	for (int i = 0; i < NAMESPACES; i++) {
		know(&c->w.known[i], crowd_ns[i], i % 2 ? "team=odd" : "team=even");
		for (int j = 0; j < CROWD; j++)
			entry_add(c->w.x, &c->pods[i][j], crowd_ns[i], crowd_labels(i, j));
	}
	return c;
}

static void crowd_free(struct crowd *c)
{
	for (int i = 0; i < NAMESPACES; i++)
		for (int j = 0; j < CROWD; j++)
			entry_remove(c->w.x, &c->pods[i][j]);
	teardown(&c->w);
	free(c);
}

static void each_of_crowd(struct crowd *c, const struct labels *labels)
{
	for (int i = 0; i < NAMESPACES; i++)
		for (int j = 0; j < CROWD; j++) {
			struct entry *e = &c->pods[i][j];

			e->index.labels = labels ? labels : &e->labels;
		}
}

static void count(void *arg, struct indexed_pod *p _unused_)
{
	(*(size_t *)arg)++;
}

/*
 * How many pods are looked at: while the question is asked every pod there is seems to have the
 * label, so that the index tells all that it looks at.
 */
static size_t looked_at(struct crowd *c, const char *ns, const char *namespaces, const char *pods)
{
	struct labels bait = sample_labels("app=x");
	struct sample_match q;
	size_t n = 0;

	sample_match_init(&q, ns, namespaces, pods);
	each_of_crowd(c, &bait);
	c->w.asked = 0;
	podindex_find(c->w.x, &q.m, count, &n);
	each_of_crowd(c, NULL);
	sample_match_done(&q);
	sample_labels_done(&bait);
	return n;
}

/* Neither the size of the namespace counts nor how common the label is in others. */
static void only_pods_with_the_label_in_the_namespace(void **state _unused_)
{
	struct crowd *c = crowd_new();

	assert_int_equal(looked_at(c, "n0", NULL, "app=x"), 3);
	assert_int_equal(c->w.asked, 0); /* by name: nobody's labels matter */
	assert_int_equal(looked_at(c, "n7", NULL, "app=x"), 0);
	assert_int_equal(c->w.asked, 0);
	assert_int_equal(looked_at(c, "n0", NULL, "app=w|x"), 3);
	assert_int_equal(c->w.asked, 0);
	assert_int_equal(looked_at(c, "n1", NULL, ""), CROWD);
	assert_int_equal(c->w.asked, 0);
	crowd_free(c);
}

/* Of pods with the label those of the selected namespaces, and each namespace is judged once. */
static void a_namespace_is_judged_once(void **state _unused_)
{
	struct crowd *c = crowd_new();

	assert_int_equal(looked_at(c, NULL, "team=even", "app=x"), 3 + 3 * CROWD / 2);
	assert_int_equal(c->w.asked, NAMESPACES - 1); /* n7 has no such pod */
	assert_int_equal(looked_at(c, NULL, "team=none", "app=x"), 0);
	assert_int_equal(c->w.asked, NAMESPACES - 1);
	assert_int_equal(looked_at(c, NULL, "team=odd", ""), NAMESPACES / 2 * CROWD);
	assert_int_equal(c->w.asked, NAMESPACES);
	assert_int_equal(looked_at(c, NULL, NULL, "app=x"), 3 + 6 * CROWD / 2);
	assert_int_equal(c->w.asked, 0);
	crowd_free(c);
}

/* --- random use --------------------------------------------------------------------------------
 */

static const char *const random_ns[] = {"n1", "n2", "n3", "n4"};

static void change_one(struct world *w, unsigned int *seed)
{
	char name = (char)('a' + rand_r(seed) % LETTERS), labels[SAMPLE_TEXT];
	struct known *k = &w->known[rand_r(seed) % 3]; /* n4 is never known */

	if (w->pods[name - 'a'].in)
		take_out(w, name);
	else
		add(w, name, random_ns[rand_r(seed) % 4], random_labels(seed, labels));
	if (rand_r(seed) % 16)
		return;
	if (k->ns)
		forget(k);
	else
		know(k, random_ns[k - w->known], random_labels(seed, labels));
}

static bool matches(struct world *w, const struct sample_match *q, const struct entry *e)
{
	return e->in &&
	       sample_match_holds(q, &(struct match_subject){e->index.ns, &e->labels,
							     labels_of_ns(w, e->index.ns)});
}

static void compare_with_a_walk(struct world *w, unsigned int *seed)
{
	char pods[SAMPLE_TEXT], namespaces[SAMPLE_TEXT], walk[LETTERS + 1];
	int where = rand_r(seed) % 6;
	struct sample_match q;
	struct answer a;
	size_t n = 0;

	sample_match_init(&q, where < 4 ? random_ns[where] : NULL,
			  where == 4 ? random_selector(seed, namespaces) : NULL,
			  random_selector(seed, pods));
	find(w, &q.m, &a);
	for (int i = 0; i < LETTERS; i++)
		if (matches(w, &q, &w->pods[i]))
			walk[n++] = (char)('a' + i);
	walk[n] = '\0';
	if (!streq(a.letters, walk))
		fail_msg("{%s} of %s {%s}: found '%s', not '%s'", pods, q.m.ns ? q.m.ns : "ns",
			 where == 4 ? namespaces : "", a.letters, walk);
	sample_match_done(&q);
}

static void random_use(void **state _unused_)
{
	unsigned int seed = 13;
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
		cmocka_unit_test(by_namespace),
		cmocka_unit_test(by_label),
		cmocka_unit_test(several_values),
		cmocka_unit_test(across_namespaces),
		cmocka_unit_test(unknown_namespaces),
		cmocka_unit_test(removal_in_any_order),
		cmocka_unit_test(only_pods_with_the_label_in_the_namespace),
		cmocka_unit_test(a_namespace_is_judged_once),
		cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
