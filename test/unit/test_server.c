// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_server.c - the agent's socket: framing, answers larger than a socket takes, callers that
 * go away, do not listen or are not root.
 *
 * The server runs in the loop, the caller in a child: what it sees it writes down for the test to
 * compare.  Before a caller goes on it calls "sync" where the server must have seen what it did.
 * Root only, like the server.
 */
#include "agent/socket/server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "test/unit/wire_caller.h"

enum { LARGE = 4 << 20, PIECE = 8 << 10, PIECES = 64, SYNCS = 100, OTHER_UID = 65534 };

static char large[LARGE + 1]; /* no two parts of it alike */
static const char *const fits = large + LARGE - WIRE_PART_MAX;
static char euro[2 * WIRE_PART_MAX + 1]; /* with a character across the end of the first part */

/*
 * struct fixture
 * @heard: What the handler was told, a line each; "sync" is not worth one
 * @said:  What the caller wrote down
 * @kept:  The last call that said "keep"
 * @turns: Between two calls that said "mark"
 */
struct fixture {
	struct loop *loop;
	struct server *server;
	char dir[32], path[64];
	struct buf heard, said;
	struct call *kept;
	uint64_t turns;
	int fd;
};

/* --- the handler -------------------------------------------------------------------------------
 */

static const char *word_of(const struct value *m)
{
	const char *what = "no call";

	if (m->type == VALUE_MAP)
		(void)value_get_str(m, "", "call", &what, NULL);
	return what;
}

static void send_pieces(struct call *c)
{
	for (int i = 0; i < PIECES; i++) {
		_cleanup_(freep) char *json = xasprintf("{\"piece\":%d,\"text\":\"%.*s\"}", i,
							PIECE, large + (size_t)i * PIECE);

		call_send(c, json);
	}
}

/* What is said about the call that was kept, by another one. */
static void answer_kept(struct fixture *f, const char *what)
{
	if (streq(what, "feed"))
		send_pieces(f->kept);
	else if (streq(what, "poke"))
		call_finish(f->kept, large, 0);
	else
		call_finish(f->kept, "", 0);
}

static void answer(struct fixture *f, struct call *c, const char *what)
{
	bool about_kept = streq(what, "feed") || streq(what, "poke") || streq(what, "release");

	if (streq(what, "keep"))
		f->kept = c;
	else if (streq(what, "ask"))
		call_send(c, "{\"do\":\"work\"}");
	else if (streq(what, "done"))
		call_finish(c, "say \"thanks\"", 3);
	else if (streq(what, "pieces"))
		send_pieces(c);
	else if (streq(what, "mark"))
		f->turns = loop_stats(f->loop)->turns - f->turns;
	else if (streq(what, "large"))
		call_finish(c, large, 0);
	else if (streq(what, "fits"))
		call_finish(c, fits, 0);
	else if (streq(what, "too much"))
		call_finish(c, fits - 1, 0);
	else if (streq(what, "euro"))
		call_finish(c, euro, 0);
	else if (about_kept)
		answer_kept(f, what);
	if (streq(what, "bye") || streq(what, "sync") || about_kept)
		call_finish(c, "", 0);
}

/* struct word - a call's work is its first word */
struct word {
	struct call_work work;
	struct fixture *f;
	struct call *call;
	char *text;
};

static void hear_word(struct fixture *f, struct call *c, const struct value *m)
{
	const char *what = word_of(m);

	if (!streq(what, "sync"))
		buf_printf(&f->heard, "%s\n", what);
	answer(f, c, what);
}

static void on_message(struct call_work *work, const struct value *m)
{
	struct word *w = container_of(work, struct word, work);

	hear_word(w->f, w->call, m);
}

static void on_closed(struct call_work *work)
{
	struct word *w = container_of(work, struct word, work);

	if (w->f->kept == w->call)
		w->f->kept = NULL;
	if (!streq(w->text, "sync"))
		buf_printf(&w->f->heard, "closed %s\n", w->text);
	free(w->text);
	free(w);
}

