// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_decode_list.c - which object a document is, and lists: one bad item hides no other.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "test/unit/decoding.h"
#include "watch/object/netpol.h"

#define S63 "a23456789012345678901234567890123456789012345678901234567890123"
#define S253                    \
	S63 "." S63 "." S63 "." \
	    "a234567890123456789012345678901234567890123456789012345678901"

static void documents_without_identity(void **state _unused_)
{
	static const char *const cases[][2] = {
		{"[a]", "expected an object with apiVersion and kind"},
		{"text", "expected an object with apiVersion and kind"},
		{"{a: b}", "kind: required (line 1)"},
		{"{apiVersion: v1, kind: ''}", "kind: required (line 1)"},
		{"{apiVersion: v1, kind: 5}", "kind: expected a string, found an integer (line 1)"},
		{"{kind: NetworkPolicy, metadata: {name: x}}", "apiVersion: required (line 1)"},
		{"{apiVersion: null, kind: Pod}", "apiVersion: required (line 1)"},
		{"{apiVersion: 1, kind: Pod}",
		 "apiVersion: expected a string, found an integer (line 1)"},
		{"{apiVersion: v1, kind: Pod}", "metadata: required"},
		{"{apiVersion: v1, kind: Pod, metadata: []}",
		 "metadata: expected a map, found a list (line 1)"},
		{"{apiVersion: v1, kind: Pod, metadata: {}}", "metadata.name: required"},
		{"{apiVersion: v1, kind: Pod, metadata: {generateName: x-}}",
		 "metadata.name: required"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: ''}}", "metadata.name: required"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: 5}}",
		 "metadata.name: expected a string, found an integer (line 1)"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: ../x}}",
		 "metadata.name: '../x' is not a DNS-1123 name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: Web}}",
		 "metadata.name: 'Web' is not a DNS-1123 name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: a..b}}",
		 "metadata.name: 'a..b' is not a DNS-1123 name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: a-.b}}",
		 "metadata.name: 'a-.b' is not a DNS-1123 name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: a.}}",
		 "metadata.name: 'a.' is not a DNS-1123 name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: \"a\\nb\"}}",
		 "metadata.name: 'a b' is not a DNS-1123 name"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: a.b}}",
		 "metadata.namespace: 'a.b' is not a DNS-1123 label"},
		{"{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: 5}}",
		 "metadata.namespace: expected a string, found an integer (line 1)"},
		{"{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}",
		 "metadata.name: 'a.b' is not a DNS-1123 label"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = decode(cases[i][0]);

		if (!d.r)
			fail_msg("accepted: %s", cases[i][0]);
		assert_string_equal(d.e.msg, cases[i][1]);
		assert_int_equal(d.o.n + d.unknown, 0);
		decoded_done(&d);
	}
}

static void names_at_their_limits(void **state _unused_)
{
	static const struct {
		const char *kind, *name;
		bool ok;
	} cases[] = {
		{"Pod", S253, true},	       {"Pod", "1" S253, false},
		{"Node", S253, true},	       {"Namespace", S63, true},
		{"Namespace", "1" S63, false}, {"Pod", "9-a.b--c.d", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *yaml =
			xasprintf("{apiVersion: v1, kind: %s, metadata: {name: %s}}", cases[i].kind,
				  cases[i].name);
		struct decoded d = decode(yaml);

		if ((d.r == 0) != cases[i].ok || d.o.n != cases[i].ok)
			fail_msg("%s: %s", yaml, d.e.msg);
		decoded_done(&d);
	}
}

static void kinds_of_others_are_strangers(void **state _unused_)
{
	static const char *const strangers[] = {
		"{apiVersion: v1, kind: Secret, metadata: {name: x}}",
		"{apiVersion: v1, kind: Secret}", /* nobody looks further */
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}",
		"{apiVersion: batch/v1, kind: Job, metadata: {name: x}}", /* two slips from Pod */
		"{apiVersion: batch/v1, kind: JobList, items: []}",
		"{apiVersion: v1, kind: NoteLost}", /* two slips from NodeList */
		"{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: x}}",
		"{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy}",
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: x}}",
		"{apiVersion: v1, kind: AllowList, metadata: {name: x}}", /* ends like a list */
		"{apiVersion: v1, kind: A-kind-with-a-name-longer-than-any-that-there-is}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		struct decoded d = decode(strangers[i]);

		if (d.r || d.o.n || d.unknown != !strstr(strangers[i], "items: []"))
			fail_msg("%s", strangers[i]);
		decoded_done(&d);
	}
}

#define VERSION "apiVersion: networking.k8s.io/v1"
#define IS_BAD(version, k, use) \
	"apiVersion: '" version "' is not one that is supported for " k ", use " use " (line 1)"
