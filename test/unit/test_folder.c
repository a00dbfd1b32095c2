// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_folder.c - a real folder in a temporary place, changed as editors, kubectl users and the
 * kubelet change it; time is ours, except for the age of files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/folder_world.h"

#define ALL_ISOLATED "; pods of every namespace are isolated until this is mended"

/* --- the ordinary
 * ---------------------------------------------------------------------------------- */

static void test_first_scan(void **state)
{
	struct world *w = *state;

	put(w, "b.yml", "two=x");
	put(w, "a.yaml", "one=x");
	put_text(w, "c.json",
		 "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", "
		 "\"metadata\": {\"name\": \"three\", \"labels\": {\"v\": \"x\"}}}\n");
	put(w, ".hidden.yaml", "bad=x");
	put(w, "a.yaml~", "bad=x");
	put(w, ".a.yaml.swp", "bad=x");
	put(w, "a.yaml.tmp", "bad=x");
	put(w, "\xff.yaml", "bad=x");
	put(w, "\n.yaml", "bad=x");
	put(w, "readme.txt", "bad=x");
	assert_int_equal(stats(w).last_scan, 0);
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x three=x");
	assert_int_equal(stats(w).manifests.files, 3);
	assert_int_equal(stats(w).manifests.objects[KIND_NAMESPACE], 3);
	assert_int_equal(stats(w).last_scan, w->now);
	assert_true(stats(w).present);
	problems(w, "");
	folder_scan(w->folder, w->now + 1);
	told(w, "");
}

static void test_write(void **state)
{
	struct world *w = *state;

	folder_scan(w->folder, w->now);
	put(w, "a.yaml", "one=x two=x three=x");
	dispatched(w, "one=x two=x three=x");
	put(w, "a.yaml", "one=x two=z three=x");
	dispatched(w, "two=z");
	put(w, "a.yaml", "one=x two=z three=x");
	dispatched(w, "");
	put(w, "a.yaml", "one=x two=z");
	dispatched(w, "three-");
	put(w, "notes.txt", "bad=x");
	dispatched(w, "");
}

static void test_burst_is_read_once(void **state)
{
	struct world *w = *state;

	folder_scan(w->folder, w->now);
	for (int i = 0; i < 50; i++)
		put(w, i % 2 ? "a.yaml" : "b.yaml", i % 2 ? "one=x" : "two=x");
	put(w, "b.yaml", "two=last");
	dispatched(w, "one=x two=last");
}

static void test_unknown_kinds_counted(void **state)
{
	struct world *w = *state;

	put_text(w, "a.yaml",
		 "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n");
	folder_scan(w->folder, w->now);
	told(w, "");
	assert_int_equal(stats(w).manifests.unknown, 1);
	problems(w, "");
}

static void test_delete(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	delete (w, "a.yaml");
	dispatched(w, "");
	assert_true(folder_deadline(w->folder) <= w->now + FOLDER_GRACE_USEC);
	waited(w, "one-");
	assert_int_equal(stats(w).manifests.files, 0);
	assert_int_equal(folder_deadline(w->folder), w->now + FOLDER_RESCAN_USEC);
}

/* --- how editors write --------------------------------------------------------------------------
 */

static void test_rename_over(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x two=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x");
	put(w, ".a.yaml.swp", "one=x two=z");
	dispatched(w, "");
	move(w, ".a.yaml.swp", "a.yaml");
	dispatched(w, "two=z");
}

static void test_rename_away_then_write(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x two=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x");
	move(w, "a.yaml", "a.yaml~");
	dispatched(w, ""); /* no gap */
	put(w, "a.yaml", "one=x two=z");
	dispatched(w, "two=z");
	waited(w, "");
	assert_int_equal(stats(w).manifests.files, 1);
}

/* Every time that it is missing a file has its time to come back, not only the first. */
static void test_rename_away_again_later(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	for (int i = 0; i < 2; i++) {
		move(w, "a.yaml", "a.yaml~");
		dispatched(w, "");
		move(w, "a.yaml~", "a.yaml");
		dispatched(w, "");
		w->now += 10 * FOLDER_GRACE_USEC;
	}
	move(w, "a.yaml", "a.yaml~");
	dispatched(w, "");
	assert_true(folder_deadline(w->folder) <= w->now + FOLDER_GRACE_USEC);
	w->now += FOLDER_GRACE_USEC - 1;
	folder_scan(w->folder, w->now);
	told(w, "");
	w->now++;
	folder_scan(w->folder, w->now);
	told(w, "one-");
}