static void on_call(void *arg, struct call *c, const struct value *m)
{
	struct word *w = xcalloc(1, sizeof(*w));

	*w = (struct word){{on_message, on_closed}, arg, c, xstrdup(word_of(m))};
	call_set_work(c, &w->work);
	hear_word(arg, c, m);
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = {0};

	*state = f;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/manx-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(chmod(f->dir, 0755), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/cni.sock", f->dir);
	buf_puts(&f->heard, "");
	buf_puts(&f->said, "");
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(server_open(f->loop, f->path, -1, on_call, f, &f->server, &e), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)server_close(f->server);
	(void)loop_free(f->loop);
	assert_int_equal(rmdir(f->dir), 0); /* the socket is gone */
	buf_done(&f->heard);
	buf_done(&f->said);
	free(f);
	return 0;
}

/* --- the caller --------------------------------------------------------------------------------
 */

typedef void caller_fn(const struct caller *c);

static void on_said(void *arg, uint32_t events _unused_)
{
	struct fixture *f = arg;
	char chunk[4096];
	ssize_t n = read(f->fd, chunk, sizeof(chunk));

	if (n > 0)
		buf_put(&f->said, chunk, (size_t)n);
	else
		loop_exit(f->loop, 0);
}

/* A test must not wait for ever for what does not come. */
static _noreturn_ void run_caller(const struct fixture *f, caller_fn *fn, int out)
{
	const struct caller c = {f->path, out};

	(void)alarm(30);
	fn(&c);
	_exit(0);
}

/* Run the loop for one caller, until it ends or closes its @out. */
static pid_t serve(struct fixture *f, caller_fn *fn)
{
	struct loop_source *io;
	int pair[2];
	pid_t child;

	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		run_caller(f, fn, pair[1]);
	assert_true(child > 0);
	(void)close(pair[1]);
	f->fd = pair[0];
	io = loop_io(f->loop, "caller", f->fd, EPOLLIN, on_said, f);
	assert_int_equal(loop_run(f->loop), 0);
	(void)loop_source_free(io);
	(void)close(f->fd);
	return child;
}

static void wait_for(const struct fixture *f, pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (status != 0)
		fail_msg("the caller ended with status %#x and said:\n%s", status, f->said.data);
}

/* Serve a caller; @said: what it saw, @heard: what the handler was told */
static void expect(void **state, caller_fn *fn, const char *said, const char *heard)
{
	struct fixture *f = *state;

	wait_for(f, serve(f, fn));
	assert_string_equal(f->said.data, said);
	assert_string_equal(f->heard.data, heard);
}

#define BYE    "{\"result\":\"\",\"exit\":0}\nend\n"
#define WORK   "{\"do\":\"work\"}\n"
#define THANKS "{\"result\":\"say \\\"thanks\\\"\",\"exit\":3}\nend\n"

/* --- framing -----------------------------------------------------------------------------------
 */

static void call_and_answer(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "ask");
	hear(c, fd);
	PUT(fd, "done");
	hear(c, fd);
	hear(c, fd);
}

static void a_call(void **state)
{
	expect(state, call_and_answer, WORK THANKS, "ask\ndone\nclosed ask\n");
}

static void call_byte_by_byte(const struct caller *c)
{
	_cleanup_(buf_done) struct buf b = {0};
	int fd = dial(c);

	frame_call(&b, "keep");
	frame_call(&b, "bye");
	for (size_t i = 0; i < b.len; i++) {
		(void)put_bytes(fd, b.data + i, 1);
		sync_with_server(c);
	}
	hear(c, fd);
	hear(c, fd);
}

static void byte_by_byte(void **state)
{
	expect(state, call_byte_by_byte, BYE, "keep\nbye\nclosed keep\n");
}

