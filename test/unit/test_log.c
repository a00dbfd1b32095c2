// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_log.c - a log whose reader does not read: nothing waits, and what is lost is counted.
 *
 * What standard error is is found out once in a process, so each case has one of its own; an alarm
 * ends what waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/log.h"

#define ALARM_SEC 10
#define MANY	  5000 /* lines, more than a pipe or a socket holds */

/* struct ends - of a pipe, a socket pair or a terminal */
struct ends {
	int reader, writer;
};

static struct ends a_pipe(void)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	return (struct ends){fd[0], fd[1]};
}

static struct ends a_socket(int type)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd), 0);
	return (struct ends){fd[0], fd[1]};
}

static struct ends a_stream(void)
{
	return a_socket(SOCK_STREAM);
}

static struct ends datagrams(void)
{
	return a_socket(SOCK_DGRAM);
}

static struct ends a_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	return (struct ends){master, open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)};
}

/* Run it with the writer as standard error; what it returns is its exit status. */
static int in_a_process(const struct ends *e, int (*fn)(const struct ends *e))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		(void)alarm(ALARM_SEC);
		(void)dup2(e->writer, STDERR_FILENO);
		_exit(fn(e));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		fail_msg("ended by signal %d: it waited", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void read_all(int fd, struct buf *out)
{
	char text[65536];
	ssize_t n;

	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, text, sizeof(text))) > 0)
		buf_put(out, text, (size_t)n);
}

/* More than there is room for; then its reader reads, and it goes on. */
static int overflow(const struct ends *e)
{
	_cleanup_(buf_done) struct buf seen = {0}, rest = {0};
	_cleanup_(freep) char *told = NULL;

	for (int i = 0; i < MANY; i++)
		log_info("test", "a line", "number=%d", i);
	if (!log_lost() || log_lost() >= MANY)
		return 1;
	told = xasprintf("%llu lines lost", (unsigned long long)log_lost());
	/* Others who share the description see no change. */
	if (fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK)
		return 2;
	read_all(e->reader, &seen);
	if (strstr(seen.data, "lost"))
		return 3;
	log_info("test", "goes on", "%s", "");
	log_info("test", "and on", "%s", "");
	read_all(e->reader, &rest);
	if (!strstr(rest.data, told) || strstr(strstr(rest.data, "lines lost") + 1, "lines lost"))
		return 4;
	return strstr(rest.data, "goes on") && strstr(rest.data, "and on") ? 0 : 5;
}

static void a_reader_that_does_not_read(void **state _unused_)
{
	struct ends (*const kinds[])(void) = {a_pipe, a_stream, datagrams};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct ends e = kinds[i]();

		print_message("kind %zu\n", i);
		assert_true(e.writer >= 0);
		assert_int_equal(in_a_process(&e, overflow), 0);
		close(e.reader);
		close(e.writer);
	}
}

/* Its buffers pass on what they hold when they like, so some lines get out in between. */
static int overflow_a_terminal(const struct ends *e _unused_)
{
	for (int i = 0; i < MANY; i++)
		log_info("test", "a line", "number=%d", i);
	return log_lost() && !(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) ? 0 : 1;
}

static void a_terminal_that_is_stopped(void **state _unused_)
{
	struct ends e = a_terminal();

	assert_true(e.writer >= 0);
	assert_int_equal(in_a_process(&e, overflow_a_terminal), 0);
	close(e.reader);
	close(e.writer);
}

/* A pipe that cannot be opened once more: somebody else's, and no capability to do it. */
static int overflow_as_nobody(const struct ends *e)
{
	if (setuid(65534) < 0)
		return 77;
	return overflow(e);
}

static void a_pipe_of_somebody_else(void **state _unused_)
{
	struct ends e = a_pipe();
	int r;

	assert_int_equal(fchmod(e.writer, 0600), 0);
	r = in_a_process(&e, overflow_as_nobody);
	close(e.reader);
	close(e.writer);
	if (r == 77)
		skip();
	assert_int_equal(r, 0);
}

static int write_long(const struct ends *e _unused_)
{
	char text[2000];

	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("test", "long", "text=\"%s\"", text);
	log_info("test", "next", "%s", "");
	return log_lost() ? 1 : 0;
}

static void a_line_that_is_too_long_is_cut(void **state _unused_)
{
	_cleanup_(buf_done) struct buf seen = {0};
	struct ends e = a_pipe();
	const char *end;

	assert_int_equal(in_a_process(&e, write_long), 0);
	read_all(e.reader, &seen);
	end = strchr(seen.data, '\n');
	assert_int_equal(end - seen.data, 4095);
	assert_true(strncmp(end - 3, "...", 3) == 0);
	assert_non_null(strstr(end, "msg=\"next\""));
	close(e.reader);
	close(e.writer);
}

static int to_a_file(const struct ends *e _unused_)
{
	for (int i = 0; i < MANY; i++)
		log_info("test", "a line", "number=%d", i);
	return log_lost() ? 1 : 0;
}

static void a_file_takes_all(void **state _unused_)
{
	char path[] = "/tmp/manx-test-XXXXXX";
	struct ends e = {-1, mkstemp(path)};

	assert_true(e.writer >= 0);
	assert_int_equal(in_a_process(&e, to_a_file), 0);
	close(e.writer);
	(void)unlink(path);
}

static int with_no_reader(const struct ends *e _unused_)
{
	log_info("test", "nobody hears", "%s", "");
	return log_lost() == 1 ? 0 : 1;
}

static void nobody_reads(void **state _unused_)
{
	struct ends e = a_pipe();

	close(e.reader);
	assert_int_equal(in_a_process(&e, with_no_reader), 0);
	close(e.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_does_not_read),
		cmocka_unit_test(a_terminal_that_is_stopped),
		cmocka_unit_test(a_pipe_of_somebody_else),
		cmocka_unit_test(a_line_that_is_too_long_is_cut),
		cmocka_unit_test(a_file_takes_all),
		cmocka_unit_test(nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
