// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_folder_copies.c - files that cannot be read when the folder is opened: what was in force
 * stays, by copies that the folder before left; what nobody knows isolates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/folder_world.h"
#include "watch/object/netpol.h"

#define COPY_IN_FORCE "; its last good copy is in force"
#define ALL_ISOLATED  "; pods of every namespace are isolated until this is mended"
#define POLICY                                                    \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
	"metadata: {name: allow-web, namespace: shop}\nspec:\n"   \
	"  podSelector: {matchLabels: {app: db}}\n"               \
	"  policyTypes: [Ingress]\n  ingress:\n  - from:\n"       \
	"    - podSelector: {matchLabels: {app: web}}\n"          \
	"    ports:\n    - {port: 5432}\n"

static void open_folder(struct world *w)
{
	assert_int_equal(folder_open(w->path, w->copies, w->store, &w->folder, NULL), 0);
}

/* The agent ends and begins again, with nothing but what is on disk. */
static void restart(struct world *w)
{
	w->folder = folder_free(w->folder);
	w->store = store_free(w->store);
	w->store = store_new(on_change, w);
	buf_reset(&w->log);
	w->now += USEC_PER_SEC;
	open_folder(w);
}

static void scan(struct world *w, const char *expected)
{
	folder_scan(w->folder, w->now);
	told(w, expected);
}

static void doubts(struct world *w, const char *expected)
{
	_cleanup_(freep) char *doubt = folder_doubt(w->folder);

	assert_string_equal(doubt ?: "", expected);
}

static int setup_copies(void **state)
{
	struct world *w;

	if (setup(state) < 0)
		return -1;
	w = *state;
	(void)folder_free(w->folder);
	w->copies = xasprintf("%s/state", w->root);
	open_folder(w);
	return 0;
}

static void cut(struct world *w, const char *name, off_t bytes)
{
	_cleanup_(freep) char *path = place(w, name);

	assert_int_equal(truncate(path, bytes), 0);
}

static bool exists(struct world *w, const char *name)
{
	_cleanup_(freep) char *path = place(w, name);

	return access(path, F_OK) == 0;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* In the order of the issue: cut in half, empty, only comments. */
static void test_broken_while_no_agent_ran(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"kind: Namespace\nmetadata: {na\n", "a.yaml:3: while parsing a flow mapping: did "
						     "not find expected ',' or '}'" COPY_IN_FORCE},
		{"",
		 "a.yaml: holds nothing any more; if that is meant, remove the file" COPY_IN_FORCE},
		{"# only this\n\n---\n",
		 "a.yaml: holds nothing any more; if that is meant, remove the file" COPY_IN_FORCE},
	};

	put(w, "a.yaml", "one=x two=x");
	put(w, "b.yaml", "three=x");
	scan(w, "one=x two=x three=x");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_text(w, "a.yaml", cases[i].text);
		restart(w);
		scan(w, "one=x two=x three=x");
		problems(w, cases[i].problem);
		doubts(w, cases[i].problem);
		restart(w); /* and once more */
		scan(w, "one=x two=x three=x");
		problems(w, cases[i].problem);
	}
	put(w, "a.yaml", "two=z");
	dispatched(w, "two=z one-");
	problems(w, "");
	doubts(w, "");
	put_text(w, "a.yaml", "");
	restart(w);
	scan(w, "two=z three=x");
}

/* While it runs the same: a file that held something does not become empty. */
static void test_emptied_while_running(void **state)
{
	struct world *w = *state;

	put_text(w, "new.yaml", "# nothing yet\n");
	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	problems(w, "");
	put_text(w, "a.yaml", "");
	dispatched(w, "");
	problems(w, "a.yaml: holds nothing any more; if that is meant, remove the file");
	put_text(w, "a.yaml", "apiVersion: v1\nkind: List\nitems:\n"); /* cut off, perhaps */
	dispatched(w, "");
	waited(w, "");
	problems(w, "a.yaml: holds nothing any more; if that is meant, remove the file");
	put_text(w, "a.yaml", "apiVersion: v1\nkind: List\nitems: []\n"); /* says it in words */
	dispatched(w, "one-");
	problems(w, "");
	delete (w, "a.yaml");
	dispatched(w, "");
	waited(w, "");
	assert_false(exists(w, "/state/a.yaml"));
	assert_true(exists(w, "/state/new.yaml"));
}