static void call_several_at_once(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "one", "ask", "two", "bye", "late");
	hear(c, fd);
	hear(c, fd);
	hear(c, fd);
}

/* In order; behind the end of a call nobody listens. */
static void several_at_once(void **state)
{
	expect(state, call_several_at_once, WORK BYE, "one\nask\ntwo\nbye\nclosed one\n");
}

static void call_with_nonsense(const struct caller *c)
{
	static const char *const messages[] = {"", "call", "{} {}", "\xff"};

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		_cleanup_(buf_done) struct buf b = {0};
		int fd = dial(c);

		frame(&b, messages[i], strlen(messages[i]));
		(void)put_bytes(fd, b.data, b.len);
		hear(c, fd);
		(void)close(fd);
	}
}

static void not_json(void **state)
{
	expect(state, call_with_nonsense, "end\nend\nend\nend\n", "");
}

static void call_then_nonsense(const struct caller *c)
{
	_cleanup_(buf_done) struct buf b = {0};
	int fd = dial(c);

	frame(&b, "[1]", 3); /* JSON: what it means is not the server's affair */
	frame_call(&b, "ask");
	frame(&b, "nonsense", 8);
	frame_call(&b, "late");
	(void)put_bytes(fd, b.data, b.len);
	hear(c, fd);
	hear(c, fd);
}

static void nonsense_ends_a_call(void **state)
{
	expect(state, call_then_nonsense, WORK "end\n", "no call\nask\nclosed no call\n");
}

/* The last is 1 with the bytes the other way round. */
static void call_too_long(const struct caller *c)
{
	static const uint32_t lengths[] = {WIRE_MAX + 1, UINT32_MAX, 1u << 24};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		char head[4];
		int fd = dial(c);

		for (int j = 0; j < 4; j++)
			head[j] = (char)(lengths[i] >> 8 * j);
		(void)put_bytes(fd, head, sizeof(head));
		hear(c, fd); /* without the message having come */
		(void)close(fd);
	}
}

static void too_long(void **state)
{
	expect(state, call_too_long, "end\nend\nend\n", "");
}

static void call_as_long_as_may_be(const struct caller *c)
{
	_cleanup_(freep) char *json = xasprintf("%-*s", (int)WIRE_MAX, "{\"call\":\"ask\"}");
	_cleanup_(buf_done) struct buf b = {0};
	int fd = dial(c);

	frame(&b, json, WIRE_MAX);
	frame_call(&b, "done");
	(void)put_bytes(fd, b.data, b.len);
	hear(c, fd);
	hear(c, fd);
	hear(c, fd);
}

static void as_long_as_may_be(void **state)
{
	expect(state, call_as_long_as_may_be, WORK THANKS, "ask\ndone\nclosed ask\n");
}

/* --- callers that do not listen ----------------------------------------------------------------
 */

static void call_and_go(const struct caller *c)
{
	_cleanup_(buf_done) struct buf b = {0};
	int fd = dial(c);

	hang_up(c, fd);
	frame_call(&b, "bye");
	for (size_t n = 2; n < b.len; n += b.len - 3) { /* within the length, within the text */
		fd = dial(c);
		(void)put_bytes(fd, b.data, n);
		hang_up(c, fd);
	}
	fd = dial(c);
	PUT(fd, "keep");
	hang_up(c, fd);
	fd = dial(c);
	PUT(fd, "ask");
	sync_with_server(c); /* its question is there, unread */
	hang_up(c, fd);
}

static void callers_that_go_away(void **state)
{
	expect(state, call_and_go, "", "keep\nclosed keep\nask\nclosed ask\n");
}

/* The answer breaks the connection: no signal, and the handler is told. */
static void call_deaf(const struct caller *c)
{
	int fd = dial(c), other = dial(c);

	PUT(fd, "keep");
	(void)shutdown(fd, SHUT_RD);
	sync_with_server(c);
	PUT(other, "poke");
	hear(c, other);
	hear(c, other);
	sync_with_server(c);
	(void)dprintf(c->out, "%s\n", put_bytes(fd, "", 1) ? "still open" : "closed");
}

