// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_event.c - the text of an Event: what it says, its name, and the API server's limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/utf8.h"
#include "watch/document/json.h"
#include "watch/kube/event.h"

#define WHEN "2026-11-25T10:00:00.000001Z"

static const struct event policy = {
	KIND_NETPOL, "shop", "web", "u-1", "InvalidNetworkPolicy", "spec.ingress: \"too\" many"};

/* struct posted - an Event as the server reads it */
struct posted {
	struct buf path, body;
	struct value_doc *doc;
	const char *name;
};

static const char *text_at(const struct posted *p, const char *path)
{
	const struct value *v = value_path(value_root(p->doc), path);

	return v && v->type == VALUE_STRING ? v->text : NULL;
}

static struct posted post(const struct event *e, const char *instance)
{
	struct posted p = {0};

	event_path(e, &p.path);
	event_body(e, instance, WHEN, &p.body);
	assert_int_equal(json_parse(p.body.data, p.body.len, &p.doc, NULL), 0);
	p.name = text_at(&p, "metadata.name");
	assert_non_null(p.name);
	return p;
}

static void posted_done(struct posted *p)
{
	(void)value_doc_free(p->doc);
	buf_done(&p->body);
	buf_done(&p->path);
}

static void it_says_what_is_wrong(void **state _unused_)
{
	_cleanup_(posted_done) struct posted p = post(&policy, "node-a");
	_cleanup_(freep) char *expected = xasprintf(
		"{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{"
		"\"name\":\"web.%016llx\",\"namespace\":\"shop\"},\"eventTime\":\"" WHEN "\","
		"\"type\":\"Warning\",\"reason\":\"InvalidNetworkPolicy\",\"action\":\"SetAside\","
		"\"note\":\"spec.ingress: \\\"too\\\" many\",\"regarding\":{"
		"\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\","
		"\"namespace\":\"shop\",\"name\":\"web\",\"uid\":\"u-1\"},"
		"\"reportingController\":\"manx.io/agent\",\"reportingInstance\":\"node-a\"}",
		(unsigned long long)event_id(&policy));

	assert_string_equal(p.path.data, "/apis/events.k8s.io/v1/namespaces/shop/events");
	assert_string_equal(p.body.data, expected);
}

static void of_what_has_no_namespace(void **state _unused_)
{
	const struct event e = {KIND_NODE, NULL, "node-a", NULL, "InvalidNode", "spec: no"};
	_cleanup_(posted_done) struct posted p = post(&e, "node-a");

	assert_string_equal(p.path.data, "/apis/events.k8s.io/v1/namespaces/default/events");
	assert_string_equal(text_at(&p, "metadata.namespace"), "default");
	assert_string_equal(text_at(&p, "regarding.apiVersion"), "v1");
	assert_null(value_path(value_root(p.doc), "regarding.namespace"));
	assert_null(value_path(value_root(p.doc), "regarding.uid"));
}

/* All nodes give one name to one problem; whatever differs gives another. */
static void the_name_follows_from_the_content(void **state _unused_)
{
	_cleanup_(posted_done) struct posted a = post(&policy, "node-a"),
					     b = post(&policy, "node-b");
	struct event others[] = {policy, policy, policy, policy, policy, policy, policy};

	others[0].kind = KIND_POD;
	others[1].ns = "shop2";
	others[2].name = "web2";
	others[3].uid = "u-2";
	others[4].uid = NULL;
	others[5].reason = "RefusedByKernel";
	others[6].note = "spec.egress: wrong";
	assert_string_equal(a.name, b.name);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_not_equal(event_id(&others[i]), event_id(&policy));
}

/* A text may not move from one field into the next one without a change of the id. */
static void fields_do_not_run_together(void **state _unused_)
{
	struct event a = policy, b = policy;

	a.ns = "ab";
	a.name = "c";
	b.ns = "a";
	b.name = "bc";
	assert_int_not_equal(event_id(&a), event_id(&b));
}

/* 253 bytes at most, and no label of it ends in '.' or '-'. */
static void long_names_are_cut(void **state _unused_)
{
	for (size_t n = 1; n <= 253; n++) {
		for (int odd = 0; odd < 2; odd++) {
			struct event e = policy;
			char name[254];

			for (size_t i = 0; i < n; i++)
				name[i] = i % 4 == 3 && i + 1 < n ? "-."[odd] : 'a';
			name[n] = '\0';
			e.name = name;

			_cleanup_(posted_done) struct posted p = post(&e, "node-a");
			const char *dot = strrchr(p.name, '.');

			assert_true(strlen(p.name) <= 253);
			assert_int_equal(strlen(dot), 17);
			assert_memory_equal(p.name, name, (size_t)(dot - p.name));
			assert_int_equal(dot[-1], 'a');
			assert_true(n > 236 || (size_t)(dot - p.name) == n);
			assert_string_equal(text_at(&p, "regarding.name"), name);
		}
	}
}

/* Cut to what the server takes, and not in the middle of a character. */
static void long_texts_are_cut(void **state _unused_)
{
	char note[1502] = "x", instance[254];
	struct event e = policy;

	for (size_t i = 1; i + 2 < sizeof(note); i += 2)
		memcpy(note + i, "\xc3\xa4", 3);
	memset(instance, 'n', sizeof(instance) - 1);
	instance[sizeof(instance) - 1] = '\0';
	for (size_t odd = 0; odd < 2; odd++) {
		e.note = note + odd;

		_cleanup_(posted_done) struct posted p = post(&e, instance);
		const char *told = text_at(&p, "note");

		assert_int_equal(strlen(told), odd ? 1024 : 1023);
		assert_true(utf8_valid(told, strlen(told)));
		assert_int_equal(strlen(text_at(&p, "reportingInstance")), 128);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_is_wrong),
		cmocka_unit_test(of_what_has_no_namespace),
		cmocka_unit_test(the_name_follows_from_the_content),
		cmocka_unit_test(fields_do_not_run_together),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
