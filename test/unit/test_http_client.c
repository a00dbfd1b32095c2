// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_http_client.c - watch/kube/http.c against a server of a few lines, in a process of its own.
 *
 * TLS is for test_http_tls.c; HTTP/2 is used in test/kube, against the real API server.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "watch/kube/http.h"
#include "watch/kube/libcurl.h"

/* --- the server --------------------------------------------------------------------------------
 */

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

/* "hello, hello, hello, hello\n", compressed by gzip */
static const unsigned char zipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
				       0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0xc8, 0xc0, 0xa4,
				       0xb8, 0x00, 0x4b, 0x21, 0xa1, 0x29, 0x1b, 0x00, 0x00, 0x00};

static void say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void answer(int fd, const char *request)
{
	char text[8192];

	if (strstr(request, "GET /base/echo")) {
		(void)snprintf(text, sizeof(text), HEAD "Content-Length: %zu\r\n\r\n%s",
			       strlen(request), request);
		say(fd, text);
	} else if (strstr(request, "POST /base/echo")) {
		(void)snprintf(text, sizeof(text),
			       "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\n\r\n%s",
			       strlen(request), request);
		say(fd, text);
	} else if (strstr(request, "/busy")) {
		say(fd, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
			"Content-Length: 4\r\n\r\nbusy");
	} else if (strstr(request, "/zipped")) {
		(void)snprintf(text, sizeof(text),
			       HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
			       sizeof(zipped));
		say(fd, text);
		(void)!send(fd, zipped, sizeof(zipped), MSG_NOSIGNAL);
	} else if (strstr(request, "/slow")) {
		say(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n");
		for (int i = 0; i < 20; i++) {
			say(fd, "1\r\nx\r\n");
			(void)usleep(1000);
		}
		say(fd, "0\r\n\r\n");
	} else if (strstr(request, "/cut")) {
		say(fd, HEAD "Content-Length: 100\r\n\r\nonly this");
		(void)shutdown(fd, SHUT_RDWR);
	} else if (strstr(request, "/hang")) {
		say(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n");
		(void)pause();
	} else {
		(void)shutdown(fd, SHUT_RDWR); /* no answer at all */
	}
}

/* Read requests and answer them until the client goes. */
static void serve_connection(int fd)
{
	char request[4096];
	ssize_t n;

	while ((n = recv(fd, request, sizeof(request) - 1, 0)) > 0) {
		request[n] = '\0';
		answer(fd, request);
	}
	_exit(0);
}

static void serve(int listener)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve_connection(fd);
		}
		(void)close(fd);
	}
}

/* --- a client ----------------------------------------------------------------------------------
 */

struct world {
	struct loop *loop;
	struct http *http;
	pid_t server;
	char url[64];
	int running;
};

/* struct got - what became of a request; @until: bytes after which its owner has enough */
struct got {
	struct world *w;
	struct http_request *request;
	struct buf body;
	struct http_result result;
	char text[256];
	bool done, cancel;
	size_t until;
};

static void leave_when_idle(struct world *w)
{
	if (--w->running == 0)
		loop_exit(w->loop, 0);
}

static bool on_data(void *arg, int status _unused_, const char *bytes, size_t n)
{
	struct got *g = arg;

	buf_put(&g->body, bytes, n);
	if (!g->until || g->body.len < g->until)
		return true;
	if (!g->cancel)
		return false;
	http_cancel(g->request);
	leave_when_idle(g->w);
	return true;
}

static void on_done(void *arg, const struct http_result *r)
{
	struct got *g = arg;

	assert_false(g->done);
	g->done = true;
	g->result = *r;
	(void)snprintf(g->text, sizeof(g->text), "%s", r->text);
	leave_when_idle(g->w);
}

static const struct http_handler handler = {on_data, on_done};

static void begin(struct world *w, struct got *g, const char *method, const char *path,
		  const char *body)
{
	const struct http_call c = {method, path, "application/json", body};

	g->w = w;
	w->running++;
	g->request = http_send(w->http, &c, &handler, g);
}

static struct got get(struct world *w, const char *path)
{
	struct got g = {0};

	begin(w, &g, "GET", path, NULL);
	(void)loop_run(w->loop);
	return g;
}

static void got_done(struct got *g)
{
	buf_done(&g->body);
}

static int set_up(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct world *w = xcalloc(1, sizeof(*w));
	socklen_t len = sizeof(a);
	struct err e = {0};

	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	(void)fflush(NULL);
	w->server = fork();
	if (w->server == 0)
		serve(listener);
	(void)close(listener);
	(void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d/base", ntohs(a.sin_port));
	assert_int_equal(loop_new(&w->loop), 0);
	assert_int_equal(libcurl_load(&e), 0);
	w->http = http_new(w->loop);
	http_set_server(w->http, &(struct http_server){.url = w->url, .token = "a-token"});
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)http_free(w->http);
	(void)loop_free(w->loop);
	(void)kill(w->server, SIGKILL);
	(void)waitpid(w->server, NULL, 0);
	free(w);
	return 0;
}

