// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_pages.c - the HTTP server in our loop, asked over real sockets on the loopback address.
 *
 * The client is blocking and lives in a child process, so that the loop runs as in the agent.
 */
#include "agent/report/pages.h"
#include "agent/report/places.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ANSWER_MAX (1 << 20)

struct fixture {
	struct loop *loop;
	struct pages *server;
	struct buf answer;
	struct loop_source *pipe;
	int fd;
};

static unsigned int page_ok(void *arg, struct buf *out, const char **ret_type)
{
	*ret_type = "text/plain; version=0.0.4";
	buf_printf(out, "value %d\n", ++*(int *)arg);
	return 200;
}

static unsigned int page_unready(void *arg _unused_, struct buf *out,
				 const char **ret_type _unused_)
{
	buf_puts(out, "not in sync\n");
	return 503;
}

static unsigned int page_large(void *arg _unused_, struct buf *out, const char **ret_type _unused_)
{
	for (int i = 0; i < 60000; i++)
		buf_puts(out, "0123456789\n");
	return 200;
}

static unsigned int page_empty(void *arg _unused_, struct buf *out _unused_,
			       const char **ret_type _unused_)
{
	return 200;
}

static int calls;

static int set_up(void **state)
{
	const struct pages_address a = {.addr = {.family = AF_INET, .b = {127, 0, 0, 1}}};
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = {0};

	calls = 0;
	f->fd = -1;
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(pages_start(f->loop, &a, -1, &f->server, &e), 0);
	pages_route(f->server, "/metrics", page_ok, &calls);
	pages_route(f->server, "/readyz", page_unready, NULL);
	pages_route(f->server, "/large", page_large, NULL);
	pages_route(f->server, "/empty", page_empty, NULL);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)pages_stop(f->server);
	(void)loop_free(f->loop);
	buf_done(&f->answer);
	free(f);
	return 0;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in sa = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		_exit(1);
	return fd;
}

/* The child: sends the request, copies what comes back into the pipe. */
static _noreturn_ void run_client(uint16_t port, const char *request, int out)
{
	int fd = connect_to(port);
	char chunk[4096];
	ssize_t n;

	if (write(fd, request, strlen(request)) != (ssize_t)strlen(request))
		_exit(1);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		if (write(out, chunk, (size_t)n) != n)
			_exit(1);
	_exit(n < 0);
}

/* More silent connections than the server takes, for a moment; then a request is served. */
static _noreturn_ void run_crowd(uint16_t port, int out)
{
	struct sockaddr_in sa = loopback(port);
	int fds[2 * PLACES_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	usleep(300000);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	run_client(port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out);
}

/* The same, of a crowd that does not go: each has begun a request, and says a little more of it. */
static _noreturn_ void run_slow_crowd(uint16_t port, int out)
{
	int fds[PLACES_MAX + 8];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_to(port);
		(void)!write(fds[i], "GET /metrics HTTP/1.1\r\nX: ", 26);
	}
	usleep(200000);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)send(fds[i], "y", 1, MSG_NOSIGNAL);
	(void)alarm(5);
	run_client(port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out);
}

static void on_pipe(void *arg, uint32_t events _unused_)
{
	struct fixture *f = arg;
	char chunk[65536];
	ssize_t n = read(f->fd, chunk, sizeof(chunk));

	assert_true(n >= 0 && f->answer.len < ANSWER_MAX);
	if (n > 0)
		buf_put(&f->answer, chunk, (size_t)n);
	else
		loop_exit(f->loop, 0);
}

/*
 * One request (NULL: run_crowd(), "": run_slow_crowd()), the whole answer.  One loop runs once:
 * sd-event's loop cannot be entered again after its exit.
 */
