// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_podindex_walk.c - pods and namespaces change between two pieces of a walk.
 */
#include "test/unit/podindex_world.h"

/* struct round - a walk, and which pods were there unchanged since it began, or were found */
struct round {
	struct podindex_walk walk;
	bool unchanged[LETTERS], found[LETTERS];
};

struct finder {
	struct world *w;
	struct round *r;
};

static void find_in_round(void *arg, struct indexed_pod *p)
{
	const struct finder *f = arg;

	f->r->found[container_of(p, struct entry, index) - f->w->pods] = true;
}

static void change_one(struct world *w, struct round *r, unsigned int *seed)
{
	static const char *const labels[] = {"app=x", "app=y", "app=x tier=1", ""};
	static const char *const names[] = {"shop", "bank", "bare"};
	int i = rand_r(seed) % LETTERS;

	r->unchanged[i] = false;
	if (w->pods[i].in)
		entry_remove(w->x, &w->pods[i]);
	if (rand_r(seed) % 3)
		entry_add(w->x, &w->pods[i], names[rand_r(seed) % 3], labels[rand_r(seed) % 4]);
}

static void relabel_one(struct world *w, unsigned int *seed)
{
	struct known *k = &w->known[rand_r(seed) % 2];
	const char *ns = k->ns;

	sample_labels_done(&k->labels);
	*k = (struct known){ns, sample_labels(rand_r(seed) % 2 ? "team=x" : "team=y")};
}

/* Does the selector match a pod now?  Asked of a walk in one go. */
static bool matches_now(struct world *w, const struct match *m, int i)
{
	struct answer a;

	find(w, m, &a);
	return memchr(a.letters, 'a' + i, a.n);
}

static void one_walk(struct world *w, const struct match *m, unsigned int *seed)
{
	struct round r = {0};
	struct finder f = {w, &r};
	bool relabelled = false;
	size_t looked;

	for (int i = 0; i < LETTERS; i++)
		r.unchanged[i] = w->pods[i].in;
	podindex_walk_begin(w->x, &r.walk, m);
	while (podindex_walk_on(w->x, &r.walk, 1 + (size_t)(rand_r(seed) % 3), find_in_round, &f,
				&looked)) {
		for (int n = rand_r(seed) % 3; n; n--)
			change_one(w, &r, seed);
		if (rand_r(seed) % 16 == 0) {
			relabel_one(w, seed);
			relabelled = true;
		}
	}
	podindex_walk_end(w->x, &r.walk);
	for (int i = 0; i < LETTERS; i++)
		if (r.unchanged[i] && !relabelled)
			assert_int_equal(r.found[i], matches_now(w, m, i));
}

/* Whoever is there all the time is found, whatever the others do. */
static void changes_between_pieces(void **state _unused_)
{
	static const struct {
		const char *ns, *namespaces, *pods;
	} questions[] = {
		{"shop", NULL, "app=x"},      {NULL, NULL, "app=x|y"}, {NULL, "team=x", ""},
		{NULL, "team=x|y", "tier=1"}, {NULL, NULL, ""},	       {"bank", NULL, "app=x|y"},
	};
	unsigned int seed = 5;
	struct world w;

	setup(&w);
	know(&w.known[0], "shop", "team=x");
	know(&w.known[1], "bank", "team=y");
	for (int n = 0; n < 3000; n++) {
		struct sample_match q;
		size_t i = (size_t)n % ARRAY_SIZE(questions);

		sample_match_init(&q, questions[i].ns, questions[i].namespaces, questions[i].pods);
		one_walk(&w, &q.m, &seed);
		sample_match_done(&q);
	}
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_between_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