static void test_half_written(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *path = place(w, "a.yaml"), *text = manifest_text("one=z two=z");
	size_t half = strlen(text) / 2;
	int fd;

	put(w, "a.yaml", "one=x two=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x");
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, half), half);
	assert_int_equal(fchmod(fd, 0600), 0);
	dispatched(w, "");
	waited(w, ""); /* just touched: left alone by the rescan, too */
	assert_true(folder_deadline(w->folder) <= w->now + FOLDER_SETTLE_USEC);
	problems(w, "");
	assert_int_equal(write(fd, text + half, strlen(text) - half), strlen(text) - half);
	assert_int_equal(close(fd), 0);
	dispatched(w, "one=z two=z");
}

static void test_renamed_file(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	move(w, "a.yaml", "z.yaml");
	dispatched(w, "");
	waited(w, "");
	problems(w, "");
	assert_int_equal(stats(w).manifests.objects[KIND_NAMESPACE], 1);
	move(w, "z.yaml", "/elsewhere.yaml");
	dispatched(w, "");
	waited(w, "one-");
	move(w, "/elsewhere.yaml", "z.yaml");
	dispatched(w, "one=x");
}

/* --- what is wrong ------------------------------------------------------------------------------
 */

static void test_broken_file_keeps_objects(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	put(w, "b.yaml", "two=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x");
	put_text(w, "a.yaml", "kind: Namespace\nmetadata: {name: one\n");
	put(w, "b.yaml", "two=z");
	dispatched(w, "two=z");
	problems(w, "a.yaml:3: while parsing a flow mapping: did not find expected ',' or '}'");
	put_text(w, "a.yaml", "a: 1\na: 2\n");
	dispatched(w, "");
	problems(w, "a.yaml:2: duplicate key 'a'");
	put_text(w, "a.json", "{\"a\":\n\n");
	dispatched(w, "*/a.json:unread!"); /* which was never good: anything may be in it */
	problems(w, "a.json:3: parse error: premature EOF; pods of every namespace are isolated "
		    "until this is mended\na.yaml:2: duplicate key 'a'");
	waited(w, "");
	put(w, "a.yaml", "one=z");
	delete (w, "a.json");
	dispatched(w, "one=z");
	waited(w, "*/a.json:unread-");
	problems(w, "");
}