static const char *ask(struct fixture *f, const char *request)
{
	int pair[2], status;
	pid_t child;

	assert_int_equal(pipe(pair), 0);
	child = fork();
	if (child == 0 && !request)
		run_crowd(pages_port(f->server), pair[1]);
	if (child == 0 && !*request)
		run_slow_crowd(pages_port(f->server), pair[1]);
	if (child == 0)
		run_client(pages_port(f->server), request, pair[1]);
	assert_true(child > 0);
	close(pair[1]);
	f->fd = pair[0];
	f->pipe = loop_io(f->loop, "client", f->fd, EPOLLIN, on_pipe, f);
	buf_puts(&f->answer, "");
	assert_int_equal(loop_run(f->loop), 0);
	(void)loop_source_free(f->pipe);
	close(f->fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return f->answer.data;
}

static void test_get(void **state)
{
	const char *a =
		ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

	assert_true(str_starts(a, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(a, "Content-Type: text/plain; version=0.0.4\r\n"));
	assert_non_null(strstr(a, "\r\n\r\nvalue 1\n"));
	assert_int_equal(calls, 1);
}

static void test_keep_alive_serves_several(void **state)
{
	const char *a = ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
				    "GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n"
				    "Connection: close\r\n\r\n");

	assert_non_null(strstr(a, "value 1\n"));
	assert_non_null(strstr(a, "value 2\n"));
}

static void test_head_has_no_body(void **state)
{
	const char *a =
		ask(*state, "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

	assert_true(str_starts(a, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(a, "Content-Length: 8\r\n"));
	assert_null(strstr(a, "value"));
}

static void test_unready_is_503(void **state)
{
	const char *a = ask(*state, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

	assert_true(str_starts(a, "HTTP/1.1 503 "));
	assert_non_null(strstr(a, "\r\n\r\nnot in sync\n"));
}

static void test_unknown_path_is_404(void **state)
{
	const char *a =
		ask(*state, "GET /metrics/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

	assert_true(str_starts(a, "HTTP/1.1 404 "));
	assert_int_equal(calls, 0);
}

static void test_other_methods_are_405(void **state)
{
	const char *a = ask(*state, "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
				    "Content-Length: 5\r\n\r\nhello");

	assert_true(str_starts(a, "HTTP/1.1 405 "));
	assert_non_null(strstr(a, "Allow: GET, HEAD\r\n"));
	assert_int_equal(calls, 0);
}

static void test_large_page_arrives_whole(void **state)
{
	struct fixture *f = *state;
	const char *a = ask(f, "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	const char *body = strstr(a, "\r\n\r\n");

	assert_non_null(body);
	assert_int_equal(f->answer.data + f->answer.len - (body + 4), 60000 * 11);
}

static void test_empty_page(void **state)
{
	const char *a = ask(*state, "GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

	assert_true(str_starts(a, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(a, "Content-Length: 0\r\n"));
}

static void test_get_with_body_is_answered(void **state)
{
	const char *a = ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
				    "Connection: close\r\n\r\nhello");

	assert_true(str_starts(a, "HTTP/1.1 200 OK\r\n"));
	assert_int_equal(calls, 1);
}

static void test_nonsense_is_refused(void **state)
{
	const char *a = ask(*state, "\x16\x03\x01 nonsense\r\n\r\n");

	assert_false(str_starts(a, "HTTP/1.1 200"));
	assert_int_equal(calls, 0);
}

static void test_endless_header_is_refused(void **state)
{
	struct buf request = {0};
	const char *a;

	buf_puts(&request, "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ");
	for (int i = 0; i < 24 << 10; i++)
		buf_putc(&request, 'a');
	a = ask(*state, request.data);
	assert_false(str_starts(a, "HTTP/1.1 200"));
	assert_int_equal(calls, 0);
	buf_done(&request);
}

static void test_crowd_neither_spins_nor_blocks(void **state)
{
	struct fixture *f = *state;

	assert_true(str_starts(ask(f, NULL), "HTTP/1.1 200 OK\r\n"));
	assert_true(loop_stats(f->loop)->turns < 20 * PLACES_MAX);
}

static void test_a_crowd_that_stays_keeps_nobody_out(void **state)
{
	assert_true(str_starts(ask(*state, ""), "HTTP/1.1 200 OK\r\n"));
}

static void test_port_in_use_is_named(void **state)
{
	struct fixture *f = *state;
	struct pages_address a = {.addr = {.family = AF_INET, .b = {127, 0, 0, 1}}};
	struct pages *second = NULL;
	struct err e = {0};

	a.port = pages_port(f->server);
	assert_int_equal(pages_start(f->loop, &a, -1, &second, &e), -EADDRINUSE);
	assert_null(second);
	assert_string_equal(e.msg, "cannot listen: Address already in use");
}

static void test_any_address_serves_ipv4(void **state)
{
	const struct pages_address any = {.any = true};
	struct fixture *f = *state;
	struct err e = {0};

	f->server = pages_stop(f->server);
	assert_int_equal(pages_start(f->loop, &any, -1, &f->server, &e), 0);
	pages_route(f->server, "/metrics", page_ok, &calls);
	assert_true(
		str_starts(ask(f, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
			   "HTTP/1.1 200 OK\r\n"));
}

#define server_test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_test(test_get),
		server_test(test_keep_alive_serves_several),
		server_test(test_head_has_no_body),
		server_test(test_unready_is_503),
		server_test(test_unknown_path_is_404),
		server_test(test_other_methods_are_405),
		server_test(test_large_page_arrives_whole),
		server_test(test_empty_page),
		server_test(test_get_with_body_is_answered),
		server_test(test_nonsense_is_refused),
		server_test(test_endless_header_is_refused),
		server_test(test_crowd_neither_spins_nor_blocks),
		server_test(test_a_crowd_that_stays_keeps_nobody_out),
		server_test(test_port_in_use_is_named),
		server_test(test_any_address_serves_ipv4),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
