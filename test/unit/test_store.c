// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_store.c - the store against a naive model, and the event queue that merges changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/changes.h"
#include "lib/intern.h"
#include "watch/object/namespace.h"
#include "watch/object/pod.h"
#include "watch/object/store.h"

enum { NAMES = 40 };

/* A namespace object whose only label tells its version. */
static struct object *version(int name, int v)
{
	struct namespace *n = xcalloc(1, sizeof(*n));
	char text[16];

	n->o.kind = KIND_NAMESPACE;
	(void)snprintf(text, sizeof(text), "ns-%d", name);
	n->o.name = intern(text);
	(void)snprintf(text, sizeof(text), "%d", v);
	n->labels.n = 1;
	n->labels.v = xcalloc(1, sizeof(*n->labels.v));
	n->labels.v[0] = (struct label){intern("version"), intern(text)};
	return &n->o;
}

static int version_of(const struct object *o)
{
	return o ? atoi(as_namespace(o)->labels.v[0].value) : 0;
}

/* The version that left the store last; whoever looks takes it. */
static struct object *left;

static void on_left(void *arg _unused_, const struct object_key *key _unused_, struct object *old)
{
	assert_null(left);
	left = old;
}

static bool put(struct store *s, struct object *o, struct object **ret_old)
{
	if (!store_put(s, o))
		return false;
	*ret_old = TAKE(left, NULL);
	return true;
}

static struct object *take_out(struct store *s, enum kind kind, const char *ns, const char *name)
{
	bool was = store_remove(s, &(struct object_key){kind, ns, name});

	assert_int_equal(was, left != NULL);
	return TAKE(left, NULL);
}

static const struct object *get(const struct store *s, enum kind kind, const char *ns,
				const char *name)
{
	return store_get(s, &(struct object_key){kind, ns, name});
}

static void random_use(void **state _unused_)
{
	struct store *s = store_new(on_left, NULL);
	int model[NAMES] = {0};
	unsigned int seed = 5;

	for (int step = 0; step < 20000; step++) {
		int i = rand_r(&seed) % NAMES, v = rand_r(&seed) % 3 + 1;
		struct object *o = version(i, v), *old = NULL;
		const char *name = intern_ref(o->name);
		size_t n = 0;

		if (rand_r(&seed) % 2) {
			bool changed = put(s, o, &old);

			assert_int_equal(changed, model[i] != v);
			if (changed)
				assert_int_equal(version_of(old), model[i]);
			model[i] = v;
		} else {
			(void)object_free(o);
			old = take_out(s, KIND_NAMESPACE, NULL, name);
			assert_int_equal(version_of(old), model[i]);
			model[i] = 0;
		}
		(void)object_free(old);
		assert_int_equal(version_of(get(s, KIND_NAMESPACE, NULL, name)), model[i]);
		for (int j = 0; j < NAMES; j++)
			n += model[j] != 0;
		assert_int_equal(store_count(s, KIND_NAMESPACE), n);
		intern_put(name);
	}
	(void)store_free(s);
	assert_int_equal(intern_count(), 0);
}

static struct object *pod(const char *ns, const char *name)
{
	struct pod *p = xcalloc(1, sizeof(*p));

	p->o.kind = KIND_POD;
	p->o.ns = intern(ns);
	p->o.name = intern(name);
	return &p->o;
}

static void count_pod(void *arg, const struct object *o)
{
	assert_int_equal(o->kind, KIND_POD);
	(*(size_t *)arg)++;
}

/* The same name in another namespace, or of another kind, is another object. */
static void kind_namespace_and_name_are_the_key(void **state _unused_)
{
	struct store *s = store_new(on_left, NULL);
	struct object *one = pod("a", "ns-1"), *two = pod("b", "ns-1"), *old = one;
	size_t n = 0;

	assert_null(get(s, KIND_POD, one->ns, one->name)); /* before the first table */
	assert_null(take_out(s, KIND_POD, one->ns, one->name));
	assert_true(put(s, one, &old));
	assert_null(old);
	assert_true(put(s, two, &old));
	assert_true(put(s, version(1, 1), &old));
	assert_ptr_equal(get(s, KIND_POD, one->ns, one->name), one);
	assert_ptr_equal(get(s, KIND_POD, two->ns, two->name), two);
	assert_null(get(s, KIND_NETPOL, one->ns, one->name));
	assert_null(get(s, KIND_NODE, NULL, one->name));
	store_each(s, KIND_POD, count_pod, &n);
	assert_int_equal(n, 2);
	assert_int_equal(store_count(s, KIND_NAMESPACE), 1);

	old = take_out(s, KIND_POD, one->ns, one->name);
	assert_ptr_equal(old, one);
	(void)object_free(old);
	assert_ptr_equal(get(s, KIND_POD, two->ns, two->name), two);
	assert_null(store_free(s));
	assert_null(store_free(NULL));
	assert_int_equal(intern_count(), 0);
}