/* Wherever a policy is cut in a line, it is in force as it was. */
static void test_cut_anywhere(void **state)
{
	struct world *w = *state;
	const struct object *o;

	for (size_t n = 0; n < strlen(POLICY); n++) {
		put_text(w, "a.yaml", POLICY);
		restart(w);
		folder_scan(w->folder, w->now);
		cut(w, "a.yaml", (off_t)n);
		restart(w);
		folder_scan(w->folder, w->now);
		{
			const char *ns = intern("shop"), *name = intern("allow-web");

			o = store_get(w->store, &(struct object_key){KIND_NETPOL, ns, name});
			/* Whole lines may have been removed by hand: then it is what it says. */
			if (n > 0 && POLICY[n - 1] == '\n')
				assert_true(o && as_netpol(o)->isolates[INGRESS]);
			else if (!o || o->problem || !as_netpol(o)->isolates[INGRESS] ||
				 as_netpol(o)->selects.n != 1 ||
				 as_netpol(o)->n_rules[INGRESS] != 1 ||
				 as_netpol(o)->rules[INGRESS][0].n_peers != 1 ||
				 as_netpol(o)->rules[INGRESS][0].n_ports != 1)
				fail_msg("cut at byte %zu", n);
			intern_put(ns);
			intern_put(name);
		}
	}
}

static void test_lines_removed_at_the_end(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x two=x");
	scan(w, "one=x two=x");
	put(w, "a.yaml", "one=x"); /* the beginning of what was, in whole lines */
	dispatched(w, "two-");
	problems(w, "");
}

static void test_unreadable_ways(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *path = place(w, "a.yaml");

	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	delete (w, "a.yaml");
	make_folder(w, "a.yaml");
	restart(w);
	scan(w, "one=x");
	problems(w, "a.yaml: not a regular file" COPY_IN_FORCE);
	assert_int_equal(rmdir(path), 0);
	link_to(w, "nowhere", "a.yaml");
	restart(w);
	scan(w, "one=x");
	problems(w, "a.yaml: No such file or directory" COPY_IN_FORCE);
	delete (w, "a.yaml");
	link_to(w, "a.yaml", "a.yaml");
	restart(w);
	scan(w, "one=x");
	delete (w, "a.yaml");
	put(w, "a.yaml", "one=x");
	cut(w, "a.yaml", FOLDER_FILE_MAX + 1);
	restart(w);
	scan(w, "one=x");
	problems(w, "a.yaml: more than 67108864 bytes" COPY_IN_FORCE);
}

static void test_removed_or_renamed_while_no_agent_ran(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	put(w, "b.yaml", "two=x");
	scan(w, "one=x two=x");
	delete (w, "a.yaml");
	move(w, "b.yaml", "c.yaml");
	restart(w);
	scan(w, "two=x");
	assert_false(exists(w, "/state/a.yaml"));
	assert_false(exists(w, "/state/b.yaml"));
	/* A file of an old name is a new one. */
	put_text(w, "a.yaml", "");
	restart(w);
	scan(w, "two=x");
	problems(w, "");
}

static void test_one_bad_document(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *two = manifest_text("two=z"), *text = NULL;

	put(w, "a.yaml", "one=x two=x three=x");
	scan(w, "one=x two=x three=x");
	/* First "one" has no name, then there are new ones, then another document is bad. */
	text = xasprintf("apiVersion: v1\nkind: Namespace\nmetadata: {}\n%s", two);
	put_text(w, "a.yaml", text);
	dispatched(w, "two=z");
	put_text(w, "a.yaml",
		 "apiVersion: v1\nkind: Namespace\nmetadata: {}\n---\n"
		 "apiVersion: v1\nkind: Namespace\nmetadata: {name: four, labels: {v: x}}\n");
	dispatched(w, "four=x");
	restart(w);
	folder_scan(w->folder, w->now);
	assert_int_equal(store_count(w->store, KIND_NAMESPACE), 4);
	assert_non_null(strstr(w->log.data, "two=z"));
	buf_reset(&w->log);
	problems(w, "a.yaml:1: metadata.name: required");
	doubts(w, "a.yaml:1: metadata.name: required");
	/* And when it cannot be read at all now. */
	put_text(w, "a.yaml", "]");
	restart(w);
	folder_scan(w->folder, w->now);
	assert_int_equal(store_count(w->store, KIND_NAMESPACE), 4);
	buf_reset(&w->log);
	put(w, "a.yaml", "two=z");
	folder_dispatch(w->folder, w->now);
	assert_int_equal(store_count(w->store, KIND_NAMESPACE), 1);
	buf_reset(&w->log);
}

