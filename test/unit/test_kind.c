// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kind.c - the rows of the kinds: they are whole, and deploy/ gives the rights that follow
 * from them, no more and no less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/file.h"
#include "watch/document/yaml.h"
#include "watch/object/kind.h"

#define RBAC "deploy/rbac.yaml"

/* --- rights ------------------------------------------------------------------------------------
 */

/* "networking.k8s.io/networkpolicies list", one a line, in the order of the kinds */
static void put_rights_of(const struct kind_info *info, struct buf *out)
{
	const char *version = info->forms->api_version, *slash = strchr(version, '/');
	static const char *const verbs[] = {"get", "list", "watch"};

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (i || (info->reach & REACH_NAME))
			buf_printf(out, "%.*s/%s %s\n", slash ? (int)(slash - version) : 0, version,
				   info->resource, verbs[i]);
}

static void put_each(const struct value *rule, struct buf *out)
{
	const struct value *groups = value_get(rule, "apiGroups"),
			   *resources = value_get(rule, "resources"),
			   *verbs = value_get(rule, "verbs");

	for (uint32_t g = 0; g < groups->n; g++)
		for (uint32_t r = 0; r < resources->n; r++)
			for (uint32_t v = 0; v < verbs->n; v++)
				buf_printf(out, "%s/%s %s\n", groups->items[g]->text,
					   resources->items[r]->text, verbs->items[v]->text);
}

static int take_document(void *arg, const struct value_doc *d)
{
	const struct value *root = value_root(d), *kind = value_get(root, "kind"), *rules;

	if (!streq(kind->text, "ClusterRole"))
		return 0;
	rules = value_get(root, "rules");
	for (uint32_t i = 0; i < rules->n; i++)
		put_each(rules->items[i], arg);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines in alphabetical order. */
static char *sorted(struct buf *b)
{
	char *lines[64], *save = NULL, *all = xstrdup("");
	size_t n = 0;

	for (char *l = strtok_r(b->data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		assert_in_range(n, 0, ARRAY_SIZE(lines) - 1);
		lines[n++] = l;
	}
	qsort(lines, n, sizeof(*lines), compare);
	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%s\n", all, lines[i]);

		free(all);
		all = longer;
	}
	return all;
}

static void the_rights_in_deploy_are_those_of_the_rows(void **state _unused_)
{
	_cleanup_(buf_done) struct buf given = {0}, wanted = {0}, text = {0};
	_cleanup_(freep) char *a = NULL, *b = NULL;
	struct err e = {0};

	if (file_load(RBAC, 1 << 20, &text, &e) < 0)
		fail_msg("%s", e.msg);
	if (yaml_parse(text.data, text.len, take_document, &given, &e) < 0)
		fail_msg("%s", e.msg);
	for (int k = 0; k < _KIND_MAX; k++)
		put_rights_of(kinds[k], &wanted);
	buf_puts(&wanted, "events.k8s.io/events create\n");
	a = sorted(&given);
	b = sorted(&wanted);
	assert_string_equal(a, b);
}

/* --- rows --------------------------------------------------------------------------------------
 */

static void every_row_is_whole(void **state _unused_)
{
	for (int k = 0; k < _KIND_MAX; k++) {
		const struct kind_info *i = kinds[k];
		enum kind found = _KIND_MAX;

		assert_int_equal(i->kind, k);
		assert_true(i->resource && i->shape && i->fields && i->reason && i->effect);
		assert_true(i->reach);
		assert_int_equal((i->reach & REACH_NODE) != 0, i->node_field && i->own);
		/* Whose object it is, is asked of what is fetched by name. */
		assert_true(!(i->reach & REACH_NAME) || (i->node_of && (i->reach & REACH_NODE)));
		for (const struct kind_form *f = i->forms; f->kind; f++) {
			assert_ptr_equal(kind_find(f->kind, f->api_version, &found), f);
			assert_int_equal(found, k);
		}
	}
}

static void expect_path(const struct kind_info *info, const char *ns, const char *path)
{
	_cleanup_(buf_done) struct buf b = {0};

	kind_path(info, ns, &b);
	assert_string_equal(b.data, path);
}

static void paths_follow_from_rows(void **state _unused_)
{
	expect_path(kinds[KIND_NODE], NULL, "/api/v1/nodes");
	expect_path(kinds[KIND_POD], "a", "/api/v1/namespaces/a/pods");
	expect_path(kinds[KIND_NETPOL], NULL, "/apis/networking.k8s.io/v1/networkpolicies");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rights_in_deploy_are_those_of_the_rows),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(paths_follow_from_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