/* The loop ends with each run, so each run has one of its own. */
#define RUN_ONCE(w, ...) _cleanup_(got_done) struct got g = get(w, __VA_ARGS__)

static void a_request_and_its_answer(void **state)
{
	RUN_ONCE(*state, "/echo?a=1&b=%3D");

	assert_int_equal(g.result.status, 200);
	assert_int_equal(g.result.error, 0);
	assert_non_null(strstr(g.body.data, "GET /base/echo?a=1&b=%3D HTTP/1.1"));
	assert_non_null(strstr(g.body.data, "Authorization: Bearer a-token\r\n"));
	assert_non_null(strstr(g.body.data, "Accept: application/json\r\n"));
	assert_non_null(strstr(g.body.data, "Accept-Encoding: gzip\r\n"));
	assert_non_null(strstr(g.body.data, "User-Agent: manx/"));
}

static void a_server_that_is_busy(void **state)
{
	RUN_ONCE(*state, "/busy");

	assert_int_equal(g.result.status, 429);
	assert_int_equal(g.result.error, 0);
	assert_int_equal(g.result.retry_after, 7);
	assert_string_equal(g.body.data, "busy");
}

static void a_compressed_answer(void **state)
{
	RUN_ONCE(*state, "/zipped");

	assert_int_equal(g.result.error, 0);
	assert_string_equal(g.body.data, "hello, hello, hello, hello\n");
}

static void an_answer_that_comes_slowly(void **state)
{
	RUN_ONCE(*state, "/slow");

	assert_int_equal(g.result.error, 0);
	assert_string_equal(g.body.data, "xxxxxxxxxxxxxxxxxxxx");
}

static void an_answer_that_is_cut_off(void **state)
{
	RUN_ONCE(*state, "/cut");

	assert_int_equal(g.result.status, 200);
	assert_int_equal(g.result.error, -EIO);
	assert_true(strlen(g.text) > 5);
	assert_string_equal(g.body.data, "only this");
}

static void no_answer_at_all(void **state)
{
	RUN_ONCE(*state, "/nothing");

	assert_int_equal(g.result.status, 0);
	assert_true(g.result.error < 0);
}

static void nobody_listens(void **state)
{
	struct world *w = *state;

	http_set_server(w->http, &(struct http_server){.url = "http://127.0.0.1:1"});
	RUN_ONCE(w, "/");
	assert_int_equal(g.result.status, 0);
	assert_int_equal(g.result.error, -ECONNREFUSED);
}

static void a_body_is_posted(void **state)
{
	struct world *w = *state;
	_cleanup_(got_done) struct got g = {0};

	begin(w, &g, "POST", "/echo", "{\"a\":1}");
	(void)loop_run(w->loop);
	assert_int_equal(g.result.status, 201);
	assert_non_null(strstr(g.body.data, "POST /base/echo HTTP/1.1"));
	assert_non_null(strstr(g.body.data, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(g.body.data, "\r\n\r\n{\"a\":1}"));
}

/* struct http_server, as far as it can be seen without TLS */
static void who_asks_whom(void **state)
{
	struct world *w = *state;
	struct http_server s = {.url = w->url, .user = "me", .password = "secret"};

	http_set_server(w->http, &s);
	RUN_ONCE(w, "/echo");
	assert_non_null(strstr(g.body.data, "Authorization: Basic bWU6c2VjcmV0\r\n"));
	assert_null(strstr(g.body.data, "Bearer"));
}

static void under_the_name_of_the_certificate(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *host = xasprintf("Host: api.example:%s", strrchr(w->url, ':') + 1);
	struct http_server s = {.url = w->url, .server_name = "api.example", .token = "t"};

	*strrchr(host, '/') = '\0'; /* "/base" */
	http_set_server(w->http, &s);
	RUN_ONCE(w, "/echo");
	assert_int_equal(g.result.status, 200);
	assert_non_null(strstr(g.body.data, host));
	assert_non_null(strstr(g.body.data, "GET /base/echo HTTP/1.1"));
}

static void by_way_of_a_proxy(void **state)
{
	struct world *w = *state;
	struct http_server s = {.url = "http://10.255.255.1:9/base", .proxy = w->url};

	*strrchr(w->url, '/') = '\0';
	http_set_server(w->http, &s);
	RUN_ONCE(w, "/busy");
	assert_int_equal(g.result.status, 429);
}

/* The server speaks no TLS; what it is asked for is not told to it in the clear. */
static void a_server_without_tls(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *url = xasprintf("https%s", w->url + strlen("http"));

	http_set_server(w->http, &(struct http_server){.url = url, .insecure = true, .token = "t"});
	RUN_ONCE(w, "/echo");
	assert_int_equal(g.result.status, 0);
	assert_true(g.result.error < 0);
}

static void an_owner_that_has_enough(void **state)
{
	struct world *w = *state;
	_cleanup_(got_done) struct got g = {.until = 3};

	begin(w, &g, "GET", "/hang", NULL);
	(void)loop_run(w->loop);
	assert_true(g.done);
	assert_true(g.result.error < 0);
	assert_string_equal(g.body.data, "begin");
}

static void an_owner_that_cancels_in_the_middle(void **state)
{
	struct world *w = *state;
	_cleanup_(got_done) struct got g = {.until = 3, .cancel = true};

	begin(w, &g, "GET", "/hang", NULL);
	(void)loop_run(w->loop);
	assert_false(g.done);
}

static void several_at_once(void **state)
{
	struct world *w = *state;
	struct got g[8] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(g); i++)
		begin(w, &g[i], "GET", i % 2 ? "/slow" : "/zipped", NULL);
	(void)loop_run(w->loop);
	for (size_t i = 0; i < ARRAY_SIZE(g); i++) {
		assert_true(g[i].done);
		assert_int_equal(g[i].result.error, 0);
		got_done(&g[i]);
	}
}

