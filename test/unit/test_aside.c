// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_aside.c - a judge that refuses certain policies: they end up set aside, all others in force.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/aside.h"
#include "lib/intern.h"
#include "lib/log.h"

enum { POLICIES = 9 };

/* struct world - @guilty: policies that the judge does not like while they allow anything */
struct world {
	struct datapath *datapath;
	struct aside *aside;
	struct netpol *policy[POLICIES];
	bool guilty[POLICIES];
	bool sick;   /* the judge hears nothing */
	int deaf_at; /* nor at this try, counted from 1 */
	int tries;
	bool told[POLICIES]; /* that it is set aside */
	bool again;	     /* what was told may be told again */
};

static void look(void *arg, const struct policy_info *info)
{
	bool *in_force = arg;

	in_force[atoi(info->policy->o.name + 1)] = info->policy->n_rules[INGRESS] > 0;
}

static int refuse(struct err *reterr, int i)
{
	(void)err_set(reterr, -EINVAL, "policy %d is not to my taste", i);
	return NFT_REFUSED;
}

static int judge(void *arg, const struct nft_op **ret_op, struct err *reterr)
{
	bool in_force[POLICIES] = {0};
	struct world *w = arg;

	*ret_op = NULL;
	w->tries++;
	datapath_settle(w->datapath);
	policy_each(w->datapath->policy, look, in_force);
	if (w->sick || (w->deaf_at && w->tries == w->deaf_at))
		return err_set(reterr, -ENOMEM, "no memory");
	for (int i = 0; i < POLICIES; i++)
		if (w->guilty[i] && in_force[i])
			return refuse(reterr, i);
	return 0;
}

static int ask(struct world *w, struct err *reterr)
{
	const struct nft_op *op;

	return judge(w, &op, reterr);
}

static void tell(void *arg, const struct object *policy, const char *problem)
{
	struct world *w = arg;
	int i = atoi(policy->name + 1);
	char expected[80];

	assert_ptr_equal(policy, w->policy[i]);
	if (!problem) {
		assert_true(w->told[i]);
		w->told[i] = false;
		return;
	}
	(void)snprintf(expected, sizeof(expected),
		       "the kernel refused it: policy %d is not to my taste", i);
	assert_string_equal(problem, expected);
	assert_true(w->again || !w->told[i]);
	w->told[i] = true;
}

static struct netpol *make_policy(int i)
{
	struct netpol *p = xcalloc(1, sizeof(*p));
	char name[8];

	(void)snprintf(name, sizeof(name), "p%d", i);
	p->o.kind = KIND_NETPOL;
	p->o.ns = intern("ns");
	p->o.name = intern(name);
	p->isolates[INGRESS] = true;
	p->n_rules[INGRESS] = 1;
	p->rules[INGRESS] = xcalloc(1, sizeof(struct policy_rule));
	return p;
}

static void setup(struct world *w)
{
	log_set_level(LOG_LEVEL_ERR);
	w->datapath = datapath_new("", NULL, NULL);
	w->aside = aside_new(w->datapath, judge, tell, w);
	aside_begin(w->aside, true, 0);
	for (int i = 0; i < POLICIES; i++) {
		w->policy[i] = make_policy(i);
		aside_object(w->aside, NULL, &w->policy[i]->o);
	}
	datapath_settle(w->datapath);
}

static void teardown(struct world *w)
{
	aside_begin(w->aside, true, 0);
	for (int i = 0; i < POLICIES; i++)
		aside_object(w->aside, &w->policy[i]->o, NULL);
	datapath_settle(w->datapath);
	(void)aside_free(w->aside);
	(void)datapath_free(w->datapath);
	for (int i = 0; i < POLICIES; i++)
		(void)object_free(&w->policy[i]->o);
	assert_int_equal(intern_count(), 0);
}

static void expect(struct world *w)
{
	bool in_force[POLICIES] = {0};
	size_t guilty = 0;

	policy_each(w->datapath->policy, look, in_force);
	for (int i = 0; i < POLICIES; i++) {
		assert_int_equal(in_force[i], !w->guilty[i]);
		assert_int_equal(w->told[i], w->guilty[i]);
		guilty += w->guilty[i];
	}
	assert_int_equal(aside_count(w->aside), guilty);
}

/* Every set of guilty policies is found, each time in few tries. */
static void the_guilty_are_found(void **state _unused_)
{
	for (unsigned int mask = 1; mask < 1u << POLICIES; mask += 7) {
		struct err e = {-EINVAL, "refused"};
		struct world w = {0};

		for (int i = 0; i < POLICIES; i++)
			w.guilty[i] = mask >> i & 1;
		setup(&w);
		assert_true(aside_guilty(w.aside, NULL, &e));
		expect(&w);
		teardown(&w);
	}
}

static void one_of_many_takes_few_tries(void **state _unused_)
{
	struct err e = {-EINVAL, "refused"};
	struct world w = {.guilty = {[6] = true}};

	setup(&w);
	assert_true(aside_guilty(w.aside, NULL, &e));
	assert_in_range(w.tries, 3, 14);
	teardown(&w);
}

/* When the kernel refuses everything, no policy is blamed. */
static void nobody_is_guilty_of_a_sick_kernel(void **state _unused_)
{
	struct err e = {-ENOMEM, "refused"};
	struct world w = {.sick = true};

	setup(&w);
	assert_false(aside_guilty(w.aside, NULL, &e));
	assert_int_equal(aside_count(w.aside), 0);
	expect(&w);
	teardown(&w);
}

