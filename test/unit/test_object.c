// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_object.c - equality in every field, selectors as the API defines them, names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "test/unit/decoding.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

/* --- equality ----------------------------------------------------------------------------------
 */

static void expect_equal(const char *a, const char *b, bool equal)
{
	struct decoded x = decode_one(a), y = decode_one(b);
	const struct object *o = x.o.v[0], *p = y.o.v[0];

	if (object_equal(o, p) != equal || object_equal(p, o) != equal)
		fail_msg("%s:\n%s\n%s", equal ? "differ" : "equal", a, b);
	assert_true(object_equal(o, o) && object_equal(p, p));
	vec_push(&x.o, y.o.v[0]);
	vec_done(&y.o);
	decoded_done(&x);
}

/* Every text differs from the first, and so from each other or the first would be a coincidence. */
static void expect_all_different(const char *const *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			expect_equal(text[i], text[j], i == j);
}

#define NODE(rest) "{apiVersion: v1, kind: Node, metadata: {name: x" rest
#define POD(rest)  "{apiVersion: v1, kind: Pod, metadata: {name: x" rest
#define POLICY(rest)                                                                           \
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x}, spec: {" \
	"podSelector: {}, " rest "}}"
#define INGRESS_RULE(rest) POLICY("ingress: [{" rest "}]")
#define PORTS(rest)	   INGRESS_RULE("ports: [{" rest "}]")
#define FROM(rest)	   INGRESS_RULE("from: [{" rest "}]")

static void a_difference_in_any_field_is_seen(void **state _unused_)
{
	static const char *const heads[] = {
		"{apiVersion: v1, kind: Namespace, metadata: {name: x}}",
		"{apiVersion: v1, kind: Namespace, metadata: {name: w}}",
		"{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {a: b}}}",
		"{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {a: c}}}",
		"{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {b: b}}}",
		NODE("}}"),
		NODE(", labels: {a: b}}}"),
		NODE("}, spec: {podCIDR: 10.0.0.0/24}}"),
		NODE("}, spec: {podCIDR: 10.0.1.0/24}}"),
		NODE("}, spec: {podCIDR: 10.0.0.0/25}}"),
		NODE("}, spec: {podCIDRs: [10.0.0.0/24, 'fd00::/64']}}"),
		NODE("}, status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}"),
		NODE("}, status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}"),
	};

	expect_all_different(heads, ARRAY_SIZE(heads));
}

static void a_difference_in_a_pod_is_seen(void **state _unused_)
{
	static const char *const pods[] = {
		POD("}}"),
		POD(", namespace: other}}"),
		POD(", uid: u1}}"),
		POD(", uid: u2}}"),
		POD(", labels: {a: b}}}"),
		POD(", annotations: {kubernetes.io/config.hash: u1}}}"),
		POD("}, spec: {nodeName: n1}}"),
		POD("}, spec: {hostNetwork: true}}"),
		POD("}, spec: {hostNetwork: maybe}}"), /* only the problem differs from the first */
		POD("}, status: {phase: Failed}}"),
		POD("}, status: {podIP: 10.0.0.1}}"),
		POD("}, status: {podIP: 10.0.0.2}}"),
		POD("}, status: {podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}}"),
		POD("}, spec: {containers: [{ports: [{name: a, containerPort: 1}]}]}}"),
		POD("}, spec: {containers: [{ports: [{name: a, containerPort: 2}]}]}}"),
		POD("}, spec: {containers: [{ports: [{name: b, containerPort: 1}]}]}}"),
		POD("}, spec: {containers: [{ports: [{name: a, containerPort: 1, protocol: "
		    "UDP}]}]}}"),
	};

	expect_all_different(pods, ARRAY_SIZE(pods));
}

static void a_difference_in_a_policy_is_seen(void **state _unused_)
{
	static const char *const policies[] = {
		POLICY("policyTypes: [Ingress]"),
		POLICY("policyTypes: [Egress]"),
		POLICY("policyTypes: [Ingress, Egress]"),
		POLICY("ingress: [{}]"),
		POLICY("ingress: [{}, {}]"),
		POLICY("egress: [{}]"),
		PORTS(""),
		PORTS("protocol: UDP"),
		PORTS("port: 80"),
		PORTS("port: 81"),
		PORTS("port: http"),
		PORTS("port: https"),
		PORTS("port: 80, endPort: 81"),
		PORTS("port: 80, endPort: 82"),
		PORTS("port: 80}, {port: 81"),
		FROM("podSelector: {}"),
		FROM("podSelector: {}, namespaceSelector: {}"),
		FROM("podSelector: {matchLabels: {a: b}}"),
		FROM("podSelector: {matchLabels: {a: c}}"),
		FROM("podSelector: {matchLabels: {b: b}}"),
		FROM("podSelector: {matchLabels: {a: b, c: d}}"),
		FROM("podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}"),
		FROM("podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b, "
		     "c]}]}"),
		FROM("podSelector: {matchExpressions: [{key: a, operator: Exists}]}"),
		FROM("namespaceSelector: {matchLabels: {a: b}}"),
		FROM("ipBlock: {cidr: 10.0.0.0/8}"),
		FROM("ipBlock: {cidr: 10.0.0.0/9}"),
		FROM("ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}"),
		FROM("ipBlock: {cidr: 10.0.0.0/8, except: [10.2.0.0/16]}"),
	};

	expect_all_different(policies, ARRAY_SIZE(policies));
}

