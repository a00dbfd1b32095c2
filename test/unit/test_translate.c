// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_translate.c - documents written as YAML, and old forms written as those of today.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/command/translate.h"
#include "test/unit/decoding.h"
#include "watch/document/value_write.h"
#include "watch/document/yaml_write.h"
#include "watch/object/kind.h"
#include "watch/object/namespace.h"

/* --- YAML --------------------------------------------------------------------------------------
 */

static char *as_json(const struct value *v)
{
	struct buf b = {0};
	struct jsonw w = {.out = &b};

	value_write(&w, NULL, v);
	return buf_take(&b);
}

static struct value_doc *read_one(const char *yaml)
{
	struct value_doc *d = NULL;
	struct err e = {0};

	if (yaml_parse_one(yaml, strlen(yaml), &d, &e) < 0)
		fail_msg("%s\n%s", e.msg, yaml);
	return d;
}

/* What is written is read as the same. */
static void what_is_written_is_read_back(void **state _unused_)
{
	static const char *const texts[] = {
		"a",
		"''",
		"{}",
		"[]",
		"null",
		"{a: {b: {c: [1, [2, [], {}], {d: null, e: [x]}]}}, f: true, g: -7, h: 1.5}",
		"[[[a, b], c], {d: e}]",
		/* Strings that would be something else without quotes. */
		"['', ' a', 'a ', 'a:', 'a: b', '- a', '# a', 'a #b', '*a', '&a', '!a', '|', '>']",
		"['null', '~', 'true', 'yes', 'No', 'on', '1', '0x1', '1e3', '.5', '1_000', "
		"'.inf']",
		"['2001-01-01', '1:20', '10.0.0.0/8', 'fd00::1', '<<', '=', '@a', '%a', '`a', "
		"'?']",
		"[\"two\\nlines\\n\", \"tab\\t\", \"quote\\\" \\\\ '\", \"\\u00e4\\u20ac\"]",
		"{'true': 1, '1': 2, 'a b': 3, 'a: b': 4, '': 5, "
		"net.beta.kubernetes.io/network-policy: '{}'}",
		"{role: db, namespace: my-ns, protocol: TCP, api: networking.k8s.io/v1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(value_doc_freep) struct value_doc *d = read_one(texts[i]), *e = NULL;
		_cleanup_(freep) char *before = as_json(value_root(d)), *after = NULL;
		_cleanup_(buf_done) struct buf b = {0};

		yaml_write(&b, value_root(d));
		e = read_one(b.data);
		after = as_json(value_root(e));
		assert_string_equal(before, after);
	}
}

static void plain_words_need_no_quotes(void **state _unused_)
{
	_cleanup_(value_doc_freep) struct value_doc *d =
		read_one("{kind: Pod, v: networking.k8s.io/v1, l: [{a: b, c: [d]}, e f], m: '5'}");
	_cleanup_(buf_done) struct buf b = {0};

	yaml_write(&b, value_root(d));
	assert_string_equal(b.data, "kind: Pod\nv: networking.k8s.io/v1\nl:\n  - a: b\n    c:\n"
				    "      - d\n  - e f\nm: \"5\"\n");
}

/* --- old forms ---------------------------------------------------------------------------------
 */

static int translate(void *arg, const struct value_doc *d)
{
	struct store *none = store_new(NULL, NULL);

	translate_document(value_root(d), none, arg);
	(void)store_free(none);
	return 0;
}

