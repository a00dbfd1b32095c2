// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_policy_size.c - what one policy, and the policies of one pod together, may cost.
 *
 * Times are printed, not judged: `held` is what the loop would be held for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "datapath/policy/compile.h"
#include "test/unit/decoding.h"
#include "watch/object/policy_size.h"

/* A policy of ingress rules or others, in flow style. */
static void put_policy(struct buf *b, int number, const char *direction, const struct buf *rules)
{
	buf_printf(b,
		   "---\n"
		   "apiVersion: networking.k8s.io/v1\n"
		   "kind: NetworkPolicy\n"
		   "metadata: {name: p%d, namespace: shop}\n"
		   "spec: {podSelector: {}, %s: [%s]}\n",
		   number, direction, rules->data);
}

static void put_peers(struct buf *b, const char *key, int first, int n)
{
	buf_printf(b, "%s: [", key);
	for (int i = first; i < first + n; i++)
		buf_printf(b, "%s{podSelector: {matchLabels: {r: x%d}}}", i > first ? "," : "", i);
	buf_puts(b, "]");
}

/* @rules rules of @peers peers of their own; rule i has the ports from @base + i to @top - i. */
static void put_nested(struct buf *b, int first, int rules, int peers, int base, int top)
{
	for (int i = 0; i < rules; i++) {
		buf_printf(b, "%s{", i ? "," : "");
		put_peers(b, "from", (first + i) * peers, peers);
		buf_printf(b, ", ports: [{port: %d, endPort: %d}]}", base + i, top - i);
	}
}

static struct decoded decode_rules_of(const char *direction, const struct buf *rules)
{
	_cleanup_(buf_done) struct buf b = {0};

	put_policy(&b, 0, direction, rules);
	return decode(b.data);
}

static void expect(const char *direction, const struct buf *rules, const char *problem)
{
	struct decoded d = decode_rules_of(direction, rules);
	const struct netpol *p = as_netpol(d.o.v[0]);

	assert_int_equal(d.o.n, 1);
	if (!problem) {
		assert_no_problem(&p->o);
	} else {
		assert_non_null(p->o.problem);
		if (!strstr(p->o.problem, problem))
			fail_msg("%s", p->o.problem);
		assert_int_equal(p->n_rules[INGRESS] + p->n_rules[EGRESS], 0);
		assert_true(p->isolates[INGRESS]);
	}
	decoded_done(&d);
}

/* Compile all policies that were decoded; gives milliseconds of the processor. */
static double compile(struct allowance *a, enum direction d, const struct decoded *from)
{
	_cleanup_(freep) const struct netpol **policies = xcalloc(from->o.n, sizeof(*policies));
	clock_t began;

	for (size_t i = 0; i < from->o.n; i++) {
		assert_no_problem(from->o.v[i]);
		policies[i] = as_netpol(from->o.v[i]);
	}
	began = clock();
	allowance_compile(a, d, policies, from->o.n, NULL);
	return (double)(clock() - began) * 1e3 / CLOCKS_PER_SEC;
}

static void report(const char *what, const struct allowance *a, double ms)
{
	_cleanup_(buf_done) struct buf text = {0};

	allowance_text(a, &text);
	print_message("%s: compiled in %.1f ms, %zu segments, %zu groups, %zu KiB of text\n", what,
		      ms, a->segments.n, a->groups.n, text.len / 1024);
}

/* 143 KB that held the loop for 10 s and took 813 MiB. */
static void nested_ranges(void **state _unused_)
{
	_cleanup_(buf_done) struct buf rules = {0};

	put_nested(&rules, 0, 1500, 1, 1, 60000);
	expect("ingress", &rules, "spec.ingress: too large: ");
	expect("ingress", &rules, "more than 10000");
}

/* The bound is exact: rules 0 to n - 1 share ports in n ways, and cut them in 2 n - 1 pieces. */
static void up_to_the_bound(void **state _unused_)
{
	struct allowance a = {0};
	struct decoded d;
	struct buf b = {0};
	double ms;

	put_nested(&b, 0, 137, 1, 1,
		   60000); /* 137 * 138 / 2 + 273 + what rules over a piece cost */
	expect("ingress", &b, NULL);
	d = decode_rules_of("ingress", &b);
	ms = compile(&a, INGRESS, &d);
	assert_false(a.too_large);
	assert_int_equal(a.segments.n, 273);
	assert_int_equal(a.groups.n, 137);
	report("137 nested ranges", &a, ms);
	allowance_done(&a);
	decoded_done(&d);
	buf_done(&b);
	put_nested(&b, 0, 139, 1, 1, 60000);
	expect("ingress", &b, "spec.ingress: too large: ");
	buf_done(&b);
}