#define DID_YOU_MEAN(wrong, right) "kind: '" wrong "' is unknown, did you mean " right "? (line 1)"

static void a_policy_of_a_misspelled_kind_fails_closed(void **state _unused_)
{
	static const char rest[] = ", metadata: {name: x, namespace: a}, spec: {podSelector: "
				   "{matchLabels: {a: b}}, policyTypes: [Egress], egress: [{}]}}";
	static const struct {
		const char *head, *problem;
	} cases[] = {
		{"{" VERSION ", kind: networkpolicy",
		 DID_YOU_MEAN("networkpolicy", "NetworkPolicy")},
		{"{" VERSION ", kind: NetworkPolicys",
		 DID_YOU_MEAN("NetworkPolicys", "NetworkPolicy")},
		{"{" VERSION ", kind: NetworkPolicies",
		 DID_YOU_MEAN("NetworkPolicies", "NetworkPolicy")},
		{"{" VERSION ", kind: NetwrokPolicy",
		 DID_YOU_MEAN("NetwrokPolicy", "NetworkPolicy")},
		{"{apiVersion: v1, kind: NetworkPolicy",
		 IS_BAD("v1", "NetworkPolicy", "networking.k8s.io/v1")},
		{"{apiVersion: networking.k8s.io/v2, kind: NetworkPolicy",
		 IS_BAD("networking.k8s.io/v2", "NetworkPolicy", "networking.k8s.io/v1")},
		{"{apiVersion: networking.k8s.io, kind: NetworkPolicy",
		 IS_BAD("networking.k8s.io", "NetworkPolicy", "networking.k8s.io/v1")},
		{"{apiVersion: extensions/v1beta2, kind: NetworkPolicy",
		 IS_BAD("extensions/v1beta2", "NetworkPolicy", "networking.k8s.io/v1")},
		{"{apiVersion: crd.projectcalico.org/v1, kind: NetworkPolicy",
		 IS_BAD("crd.projectcalico.org/v1", "NetworkPolicy", "networking.k8s.io/v1")},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *text = xasprintf("%s%s", cases[i].head, rest);
		struct decoded d = decode_one(text);
		const struct netpol *p = as_netpol(d.o.v[0]);

		assert_problem(&p->o, cases[i].problem);
		assert_int_equal(p->selects.n, 1);
		assert_true(p->isolates[EGRESS] && !p->isolates[INGRESS]);
		assert_int_equal(p->n_rules[EGRESS], 0);
		decoded_done(&d);
	}
}

static void other_misspelled_kinds_are_errors(void **state _unused_)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"{apiVersion: v2, kind: Pod, metadata: {name: x}}", IS_BAD("v2", "Pod", "v1")},
		{"{apiVersion: example.org/v1, kind: Node, metadata: {name: x}}",
		 IS_BAD("example.org/v1", "Node", "v1")},
		{"{apiVersion: v1, kind: pod, metadata: {name: x}}", DID_YOU_MEAN("pod", "Pod")},
		{"{apiVersion: v1, kind: Pods, metadata: {name: x}}", DID_YOU_MEAN("Pods", "Pod")},
		{"{apiVersion: v1, kind: Nod, metadata: {name: x}}", DID_YOU_MEAN("Nod", "Node")},
		{"{apiVersion: v1, kind: NameSpace, metadata: {name: x}}",
		 DID_YOU_MEAN("NameSpace", "Namespace")},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = decode(cases[i].text);

		assert_int_equal(d.r, -EINVAL);
		assert_string_equal(d.e.msg, cases[i].problem);
		assert_int_equal(d.o.n + d.stand_ins.n + d.unknown, 0);
		decoded_done(&d);
	}
}

