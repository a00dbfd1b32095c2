// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_suspect.c - whom a file isolates that cannot be taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/intern.h"
#include "watch/folder/manifests.h"
#include "watch/object/netpol.h"

#define POLICY(ns)                                                                    \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, " \
	"namespace: " ns "}\n"
#define POD	 "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: pods}\n"
#define BROKEN	 "spec: {podSelector: ]}\n"
#define REST	 "spec: {podSelector: {}}\n"
#define J_POLICY "{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicy\",\n"
#define J_IN(ns) "\"metadata\": {\"name\": \"p\", \"namespace\": \"" ns "\"},\n"

/* The namespaces that are isolated, in order. */
static void isolates(const char *file, const char *text, const char *expected)
{
	struct manifest m = {0};
	struct buf b = {0};

	buf_puts(&b, "");
	manifest_suspect(file, text, text ? strlen(text) : 0, &m);
	vec_foreach (e, &m.entries) {
		const struct netpol *p = as_netpol(e->o);

		assert_true(is_stand_in(&p->o) && p->o.problem);
		assert_true(p->isolates[INGRESS] && p->isolates[EGRESS] && !p->selects.n);
		buf_printf(&b, "%s%s", b.len ? " " : "", p->o.ns);
	}
	if (!streq(b.data, expected))
		fail_msg("%s: '%s', not '%s'", text ?: "(not read)", b.data, expected);
	buf_done(&b);
	manifest_done(&m);
	assert_int_equal(intern_count(), 0);
}

static void yaml(void **state _unused_)
{
	isolates("a.yaml", NULL, "*");
	isolates("a.yaml", POLICY("a") BROKEN "status: {}\n", "a");
	/* Each document by itself; those that are whole are not in force either. */
	isolates("a.yaml", POLICY("a") BROKEN "---\n" POLICY("b") REST, "a b");
	isolates("a.yaml", POLICY("b") REST "---\n" POLICY("a") BROKEN "status: {}\n", "b a");
	isolates("a.yaml", POLICY("b") REST "---\n" POLICY("b") BROKEN "status: {}\n", "b");
	isolates("a.yaml", POD BROKEN "---\n" POLICY("b") REST, "b");
	isolates("a.yaml", POLICY("a") REST "---\n" POD BROKEN "status: {}\n", "a");
	isolates("a.yaml", POD BROKEN "status: {}\n", "");
	isolates("a.yaml", "kind: Deployment\n" BROKEN "status: {}\n", "");
	/* Broken before it says what it is, and for whom. */
	isolates("a.yaml", "x: ]\n" POLICY("a"), "*");
	isolates("a.yaml", "kind: NetworkPolicy\nx: ]\nmetadata: {name: p, namespace: a}\n", "*");
	isolates("a.yaml", "metadata: {name: p, namespace: a}\nx: ]\nkind: NetworkPolicy\n", "a");
	isolates("a.yaml", "kind: NetworkPolicy\nmetadata: {name: p}\nx: ]\ny: z\n", "*");
	/* A key that stands twice. */
	isolates("a.yaml", POLICY("a") "spec: {a: b, a: b}\nstatus: {}\n", "a");
	isolates("a.yaml", "metadata: {namespace: a, namespace: b}\nkind: NetworkPolicy\nx: {}\n",
		 "*");
	/* A list: what is behind is not known. */
	isolates("a.yaml", "kind: List\nitems:\n- {kind: Pod}\n- ]\n- {}\n", "*");
	isolates("a.yaml", "kind: PodList\nitems:\n- {kind: Pod}\n- ]\n- {}\n", "");
	isolates("a.yaml",
		 "kind: List\nitems:\n- {kind: NetworkPolicy, metadata: {namespace: a}}\n- {kind: "
		 "Pod}\n---\n" POD BROKEN "---\n" POD,
		 "a");
}

static void cut_yaml(void **state _unused_)
{
	/* Broken at its end: nobody knows what else was there. */
	isolates("a.yaml", POLICY("a") "spec: {podSelector: {}", "*");
	isolates("a.yaml", POLICY("a") "spec: {podSelector: {}\n\n  \n", "*");
	isolates("a.yaml", POD "spec: {", "*");
	isolates("a.yaml", POLICY("a") BROKEN "---\n" POLICY("b") "spec: {", "*");
	/* That is not the end of the file. */
	isolates("a.yaml", POLICY("a") "spec: {\n---\n" POLICY("b") REST, "a b");
	isolates("a.yaml", POLICY("a") "spec: {\n---", "a");
	/* A line of text that begins so begins no document, but the next one may be behind it. */
	isolates("a.yaml", POLICY("a") "spec: {\n---x\n" POLICY("b") REST, "*");
}

static void json(void **state _unused_)
{
	isolates("a.json", NULL, "*");
	isolates("a.json", J_POLICY J_IN("a") "\"spec\": x,\n\"status\": {}}\n", "a");
	isolates("a.json", J_POLICY J_IN("a") "\"spec\": {\n", "*");
	isolates("a.json", J_POLICY "\"spec\": x,\n" J_IN("a") "}\n", "*");
	isolates("a.json", "{\"kind\": \"Pod\",\n\"spec\": x,\n\"status\": {}}\n", "");
	isolates("a.json", "{\"kind\": \"Pod\",\n\"spec\": x,\n\"status\": {}}\n" J_POLICY "}\n",
		 "*");
	isolates("a.json", J_POLICY J_IN("b") "\"spec\": {}}\n" J_POLICY J_IN("a") "x\n}\n", "b a");
	isolates("a.json", "x\n{}\n", "*");
}

static void names(void **state _unused_)
{
	static const struct {
		const char *file, *name;
	} cases[] = {
		{"a.yaml", "a.yaml:7"},
		{"A_b-9.json", "A_b-9.json:7"},
	};
	char longest[256];
	const char *a, *b;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		a = manifest_stand_in_name(cases[i].file, "7");
		assert_string_equal(a, cases[i].name);
		intern_put(a);
	}
	/* What would be the same is not. */
	a = manifest_stand_in_name("a b.yaml", "7");
	b = manifest_stand_in_name("a\"b.yaml", "7");
	assert_true(str_starts(a, "a_b.yaml-") && str_starts(b, "a_b.yaml-") && a != b);
	intern_put(a);
	intern_put(b);
	memset(longest, 'a', 255);
	longest[255] = '\0';
	a = manifest_stand_in_name(longest, "7");
	longest[254] = 'b';
	b = manifest_stand_in_name(longest, "7");
	assert_true(a != b && strlen(a) < 200);
	intern_put(a);
	intern_put(b);
}

static void who_is_isolated_in_words(void **state _unused_)
{
	struct manifest m = {0};
	_cleanup_(freep) char *nobody = manifest_isolated(&m), *some = NULL;

	assert_null(nobody);
	manifest_suspect("a.yaml", POLICY("a") BROKEN "---\n" POLICY("b") REST,
			 strlen(POLICY("a") BROKEN "---\n" POLICY("b") REST), &m);
	some = manifest_isolated(&m);
	assert_string_equal(some, "; pods of namespace a, namespace b are isolated until this is "
				  "mended");
	manifest_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml),
		cmocka_unit_test(cut_yaml),
		cmocka_unit_test(json),
		cmocka_unit_test(names),
		cmocka_unit_test(who_is_isolated_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