static void a_caller_that_is_deaf(void **state)
{
	expect(state, call_deaf, BYE "closed\n", "keep\npoke\nclosed poke\nclosed keep\n");
}

/* Nobody waits for who reads slowly. */
static void call_slowly(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "large");
	sync_with_server(c);
	hear_text(c, fd, large);
	hear(c, fd);
}

static void a_large_answer(void **state)
{
	expect(state, call_slowly, "all of it in 16\nend\n", "large\nclosed large\n");
}

static void call_for_parts(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "fits");
	hear_text(c, fd, fits);
	hear(c, fd);
	fd = dial(c);
	PUT(fd, "too much");
	hear_text(c, fd, fits - 1);
	hear(c, fd);
	fd = dial(c);
	PUT(fd, "euro");
	hear_text(c, fd, euro);
	hear(c, fd);
}

/* No longer than a message may be, and each of whole characters. */
static void parts_of_a_text(void **state)
{
	expect(state, call_for_parts,
	       "all of it in 1\nend\nall of it in 2\nend\nall of it in 3\nend\n",
	       "fits\nclosed fits\ntoo much\nclosed too much\neuro\nclosed euro\n");
}

/* An answer that no message of its call brought: a small one, or a large. */
static void call_and_wait(const struct caller *c)
{
	static const char *const words[] = {"release", "poke"};

	for (int i = 0; i < 2; i++) {
		int fd = dial(c), other = dial(c);

		PUT(fd, "keep");
		sync_with_server(c);
		PUT(other, words[i]);
		hear(c, other);
		hear(c, other);
		if (i)
			hear_text(c, fd, large);
		else
			hear(c, fd);
		hear(c, fd);
	}
}

static void an_answer_later(void **state)
{
	expect(state, call_and_wait, BYE BYE BYE "all of it in 16\nend\n",
	       "keep\nrelease\nclosed release\nclosed keep\n"
	       "keep\npoke\nclosed poke\nclosed keep\n");
}

static void hear_pieces(const struct caller *c, int fd, int first, int end)
{
	for (int i = first; i < end; i++) {
		_cleanup_(freep) char *text = next_message(c, fd);
		_cleanup_(freep) char *want = xasprintf("{\"piece\":%d,\"text\":\"%.*s\"}",
							i % PIECES, PIECE,
							large + (size_t)(i % PIECES) * PIECE);

		if (!streq(text, want))
			(void)dprintf(c->out, "piece %d is another\n", i);
	}
}

/* More is to be sent while a part of what was to be sent before is on its way. */
static void call_for_pieces(const struct caller *c)
{
	int fd = dial(c), other = dial(c);

	PUT(fd, "keep");
	sync_with_server(c);
	PUT(other, "feed");
	hear(c, other);
	hear(c, other);
	hear_pieces(c, fd, 0, 9);
	PUT(fd, "pieces");
	sync_with_server(c);
	hear_pieces(c, fd, 9, 2 * PIECES);
	PUT(fd, "done");
	hear(c, fd);
	hear(c, fd);
}

static void many_messages(void **state)
{
	expect(state, call_for_pieces, BYE THANKS,
	       "keep\nfeed\nclosed feed\npieces\ndone\nclosed keep\n");
}

/* A caller that reads nothing of what it is asked is not written to without end. */
static void call_and_never_read(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "pieces", "pieces", "pieces", "pieces");
	sync_with_server(c);
	sync_with_server(c);
	(void)dprintf(c->out, "%s\n", put_bytes(fd, "", 1) ? "still open" : "closed");
}

static void a_caller_that_never_reads(void **state)
{
	expect(state, call_and_never_read, "closed\n",
	       "pieces\npieces\npieces\npieces\nclosed pieces\n");
}

