// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_disksync.c - syncs that run beside, and syncs that have to be waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipam/disksync.h"

static int temporary_file(void)
{
	char path[] = "/tmp/manx-disksync-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)unlink(path);
	return fd;
}

static int wait_result(struct disksync *d)
{
	struct pollfd p = {.fd = disksync_fd(d), .events = POLLIN};
	int result = 1;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(disksync_running(d));
	assert_true(disksync_take(d, &result));
	assert_false(disksync_running(d));
	return result;
}

static bool has_aio(void)
{
	aio_context_t context = 0;
	bool has = syscall(SYS_io_setup, 1, &context) == 0;

	if (has)
		(void)syscall(SYS_io_destroy, context);
	return has;
}

static void one_sync_after_the_other(void **state _unused_)
{
	_cleanup_(closep) int fd = temporary_file();
	struct disksync *d;
	int result = 1;

	assert_int_equal(disksync_new(&d), 0);
	assert_false(disksync_running(d));
	assert_false(disksync_take(d, &result));
	assert_int_equal(result, 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(write(fd, "x", 1), 1);
		disksync_start(d, fd);
		assert_int_equal(wait_result(d), 0);
		assert_false(disksync_take(d, &result));
	}
	assert_int_equal(disksync_blocking(d), has_aio() ? 0 : 5);
	assert_null(disksync_free(d));
	assert_null(disksync_free(NULL));
}

static void the_file_may_be_closed_meanwhile(void **state _unused_)
{
	int fd = temporary_file();
	struct disksync *d;

	assert_int_equal(disksync_new(&d), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	disksync_start(d, fd);
	close(fd);
	assert_int_equal(wait_result(d), 0);
	fd = temporary_file();
	disksync_start(d, fd); /* and nobody takes the result */
	assert_null(disksync_free(d));
	close(fd);
}

/* AIO refuses a pipe, and so does fdatasync(): both are told in the usual way. */
static void a_file_that_cannot_be_synced(void **state _unused_)
{
	struct disksync *d;
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(disksync_new(&d), 0);
	disksync_start(d, pipes[1]);
	assert_int_equal(disksync_blocking(d), 1);
	assert_int_equal(wait_result(d), -EINVAL);
	disksync_start(d, -1);
	assert_int_equal(wait_result(d), -EBADF);
	(void)disksync_free(d);
	close(pipes[0]);
	close(pipes[1]);
}

static void no_descriptor_left(void **state _unused_)
{
	struct rlimit before, none;
	struct disksync *d = NULL;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(disksync_new(&d), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_null(d);
}

/* --- where AIO is forbidden ------------------------------------------------------------------ */

static void forbid(unsigned int call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(77);
}

/* In a process of its own, since a filter stays.  Exit code: 0, or the number of what failed. */
static int sync_without(unsigned int call)
{
	int fd = temporary_file(), result = 1;
	struct disksync *d;

	forbid(call);
	if (disksync_new(&d) < 0 || write(fd, "x", 1) != 1)
		return 1;
	for (uint64_t i = 1; i <= 3; i++) {
		disksync_start(d, fd);
		if (!disksync_running(d) || disksync_blocking(d) != i)
			return 2;
		if (!disksync_take(d, &result) || result != 0)
			return 3;
	}
	(void)disksync_free(d);
	return 0;
}

static void aio_is_forbidden(void **state _unused_)
{
	const unsigned int calls[] = {SYS_io_setup, SYS_io_submit};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid)
			_exit(sync_without(calls[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			skip(); /* no seccomp here */
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_sync_after_the_other),
		cmocka_unit_test(the_file_may_be_closed_meanwhile),
		cmocka_unit_test(a_file_that_cannot_be_synced),
		cmocka_unit_test(no_descriptor_left),
		cmocka_unit_test(aio_is_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