static void order_and_spelling_of_sets_do_not_matter(void **state _unused_)
{
	expect_equal(POD(", labels: {a: b, c: d}}}"), POD(", labels: {c: d, a: b}}}"), true);
	expect_equal(
		FROM("podSelector: {matchLabels: {a: b, c: d}}"),
		FROM("podSelector: {matchExpressions: [{key: c, operator: In, values: [d, d]}, "
		     "{key: a, operator: In, values: [b]}, {key: a, operator: In, values: [b]}]}"),
		true);
	expect_equal(
		FROM("podSelector: {matchExpressions: [{key: a, operator: In, values: [x, w]}]}"),
		FROM("podSelector: {matchExpressions: [{key: a, operator: In, values: [w, x]}]}"),
		true);
	expect_equal(POLICY("policyTypes: [Egress, Ingress]"),
		     POLICY("policyTypes: [Ingress, Egress]"), true);
	expect_equal(PORTS("port: 80"), PORTS("port: 80, endPort: 80, protocol: TCP"), true);
}

static void the_problem_belongs_to_the_object(void **state _unused_)
{
	expect_equal(PORTS("port: 0"), PORTS("port: -1"), false);
	expect_equal(PORTS("port: 0"), POLICY(""), false);
	expect_equal(PORTS("port: 0"), PORTS("port: 0"), true);
}

static void a_copy_is_equal_and_its_own(void **state _unused_)
{
	struct decoded d = decode(POD(
		", uid: u, labels: {a: b}}, spec: {containers: [{ports: [{name: p, containerPort: "
		"1}]}]}}") "\n---\n" FROM("podSelector: {matchExpressions: [{key: a, operator: "
					  "Exists}]}}, {ipBlock: {cidr: "
					  "10.0.0.0/8, except: [10.1.0.0/16]}") "\n---\n" PORTS("po"
												"rt"
												": "
												"0") "\n---\n" NODE("}, spec: {podCIDR: 10.0.0.0/24}}"));

	assert_int_equal(d.o.n, 4);
	for (size_t i = 0; i < 4; i++) {
		struct object *original = d.o.v[i];

		d.o.v[i] = object_copy(original);
		assert_true(object_equal(original, d.o.v[i]));
		(void)object_free(original);
		assert_true(object_equal(d.o.v[i], d.o.v[i]));
	}
	decoded_done(&d);
}

/* --- selectors ---------------------------------------------------------------------------------
 */

struct selecting {
	const char *selector, *labels;
	bool matches;
};

/* The policy's podSelector against the pod's labels, both in one stream. */
static void expect_match(const struct selecting *c)
{
	_cleanup_(freep) char *yaml =
		xasprintf("{apiVersion: networking.k8s.io/v1, kind: "
			  "NetworkPolicy, metadata: {name: x}, spec: {podSelector: {%s}}}\n---\n"
			  "{apiVersion: v1, kind: Pod, metadata: {name: x, labels: {%s}}}\n",
			  c->selector, c->labels);
	struct decoded d = decode(yaml);

	assert_int_equal(d.o.n, 2);
	assert_no_problem(d.o.v[0]);
	assert_no_problem(d.o.v[1]);
	if (selector_matches(&as_netpol(d.o.v[0])->selects, &as_pod(d.o.v[1])->labels) !=
	    c->matches)
		fail_msg("%s %s {%s}", c->selector, c->matches ? "does not match" : "matches",
			 c->labels);
	decoded_done(&d);
}