/* When all is sent nothing more happens: a call of others takes two turns of the loop. */
static void call_and_idle(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "pieces");
	hear_pieces(c, fd, 0, PIECES);
	PUT(fd, "mark");
	for (int i = 0; i < SYNCS; i++)
		sync_with_server(c);
	PUT(fd, "mark", "bye");
	hear(c, fd);
	hear(c, fd);
}

static void an_idle_call(void **state)
{
	const struct fixture *f = *state;

	expect(state, call_and_idle, BYE, "pieces\nmark\nmark\nbye\nclosed pieces\n");
	assert_in_range(f->turns, 2 * SYNCS, 3 * SYNCS);
}

static void call_after_the_end(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "large");
	sync_with_server(c);
	PUT(fd, "late");
	sync_with_server(c);
	hear_text(c, fd, large);
	hear(c, fd);
}

static void nothing_counts_after_the_end(void **state)
{
	expect(state, call_after_the_end, "all of it in 16\nend\n", "large\nclosed large\n");
}

/* What nobody will look at is not kept without limit. */
static void call_and_flood(const struct caller *c)
{
	size_t sent = 0;
	int fd = dial(c);

	PUT(fd, "large");
	while (sent < 2 * WIRE_MAX && put_bytes(fd, large, LARGE))
		sent += LARGE;
	(void)dprintf(c->out, "%s\n", sent < 2 * WIRE_MAX ? "stopped" : "all taken");
	hang_up(c, fd);
}

static void a_flood_is_stopped(void **state)
{
	expect(state, call_and_flood, "stopped\n", "large\nclosed large\n");
}

/* --- who may call ------------------------------------------------------------------------------
 */

/* A caller beyond the limit is sent away, and those that are there do not notice. */
static void call_as_a_crowd(const struct caller *c)
{
	static int fds[SERVER_CALLS_MAX];
	int more;

	for (int i = 0; i < SERVER_CALLS_MAX; i++) {
		fds[i] = dial(c);
		PUT(fds[i], "ask");
		free(next_message(c, fds[i]));
	}
	more = dial(c);
	PUT(more, "bye");
	hear(c, more);
	(void)close(more);
	hang_up(c, fds[7]); /* makes room */
	more = dial(c);
	PUT(more, "bye");
	hear(c, more);
	hear(c, more);
	PUT(fds[SERVER_CALLS_MAX - 1], "done");
	hear(c, fds[SERVER_CALLS_MAX - 1]);
	hear(c, fds[SERVER_CALLS_MAX - 1]);
}

static void a_crowd(void **state)
{
	struct rlimit limit;
	struct fixture *f = *state;
	const char *heard;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < SERVER_CALLS_MAX + 100)
		skip();
	limit.rlim_cur = MIN(limit.rlim_max, 4 * SERVER_CALLS_MAX);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	wait_for(f, serve(f, call_as_a_crowd));
	assert_string_equal(f->said.data, "end\n" BYE THANKS);
	heard = strstr(f->heard.data, "closed");
	assert_non_null(heard);
	assert_int_equal(heard - f->heard.data, SERVER_CALLS_MAX * strlen("ask\n"));
	assert_true(str_starts(heard, "closed ask\nbye\nclosed bye\ndone\nclosed ask\n"));
}

/* The file is opened to everyone, so that who comes is for the server to tell. */
static void call_as_somebody_else(const struct caller *c)
{
	int fd;

	if (chmod(c->path, 0666) < 0 || setuid(OTHER_UID) < 0)
		give_up(c, "setuid");
	fd = dial(c);
	PUT(fd, "bye");
	hear(c, fd);
}

static void somebody_else(void **state)
{
	expect(state, call_as_somebody_else, "end\n", "");
}

/* --- the socket itself -------------------------------------------------------------------------
 */