/* A version that is set aside keeps the one before, over a restart too. */
static void test_version_before_stays(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	put(w, "a.yaml", "one=!");
	dispatched(w, "");
	restart(w);
	scan(w, "one=x");
	restart(w);
	scan(w, "one=x");
}

static void test_held_by_a_writer(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *path = place(w, "a.yaml");
	_cleanup_(closep) int fd = -1;

	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	restart(w);
	scan(w, "one=x");
	problems(w, "a.yaml: a program has it open for writing" COPY_IN_FORCE);
	assert_true(folder_deadline(w->folder) <= w->now + FOLDER_SETTLE_USEC);
	/* YAML already, and not what will be. */
	assert_int_equal(write(fd, "# by hand\n", 10), 10);
	dispatched(w, "");
	assert_int_equal(usleep(FOLDER_SETTLE_USEC), 0);
	waited(w, "");
	{
		_cleanup_(freep) char *text = manifest_text("one=z");

		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	}
	closep(&fd);
	fd = -1;
	dispatched(w, "one=z");
	problems(w, "");
}

/* A new file while the agent runs: wait, nothing was in force of it. */
static void test_new_file_held_by_a_writer(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *path = place(w, "a.yaml"), *text = manifest_text("one=x");
	_cleanup_(closep) int fd = -1;

	scan(w, "");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, 20), 20);
	dispatched(w, "");
	assert_int_equal(usleep(FOLDER_SETTLE_USEC), 0);
	waited(w, "");
	problems(w, "");
	assert_int_equal(write(fd, text + 20, strlen(text) - 20), strlen(text) - 20);
	closep(&fd);
	fd = -1;
	dispatched(w, "one=x");
}

/* --- copies -------------------------------------------------------------------------------------
 */

static void test_no_copy(void **state)
{
	struct world *w = *state;

	put_text(w, "a.yaml", POLICY "  egress: [\n");
	put_text(w, "b.yaml",
		 "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: ]\nstatus: {}\n");
	scan(w, "*/a.yaml:unread!");
	restart(w);
	scan(w, "*/a.yaml:unread!");
	put_text(w, "a.yaml", POLICY "  egress: ]\nstatus: {}\n");
	dispatched(w, "shop/a.yaml:unread! */a.yaml:unread-");
	put_text(w, "a.yaml", POLICY);
	dispatched(w, "allow-web+ shop/a.yaml:unread-");
	put_text(w, "b.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n");
	dispatched(w, "x+");
	problems(w, "");
}

static void test_damaged_copy(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	cut(w, "/state/a.yaml", 30);
	restart(w);
	scan(w, "one=x"); /* the file is good */
	cut(w, "/state/a.yaml", 30);
	put_text(w, "a.yaml", "");
	restart(w);
	scan(w, "*/a.yaml:unread!");
	problems(w,
		 "a.yaml: holds nothing any more; if that is meant, remove the file" ALL_ISOLATED);
	/* What the file names may not be all that the copy had. */
	put_text(w, "a.yaml", "apiVersion: v1\nkind: Pod\nx: ]\ny: {}\n");
	restart(w);
	scan(w, "*/a.yaml:unread!");
	put(w, "a.yaml", "one=x");
	dispatched(w, "one=x */a.yaml:unread-");
	put_text(w, "a.yaml", "");
	restart(w);
	scan(w, "one=x");
}

static void test_copy_cannot_be_written(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *text = xasprintf(
		"%s/a.yaml: cannot be written: Is a directory; a manifest that is damaged at the "
		"next start isolates its pods",
		w->copies);

	scan(w, "");
	make_folder(w, "/state/a.yaml");
	put(w, "a.yaml", "one=x");
	dispatched(w, "one=x"); /* no worse than without */
	problems(w, text);
	doubts(w, "");
	assert_int_equal(usleep(FOLDER_SETTLE_USEC), 0);
	waited(w, ""); /* tried again with every scan */
	problems(w, text);
	{
		_cleanup_(freep) char *path = place(w, "/state/a.yaml");

		assert_int_equal(rmdir(path), 0);
	}
	waited(w, "");
	problems(w, "");
	put_text(w, "a.yaml", "");
	restart(w);
	scan(w, "one=x");
}

