// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_decode_old.c - the old forms: NetworkPolicy of extensions/v1beta1, and the annotation by
 * which a Namespace isolates its pods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/file.h"
#include "test/unit/decoding.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"

/* --- extensions/v1beta1 ------------------------------------------------------------------------
 */

#define POLICY(api, spec)   \
	"{apiVersion: " api \
	", kind: NetworkPolicy, metadata: {name: p, namespace: ns}, spec: " spec "}"
#define OLD(spec) POLICY("extensions/v1beta1", spec)
#define NOW(spec) POLICY("networking.k8s.io/v1", spec)
#define PORTS(p)  "{podSelector: {}, ingress: [{ports: [{" p "}]}]}"

/* What it means in the old form is what the other text means in the form of today. */
static void expect_same(const char *old, const char *now)
{
	struct decoded d = decode_one(old), e = decode_one(now);

	assert_no_problem(d.o.v[0]);
	assert_true(object_equal(d.o.v[0], e.o.v[0]));
	vec_push(&d.o, e.o.v[0]);
	vec_done(&e.o);
	decoded_done(&d);
}

static void a_policy_of_v1beta1_means_what_it_meant(void **state _unused_)
{
	static const char *const as_they_are[] = {
		"{podSelector: {}}",
		"{podSelector: {matchLabels: {role: db}}, policyTypes: [Egress]}",
		"{podSelector: {}, egress: [{to: [{podSelector: {}}]}]}",
		"{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: []}]}",
		PORTS("port: 6379"),
		PORTS("port: http, protocol: UDP"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(as_they_are); i++) {
		_cleanup_(freep) char *old = xasprintf(OLD("%s"), as_they_are[i]);
		_cleanup_(freep) char *now = xasprintf(NOW("%s"), as_they_are[i]);

		expect_same(old, now);
	}
	expect_same(OLD(PORTS("protocol: tcp, port: 6379")),
		    NOW(PORTS("protocol: TCP, port: 6379")));
	expect_same(OLD(PORTS("protocol: udp")), NOW(PORTS("protocol: UDP")));
	expect_same(OLD(PORTS("protocol: sctp")), NOW(PORTS("protocol: SCTP")));
	expect_same("{apiVersion: extensions/v1beta1, kind: NetworkPolicyList, items: [{metadata: "
		    "{name: p, namespace: ns}, spec: " PORTS("protocol: tcp") "}]}",
		    NOW(PORTS("")));
}

/* Nothing but ingress, unless it says so. */
static void a_policy_of_v1beta1_isolates_for_ingress(void **state _unused_)
{
	struct decoded d = decode_one(OLD("{podSelector: {}, ingress: [{}]}"));
	const struct netpol *p = as_netpol(d.o.v[0]);

	assert_true(p->isolates[INGRESS] && !p->isolates[EGRESS]);
	decoded_done(&d);
}

static void expect_closed(const char *text, const char *problem)
{
	struct decoded d = decode_one(text);
	const struct netpol *p = as_netpol(d.o.v[0]);

	assert_problem(&p->o, problem);
	assert_int_equal(p->n_rules[INGRESS] + p->n_rules[EGRESS], 0);
	assert_true(p->isolates[INGRESS]);
	decoded_done(&d);
}

static void what_v1beta1_had_not(void **state _unused_)
{
	expect_closed(OLD(PORTS("port: 1, endPort: 2")),
		      "spec.ingress[0].ports[0].endPort: extensions/v1beta1 has no such field");
	expect_closed(OLD(PORTS("protocol: Tcp")),
		      "spec.ingress[0].ports[0].protocol: 'Tcp' is not TCP, UDP or SCTP");
	expect_closed(NOW(PORTS("protocol: tcp")),
		      "spec.ingress[0].ports[0].protocol: 'tcp' is not TCP, UDP or SCTP");
	expect_closed(OLD("{podSelector: {}, ingres: []}"),
		      "spec.ingres: unknown field, did you mean 'ingress'? (line 1)");
}

/* --- the annotation ----------------------------------------------------------------------------
 */

#define NAMESPACE(meta) "{apiVersion: v1, kind: Namespace, metadata: {name: ns, " meta "}}"
#define ANNOTATION(v)	NAMESPACE("annotations: {" NAMESPACE_ANNOTATION ": " v "}")
#define AT		"metadata.annotations." NAMESPACE_ANNOTATION ": "
#define END		"; its pods are isolated"

/* struct annotated - a Namespace, whether its pods are isolated, and what is wrong */
struct annotated {
	const char *text;
	bool isolated, labels_known;
	const char *problem;
};

static void expect_annotated(const struct annotated *c)
{
	struct decoded d = decode_one(c->text);
	const struct namespace *n = as_namespace(d.o.v[0]);

	if (n->isolated != c->isolated)
		fail_msg("%s: %s", c->text, n->isolated ? "isolated" : "not isolated");
	assert_int_equal(n->labels_known, c->labels_known);
	if (c->problem)
		assert_problem(&n->o, c->problem);
	else
		assert_no_problem(&n->o);
	decoded_done(&d);
}

static void a_namespace_that_isolates_its_pods(void **state _unused_)
{
	static const struct annotated cases[] = {
		{ANNOTATION("'{\"ingress\": {\"isolation\": \"DefaultDeny\"}}'"), true, true, NULL},
		{ANNOTATION(
			 "\"{\\n \\\"ingress\\\":{\\n\\\"isolation\\\":\\n\\\"DefaultDeny\\\"}}\""),
		 true, true, NULL},
		{NAMESPACE(""), false, true, NULL},
		{NAMESPACE("annotations: null"), false, true, NULL},
		{NAMESPACE("annotations: {other: '{}'}"), false, true, NULL},
		/* No isolation is asked for. */
		{ANNOTATION("null"), false, true, NULL},
		{ANNOTATION("'{}'"), false, true, NULL},
		{ANNOTATION("'{\"ingress\": {}}'"), false, true, NULL},
		{ANNOTATION("'{\"ingress\": null}'"), false, true, NULL},
		/* Labels that are wrong change nothing about it. */
		{NAMESPACE("labels: {'w!': w}, annotations: {" NAMESPACE_ANNOTATION
			   ": '{\"ingress\": {\"isolation\": \"DefaultDeny\"}}'}"),
		 true, false, "metadata.labels: 'w!' is not a label key"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_annotated(&cases[i]);
}

/* It is certainly not nothing. */
static void an_annotation_that_cannot_be_read_isolates(void **state _unused_)
{
	static const struct annotated cases[] = {
		{ANNOTATION("''"), true, true, NULL},
		{ANNOTATION("'DefaultDeny'"), true, true, NULL},
		{ANNOTATION("'\"DefaultDeny\"'"), true, true,
		 AT "expected a map, found a string" END},
		{ANNOTATION("'{\"ingress\": \"DefaultDeny\"}'"), true, true,
		 AT "ingress: expected a map, found a string" END},
		{ANNOTATION("'{\"ingress\": {\"isolation\": true}}'"), true, true,
		 AT "ingress.isolation: expected a string, found a boolean" END},
		{ANNOTATION("'{\"ingress\": {\"isolation\": \"defaultdeny\"}}'"), true, true,
		 AT "ingress.isolation: 'defaultdeny' is not DefaultDeny" END},
		{ANNOTATION("'{\"ingres\": {\"isolation\": \"DefaultDeny\"}}'"), true, true,
		 AT "ingres: unknown field, did you mean 'ingress'?" END},
		{ANNOTATION("'{\"ingress\": {\"isolation\": \"DefaultDeny\"}, \"egress\": {}}'"),
		 true, true, AT "egress: unknown field, did you mean 'ingress'?" END},
		{ANNOTATION("{ingress: {isolation: DefaultDeny}}"), true, true,
		 "metadata.annotations." NAMESPACE_ANNOTATION
		 ": expected a string, found a map (line 1)" END},
		{ANNOTATION("true"), true, true,
		 "metadata.annotations." NAMESPACE_ANNOTATION
		 ": expected a string, found a boolean (line 1)" END},
		/* The key got lost, as in print. */
		{NAMESPACE("annotations: '{\"ingress\": {\"isolation\": \"DefaultDeny\"}}'"), true,
		 true, "metadata.annotations: expected a map, found a string (line 1)" END},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].problem) {
			expect_annotated(&cases[i]);
		} else { /* yajl words it */
			struct decoded d = decode_one(cases[i].text);

			assert_true(as_namespace(d.o.v[0])->isolated);
			assert_non_null(d.o.v[0]->problem);
			assert_null(strstr(d.o.v[0]->problem, "line"));
			decoded_done(&d);
		}
}

/* --- docs/demo ---------------------------------------------------------------------------------
 */

static struct decoded decode_file(const char *path)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct err e = {0};

	if (file_load(path, 1 << 20, &text, &e) < 0)
		fail_msg("%s", e.msg);
	return decode_one(text.data);
}

static void the_files_in_docs(void **state _unused_)
{
	struct decoded d = decode_file("docs/demo/old-namespace.yaml");

	assert_no_problem(d.o.v[0]);
	assert_true(as_namespace(d.o.v[0])->isolated);
	decoded_done(&d);
	d = decode_file("docs/demo/old-policy.yaml");
	assert_no_problem(d.o.v[0]);
	assert_int_equal(as_netpol(d.o.v[0])->n_rules[INGRESS], 1);
	decoded_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_of_v1beta1_means_what_it_meant),
		cmocka_unit_test(a_policy_of_v1beta1_isolates_for_ingress),
		cmocka_unit_test(what_v1beta1_had_not),
		cmocka_unit_test(a_namespace_that_isolates_its_pods),
		cmocka_unit_test(an_annotation_that_cannot_be_read_isolates),
		cmocka_unit_test(the_files_in_docs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
