// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_peer_fill.c - new peer sets are filled in pieces, whatever happens between two of them.
 *
 * Times are printed, not judged: `longest` is what the loop is held for.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "test/unit/peer_world.h"

#define A	 " a of ns shop; b of ns shop\n"
#define A1	 " a of ns shop\n"
#define X	 " all of ns(team=x)\n"
#define NEW_SETS "+set4" A "+set6" A

enum { CROWD = 10000, SELECTORS = 2000, STEPS = 200000 };

/* A set of two terms, with one of them in it: pods 0 and 1 have the first label, 2 the second. */
static struct peer_set *half_full(struct world *w)
{
	struct peer_set *s;

	setup(w);
	put_pod(w, 0, "shop", "a=1", "10.0.0.1", "");
	put_pod(w, 1, "shop", "a=1", "10.0.0.2", "");
	put_pod(w, 2, "shop", "b=1", "10.0.0.3", "");
	s = use_unfilled(w, (struct want[]){SHOP("a"), SHOP("b")}, 2);
	expect(w, NEW_SETS);
	assert_true(peers_fill(w->p, 0));
	expect(w, "");
	assert_true(peers_fill(w->p, 1)); /* one term at least, or it would never end */
	expect(w, "+10.0.0.1" A "+10.0.0.2" A);
	return s;
}

static void a_term_at_a_time(void **state _unused_)
{
	struct world w;
	struct peer_set *s = half_full(&w);

	assert_false(peers_fill(w.p, 1));
	expect(&w, "+10.0.0.3" A);
	assert_false(peers_fill(w.p, 1));
	peers_set_put(w.p, s);
	teardown(&w);
}

/* Pods come, go and change between two pieces: nobody is missing and nobody is left. */
static void changes_in_between(void **state _unused_)
{
	struct world w;
	struct peer_set *s = half_full(&w);

	put_pod(&w, 0, "shop", "b=1", "10.0.0.1", ""); /* of a term that is to come */
	put_pod(&w, 3, "shop", "a=1", "10.0.0.4", ""); /* of the one that is there */
	put_pod(&w, 4, "shop", "b=1", "10.0.0.5", "");
	put_pod(&w, 5, "shop", "a=1 b=1", "10.0.0.6", "");
	remove_pod(&w, 2);
	remove_pod(&w, 1);
	expect(&w, "+10.0.0.4" A "+10.0.0.6" A "-10.0.0.1" A "-10.0.0.2" A);
	assert_false(peers_fill(w.p, SIZE_MAX));
	expect(&w, "+10.0.0.1" A "+10.0.0.5" A);
	peers_set_put(w.p, s);
	teardown(&w);
}

/* Nobody wants the set any more before it is complete; and one of two users of it. */
static void given_back_in_between(void **state _unused_)
{
	struct world w;
	struct peer_set *s = half_full(&w), *again;

	again = use_unfilled(&w, (struct want[]){SHOP("a"), SHOP("b")}, 2);
	assert_ptr_equal(s, again);
	peers_set_put(w.p, again);
	assert_true(peers_fill(w.p, 0));
	peers_set_put(w.p, s);
	expect(&w, "-set4" A "-set6" A);
	put_pod(&w, 3, "shop", "a=1 b=1", "10.0.0.4", "");
	expect(&w, "");
	assert_false(peers_fill(w.p, SIZE_MAX));
	assert_int_equal(w.pods[0].peer.n_member, 0);
	teardown(&w);
}

/* Its members change, and the same definition is used again, before all have forgotten the set. */
static void used_again_before_it_is_forgotten(void **state _unused_)
{
	struct world w;
	struct peer_set *s;

	setup(&w);
	put_pod(&w, 0, "shop", "a=1", "10.0.0.1", "");
	put_pod(&w, 1, "shop", "a=1", "10.0.0.2", "");
	put_pod(&w, 2, "shop", "a=1", "10.0.0.3", "");
	s = USE(&w, SHOP("a"));
	peers_set_put(w.p, s);
	s = use_unfilled(&w, (struct want[]){SHOP("a")}, 1);
	remove_pod(&w, 0);
	put_pod(&w, 1, "shop", "b=1", "10.0.0.2", "");
	put_pod(&w, 2, "shop", "a=1", "10.0.0.4", "");
	assert_false(peers_fill(w.p, SIZE_MAX));
	expect(&w, "+10.0.0.4" A1 "+set4" A1 "+set6" A1);
	peers_set_put(w.p, s);
	teardown(&w);
}