static void many_peers_and_ports(void **state _unused_)
{
	struct allowance a = {0};
	struct decoded d;
	struct buf b = {0};
	double ms;

	/* 1,000 peers, 100 ports. */
	buf_puts(&b, "{");
	put_peers(&b, "from", 0, 1000);
	buf_puts(&b, ", ports: [");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%s{port: %d}", i ? "," : "", 1000 + 2 * i);
	buf_puts(&b, "]}");
	expect("ingress", &b, NULL);
	d = decode_rules_of("ingress", &b);
	ms = compile(&a, INGRESS, &d);
	assert_int_equal(a.segments.n, 100);
	assert_int_equal(a.groups.n, 1);
	assert_int_equal(a.groups.v[0].terms.t.n, 1000);
	report("1,000 peers at 100 ports", &a, ms);
	allowance_done(&a);
	decoded_done(&d);
	buf_done(&b);
	/* Rules of their own ports do not share any. */
	for (int i = 0; i < 5000; i++) {
		buf_printf(&b, "%s{", i ? "," : "");
		put_peers(&b, "from", i, 1);
		buf_printf(&b, ", ports: [{port: %d}]}", 1 + 2 * i);
	}
	d = decode_rules_of("ingress", &b);
	ms = compile(&a, INGRESS, &d);
	assert_int_equal(a.groups.n, 5000);
	report("5,000 rules of one port and peer", &a, ms);
	allowance_done(&a);
	decoded_done(&d);
	buf_done(&b);
}

static void peers_without_ports(void **state _unused_)
{
	struct buf b = {0};

	for (int more = 0; more < 2; more++) {
		for (int i = 0; i < 4; i++) {
			buf_puts(&b, i ? ",{" : "{");
			put_peers(&b, "from", 2500 * i, 2500 + (more && !i));
			buf_puts(&b, "}");
		}
		expect("ingress", &b,
		       more ? "spec.ingress: more than 10000 peers and exceptions in its rules"
			    : NULL);
		buf_done(&b);
	}
}

/* Towards others a port name goes with each peer. */
static void named_ports(void **state _unused_)
{
	struct buf b = {0};

	for (int more = 0; more < 2; more++) {
		buf_puts(&b, "{");
		put_peers(&b, "to", 0, 100);
		buf_puts(&b, ", ports: [");
		for (int i = 0; i < 100 + more; i++)
			buf_printf(&b, "%s{port: p%d}", i ? "," : "", i);
		buf_puts(&b, "]}");
		expect("egress", &b, more ? "spec.egress: too large: " : NULL);
		buf_done(&b);
	}
}

/* Each policy is small, together they are not: they allow nothing, and it takes no time. */
static void many_policies(void **state _unused_)
{
	_cleanup_(buf_done) struct buf all = {0}, text = {0}, small = {0};
	struct allowance a = {0};
	struct decoded d;
	double ms;

	for (int i = 0; i < 1500; i++) {
		_cleanup_(buf_done) struct buf b = {0};

		put_nested(&b, i, 1, 1, 1 + i, 60000 - i);
		put_policy(&all, i, "ingress", &b);
	}
	buf_puts(&small, "{");
	put_peers(&small, "from", 0, 1);
	buf_puts(&small, "}");
	put_policy(&all, 1500, "ingress",
		   &small); /* whose peer has all ports: it is not allowed either */
	d = decode(all.data);
	ms = compile(&a, INGRESS, &d);
	assert_true(a.too_large);
	assert_false(a.any.everyone);
	assert_int_equal(a.segments.n + a.groups.n + a.any.terms.t.n + a.any.blocks.r.n, 0);
	report("1,500 policies that overlap", &a, ms);
	allowance_text(&a, &text);
	assert_string_equal(text.data, "ingress too large any{} named{}");
	allowance_done(&a);
	decoded_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_ranges),	cmocka_unit_test(up_to_the_bound),
		cmocka_unit_test(many_peers_and_ports), cmocka_unit_test(peers_without_ports),
		cmocka_unit_test(named_ports),		cmocka_unit_test(many_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