/* The judge does not hear one of the tries: nobody is blamed for it, and the next turn goes on. */
static void a_try_that_is_not_heard(void **state _unused_)
{
	for (int at = 1; at <= 12; at++) {
		struct err e = {-EINVAL, "refused"};
		struct world w = {.guilty = {[1] = true, [6] = true}, .deaf_at = at};
		bool done;

		setup(&w);
		done = aside_guilty(w.aside, NULL, &e);
		assert_true(done || w.tries >= at);
		w.deaf_at = 0;
		for (int turn = 0; turn < 3 && !done; turn++) {
			aside_begin(w.aside, false, 0);
			done = ask(&w, &e) == 0 || aside_guilty(w.aside, NULL, &e);
		}
		assert_true(done);
		expect(&w);
		teardown(&w);
	}
}

/* A policy that was set aside and is changed gets a new chance. */
static void a_changed_policy_is_tried_again(void **state _unused_)
{
	struct err e = {-EINVAL, "refused"};
	struct world w = {.guilty = {[2] = true}};
	struct netpol *old;

	setup(&w);
	assert_true(aside_guilty(w.aside, NULL, &e));
	assert_int_equal(aside_count(w.aside), 1);
	aside_begin(w.aside, true, 0);
	w.guilty[2] = w.told[2] = false;
	old = w.policy[2];
	w.policy[2] = make_policy(2);
	aside_object(w.aside, &old->o, &w.policy[2]->o);
	assert_int_equal(ask(&w, &e), 0);
	(void)object_free(&old->o);
	expect(&w);
	teardown(&w);
}

/* What it has tried by @now, as turns do; true if it tried at all. */
static bool try_again(struct world *w, uint64_t now)
{
	struct err e = {0};
	bool due;

	aside_begin(w->aside, true, now);
	w->again = due = aside_retry(w->aside);
	if (due && ask(w, &e) != 0)
		assert_true(aside_guilty(w->aside, NULL, &e));
	aside_settled(w->aside);
	return due;
}

/* Those set aside are tried again, ever more rarely, until the kernel takes them. */
static void the_kernel_changes_its_mind(void **state _unused_)
{
	struct err e = {-EINVAL, "refused"};
	struct world w = {.guilty = {[2] = true, [6] = true}};
	uint64_t now = 0, pause = 30 * USEC_PER_SEC;

	setup(&w);
	assert_int_equal(aside_retry_at(w.aside), USEC_INFINITY);
	assert_true(aside_guilty(w.aside, NULL, &e));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(aside_retry_at(w.aside), now + pause);
		assert_false(try_again(&w, now + pause - 1));
		now += pause;
		assert_true(try_again(&w, now));
		expect(&w);
		pause = MIN(pause * 2, 3600 * USEC_PER_SEC);
	}
	w.guilty[6] = false; /* the other is refused as before */
	now += pause;
	assert_true(try_again(&w, now));
	assert_false(w.told[6]);
	expect(&w);
	w.guilty[2] = false;
	now += pause;
	assert_true(try_again(&w, now));
	expect(&w);
	assert_int_equal(aside_retry_at(w.aside), USEC_INFINITY);
	assert_false(try_again(&w, now + 2 * pause));
	teardown(&w);
}

/* A newcomer does not wait as long as those that were refused often. */
static void a_new_one_is_tried_soon(void **state _unused_)
{
	struct err e = {-EINVAL, "refused"};
	struct world w = {.guilty = {[2] = true}};
	struct netpol *old;
	uint64_t now = 0;

	setup(&w);
	assert_true(aside_guilty(w.aside, NULL, &e));
	for (int i = 0; i < 10; i++) {
		now = aside_retry_at(w.aside);
		assert_true(try_again(&w, now));
	}
	assert_true(aside_retry_at(w.aside) > now + 1800 * USEC_PER_SEC);
	now++;
	aside_begin(w.aside, true, now);
	w.guilty[3] = true;
	old = w.policy[3];
	w.policy[3] = make_policy(3);
	aside_object(w.aside, &old->o, &w.policy[3]->o);
	assert_int_equal(ask(&w, &e), NFT_REFUSED);
	assert_true(aside_guilty(w.aside, NULL, &e));
	(void)object_free(&old->o);
	expect(&w);
	assert_int_equal(aside_retry_at(w.aside), now + 30 * USEC_PER_SEC);
	teardown(&w);
}

/* The kernel cannot be asked at the retry: later turns find out, nobody is left in between. */
static void a_retry_that_is_not_heard(void **state _unused_)
{
	struct err e = {-EINVAL, "refused"};
	struct world w = {.guilty = {[2] = true}};

	setup(&w);
	assert_true(aside_guilty(w.aside, NULL, &e));
	aside_begin(w.aside, true, 30 * USEC_PER_SEC);
	assert_true(aside_retry(w.aside));
	w.guilty[2] = false;
	w.sick = true;
	assert_int_equal(ask(&w, &e), -ENOMEM);
	w.sick = false;
	aside_begin(w.aside, false, 31 * USEC_PER_SEC);
	assert_int_equal(ask(&w, &e), 0);
	aside_settled(w.aside);
	assert_false(w.told[2]);
	expect(&w);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guilty_are_found),
		cmocka_unit_test(one_of_many_takes_few_tries),
		cmocka_unit_test(a_try_that_is_not_heard),
		cmocka_unit_test(nobody_is_guilty_of_a_sick_kernel),
		cmocka_unit_test(a_changed_policy_is_tried_again),
		cmocka_unit_test(the_kernel_changes_its_mind),
		cmocka_unit_test(a_new_one_is_tried_soon),
		cmocka_unit_test(a_retry_that_is_not_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