/* Where nobody can say which policy it is, somebody is isolated all the same. */
static void what_may_be_a_policy_has_a_stand_in(void **state _unused_)
{
	static const struct {
		const char *text, *ns; /* NULL: nobody */
		bool ingress, egress;
		uint32_t terms;
	} cases[] = {
		{"{" VERSION ", kind: NetworkPolicy, metadata: {namespace: a}, spec: {podSelector: "
		 "{matchLabels: {a: b}}, policyTypes: [Ingress]}}",
		 "a", true, false, 1},
		{"{" VERSION ", kind: NetworkPolicy, metadata: {name: 'A!'}, spec: {policyTypes: "
		 "[Egress], egress: [{}]}}",
		 "default", false, true, 0},
		{"{" VERSION ", kind: NetworkPolicy, metadata: {name: x, namespace: 'A!'}}", "*",
		 true, true, 0},
		{"{" VERSION ", kind: NetworkPolicy, metadata: {name: x, namespace: 5}}", "*", true,
		 true, 0},
		{"{" VERSION ", kind: NetworkPolicy, metadata: {name: x, namspace: a}}", "*", true,
		 true, 0},
		{"{" VERSION ", kind: NetworkPolicy, metaData: {name: x, namespace: a}}", "*", true,
		 true, 0},
		{"{" VERSION ", kind: NetworkPolicys, metadata: {namespace: a}}", "a", true, true,
		 0},
		{"{" VERSION ", metadata: {name: x, namespace: a}}", "a", true, true, 0},
		{"{" VERSION ", Kind: NetworkPolicy, metadata: {name: x, namespace: a}}", "a", true,
		 true, 0},
		{"{kind: NetworkPolicy, metadata: {name: x, namespace: a}}", "a", true, true, 0},
		{"{" VERSION ", kind: NetworkPolicyList, items: [{metadata: {namespace: a}}]}", "a",
		 true, true, 0},
		{"{" VERSION ", kind: NetworkPolicyList, items: {a: b}}", "*", true, true, 0},
		{"{apiVersion: v1, kind: list, items: []}", "*", true, true, 0},
		{"{apiVersion: v1, kind: List, items: [5]}", "*", true, true, 0},
		{"apiV", "*", true, true, 0},
		{"[1]", "*", true, true, 0},
		{"{apiVersion: v1, kind: Pod, metadata: {namespace: a}}", NULL, false, false, 0},
		{"{kind: Pod, metadata: {name: x}}", NULL, false, false, 0},
		{"{kind: Deployment, metadata: {name: x}}", NULL, false, false, 0},
		{"{apiVersion: v1, kind: PodList, items: [5, {metadata: {}}]}", NULL, false, false,
		 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = decode(cases[i].text);
		const struct netpol *p = d.stand_ins.n ? as_netpol(d.stand_ins.v[0]) : NULL;

		if (!d.r || d.o.n || d.stand_ins.n != (cases[i].ns ? 1 : 0))
			fail_msg("%s", cases[i].text);
		if (p &&
		    (!streq(p->o.ns, cases[i].ns) || p->isolates[INGRESS] != cases[i].ingress ||
		     p->isolates[EGRESS] != cases[i].egress || p->selects.n != cases[i].terms ||
		     p->n_rules[INGRESS] + p->n_rules[EGRESS]))
			fail_msg("%s: in %s", cases[i].text, p->o.ns);
		if (p)
			assert_string_equal(p->o.problem, d.e.msg);
		decoded_done(&d);
	}
}

static void the_namespace_is_filled_in(void **state _unused_)
{
	struct decoded d =
		decode("{apiVersion: v1, kind: Pod, metadata: {name: x}}\n---\n"
		       "{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: ''}}\n---\n"
		       "{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: ns}}\n---\n"
		       "{apiVersion: v1, kind: Node, metadata: {name: x, namespace: ns}}\n");

	assert_int_equal(d.o.n, 4);
	assert_string_equal(d.o.v[0]->ns, "default");
	assert_string_equal(d.o.v[1]->ns, "default");
	assert_string_equal(d.o.v[2]->ns, "ns");
	assert_null(d.o.v[3]->ns);
	decoded_done(&d);
}

static void a_list_of_everything(void **state _unused_)
{
	struct decoded d = decode("apiVersion: v1\nkind: List\nitems:\n"
				  "- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
				  "- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n"
				  "- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, "
				  "metadata: {name: b}, spec: {}}\n"
				  "- {apiVersion: v1, kind: Node, metadata: {name: c}}\n"
				  "- {apiVersion: v1, kind: Namespace, metadata: {name: d}}\n");

	assert_int_equal(d.r, 0);
	assert_int_equal(d.unknown, 1);
	assert_int_equal(d.o.n, 4);
	assert_int_equal(d.o.v[0]->kind, KIND_POD);
	assert_int_equal(d.o.v[1]->kind, KIND_NETPOL);
	assert_int_equal(d.o.v[2]->kind, KIND_NODE);
	assert_int_equal(d.o.v[3]->kind, KIND_NAMESPACE);
	decoded_done(&d);
}

static void items_of_a_typed_list_need_not_say_their_kind(void **state _unused_)
{
	struct decoded d = decode(
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicyList, items: ["
		"{metadata: {name: a}, spec: {}}, {kind: null, metadata: {name: b}, spec: "
		"{}}]}\n---\n"
		"{apiVersion: v1, kind: PodList, metadata: {resourceVersion: '5'}, items: ["
		"{metadata: {name: c}}, {apiVersion: v1, kind: Pod, metadata: {name: d}}]}\n---\n"
		"{apiVersion: v1, kind: NodeList, items: [{metadata: {name: e}}]}\n---\n"
		"{apiVersion: v1, kind: NamespaceList, items: [{metadata: {name: f}}]}\n---\n"
		"{apiVersion: v1, kind: SecretList, items: [{metadata: {name: g}}, {}]}\n---\n"
		"{apiVersion: extensions/v1beta2, kind: NetworkPolicyList, items: [{metadata: "
		"{name: h}}]}");

	assert_int_equal(d.r, 0);
	assert_int_equal(d.o.n, 7);
	assert_int_equal(d.unknown, 2);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(d.o.v[i]->name[0], 'a' + i);
	assert_string_equal(d.o.v[6]->name, "h");
	assert_non_null(d.o.v[6]->problem);
	assert_int_equal(d.o.v[1]->kind, KIND_NETPOL);
	assert_int_equal(d.o.v[5]->kind, KIND_NAMESPACE);
	decoded_done(&d);
}

static void empty_lists(void **state _unused_)
{
	struct decoded d = decode("{apiVersion: v1, kind: List}\n---\n"
				  "{apiVersion: v1, kind: List, items: null}\n---\n"
				  "{apiVersion: v1, kind: PodList, items: []}\n---\n"
				  "{apiVersion: v1, kind: PodList, items: null}\n");

	assert_int_equal(d.r, 0);
	assert_int_equal(d.o.n + d.unknown, 0);
	decoded_done(&d);
}

static void the_first_bad_item_is_told_and_the_rest_delivered(void **state _unused_)
{
	static const char *const cases[][2] = {
		{"{metadata: {}}", "items[1].metadata.name: required"},
		{"{}", "items[1].metadata: required"},
		{"text", "items[1]: expected a map, found a string (line 1)"},
		{"null", "items[1]: expected a map, found null (line 1)"},
		{"{kind: 5}", "items[1].kind: expected a string, found an integer (line 1)"},
		{"{kind: ''}", "items[1].kind: required (line 1)"},
		{"{metadata: {name: 'A'}}", "items[1].metadata.name: 'A' is not a DNS-1123 name"},
		{"{kind: PodList, items: []}",
		 "items[1].kind: a list in a list is not supported (line 1)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *yaml =
			xasprintf("{apiVersion: v1, kind: PodList, items: [{metadata: {name: a}}, "
				  "%s, {metadata: "
				  "{name: b}}, {metadata: {name: '!'}}, {metadata: {name: c}}]}",
				  cases[i][0]);
		struct decoded d = decode(yaml);

		assert_true(d.r < 0);
		assert_string_equal(d.e.msg, cases[i][1]);
		assert_int_equal(d.o.n, 3);
		assert_string_equal(d.o.v[2]->name, "c");
		decoded_done(&d);
	}
}

static void items_of_a_plain_list_say_what_they_are(void **state _unused_)
{
	struct decoded d =
		decode("{apiVersion: v1, kind: List, items: [{kind: Pod, metadata: {name: a}}, "
		       "{apiVersion: v1, metadata: {name: b}}, {apiVersion: v1, kind: Pod, "
		       "metadata: {name: c}}]}");

	assert_string_equal(d.e.msg, "items[0].apiVersion: required (line 1)");
	assert_int_equal(d.o.n, 1);
	decoded_done(&d);
	d = decode("{apiVersion: v1, kind: List, items: [{apiVersion: v1, metadata: {name: b}}]}");
	assert_string_equal(d.e.msg, "items[0].kind: required (line 1)");
	decoded_done(&d);
	d = decode("{apiVersion: v1, kind: List, items: {}}");
	assert_string_equal(d.e.msg, "items: expected a list, found a map (line 1)");
	decoded_done(&d);
}

/* An item with an identity is an object whatever else is wrong with it. */
static void a_bad_item_with_a_name_is_set_aside(void **state _unused_)
{
	struct decoded d =
		decode("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicyList, items: ["
		       "{metadata: {name: a}, spec: 5}, {metadata: {name: b}, spec: {}}]}");

	assert_int_equal(d.r, 0);
	assert_int_equal(d.o.n, 2);
	assert_problem(d.o.v[0], "spec: expected a map, found an integer (line 1)");
	assert_no_problem(d.o.v[1]);
	decoded_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_without_identity),
		cmocka_unit_test(names_at_their_limits),
		cmocka_unit_test(kinds_of_others_are_strangers),
		cmocka_unit_test(a_policy_of_a_misspelled_kind_fails_closed),
		cmocka_unit_test(other_misspelled_kinds_are_errors),
		cmocka_unit_test(what_may_be_a_policy_has_a_stand_in),
		cmocka_unit_test(the_namespace_is_filled_in),
		cmocka_unit_test(a_list_of_everything),
		cmocka_unit_test(items_of_a_typed_list_need_not_say_their_kind),
		cmocka_unit_test(empty_lists),
		cmocka_unit_test(the_first_bad_item_is_told_and_the_rest_delivered),
		cmocka_unit_test(items_of_a_plain_list_say_what_they_are),
		cmocka_unit_test(a_bad_item_with_a_name_is_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