/* An older version is not what was in force. */
static void test_old_copy_goes_when_the_new_fails(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	make_folder(w, "/state/.new"); /* nothing can be written */
	put(w, "a.yaml", "one=z");
	dispatched(w, "one=z");
	assert_false(exists(w, "/state/a.yaml"));
	put_text(w, "a.yaml", "]");
	restart(w);
	scan(w, "*/a.yaml:unread!");
}

static void test_copies_of_another_folder(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	make_folder(w, "/other");
	free(w->path);
	w->path = xasprintf("%s/other", w->root);
	put_text(w, "a.yaml", "");
	restart(w);
	scan(w, "");
	problems(w, "");
}

/* --- the folder ---------------------------------------------------------------------------------
 */

static void test_folder_missing(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *text = xasprintf(
		"%s: No such file or directory, the objects read before stay in force", w->path);

	put(w, "a.yaml", "one=x");
	put(w, "b.yaml", "two=x");
	scan(w, "one=x two=x");
	move(w, "/manifests", "/away");
	restart(w);
	assert_false(folder_known(w->folder));
	scan(w, "one=x two=x");
	assert_true(folder_known(w->folder));
	problems(w, text);
	doubts(w, text);
	waited(w, "");
	delete (w, "/away/b.yaml");
	put(w, "/away/a.yaml", "one=z");
	move(w, "/away", "/manifests");
	waited(w, "one=z");
	waited(w, "two-");
	problems(w, "");
	doubts(w, "");
	assert_false(exists(w, "/state/b.yaml"));
}

static void test_folder_missing_and_copy_damaged(void **state)
{
	struct world *w = *state;

	put(w, "a.yaml", "one=x");
	put(w, "b.yaml", "two=x");
	scan(w, "one=x two=x");
	move(w, "/manifests", "/away");
	cut(w, "/state/a.yaml", 30);
	restart(w);
	scan(w, "*/a.yaml:unread! two=x");
	move(w, "/away", "/manifests");
	waited(w, "one=x */a.yaml:unread-");
}

/* That it held nothing is known, when it was read. */
static void test_empty_folder_missing(void **state)
{
	struct world *w = *state;

	scan(w, "");
	move(w, "/manifests", "/away");
	restart(w);
	scan(w, "");
	assert_true(folder_known(w->folder));
}

/* In the place of a file system that is not mounted stands an empty folder. */
static void test_folder_not_mounted(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *text =
		xasprintf("%s: is empty and not the folder that was read before; mount it, or put "
			  "any manifest there, the objects read before stay in force",
			  w->path);

	put(w, "a.yaml", "one=x");
	scan(w, "one=x");
	move(w, "/manifests", "/away");
	make_folder(w, "/manifests");
	dispatched(w, ""); /* while it runs */
	waited(w, "");
	waited(w, "");
	problems(w, text);
	restart(w);
	scan(w, "one=x");
	problems(w, text);
	waited(w, "");
	waited(w, "");
	put(w, "b.yaml", "two=x"); /* so it is meant */
	dispatched(w, "two=x");
	waited(w, "one-");
	problems(w, "");
	/* Emptied by hand, it is the same folder. */
	delete (w, "b.yaml");
	restart(w);
	scan(w, "");
	problems(w, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_copies, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_broken_while_no_agent_ran),
		TEST(test_emptied_while_running),
		TEST(test_cut_anywhere),
		TEST(test_lines_removed_at_the_end),
		TEST(test_unreadable_ways),
		TEST(test_removed_or_renamed_while_no_agent_ran),
		TEST(test_one_bad_document),
		TEST(test_version_before_stays),
		TEST(test_held_by_a_writer),
		TEST(test_new_file_held_by_a_writer),
		TEST(test_no_copy),
		TEST(test_damaged_copy),
		TEST(test_copy_cannot_be_written),
		TEST(test_old_copy_goes_when_the_new_fails),
		TEST(test_copies_of_another_folder),
		TEST(test_folder_missing),
		TEST(test_folder_missing_and_copy_damaged),
		TEST(test_empty_folder_missing),
		TEST(test_folder_not_mounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