/* struct chain - a request whose first bytes end it and begin another, or only begin another */
struct chain {
	struct got first, second;
	bool cancel;
};

static bool begin_the_next(void *arg, int status _unused_, const char *bytes _unused_,
			   size_t n _unused_)
{
	struct chain *c = arg;

	if (c->second.request)
		return true;
	if (c->cancel) {
		http_cancel(c->first.request);
		c->first.w->running--;
	}
	begin(c->first.w, &c->second, "GET", "/zipped", NULL);
	return true;
}

static void first_done(void *arg, const struct http_result *r)
{
	struct chain *c = arg;

	on_done(&c->first, r);
}

static void begin_chain(struct world *w, struct chain *c, const char *path)
{
	static const struct http_handler h = {begin_the_next, first_done};
	const struct http_call call = {"GET", path, "application/json", NULL};

	c->first.w = w;
	w->running++;
	c->first.request = http_send(w->http, &call, &h, c);
}

/* What a watch does that has told an error: end it, begin a list, from inside of its bytes. */
static void another_is_begun_inside_a_callback(void **state)
{
	struct world *w = *state;
	struct chain c = {.cancel = true};

	begin_chain(w, &c, "/hang");
	(void)loop_run(w->loop);
	assert_false(c.first.done);
	assert_true(c.second.done);
	assert_int_equal(c.second.result.error, 0);
	assert_string_equal(c.second.body.data, "hello, hello, hello, hello\n");
	got_done(&c.second);
}

static void another_is_begun_beside_it(void **state)
{
	struct world *w = *state;
	struct chain c = {0};

	begin_chain(w, &c, "/slow");
	(void)loop_run(w->loop);
	assert_int_equal(c.first.result.error, 0);
	assert_int_equal(c.second.result.error, 0);
	assert_string_equal(c.second.body.data, "hello, hello, hello, hello\n");
	got_done(&c.second);
}

/* --- a connection that has gone silent -----------------------------------------------------------
 */

/* struct renewal - once both requests have a connection, however long that takes here */
struct renewal {
	struct got *g;
	struct loop_source *timer;
};

static void renew(void *arg)
{
	struct renewal *r = arg;
	struct http_stats stats;

	http_stats(r->g->w->http, &stats);
	if (stats.connections < 2)
		loop_timer_at(r->timer, monotonic_usec() + 50 * USEC_PER_MSEC);
	else
		http_fresh_connections(r->g->w->http);
}

static void fresh_connections(void **state)
{
	struct world *w = *state;
	_cleanup_(got_done) struct got g = {0}, again = {0};
	struct renewal r = {.g = &g};
	struct http_stats stats;

	begin(w, &g, "GET", "/hang", NULL);
	begin(w, &again, "GET", "/hang", NULL);
	r.timer = loop_timer(w->loop, "renew", renew, &r);
	loop_timer_at(r.timer, monotonic_usec() + 50 * USEC_PER_MSEC);
	(void)loop_run(w->loop);
	(void)loop_source_free(r.timer);
	assert_int_equal(g.result.error, -ESTALE);
	assert_int_equal(again.result.error, -ESTALE);
	assert_string_equal(g.text, "the connection has gone silent");
	http_stats(w->http, &stats);
	assert_int_equal(stats.requests, 2);
	assert_int_equal(stats.connections, 2);
}

static void freed_with_requests_under_way(void **state)
{
	struct world *w = *state;
	_cleanup_(got_done) struct got g = {0};

	begin(w, &g, "GET", "/hang", NULL);
	w->http = http_free(w->http);
	assert_false(g.done);
	assert_null(http_free(NULL));
	http_cancel(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_and_its_answer),
		TEST(a_server_that_is_busy),
		TEST(a_compressed_answer),
		TEST(an_answer_that_comes_slowly),
		TEST(an_answer_that_is_cut_off),
		TEST(no_answer_at_all),
		TEST(nobody_listens),
		TEST(a_body_is_posted),
		TEST(who_asks_whom),
		TEST(under_the_name_of_the_certificate),
		TEST(by_way_of_a_proxy),
		TEST(a_server_without_tls),
		TEST(an_owner_that_has_enough),
		TEST(an_owner_that_cancels_in_the_middle),
		TEST(several_at_once),
		TEST(another_is_begun_inside_a_callback),
		TEST(another_is_begun_beside_it),
		TEST(fresh_connections),
		TEST(freed_with_requests_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
