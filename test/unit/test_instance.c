// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_instance.c - one agent a run folder; files replaced whole; plugin and conflist installed.
 *
 * Everything happens in a temporary folder, without root.
 */
#include "agent/command/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/command/install.h"
#include "lib/file.h"
#include "lib/file_write.h"

struct fixture {
	char dir[64], path[128];
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/manx-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
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

	assert_int_equal(nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(f);
	return 0;
}

static const char *inside(struct fixture *f, const char *name)
{
	(void)snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
	return f->path;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static void assert_file(const char *path, const char *text)
{
	struct buf b = {0};

	assert_int_equal(file_load(path, 1 << 20, &b, NULL), 0);
	assert_string_equal(b.data, text);
	buf_done(&b);
}

/* --- files ----------------------------------------------------------------------------------- */

static void test_dir_create_makes_parents(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(dir_create(inside(f, "a/b/c"), 0700, &e), 0);
	assert_int_equal(mode_of(inside(f, "a/b/c")), 0700);
	assert_int_equal(mode_of(inside(f, "a")), 0755);
	assert_int_equal(dir_create(inside(f, "a/b"), 0700, &e), 0);
	assert_int_equal(mode_of(inside(f, "a/b")), 0755);
	assert_int_equal(dir_create(inside(f, "a/b/d/"), 0700, &e), 0);
}

static void test_dir_create_refuses_a_file(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(file_write_atomic(inside(f, "x"), "", 0, 0644, &e), 0);
	assert_int_equal(dir_create(f->path, 0700, &e), -ENOTDIR);
	assert_non_null(strstr(e.msg, "/x: exists and is not a folder"));
	assert_int_equal(dir_create(inside(f, "x/y"), 0700, &e), -ENOTDIR);
}

static void test_write_replaces_whole_and_leaves_no_neighbour(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(file_write_atomic(inside(f, "f"), "first, longer", 13, 0600, &e), 0);
	assert_int_equal(file_write_atomic(f->path, "second", 6, 0644, &e), 0);
	assert_file(f->path, "second");
	assert_int_equal(mode_of(f->path), 0644);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(rmdir(f->dir), 0); /* nothing else was in it */
	assert_int_equal(mkdir(f->dir, 0700), 0);
}

static void test_write_removes_what_a_killed_writer_left(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	int busy;

	assert_int_equal(file_write_atomic(inside(f, ".f.aaaaaa"), "half", 4, 0600, &e), 0);
	assert_int_equal(file_write_atomic(inside(f, ".f.bbbbbb"), "half", 4, 0600, &e), 0);
	busy = open(f->path, O_RDONLY | O_CLOEXEC); /* as a writer that lives */
	assert_int_equal(flock(busy, LOCK_EX), 0);
	assert_int_equal(file_write_atomic(inside(f, "f"), "whole", 5, 0600, &e), 0);
	assert_file(f->path, "whole");
	assert_int_equal(access(inside(f, ".f.aaaaaa"), F_OK), -1);
	assert_int_equal(access(inside(f, ".f.bbbbbb"), F_OK), 0);
	close(busy);
}

static void test_write_replaces_a_link_not_its_target(void **state)
{
	struct fixture *f = *state;
	char target[128];
	struct err e = {0};

	(void)snprintf(target, sizeof(target), "%s/target", f->dir);
	assert_int_equal(file_write_atomic(target, "theirs", 6, 0644, &e), 0);
	assert_int_equal(symlink(target, inside(f, "link")), 0);
	assert_int_equal(file_write_atomic(f->path, "ours", 4, 0644, &e), 0);
	assert_file(f->path, "ours");
	assert_file(target, "theirs");
}

static void test_write_into_a_missing_folder_fails(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(file_write_atomic(inside(f, "no/f"), "x", 1, 0644, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "/no/f: cannot create"));
}

static void test_read_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct buf b = {0};
	struct err e = {0};

	assert_int_equal(file_write_atomic(inside(f, "f"), "12345", 5, 0644, &e), 0);
	assert_int_equal(file_load(f->path, 5, &b, &e), 0);
	assert_int_equal(file_load(f->path, 5, &b, &e), 0); /* the limit is of the file */
	assert_string_equal(b.data, "1234512345");
	assert_int_equal(file_load(f->path, 4, &b, &e), -EFBIG);
	assert_int_equal(file_load(f->dir, 4, &b, &e), -EISDIR);
	assert_int_equal(file_load(inside(f, "none"), 4, &b, &e), -ENOENT);
	buf_done(&b);
}

static void test_update_touches_nothing_when_right(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	ino_t first;

	assert_int_equal(file_update(inside(f, "f"), "text", 4, 0644, &e), 1);
	first = inode_of(f->path);
	assert_int_equal(file_update(f->path, "text", 4, 0644, &e), 0);
	assert_int_equal(inode_of(f->path), first);
	assert_int_equal(file_update(f->path, "texT", 4, 0644, &e), 1);
	assert_file(f->path, "texT");
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(file_update(f->path, "texT", 4, 0644, &e), 1);
	assert_int_equal(mode_of(f->path), 0644);
}

/* Larger than what is held in memory at a time; one byte at each end of it is another. */
static void test_copy_of_a_large_file(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *from = xasprintf("%s/from", f->dir);
	static char text[50000];
	struct buf have = {0};
	struct err e = {0};

	memset(text, 'x', sizeof(text));
	assert_int_equal(file_copy(from, inside(f, "f"), 0755, &e), -ENOENT);
	assert_int_equal(file_copy(f->dir, f->path, 0755, &e), -EINVAL);
	assert_int_equal(file_write_atomic(from, text, sizeof(text), 0644, &e), 0);
	assert_int_equal(file_copy(from, f->path, 0755, &e), 1);
	assert_int_equal(file_copy(from, f->path, 0755, &e), 0);
	for (size_t at = 0; at < sizeof(text); at += sizeof(text) - 1) {
		text[at] = 'y';
		assert_int_equal(file_write_atomic(from, text, sizeof(text), 0644, &e), 0);
		assert_int_equal(file_copy(from, f->path, 0755, &e), 1);
		assert_int_equal(file_copy(from, f->path, 0755, &e), 0);
	}
	assert_int_equal(file_load(f->path, sizeof(text), &have, &e), 0);
	assert_int_equal(have.len, sizeof(text));
	assert_memory_equal(have.data, text, sizeof(text));
	buf_done(&have);
	assert_int_equal(file_write_atomic(from, "", 0, 0644, &e), 0);
	assert_int_equal(file_copy(from, f->path, 0755, &e), 1);
	assert_file(f->path, "");
}

static void test_remove(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(file_remove(inside(f, "f"), &e), 0);
	assert_int_equal(file_write_atomic(f->path, "x", 1, 0644, &e), 0);
	assert_int_equal(file_remove(f->path, &e), 1);
	assert_int_equal(access(f->path, F_OK), -1);
	assert_true(file_remove(f->dir, &e) < 0);
}

/* --- the lock -------------------------------------------------------------------------------- */

static void test_second_agent_is_refused_with_the_pid(void **state)
{
	struct fixture *f = *state;
	char expected[256];
	struct err e = {0};
	int first = -1, second = -1;

	assert_int_equal(instance_lock(f->dir, &first, &e), 0);
	assert_int_equal(instance_lock(f->dir, &second, &e), -EBUSY);
	assert_int_equal(second, -1);
	(void)snprintf(expected, sizeof(expected), "another agent (pid %d) uses %s; end it or ",
		       (int)getpid(), f->dir);
	assert_true(str_starts(e.msg, expected));
	close(first);
	assert_int_equal(instance_lock(f->dir, &second, &e), 0);
	close(second);
}

static void test_lock_ends_with_its_process(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	int fd = -1, status;
	pid_t child = fork();

	if (child == 0)
		_exit(instance_lock(f->dir, &fd, NULL) == 0 ? 0 : 1); /* never unlocked */
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(instance_lock(f->dir, &fd, &e), 0);
	close(fd);
}

static void test_garbage_in_the_lock_is_no_pid(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	int first = -1, second = -1;

	assert_int_equal(instance_lock(f->dir, &first, &e), 0);
	assert_int_equal(pwrite(first, "rm -rf\n\n\n\n\n", 11, 0), 11);
	assert_int_equal(instance_lock(f->dir, &second, &e), -EBUSY);
	assert_true(str_starts(e.msg, "another agent (pid unknown) uses "));
	close(first);
}

static void test_a_lock_that_was_handed_over(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *path = instance_lock_path(f->dir);
	_cleanup_(buf_done) struct buf text = {0};
	struct err e = {0};
	char pid[16];
	int first = -1, second, third = -1;

	assert_int_equal(instance_lock(f->dir, &first, &e), 0);
	assert_int_equal(pwrite(first, "123456789\n", 10, 0), 10); /* of another process */
	second = dup(first);
	close(first);
	assert_int_equal(instance_inherit(f->dir, second, &e), 0);
	(void)snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	assert_int_equal(file_load(path, 64, &text, &e), 0);
	assert_string_equal(text.data, pid);
	assert_int_equal(instance_lock(f->dir, &third, &e), -EBUSY);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(instance_lock(f->dir, &third, &e), 0);
	assert_int_equal(instance_inherit(f->dir, second, &e),
			 -ESTALE); /* it locks nothing any more */
	close(second);
	close(third);
}

static void test_lock_does_not_follow_links(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *path = instance_lock_path(f->dir);
	struct err e = {0};
	int fd = -1;

	assert_int_equal(symlink("/tmp/manx-test-target-of-a-link", path), 0);
	assert_int_equal(instance_lock(f->dir, &fd, &e), -ELOOP);
}

static void test_boot_id(void **state _unused_)
{
	char a[BOOT_ID_LEN + 1], b[BOOT_ID_LEN + 1];

	assert_int_equal(boot_id_read(a, NULL), 0);
	assert_int_equal(boot_id_read(b, NULL), 0);
	assert_int_equal(strlen(a), BOOT_ID_LEN);
	assert_int_equal(a[8], '-');
	assert_string_equal(a, b);
}

static void test_dirs_of_an_agent(void **state)
{
	struct fixture *f = *state;
	struct config c = {0};
	struct err e = {0};

	c.run_dir = xasprintf("%s/run", f->dir);
	c.state_dir = xasprintf("%s/lib/state", f->dir);
	c.cni_conf_dir = xasprintf("%s/etc/cni", f->dir);
	c.cni_bin_dir = xasprintf("%s/opt/cni", f->dir);
	assert_int_equal(instance_create_dirs(&c, &e), 0);
	assert_int_equal(mode_of(c.run_dir), 0700);
	assert_int_equal(mode_of(c.state_dir), 0700);
	assert_int_equal(mode_of(c.cni_conf_dir), 0755);
	assert_int_equal(mode_of(c.cni_bin_dir), 0755);
	free(c.cni_bin_dir);
	c.cni_bin_dir = xstrdup(""); /* of somebody else */
	assert_int_equal(instance_create_dirs(&c, &e), 0);
	free(c.cni_bin_dir);
	free(c.run_dir);
	free(c.state_dir);
	free(c.cni_conf_dir);
}

/* --- plugin and conflist --------------------------------------------------------------------- */

static void test_conflist_text(void **state _unused_)
{
	struct buf b = {0};

	assert_int_equal(conflist_plan(NULL, 0, "/run/manx", &b, NULL), CONFLIST_EDIT);
	assert_string_equal(
		b.data, "{\"cniVersion\":\"1.0.0\",\"cniVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\","
			"\"1.0.0\",\"1.1.0\"],\"name\":\"manx\",\"plugins\":["
			"{\"type\":\"manx\",\"socket\":\"/run/manx/cni.sock\","
			"\"capabilities\":{\"portMappings\":true,\"ips\":true,"
			"\"mac\":true}}]}\n");
	buf_done(&b);
}

static void test_conflist_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	ino_t inode;

