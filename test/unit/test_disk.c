// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_disk.c - operations that run beside: they end through the descriptor, with their result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/disk.h"

static int temporary_file(void)
{
	char path[] = "/tmp/manx-disk-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)unlink(path);
	return fd;
}

static struct disk_result wait_result(struct disk *d)
{
	struct pollfd p = {.fd = disk_fd(d), .events = POLLIN};
	struct disk_result r = {.result = 1};

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(disk_running(d));
	assert_true(disk_take(d, &r));
	assert_false(disk_running(d));
	assert_false(disk_take(d, &r));
	return r;
}

static struct disk *open_disk(void)
{
	struct disk *d = NULL;

	assert_int_equal(disk_new(&d), 0);
	assert_false(disk_running(d));
	return d;
}

static void one_sync_after_the_other(void **state _unused_)
{
	_cleanup_(closep) int fd = temporary_file();
	struct disk *d = open_disk();

	for (int i = 0; i < 5; i++) {
		assert_int_equal(write(fd, "x", 1), 1);
		disk_sync(d, fd);
		assert_true(disk_running(d));
		assert_int_equal(wait_result(d).result, 0);
	}
	(void)disk_free(d);
}

static void the_file_may_be_closed_meanwhile(void **state _unused_)
{
	struct disk *d = open_disk();

	for (int i = 0; i < 20; i++) {
		int fd = temporary_file();

		assert_int_equal(write(fd, "x", 1), 1);
		disk_sync(d, fd);
		close(fd);
		assert_int_equal(wait_result(d).result, 0);
	}
	(void)disk_free(d);
}

static void a_file_that_cannot_be_synced(void **state _unused_)
{
	int ends[2];
	struct disk *d = open_disk();

	assert_int_equal(pipe(ends), 0);
	disk_sync(d, ends[1]);
	assert_int_equal(wait_result(d).result, -EINVAL);
	close(ends[0]);
	close(ends[1]);
	(void)disk_free(d);
}

static void a_file_is_replaced(void **state _unused_)
{
	char folder[] = "/tmp/manx-disk-XXXXXX", path[64], text[8] = "";
	struct buf content = {0};
	struct disk *d = open_disk();
	struct disk_result r;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	for (int i = 0; i < 2; i++) {
		buf_puts(&content, i ? "second" : "first");
		disk_replace(d, path, &content);
		assert_int_equal(content.len, 0); /* taken over */
		r = wait_result(d);
		assert_int_equal(r.operation, DISK_REPLACE);
		assert_int_equal(r.result, 0);
		assert_int_equal(r.folder, 0);
		assert_true(pread(r.fd, text, sizeof(text), 0) > 0);
		assert_string_equal(text, i ? "second" : "first");
		close(r.fd);
	}
	(void)snprintf(path, sizeof(path), "%s/none/file", folder);
	disk_replace(d, path, &content);
	r = wait_result(d);
	assert_int_equal(r.result, -ENOENT);
	(void)disk_free(d);
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* The result is lost, but not the memory and the descriptor. */
static void freed_while_it_runs(void **state _unused_)
{
	char path[] = "/tmp/manx-disk-XXXXXX";
	struct buf content = {0};
	struct disk *d = open_disk();

	close(mkstemp(path));
	buf_puts(&content, "text");
	disk_replace(d, path, &content);
	assert_null(disk_free(d));
	d = open_disk();
	disk_sync(d, STDOUT_FILENO);
	assert_null(disk_free(d));
	assert_int_equal(unlink(path), 0);
}

static void no_descriptor_left(void **state _unused_)
{
	struct rlimit before, none = {0};
	struct disk *d = NULL;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(disk_new(&d), -EMFILE);
	assert_null(d);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_sync_after_the_other),
		cmocka_unit_test(the_file_may_be_closed_meanwhile),
		cmocka_unit_test(a_file_that_cannot_be_synced),
		cmocka_unit_test(a_file_is_replaced),
		cmocka_unit_test(freed_while_it_runs),
		cmocka_unit_test(no_descriptor_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
