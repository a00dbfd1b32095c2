// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_folder_looks.c - what the manifest folder looks at: a file once for each of its versions,
 * and nothing before it is asked to; what it warns of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

#include <cmocka.h>

#include "folder_world.h"

/* How often was a file opened since the last call? */
static int opened(int watcher)
{
	char events[4096];
	ssize_t n = read(watcher, events, sizeof(events));

	return n < 0 ? 0 : (int)((size_t)n / sizeof(struct inotify_event));
}

static void a_version_is_read_once(void **state)
{
	_cleanup_(closep) int watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct world *w = *state;
	_cleanup_(freep) char *path = place(w, "a.yaml");

	put(w, "a.yaml", "one=x");
	assert_true(inotify_add_watch(watcher, path, IN_OPEN) >= 0);
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	assert_true(opened(watcher) > 0);
	for (int i = 0; i < 3; i++)
		folder_scan(w->folder, ++w->now);
	told(w, "");
	assert_int_equal(opened(watcher), 0);
	put(w, "a.yaml", "one=z");
	dispatched(w, "one=z");
	assert_true(opened(watcher) > 0);
}

static void nothing_is_there_before_it_is_read(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	assert_false(stats(w).present);
	assert_false(folder_known(w->folder));
	folder_scan(w->folder, w->now);
	assert_true(stats(w).present);
	told(w, "one=x");
}

static void warnings_of_all_files(void **state)
{
	struct world *w = *state;
	struct buf b = {0};

	put_text(w, "b.yaml",
		 "{apiVersion: v1, kind: Namespace, metadata: {name: b, Labels: {}}}\n");
	put_text(w, "a.yaml",
		 "{apiVersion: v1, kind: Namespace, metadata: {name: a, label: {}}}\n");
	put_text(w, "c.yaml",
		 "{apiVersion: v1, kind: Namespace, metadata: {name: c, labels: {}}}\n");
	folder_scan(w->folder, w->now);
	told(w, "a+ b+ c+");
	problems(w, "");
	folder_each_warning(w->folder, add_problem, &b);
	assert_string_equal(b.data, "a.yaml:1: metadata.label: not a field that is read, did you "
				    "mean 'labels'?\n"
				    "b.yaml:1: metadata.Labels: not a field that is read, did you "
				    "mean 'labels'?");
	buf_done(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_version_is_read_once),
		TEST(nothing_is_there_before_it_is_read),
		TEST(warnings_of_all_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