	assert_int_equal(remove_conflist(f->dir, "10-manx.conflist", "/run/manx", &e), 0);
	assert_int_equal(install_conflist(f->dir, "10-manx.conflist", "/run/manx", true, &e), 1);
	inode = inode_of(inside(f, "10-manx.conflist"));
	assert_int_equal(install_conflist(f->dir, "10-manx.conflist", "/run/manx", true, &e), 0);
	assert_int_equal(inode_of(f->path), inode);
	assert_int_equal(install_conflist(f->dir, "10-manx.conflist", "/run/other", true, &e), 1);
	assert_int_equal(remove_conflist(f->dir, "10-manx.conflist", "/run/manx", &e), 0);
	assert_int_equal(remove_conflist(f->dir, "10-manx.conflist", "/run/other", &e), 1);
	assert_int_equal(access(f->path, F_OK), -1);
}

/* What is no list may be a write that is not finished; later it is kept aside. */
static void test_a_broken_conflist(void **state)
{
	static const char *const broken[] = {"", "{\"plugins\":[", "older"};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		assert_int_equal(file_write_atomic(inside(f, "x.conflist"), broken[i],
						   strlen(broken[i]), 0640, &e),
				 0);
		assert_int_equal(install_conflist(f->dir, "x.conflist", "/run/manx", false, &e),
				 -EBADMSG);
		assert_non_null(strstr(e.msg, "/x.conflist: "));
		assert_file(f->path, broken[i]);
		assert_int_equal(install_conflist(f->dir, "x.conflist", "/run/manx", true, &e), 1);
		assert_file(inside(f, "x.conflist.set-aside"), broken[i]);
		assert_int_equal(remove_conflist(f->dir, "x.conflist", "/run/manx", &e), 1);
	}
}