static void expect(const char *yaml, const char *translated)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct err e = {0};

	if (yaml_parse(yaml, strlen(yaml), translate, &b, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(b.data, translated);
	assert_int_equal(intern_count(), 0);
}

#define META "metadata:\n  name: p\n  namespace: ns\n"

static void a_policy_of_v1beta1(void **state _unused_)
{
	expect("apiVersion: extensions/v1beta1\nkind: NetworkPolicy\n" META
	       "  labels: {protocol: tcp}\nspec:\n  podSelector: {matchLabels: {protocol: tcp}}\n"
	       "  ingress:\n  - ports: [{protocol: tcp, port: 6379}, {protocol: udp}]\n"
	       "    from: [{podSelector: {matchLabels: {ports: x}}}]\n"
	       "  egress:\n  - ports: [{port: 1}]\n",
	       "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" META
	       "  labels:\n    protocol: tcp\nspec:\n  podSelector:\n    matchLabels:\n"
	       "      protocol: tcp\n  ingress:\n    - ports:\n        - protocol: TCP\n"
	       "          port: 6379\n        - protocol: UDP\n      from:\n        - "
	       "podSelector:\n"
	       "            matchLabels:\n              ports: x\n"
	       "  egress:\n    - ports:\n        - port: 1\n");
}

#define ANNOTATION NAMESPACE_ANNOTATION ": '{\"ingress\": {\"isolation\": \"DefaultDeny\"}}'"
#define DENY(name, ns)                                                                         \
	"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: " name \
	"\n  namespace: " ns "\nspec:\n  podSelector: {}\n  policyTypes:\n    - Ingress\n"

static void a_namespace_that_isolates(void **state _unused_)
{
	expect("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n  annotations:\n   "
	       " " ANNOTATION "\n",
	       "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n" DENY(
		       "default-deny-ingress", "ns"));
	expect("{apiVersion: v1, kind: Namespace, metadata: {name: '5', annotations: {a: "
	       "b, " ANNOTATION "}}}",
	       "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: \"5\"\n  annotations:\n"
	       "    a: b\n" DENY("default-deny-ingress", "\"5\""));
	/* It asks for nothing. */
	expect("{apiVersion: v1, kind: Namespace, metadata: {name: ns, annotations: "
	       "{" NAMESPACE_ANNOTATION ": '{}'}}}",
	       "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n");
}

static void a_name_that_is_taken(void **state _unused_)
{
	struct decoded d =
		decode("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: "
		       "default-deny-ingress, namespace: ns}, spec: {podSelector: {}}}\n---\n"
		       "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: "
		       "default-deny-ingress-2, namespace: ns}, spec: {podSelector: {}}}");
	_cleanup_(value_doc_freep) struct value_doc *doc = read_one(
		"{apiVersion: v1, kind: Namespace, metadata: {name: ns, annotations: {" ANNOTATION
		"}}}");
	_cleanup_(buf_done) struct buf b = {0};
	struct store *known = store_new(NULL, NULL);

	vec_foreach (o, &d.o)
		assert_true(store_put(known, *o));
	d.o.n = 0;
	translate_document(value_root(doc), known, &b);
	assert_string_equal(b.data, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n" DENY(
					    "default-deny-ingress-3", "ns"));
	(void)store_free(known);
	decoded_done(&d);
}

/* Nobody knows what it means. */
static void what_has_a_problem_stays_as_it_is(void **state _unused_)
{
	static const char *const texts[] = {
		"apiVersion: extensions/v1beta1\nkind: NetworkPolicy\n" META
		"spec:\n  podSelector: {}\n  ingress:\n    - ports:\n        - protocol: tcp\n"
		"          endPort: 5\n",
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n  annotations:\n   "
		" " NAMESPACE_ANNOTATION ": DefaultDeny\n",
		"apiVersion: extensions/v1beta1\nkind: Deployment\n" META,
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" META
		"spec:\n  podSelector: {}\n",
		"just: a map\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		expect(texts[i], texts[i]);
}

static void lists_item_by_item(void **state _unused_)
{
	expect("{apiVersion: extensions/v1beta1, kind: NetworkPolicyList, items: [{metadata: "
	       "{name: "
	       "p, namespace: ns}, spec: {podSelector: {}}}]}\n---\n"
	       "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}, 5]}",
	       "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" META
	       "spec:\n  podSelector: {}\n---\napiVersion: v1\nkind: Pod\n---\n5\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(plain_words_need_no_quotes),
		cmocka_unit_test(a_policy_of_v1beta1),
		cmocka_unit_test(a_namespace_that_isolates),
		cmocka_unit_test(a_name_that_is_taken),
		cmocka_unit_test(what_has_a_problem_stays_as_it_is),
		cmocka_unit_test(lists_item_by_item),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