struct tally {
	size_t n;
	int sum;
};

static void add_version(void *arg, const struct object *o)
{
	struct tally *s = arg;

	s->n++;
	s->sum += version_of(o);
}

static struct tally marked(const struct store *s, uint16_t feed)
{
	struct tally r = {0};

	store_each_of(s, feed, add_version, &r);
	return r;
}

/* A feed finds its own objects, however many others there are. */
static void objects_of_a_feed(void **state _unused_)
{
	enum { FEEDS = 5 };
	struct store *s = store_new(on_left, NULL);
	struct object *all[NAMES] = {0}, *old = NULL;
	unsigned int seed = 11;

	for (int step = 0; step < 5000; step++) {
		int i = rand_r(&seed) % NAMES, v = rand_r(&seed) % 100;
		uint16_t feed = (uint16_t)(rand_r(&seed) % FEEDS);
		struct tally model[FEEDS] = {0};

		old = NULL;
		if (all[i] && v < 20) {
			old = take_out(s, KIND_NAMESPACE, NULL, all[i]->name);
			all[i] = NULL;
		} else if (all[i] && v < 60) {
			store_mark(s, all[i], feed, 1, 2);
		} else {
			struct object *o = version(i, v);

			o->feed = feed;
			if (put(s, o, &old))
				all[i] = o;
		}
		(void)object_free(old);
		for (int k = 0; k < NAMES; k++)
			if (all[k]) {
				model[all[k]->feed].n++;
				model[all[k]->feed].sum += version_of(all[k]);
			}
		for (uint16_t f = 1; f < FEEDS; f++) {
			struct tally m = marked(s, f);

			assert_int_equal(m.n, model[f].n);
			assert_int_equal(m.sum, model[f].sum);
		}
	}
	(void)store_free(s);
	assert_int_equal(intern_count(), 0);
}

/* Being set aside, and for what, is a change that everyone has to hear of. */
static void a_problem_is_a_change(void **state _unused_)
{
	static const char *const problems[] = {NULL, "spec: required", "spec.ingress: bad", NULL};
	struct store *s = store_new(on_left, NULL);
	struct object *old = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(problems); i++)
		for (int twice = 0; twice < 2; twice++) {
			struct object *o = pod("a", "x");

			o->problem = problems[i] ? xstrdup(problems[i]) : NULL;
			assert_int_equal(put(s, o, &old), !twice);
			old = twice ? old : object_free(old);
		}
	(void)store_free(s);
	assert_int_equal(intern_count(), 0);
}

struct seen {
	int n, old, new;
};

static void on_change(void *arg, const struct object *old, const struct object *new)
{
	struct seen *s = arg;

	s->n++;
	s->old = version_of(old);
	s->new = version_of(new);
}

static uint64_t the_time;
static struct store *the_store;

static void on_changed(void *q, const struct object_key *key, struct object *old)
{
	changes_add(q, key, old, the_time);
}

static void put_at(struct object *o, uint64_t when)
{
	the_time = when;
	(void)store_put(the_store, o);
}

static void remove_at(const char *name, uint64_t when)
{
	the_time = when;
	assert_true(store_remove(the_store, &(struct object_key){KIND_NAMESPACE, NULL, name}));
}

static struct seen drain(struct changes *q)
{
	struct seen s = {0};
	size_t n = changes_drain(q, the_store, on_change, &s);

	assert_int_equal(n, s.n);
	changes_drained(q);
	return s;
}

static void changes_of_one_key_are_merged(void **state _unused_)
{
	struct changes *q = changes_new();
	const char *name = intern("ns-1");
	struct seen s;

	the_store = store_new(on_changed, q);
	put_at(version(1, 1), 100);
	put_at(version(1, 2), 200);
	assert_int_equal(changes_oldest(q), 100);
	s = drain(q);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.old, 0);
	assert_int_equal(s.new, 2);

	put_at(version(1, 2), 300); /* nothing new */
	assert_int_equal(changes_length(q), 0);

	put_at(version(1, 3), 400);
	remove_at(name, 500);
	s = drain(q);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.old, 2);
	assert_int_equal(s.new, 0);

	put_at(version(1, 4), 600);
	remove_at(name, 700);
	assert_int_equal(drain(q).n, 0); /* came and went: nobody has to know */
	(void)changes_free(q);
	(void)store_free(the_store);
	intern_put(name);
	assert_int_equal(intern_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_use),
		cmocka_unit_test(kind_namespace_and_name_are_the_key),
		cmocka_unit_test(objects_of_a_feed),
		cmocka_unit_test(a_problem_is_a_change),
		cmocka_unit_test(changes_of_one_key_are_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