static void selectors_match_as_the_api_says(void **state _unused_)
{
	static const struct selecting cases[] = {
		{"", "", true}, /* none at all selects everything */
		{"", "a: b", true},
		{"matchLabels: {a: b}", "a: b, c: d", true},
		{"matchLabels: {a: b}", "a: c", false},
		{"matchLabels: {a: b}", "b: b", false},
		{"matchLabels: {a: b}", "", false},
		{"matchLabels: {a: b, c: d}", "a: b, c: d", true},
		{"matchLabels: {a: b, c: d}", "a: b", false},
		{"matchLabels: {a: ''}", "a: ''", true},
		{"matchLabels: {a: ''}", "b: c", false},
		{"matchExpressions: [{key: a, operator: In, values: [x, w]}]", "a: w", true},
		{"matchExpressions: [{key: a, operator: In, values: [x, w]}]", "a: z", false},
		{"matchExpressions: [{key: a, operator: In, values: [x, w]}]", "", false},
		{"matchExpressions: [{key: a, operator: NotIn, values: [x, w]}]", "a: w", false},
		{"matchExpressions: [{key: a, operator: NotIn, values: [x, w]}]", "a: z", true},
		{"matchExpressions: [{key: a, operator: NotIn, values: [x, w]}]", "b: x", true},
		{"matchExpressions: [{key: a, operator: NotIn, values: ['']}]", "", true},
		{"matchExpressions: [{key: a, operator: Exists}]", "a: ''", true},
		{"matchExpressions: [{key: a, operator: Exists}]", "b: a", false},
		{"matchExpressions: [{key: a, operator: DoesNotExist}]", "a: ''", false},
		{"matchExpressions: [{key: a, operator: DoesNotExist}]", "b: a", true},
		{"matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}]", "a: b",
		 false},
		{"matchLabels: {a: b}, matchExpressions: [{key: a, operator: NotIn, values: [b]}]",
		 "a: b", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_match(&cases[i]);
}

/* "k1: v1, k2: v2, ..." */
static char *label_map(int n)
{
	char *map = xstrdup("z: last");

	for (int i = n; i > 0; i--) {
		char *longer = xasprintf("k%d: v%d, %s", i, i, map);

		free(map);
		map = longer;
	}
	return map;
}

static void expect_labels(const char *map, int n)
{
	_cleanup_(freep) char *yaml = xasprintf(POD(", labels: {%s}}}"), map);
	struct decoded d = decode_one(yaml);
	const struct labels *l = &as_pod(d.o.v[0])->labels;

	assert_int_equal(l->n, n + 1);
	for (int i = 1; i <= n; i++) {
		char key[16], value[16];

		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)snprintf(value, sizeof(value), "v%d", i);
		assert_string_equal(labels_get(l, key), value);
	}
	assert_string_equal(labels_get(l, "z"), "last");
	assert_null(labels_get(l, "a"));
	assert_null(labels_get(l, "zz"));
	assert_null(labels_get(l, ""));
	decoded_done(&d);
}

/* Few labels are compared one by one, many are searched: the answer is the same. */
static void many_labels_are_found_like_few(void **state _unused_)
{
	for (int n = 1; n <= 40; n++) {
		_cleanup_(freep) char *map = label_map(n);
		_cleanup_(freep) char *last = xasprintf("matchLabels: {k%d: v%d, z: last}", n, n);
		_cleanup_(freep) char *none = xasprintf("matchLabels: {k%d: v%d}", n + 1, n + 1);

		expect_labels(map, n);
		expect_match(&(struct selecting){last, map, true});
		expect_match(&(struct selecting){none, map, false});
		expect_match(&(struct selecting){
			"matchExpressions: [{key: absent, operator: DoesNotExist}]", map, true});
	}
}

static void selectors_compare_and_copy(void **state _unused_)
{
	struct decoded d = decode(
		FROM("podSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: "
		     "Exists}]}, namespaceSelector: {matchLabels: {a: b}}"));
	const struct policy_peer *peer = &as_netpol(d.o.v[0])->rules[INGRESS][0].peers[0];
	struct selector copy = selector_copy(&peer->pods), empty = {0};
	struct selector copy_of_empty = selector_copy(&empty);

	assert_true(selector_equal(&copy, &peer->pods));
	assert_false(selector_equal(&copy, &peer->namespaces));
	assert_false(selector_equal(&copy, &empty));
	assert_true(selector_equal(&copy_of_empty, &empty));
	selector_done(&copy);
	selector_done(&copy); /* done twice is done */
	selector_done(&copy_of_empty);
	decoded_done(&d);
}

/* --- names ---------------------------------------------------------------------------------------
 */

static void names(void **state _unused_)
{
	assert_string_equal(kind_str(KIND_NODE), "Node");
	assert_string_equal(kind_str(KIND_NAMESPACE), "Namespace");
	assert_string_equal(kind_str(KIND_POD), "Pod");
	assert_string_equal(kind_str(KIND_NETPOL), "NetworkPolicy");
	assert_string_equal(protocol_str(6), "TCP");
	assert_string_equal(protocol_str(17), "UDP");
	assert_string_equal(protocol_str(132), "SCTP");
	assert_string_equal(protocol_str(1), "?");
	assert_null(object_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_in_any_field_is_seen),
		cmocka_unit_test(a_difference_in_a_pod_is_seen),
		cmocka_unit_test(a_difference_in_a_policy_is_seen),
		cmocka_unit_test(order_and_spelling_of_sets_do_not_matter),
		cmocka_unit_test(the_problem_belongs_to_the_object),
		cmocka_unit_test(a_copy_is_equal_and_its_own),
		cmocka_unit_test(selectors_match_as_the_api_says),
		cmocka_unit_test(many_labels_are_found_like_few),
		cmocka_unit_test(selectors_compare_and_copy),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