static void test_later_document_broken(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *good = manifest_text("one=z two=z"), *text = NULL;

	put(w, "a.yaml", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	text = xasprintf("%s---\n]\n", good);
	put_text(w, "a.yaml", text);
	dispatched(w, ""); /* taken whole or not at all */
}

static void test_document_without_name(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *good = manifest_text("two=z"), *text = NULL;

	put(w, "a.yaml", "one=x two=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x");
	text = xasprintf("apiVersion: v1\nkind: Namespace\nmetadata: {}\n%s---\n[1]\n", good);
	put_text(w, "a.yaml", text);
	/* "one" may be the one without name: it stays; and the list may be what is left of a policy
	 */
	dispatched(w, "two=z */a.yaml:9!");
	problems(w, "a.yaml:1: metadata.name: required\n"
		    "a.yaml:9: expected an object with apiVersion and kind; pods of every "
		    "namespace are isolated until this is mended");
	put(w, "a.yaml", "two=z");
	dispatched(w, "one- */a.yaml:9-");
	problems(w, "");
}

static void test_bad_policy_fails_closed(void **state)
{
	struct world *w = *state;
	static const char format[] =
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
		"metadata: {name: p, namespace: shop}\n"
		"spec:\n  podSelector: {}\n  ingress:\n  - ports:\n    - {port: 80, endPort: %d}\n";
	_cleanup_(freep) char *good = xasprintf(format, 90), *bad = xasprintf(format, 70000);

	put_text(w, "a.yaml", good);
	folder_scan(w->folder, w->now);
	told(w, "p+");
	put_text(w, "a.yaml", bad);
	dispatched(w, "p!");
	assert_int_equal(stats(w).manifests.problems, 1);
	put_text(w, "a.yaml", good);
	dispatched(w, "p+");
	problems(w, "");
}

static void test_not_regular(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *fifo = place(w, "fifo.yaml");

	folder_scan(w->folder, w->now);
	assert_int_equal(mkfifo(fifo, 0644), 0);
	make_folder(w, "folder.yaml");
	link_to(w, "/dev/null", "null.yaml");
	link_to(w, "nowhere", "dangling.yaml");
	link_to(w, "loop.yaml", "loop.yaml");
	/* What is behind a link is not known; what is no file holds no manifest. */
	dispatched(w, "*/dangling.yaml:unread! */loop.yaml:unread!");
	problems(w, "dangling.yaml: No such file or directory" ALL_ISOLATED "\n"
		    "fifo.yaml: not a regular file\n"
		    "folder.yaml: not a regular file\n"
		    "loop.yaml: Too many levels of symbolic links" ALL_ISOLATED "\n"
		    "null.yaml: not a regular file");
}

static void test_not_regular_at_start(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *fifo = place(w, "fifo.yaml");

	assert_int_equal(mkfifo(fifo, 0644), 0);
	link_to(w, "nowhere", "dangling.yaml");
	put(w, "a.yaml", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x */dangling.yaml:unread!");
	problems(w, "dangling.yaml: No such file or directory" ALL_ISOLATED
		    "\nfifo.yaml: not a regular file");
	put(w, "nowhere", "two=x"); /* what a link points to is found by the rescan */
	folder_scan(w->folder, w->now + 1);
	told(w, "two=x */dangling.yaml:unread-");
}

static void test_too_big(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *path = place(w, "a.yaml");

	put(w, "a.yaml", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	assert_int_equal(truncate(path, FOLDER_FILE_MAX + 1), 0);
	folder_scan(w->folder, w->now + 1);
	told(w, "");
	problems(w, "a.yaml: more than 67108864 bytes");
}

static void test_same_object_in_two_files(void **state)
{
	struct world *w = *state;

	put(w, "b.yaml", "one=b");
	folder_scan(w->folder, w->now);
	told(w, "one=b");
	put(w, "a.yaml", "two=a one=a");
	dispatched(w, "two=a one=a");
	problems(w, "b.yaml:2: Namespace one is in a.yaml:6 too, which wins");
	delete (w, "a.yaml");
	dispatched(w, "");
	waited(w, "two- one=b");
	problems(w, "");
}

/* --- mounted ConfigMaps
 * ---------------------------------------------------------------------------- */

static void test_config_map_swap(void **state)
{
	struct world *w = *state;

	make_folder(w, "..2026_1");
	put(w, "..2026_1/a.yaml", "one=x");
	put(w, "..2026_1/b.yaml", "two=x");
	link_to(w, "..2026_1", "..data");
	link_to(w, "..data/a.yaml", "a.yaml");
	link_to(w, "..data/b.yaml", "b.yaml");
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x");

	make_folder(w, "..2026_2");
	put(w, "..2026_2/a.yaml", "one=z");
	put(w, "..2026_2/b.yaml", "two=x");
	link_to(w, "..2026_2", "..data_tmp");
	dispatched(w, "");
	move(w, "..data_tmp", "..data");
	dispatched(w, "one=z"); /* at once, not with the next rescan */
	problems(w, "");
}

static void test_new_link(void **state)
{
	struct world *w = *state;

	put(w, "/target.yaml", "one=x");
	folder_scan(w->folder, w->now);
	link_to(w, "../target.yaml", "a.yaml");
	dispatched(w, "one=x");
}

/* --- the folder itself
 * ----------------------------------------------------------------------------- */

static char *missing_text(struct world *w)
{
	return xasprintf("%s: No such file or directory, the objects read before stay in force",
			 w->path);
}

static void test_missing_at_start(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *text =
		xasprintf("%s: No such file or directory, and it was never read: nothing is known "
			  "of the policies",
			  w->path);

	assert_int_equal(rmdir(w->path), 0);
	folder_scan(w->folder, w->now);
	told(w, "");
	assert_false(stats(w).present);
	assert_false(folder_known(w->folder)); /* which is not the same as empty */
	assert_int_equal(stats(w).manifests.problems, 1);
	problems(w, text);
	assert_int_equal(folder_deadline(w->folder), w->now + FOLDER_RETRY_USEC);
	waited(w, "");
	assert_int_equal(mkdir(w->path, 0755), 0);
	put(w, "a.yaml", "one=x");
	waited(w, "one=x");
	assert_true(stats(w).present);
	assert_true(folder_known(w->folder));
	problems(w, "");
	put(w, "a.yaml", "one=z");
	dispatched(w, "one=z");
}

static void test_removed_and_back(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *text = missing_text(w);

	put(w, "a.yaml", "one=x");
	put(w, "b.yaml", "two=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x two=x");
	move(w, "a.yaml", "/a.yaml");
	delete (w, "b.yaml");
	assert_int_equal(rmdir(w->path), 0);
	dispatched(w, "");
	problems(w, text);
	waited(w, "");
	waited(w, ""); /* for as long as it takes, nothing is lost */
	assert_int_equal(mkdir(w->path, 0755), 0);
	move(w, "/a.yaml", "a.yaml");
	waited(w, "");
	problems(w, "");
	waited(w, "two-"); /* it is back without this one */
	put(w, "a.yaml", "one=z");
	dispatched(w, "one=z");
}

static void test_replaced_by_rename(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	make_folder(w, "/next");
	put(w, "/next/a.yaml", "one=z");
	move(w, "/manifests", "/before");
	move(w, "/next", "/manifests");
	dispatched(w, "one=z");
	put(w, "/before/a.yaml", "bad=x"); /* no longer ours */
	dispatched(w, "");
	put(w, "b.yaml", "two=x");
	dispatched(w, "two=x");
}

static void test_link_to_folder_swapped(void **state)
{
	struct world *w = *state;

	/* The path is a link: nothing tells of its change, the rescan finds it. */
	move(w, "/manifests", "/v1");
	put(w, "/v1/a.yaml", "one=x");
	link_to(w, "v1", "/manifests");
	folder_scan(w->folder, w->now);
	told(w, "one=x");
	make_folder(w, "/v2");
	put(w, "/v2/a.yaml", "one=z");
	link_to(w, "v2", "/link");
	move(w, "/link", "/manifests");
	waited(w, "one=z");
	put(w, "a.yaml", "one=q");
	dispatched(w, "one=q");
}

static void test_not_a_folder(void **state)
{
	struct world *w = *state;

	assert_int_equal(rmdir(w->path), 0);
	put(w, "/manifests", "one=x");
	folder_scan(w->folder, w->now);
	told(w, "");
	assert_false(stats(w).present);
}

/* --- limits
 * ---------------------------------------------------------------------------------------- */

static long queue_length(void)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	long n = 0;

	if (!file || fscanf(file, "%ld", &n) != 1)
		n = 0;
	if (file)
		(void)fclose(file);
	return n;
}

static void test_lost_events(void **state)
{
	struct world *w = *state;
	long length = queue_length();

	if (length <= 0 || length > 100000)
		skip();
	folder_scan(w->folder, w->now);
	for (long i = 0; i < length; i++) {
		put_text(w, "noise", "");
		delete (w, "noise");
	}
	put(w, "a.yaml", "one=x"); /* nobody is told of this one */
	dispatched(w, "");
	w->now += FOLDER_SETTLE_USEC;
	assert_true(folder_deadline(w->folder) <= w->now);
	assert_int_equal(usleep(FOLDER_SETTLE_USEC), 0);
	waited(w, "one=x");
}

static void test_many_names_at_once(void **state)
{
	struct world *w = *state;
	char name[32], script[32];

	folder_scan(w->folder, w->now);
	for (int i = 0; i < 1500; i++) {
		(void)snprintf(name, sizeof(name), "%04d.yaml", i);
		(void)snprintf(script, sizeof(script), "n%d=x", i);
		put(w, name, script);
	}
	folder_dispatch(w->folder, w->now);
	buf_reset(&w->log);
	assert_int_equal(usleep(FOLDER_SETTLE_USEC), 0);
	w->now += FOLDER_SETTLE_USEC;
	folder_timer(w->folder, w->now);
	buf_reset(&w->log);
	assert_int_equal(stats(w).manifests.objects[KIND_NAMESPACE], 1500);
}

static void test_too_many_files(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *text =
		xasprintf("%s: more than 4096 files, the rest is not read" ALL_ISOLATED, w->path);
	char name[32];

	for (int i = 0; i <= MANIFEST_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%04d.yaml", i);
		put_text(w, name, "");
	}
	folder_scan(w->folder, w->now);
	assert_int_equal(stats(w).manifests.files, MANIFEST_FILES_MAX);
	assert_non_null(strstr(w->log.data, "*/"));
	buf_reset(&w->log);
	problems(w, text);
	delete (w, "0000.yaml");
	dispatched(w, "");
	assert_int_equal(usleep(FOLDER_SETTLE_USEC), 0);
	w->now = MAX(w->now, folder_deadline(w->folder));
	folder_timer(w->folder, w->now);
	assert_non_null(strstr(w->log.data, ":unread-"));
	buf_reset(&w->log);
	assert_int_equal(stats(w).manifests.files, MANIFEST_FILES_MAX);
	problems(w, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_scan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst_is_read_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_kinds_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rename_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rename_away_then_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rename_away_again_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renamed_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_file_keeps_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later_document_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_document_without_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_policy_fails_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_regular, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_regular_at_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_big, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_object_in_two_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_config_map_swap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_at_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removed_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced_by_rename, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_to_folder_swapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_names_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