/* A namespace gets other labels, and again others before its pods were looked at. */
static void relabelled_in_between(void **state _unused_)
{
	struct world w;
	struct peer_set *s;

	setup(&w);
	put_ns(&w, "shop", "team=x");
	put_pod(&w, 0, "shop", "", "10.0.0.1", "");
	put_pod(&w, 1, "shop", "", "10.0.0.2", "");
	s = use(&w, (struct want[]){{NULL, "team=x", "", NULL}}, 1);
	expect(&w, "+10.0.0.1" X "+10.0.0.2" X "+set4" X "+set6" X);
	change_ns(&w, "shop", "team=y");
	expect(&w, "");
	change_ns(&w, "shop", "team=z");
	assert_false(peers_fill(w.p, SIZE_MAX));
	expect(&w, "-10.0.0.1" X "-10.0.0.2" X);
	change_ns(&w, "shop", "team=x");
	change_ns(&w, "shop", NULL);
	assert_false(peers_fill(w.p, SIZE_MAX));
	expect(&w, "");
	peers_set_put(w.p, s);
	teardown(&w);
}

/* --- at size -----------------------------------------------------------------------------------
 */

/* struct crowd - pods of one namespace with one label in common */
struct crowd {
	struct world w;
	struct known_pod pods[CROWD];
};

static struct crowd *crowd_new(void)
{
	struct crowd *c = xcalloc(1, sizeof(*c));

	setup(&c->w);
	for (int i = 0; i < CROWD; i++) {
		_cleanup_(freep) char *ip = xasprintf("10.1.%d.%d", i / 250, i % 250 + 1);

		c->pods[i].object = sample_pod("shop", i ? "app=x" : "app=x odd=1", ip, "");
		peers_pod_update(c->w.p, &c->pods[i].peer, c->pods[i].object, 1,
				 c->pods[i].object->ips);
	}
	return c;
}

static void crowd_free(struct crowd *c)
{
	for (int i = 0; i < CROWD; i++) {
		peers_pod_update(c->w.p, &c->pods[i].peer, NULL, 0, NULL);
		(void)object_free(&c->pods[i].object->o);
	}
	teardown(&c->w);
	free(c);
}

static double ms_since(clock_t began)
{
	return (double)(clock() - began) * 1e3 / CLOCKS_PER_SEC;
}

/*
 * Selectors of one policy that look at all pods.  None may be tried against more pods in one piece
 * than the piece has steps for, but for the one that ends it.
 */
static void at_size(const char *what, const char *selector, size_t members)
{
	struct crowd *c = crowd_new();
	struct term *terms = xcalloc(SELECTORS, sizeof(*terms));
	double longest = 0, all = 0, drop;
	struct peer_set *s;
	size_t pieces = 0;
	bool more = true;
	clock_t began;

	for (int i = 0; i < SELECTORS; i++) {
		_cleanup_(freep) char *pods = xasprintf("%s !r%d", selector, i);

		term_of(&SHOP(pods), &terms[i]);
	}
	qsort(terms, SELECTORS, sizeof(*terms), term_compare);
	s = peers_set_get(c->w.p, terms, SELECTORS);
	for (; more; pieces++) {
		began = clock();
		more = peers_fill(c->w.p, STEPS);
		longest = MAX(longest, ms_since(began));
		all += ms_since(began);
	}
	assert_int_equal(set_count(table_find_set(c->w.t, peer_set_name(s, AF_INET))), members);
	assert_in_range(pieces, (size_t)CROWD * SELECTORS / STEPS, SELECTORS);
	began = clock();
	peers_set_put(c->w.p, s);
	drop = ms_since(began);
	do {
		began = clock();
		more = peers_fill(c->w.p, STEPS);
		drop = MAX(drop, ms_since(began));
	} while (more);
	print_message(
		"%s: %zu pieces, longest %.1f ms, together %.0f ms; dropping: longest %.1f ms\n",
		what, pieces, longest, all, drop);
	for (int i = 0; i < SELECTORS; i++)
		term_done(&terms[i]);
	free(terms);
	crowd_free(c);
}

static void selectors_that_match_none(void **state _unused_)
{
	at_size("2,000 selectors that match none of 10,000 pods", "!app", 0);
}

static void selectors_that_match_all_but_one(void **state _unused_)
{
	at_size("2,000 that match all but one", "!odd", CROWD - 1);
}

static void selectors_that_match_one(void **state _unused_)
{
	at_size("2,000 that match one", "odd app", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_term_at_a_time),
		cmocka_unit_test(changes_in_between),
		cmocka_unit_test(given_back_in_between),
		cmocka_unit_test(used_again_before_it_is_forgotten),
		cmocka_unit_test(relabelled_in_between),
		cmocka_unit_test(selectors_that_match_none),
		cmocka_unit_test(selectors_that_match_all_but_one),
		cmocka_unit_test(selectors_that_match_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
