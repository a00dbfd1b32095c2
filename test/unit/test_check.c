// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_check.c - `manx validate`: which files are read, and where each problem is said to be.
 */
#include "agent/command/check.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/file_write.h"
#include "lib/intern.h"
#include "watch/document/place.h"

#define NAMESPACE "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n"
#define POLICY                                                                        \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, " \
	"namespace: a}\nspec:\n  podSelector: {}\n"

struct fixture {
	char dir[64];
	struct check check;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/manx-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	check_init(&f->check);
	*state = f;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st _unused_, int type _unused_,
			struct FTW *ftw _unused_)
{
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	check_done(&f->check);
	assert_int_equal(nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(f);
	return intern_count() == 0 ? 0 : -1;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", f->dir, name);

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static void check_one(struct fixture *f, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", f->dir, name);

	check_path(&f->check, path);
}

/* "NAME:LINE: OBJECT: MESSAGE", without the temporary folder */
static void assert_problem(struct fixture *f, size_t i, const char *expected)
{
	const struct check_problem *p;
	_cleanup_(freep) char *text = NULL;

	assert_true(i < f->check.problem.n);
	p = &f->check.problem.v[i];
	assert_true(str_starts(p->file, f->dir));
	text = xasprintf("%s:%u: %s: %s", p->file + strlen(f->dir) + 1, p->line,
			 p->object ? p->object : "-", p->message);
	assert_string_equal(text, expected);
}

static void test_folder_reads_manifests_only(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *sub = xasprintf("%s/sub.yaml", f->dir);

	put(f, "b.yaml", NAMESPACE);
	put(f, "a.yml", POLICY);
	put(f, "c.json",
	    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"c\"}}");
	put(f, ".hidden.yaml", "][");
	put(f, "notes.txt", "][");
	put(f, "x.yaml~", "][");
	put(f, "yaml", "][");
	assert_int_equal(mkdir(sub, 0755), 0);
	check_path(&f->check, f->dir);
	assert_int_equal(f->check.files, 3);
	assert_int_equal(f->check.objects, 3);
	assert_int_equal(f->check.problem.n, 0);
	assert_int_equal(store_count(f->check.store, KIND_NAMESPACE), 2);
}

static void test_unknown_kinds_are_counted(void **state)
{
	struct fixture *f = *state;

	put(f, "x.yaml", NAMESPACE "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
	check_one(f, "x.yaml");
	assert_int_equal(f->check.objects, 1);
	assert_int_equal(f->check.ignored, 1);
	assert_int_equal(f->check.problem.n, 0);
}

static void test_broken_file_is_not_taken(void **state)
{
	struct fixture *f = *state;

	put(f, "x.yaml", NAMESPACE "---\nkind: [\n");
	check_one(f, "x.yaml");
	assert_int_equal(f->check.objects, 0);
	assert_int_equal(f->check.problem.n, 1);
	assert_true(f->check.problem.v[0].line >= 6);
}

static void test_document_that_is_no_object(void **state)
{
	struct fixture *f = *state;

	put(f, "x.yaml", "# nothing\n\n- 1\n- 2\n");
	check_one(f, "x.yaml");
	assert_int_equal(f->check.objects, 0);
	assert_int_equal(f->check.problem.n, 1);
	assert_int_equal(f->check.problem.v[0].line, 3);
}

static void test_bad_field_is_placed(void **state)
{
	struct fixture *f = *state;

	put(f, "x.yaml",
	    NAMESPACE "---\n" POLICY
		      "  ingress:\n  - ports:\n    - {port: 5000, endPort: 70000}\n");
	check_one(f, "x.yaml");
	assert_int_equal(f->check.objects, 2);
	assert_int_equal(f->check.problem.n, 1);
	assert_string_equal(f->check.problem.v[0].object, "NetworkPolicy a/p");
	assert_non_null(strstr(f->check.problem.v[0].message, "spec.ingress[0].ports[0].endPort"));
	assert_int_equal(f->check.problem.v[0].line, 13);
}

static void test_same_object_twice_names_both_places(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *expected = xasprintf(
		"b.yaml:2: Namespace a: defined a second time, not used; first in %s/a.yaml:1",
		f->dir);

	put(f, "a.yaml", NAMESPACE);
	put(f, "b.yaml", "\n" NAMESPACE);
	check_path(&f->check, f->dir);
	assert_int_equal(f->check.problem.n, 1);
	assert_problem(f, 0, expected);
}

static void test_missing_file_is_a_problem(void **state)
{
	struct fixture *f = *state;

	check_one(f, "none.yaml");
	assert_int_equal(f->check.problem.n, 1);
	assert_problem(f, 0, "none.yaml:0: -: cannot open: No such file or directory");
}

static void test_named_file_needs_no_suffix(void **state)
{
	struct fixture *f = *state;

	put(f, "manifest", NAMESPACE);
	check_one(f, "manifest");
	assert_int_equal(f->check.objects, 1);
}

static void test_lines_are_taken_out_of_messages(void **state _unused_)
{
	static const struct {
		const char *before, *after;
		uint32_t line;
	} cases[] = {
		{"line 12: duplicate key", "duplicate key", 12},
		{"spec.x: expected a map (line 7)", "spec.x: expected a map", 7},
		{"a (line 1) b (line 2)", "a (line 1) b", 2},
		{"line 3: a (line 4)", "a (line 4)", 3},
		{"line: x", "line: x", 0},
		{"line 5 x", "line 5 x", 0},
		{"line 99999999999: x", "line 99999999999: x", 0},
		{"x (line )", "x (line )", 0},
		{"x (line 4) y", "x (line 4) y", 0},
		{"", "", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char msg[64];

		(void)snprintf(msg, sizeof(msg), "%s", cases[i].before);
		assert_int_equal(place_take_line(msg), cases[i].line);
		assert_string_equal(msg, cases[i].after);
	}
}

static void test_file_goes_in_front(void **state _unused_)
{
	struct err with = {.code = -22, .msg = "line 12: x"}, without = {.code = -22, .msg = "x"};

	assert_int_equal(err_place(&with, "f.yaml"), -22);
	assert_string_equal(with.msg, "f.yaml:12: x");
	assert_int_equal(err_place(&without, "f.yaml"), -22);
	assert_string_equal(without.msg, "f.yaml: x");
	assert_int_equal(err_place(NULL, "f.yaml"), 0);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(test_folder_reads_manifests_only),
		dir_test(test_unknown_kinds_are_counted),
		dir_test(test_broken_file_is_not_taken),
		dir_test(test_document_that_is_no_object),
		dir_test(test_bad_field_is_placed),
		dir_test(test_same_object_twice_names_both_places),
		dir_test(test_missing_file_is_a_problem),
		dir_test(test_named_file_needs_no_suffix),
		cmocka_unit_test(test_lines_are_taken_out_of_messages),
		cmocka_unit_test(test_file_goes_in_front),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