static void test_foreign_conflists_stay(void **state)
{
	static const char *const texts[] = {
		"",
		"not json",
		"[]",
		"{}",
		"{\"plugins\":{}}",
		"{\"plugins\":[]}",
		"{\"plugins\":[7]}",
		"{\"plugins\":[{\"type\":7,\"socket\":\"/run/manx/cni.sock\"}]}",
		"{\"plugins\":[{\"type\":\"bridge\",\"socket\":\"/run/manx/cni.sock\"}]}",
		"{\"plugins\":[{\"type\":\"manx\"}]}",
	};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(file_write_atomic(inside(f, "x.conflist"), texts[i],
						   strlen(texts[i]), 0644, &e),
				 0);
		assert_int_equal(remove_conflist(f->dir, "x.conflist", "/run/manx", &e), 0);
		assert_file(f->path, texts[i]);
	}
}

static void test_plugin_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *program = xasprintf("%s/manx-cni", f->dir);
	struct err e = {0};
	ino_t inode;

	assert_int_equal(install_plugin(program, f->dir, &e), -ENOENT);
	assert_non_null(strstr(e.msg, program));
	assert_int_equal(file_write_atomic(program, "new", 3, 0644, &e), 0);
	assert_int_equal(install_plugin(program, f->dir, &e), 1);
	assert_int_equal(mode_of(inside(f, "manx")), 0755);
	assert_file(f->path, "new");
	inode = inode_of(f->path);
	assert_int_equal(install_plugin(program, f->dir, &e), 0);
	assert_int_equal(inode_of(f->path), inode);
	assert_int_equal(file_write_atomic(f->path, "old", 3, 0755, &e), 0);
	assert_int_equal(install_plugin(program, f->dir, &e), 1);
	assert_file(f->path, "new");
	assert_int_equal(remove_plugin(f->dir, &e), 1);
	assert_int_equal(remove_plugin(f->dir, &e), 0);
}