static void only_its_owner_may_connect(void **state)
{
	const struct fixture *f = *state;
	struct stat st;
	mode_t mask = umask(022);

	assert_int_equal(mask, 022); /* as it was before the socket was made */
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	char kept[80];
	struct err e = {0};
	int fd;

	(void)snprintf(kept, sizeof(kept), "%s.kept", f->path);
	assert_int_equal(link(f->path, kept), 0);
	f->server = server_close(f->server);
	assert_int_equal(access(f->path, F_OK), -1);
	assert_int_equal(rename(kept, f->path), 0); /* as a process that was killed leaves it */
	assert_int_equal(server_open(f->loop, f->path, -1, on_call, f, &f->server, &e), 0);
	f->server = server_close(f->server);
	fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* or whatever it is */
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(server_open(f->loop, f->path, -1, on_call, f, &f->server, &e), 0);
	expect(state, call_and_answer, WORK THANKS, "ask\ndone\nclosed ask\n");
}

/* A path of @len bytes where no folder is. */
static void expect_failure(struct fixture *f, int len, int error, const char *message)
{
	_cleanup_(freep) char *path = xasprintf("/nowhere/%0*d", len - 9, 0);
	struct server *untouched = f->server;
	struct err e = {0};

	assert_int_equal(server_open(f->loop, path, -1, on_call, f, &untouched, &e), error);
	assert_ptr_equal(untouched, f->server);
	if (!strstr(e.msg, path) || !strstr(e.msg, message))
		fail_msg("%s", e.msg);
}

/* 108 bytes are one too many: there is a NUL behind the name. */
static void where_no_socket_can_be(void **state)
{
	expect_failure(*state, 107, -ENOENT, ": No such file or directory");
	expect_failure(*state, 108, -ENAMETOOLONG, "is longer than a socket's name may be (107)");
}

/* The caller ends only when the server lets it go. */
static void call_until_the_close(const struct caller *c)
{
	int fd = dial(c), silent = dial(c);

	PUT(fd, "keep");
	sync_with_server(c);
	(void)close(c->out);
	if (next_message(c, fd) || next_message(c, silent))
		_exit(1);
}

static void closing_ends_all_calls(void **state)
{
	struct fixture *f = *state;
	pid_t child = serve(f, call_until_the_close);

	assert_string_equal(f->heard.data, "keep\n");
	f->server = server_close(f->server);
	assert_string_equal(f->heard.data, "keep\nclosed keep\n");
	wait_for(f, child);
	assert_int_equal(access(f->path, F_OK), -1);
	assert_null(server_close(NULL));
}

#define server_test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	static const char sign[] = {'\xe2', '\x82', '\xac'};
	const struct CMUnitTest tests[] = {
		server_test(a_call),
		server_test(byte_by_byte),
		server_test(several_at_once),
		server_test(not_json),
		server_test(nonsense_ends_a_call),
		server_test(too_long),
		server_test(as_long_as_may_be),
		server_test(callers_that_go_away),
		server_test(a_caller_that_is_deaf),
		server_test(a_large_answer),
		server_test(parts_of_a_text),
		server_test(an_answer_later),
		server_test(many_messages),
		server_test(a_caller_that_never_reads),
		server_test(an_idle_call),
		server_test(nothing_counts_after_the_end),
		server_test(a_flood_is_stopped),
		server_test(a_crowd),
		server_test(somebody_else),
		server_test(only_its_owner_may_connect),
		server_test(a_stale_socket_is_replaced),
		server_test(where_no_socket_can_be),
		server_test(closing_ends_all_calls),
	};

	for (int i = 0; i < LARGE; i += 8)
		(void)sprintf(large + i, "%07d ", i / 8);
	memset(euro, 'x', sizeof(euro) - 1);
	memcpy(euro + WIRE_PART_MAX - 1, sign, sizeof(sign));
	log_set_level(LOG_LEVEL_ERR);
	(void)umask(022);
	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