/* The default is a file in the folder of this very program. */
static void test_plugin_is_beside_the_program(void **state)
{
	struct fixture *f = *state;
	char self[PATH_MAX] = "";
	struct err e = {0};

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	*strrchr(self, '/') = '\0';
	assert_int_equal(install_plugin(NULL, f->dir, &e), -ENOENT);
	assert_true(str_starts(e.msg, self));
	assert_true(str_starts(e.msg + strlen(self), "/manx-cni: "));
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(test_dir_create_makes_parents),
		dir_test(test_dir_create_refuses_a_file),
		dir_test(test_write_replaces_whole_and_leaves_no_neighbour),
		dir_test(test_write_removes_what_a_killed_writer_left),
		dir_test(test_write_replaces_a_link_not_its_target),
		dir_test(test_write_into_a_missing_folder_fails),
		dir_test(test_read_has_a_limit),
		dir_test(test_update_touches_nothing_when_right),
		dir_test(test_copy_of_a_large_file),
		dir_test(test_remove),
		dir_test(test_second_agent_is_refused_with_the_pid),
		dir_test(test_lock_ends_with_its_process),
		dir_test(test_garbage_in_the_lock_is_no_pid),
		dir_test(test_a_lock_that_was_handed_over),
		dir_test(test_lock_does_not_follow_links),
		cmocka_unit_test(test_boot_id),
		dir_test(test_dirs_of_an_agent),
		cmocka_unit_test(test_conflist_text),
		dir_test(test_conflist_comes_and_goes),
		dir_test(test_foreign_conflists_stay),
		dir_test(test_a_broken_conflist),
		dir_test(test_plugin_comes_and_goes),
		dir_test(test_plugin_is_beside_the_program),
	};

	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
