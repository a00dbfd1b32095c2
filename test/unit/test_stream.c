// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_stream.c - messages over a socketpair whose other end is the test: bytes in pieces, readers
 * that do not read, limits, ends.
 *
 * Two framings, as two protocols have them: "Bnnn" (a head of 4 bytes that holds the length, as BGP
 * has one of 19) and lines (as HAProxy's socket).  Each test is a script: its steps run on a timer
 * of the loop, and what the stream has to do is done before the next.
 */
#include "lib/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"

#define STEP_USEC (2 * USEC_PER_MSEC)
#define ROUNDS	  3 /* firings of the timer to a step */
#define STUCK	  (100 * USEC_PER_MSEC)
#define IDLE	  (100 * USEC_PER_MSEC)
#define FOREVER	  (60 * USEC_PER_SEC) /* no script takes so long */
#define LIMIT	  1000
#define QUEUE	  100000
#define LARGE	  (8 << 20) /* more than any socket takes */

struct world;
/* script_fn - step @i of a test; false: it was the last */
typedef bool script_fn(struct world *w, int i);

/*
 * struct world
 * @heard:  What the user was told, a line each
 * @action: What the user does in a callback: 'c' closes, 'f' finishes, 'r' sends @again on ready
 * @gone:   closed() was called
 * @worst:  Longest time between two steps: a machine that stood still proves nothing about limits
 */
struct world {
	struct loop *loop;
	struct stream *stream;
	struct loop_source *timer;
	script_fn *script;
	int peer, step, round;
	struct buf heard, read;
	char action;
	const char *again;
	size_t taken;
	uint64_t began, gone, last, worst;
};

/* --- the user ----------------------------------------------------------------------------------
 */

static ssize_t frame_block(const char *data, size_t len)
{
	char head[5] = "";

	if (len < 4)
		return 0;
	memcpy(head, data, 4);
	if (*head != 'B')
		return -EPROTO;
	return strtol(head + 1, NULL, 10);
}

static ssize_t frame_line(const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len);

	return end ? end - data + 1 : 0;
}

static void on_message(void *arg, const char *data, size_t len)
{
	struct world *w = arg;

	buf_printf(&w->heard, "[%.*s]", (int)len, data);
	if (w->action == 'c')
		w->stream = stream_close(w->stream);
	else if (w->action == 'f')
		stream_finish(w->stream);
}

static void on_ready(void *arg)
{
	struct world *w = arg;

	buf_puts(&w->heard, "ready;");
	if (w->action == 'c')
		w->stream = stream_close(w->stream);
	else if (w->action == 'r')
		(void)stream_send(w->stream, w->again, strlen(w->again));
}

static void on_closed(void *arg, int error)
{
	struct world *w = arg;

	buf_printf(&w->heard, "closed %s;", error ? strerrorname_np(-error) : "0");
	w->gone = monotonic_usec();
	w->stream = NULL;
}

static const struct stream_ops blocks = {frame_block, on_message, on_ready,   on_closed,
					 LIMIT,	      QUEUE,	  50 * STUCK, STUCK};
/* The same without limits of time, for tests that are about something else. */
static const struct stream_ops calm_blocks = {frame_block, on_message, on_ready, on_closed,
					      LIMIT,	   QUEUE,      0,	 0};
static const struct stream_ops lines = {frame_line, on_message, on_ready, on_closed,
					LIMIT,	    QUEUE,	IDLE,	  0};
static const struct stream_ops patient = {frame_line, on_message, NULL, on_closed,
					  LIMIT,      QUEUE,	  0,	0};

/* --- the world ---------------------------------------------------------------------------------
 */

static void on_timer(void *arg)
{
	struct world *w = arg;
	uint64_t now = monotonic_usec();

	assert_true(now - w->began < FOREVER);
	w->worst = MAX(w->worst, now - w->last);
	w->last = now;
	if (++w->round % ROUNDS == 0 && !w->script(w, w->step++)) {
		loop_exit(w->loop, 0);
		return;
	}
	loop_timer_at(w->timer, now + STEP_USEC);
}

static void begin(struct world *w, script_fn *script)
{
	*w = (struct world){.script = script, .peer = -1};
	buf_puts(&w->heard, "");
	assert_int_equal(loop_new(&w->loop), 0);
	w->timer = loop_timer(w->loop, "script", on_timer, w);
	w->began = w->last = monotonic_usec();
	loop_timer_at(w->timer, w->began + STEP_USEC);
}

static void end(struct world *w)
{
	assert_int_equal(loop_run(w->loop), 0);
	w->stream = stream_close(w->stream);
	(void)loop_source_free(w->timer);
	(void)loop_free(w->loop);
	if (w->peer >= 0)
		(void)close(w->peer);
	buf_done(&w->read);
}

/* Run a script against a stream and compare what the user heard; NULL: leave that to the caller. */
static struct world run(const struct stream_ops *ops, script_fn *script, char action,
			const char *heard)
{
	struct world w;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	begin(&w, script);
	w.action = action;
	w.peer = pair[1];
	w.stream = stream_new(w.loop, "stream", pair[0], ops, &w);
	end(&w);
	if (heard) {
		assert_string_equal(w.heard.data, heard);
		buf_done(&w.heard);
	}
	return w;
}

static void say(struct world *w, const char *text)
{
	assert_int_equal(send(w->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read at most @max bytes of what came; 0 at the end of the connection, -1 nothing. */
static ssize_t peer_read(struct world *w, size_t max)
{
	_cleanup_(freep) char *chunk = xmalloc(max);
	ssize_t n = recv(w->peer, chunk, max, MSG_DONTWAIT);

	if (n > 0)
		buf_put(&w->read, chunk, (size_t)n);
	return n;
}

static void read_all(struct world *w)
{
	while (peer_read(w, 65536) > 0)
		;
}

static bool waited(const struct world *w, uint64_t usec)
{
	return monotonic_usec() >= w->began + usec;
}

/* --- in ----------------------------------------------------------------------------------------
 */

static bool byte_by_byte(struct world *w, int i)
{
	static const char text[] = "B006abB004B0091234";

	say(w, (char[]){text[i], 0});
	if (i == 17)
		say(w, "5");
	return text[i + 1];
}

static void bytes_make_messages(void **state _unused_)
{
	(void)run(&calm_blocks, byte_by_byte, 0, "[B006ab][B004]");
}

static bool lines_at_once(struct world *w, int i)
{
	if (i == 0)
		say(w, "one\n\ntwo\nthr");
	if (i == 1)
		say(w, "ee\nfour");
	return i < 2;
}

static void several_at_once(void **state _unused_)
{
	(void)run(&patient, lines_at_once, 0, "[one\n][\n][two\n][three\n]");
}

static bool longest(struct world *w, int i)
{
	char text[LIMIT + 1];

	memset(text, 'x', LIMIT);
	memcpy(text, "B999", 4);
	text[999] = '\0';
	if (i == 0)
		say(w, text);
	return i < 1;
}

static void as_long_as_may_be(void **state _unused_)
{
	char want[LIMIT + 2];

	memset(want, 'x', sizeof(want));
	memcpy(want, "[B999", 5);
	memcpy(want + 1000, "]", 2);
	(void)run(&calm_blocks, longest, 0, want);
}

static bool long_line(struct world *w, int i)
{
	char text[LIMIT + 2] = "";

	memset(text, 'x', LIMIT + (size_t)i);
	if (w->stream)
		say(w, i ? "x" : text);
	return i < 2;
}

/* A message that does not say how long it is may be as long as the limit, and no longer. */
static void a_line_without_end(void **state _unused_)
{
	(void)run(&patient, long_line, 0, "closed EMSGSIZE;");
}

static bool long_block(struct world *w, int i)
{
	if (i == 0)
		say(w, "B501");
	return i < 1;
}

/* What is too long is refused when its length is known. */
static void a_block_that_is_too_long(void **state _unused_)
{
	static const struct stream_ops small = {frame_block, on_message, NULL, on_closed,
						500,	     QUEUE,	 0,    0};

	(void)run(&small, long_block, 0, "closed EMSGSIZE;");
}

static bool nonsense(struct world *w, int i)
{
	if (i == 0)
		say(w, "B005xNONSENSEB004");
	return i < 1;
}

static void no_message(void **state _unused_)
{
	(void)run(&calm_blocks, nonsense, 0, "[B005x]closed EPROTO;");
}

/* --- out ---------------------------------------------------------------------------------------
 */

static bool large_message(struct world *w, int i)
{
	if (i == 0) {
		_cleanup_(freep) char *text = xmalloc(LARGE);

		for (size_t k = 0; k < LARGE; k++)
			text[k] = (char)('a' + k % 23);
		assert_true(stream_send(w->stream, text, LARGE)); /* alone it may be any size */
		assert_false(stream_send(w->stream, "x", 1));
	}
	while (peer_read(w, 100001) > 0)
		;
	return w->read.len < LARGE;
}

static bool large_and_compared(struct world *w, int i)
{
	bool more = large_message(w, i);

	for (size_t k = 0; !more && k < LARGE; k++)
		assert_int_equal(w->read.data[k], 'a' + k % 23);
	return more;
}

/* In the pieces that the peer takes; the refusal is followed by one ready(). */
static void a_large_message(void **state _unused_)
{
	(void)run(&calm_blocks, large_and_compared, 0, "ready;");
}

static bool full_queue(struct world *w, int i)
{
	static const int small = 4096;
	char text[1000];

	if (i == 0) {
		w->again = "again";
		memset(text, 'y', sizeof(text));
		(void)setsockopt(stream_fd(w->stream), SOL_SOCKET, SO_SNDBUF, &small,
				 sizeof(small));
		while (stream_send(w->stream, text, sizeof(text)))
			w->taken += sizeof(text);
		assert_in_range(w->taken, QUEUE, LARGE);
		assert_false(stream_send(w->stream, text, sizeof(text)));
	}
	if (i < 10)
		(void)peer_read(w, 2000);
	if (i == 10)
		assert_string_equal(w->heard.data, ""); /* there is a little room */
	if (i > 10)
		read_all(w);
	return !*w->heard.data || w->read.len < w->taken + 5;
}

static bool full_and_compared(struct world *w, int i)
{
	bool more = full_queue(w, i);

	if (more)
		return true;
	assert_int_equal(w->read.len, w->taken + 5);
	assert_memory_equal(w->read.data + w->taken, "again", 5);
	return false;
}

/* The queue has a bound; ready() comes once, when there is room, and order is kept. */
static void a_reader_that_stops_and_goes_on(void **state _unused_)
{
	(void)run(&calm_blocks, full_and_compared, 'r', "ready;");
}

static size_t memory(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long total, resident = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &total, &resident), 2);
	(void)fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static bool endless(struct world *w, int i)
{
	static char text[1000];
	size_t left = 16 * LARGE;

	if (i > 0)
		return false;
	while (stream_send(w->stream, text, sizeof(text))) /* fills socket and queue */
		;
	w->taken = memory();
	while (left > 0) { /* the peer reads a little, a little more is sent */
		char chunk[4096];
		ssize_t n = recv(w->peer, chunk, sizeof(chunk), MSG_DONTWAIT);

		left -= MIN(left, (size_t)MAX(n, 1));
		(void)stream_send(w->stream, "", 0); /* sends on, as the loop would */
		while (stream_send(w->stream, text, sizeof(text)))
			;
	}
	assert_true(memory() < w->taken + LARGE / 2);
	return true;
}

/* A queue that is never empty does not grow by what was sent. */
static void what_is_sent_is_forgotten(void **state _unused_)
{
	(void)run(&patient, endless, 0, "");
}

/* --- time --------------------------------------------------------------------------------------
 */

static bool fill_and_wait(struct world *w, int i _unused_)
{
	char text[1000] = "";

	if (!w->taken && waited(w, STUCK * 3 / 2)) {
		w->taken = monotonic_usec();
		while (stream_send(w->stream, text, sizeof(text)))
			;
	}
	return !w->gone && !waited(w, 30 * STUCK);
}

static void a_reader_that_does_not_read(void **state _unused_)
{
	struct world w = run(&blocks, fill_and_wait, 0, "closed ETIMEDOUT;");

	assert_true(w.gone >= w.taken + STUCK - 10 * STEP_USEC);
}

static bool fill_and_read_slowly(struct world *w, int i)
{
	char text[1000] = "";

	if (i == 0)
		while (stream_send(w->stream, text, sizeof(text)))
			w->taken += sizeof(text);
	(void)peer_read(w, 40000);
	return !waited(w, 3 * STUCK);
}

static void a_reader_that_is_slow(void **state _unused_)
{
	struct world w = run(&blocks, fill_and_read_slowly, 0, NULL);

	assert_true(!strstr(w.heard.data, "closed") || w.worst > STUCK / 2);
	buf_done(&w.heard);
}

static bool half_a_message(struct world *w, int i)
{
	static const char text[] = "B9000000000000000000000000000000000000000000000000000000000";

	if (w->stream) /* never silent, never whole */
		say(w, (char[]){text[MIN((size_t)i, sizeof(text) - 2)], 0});
	return !w->gone && !waited(w, 5 * STUCK);
}

static void a_message_that_never_ends(void **state _unused_)
{
	struct world w = run(&blocks, half_a_message, 0, NULL);

	assert_true(w.gone >= w.began + STUCK || w.worst > STUCK / 2);
	assert_true(streq(w.heard.data, "closed ETIMEDOUT;") || w.worst > STUCK / 2);
	buf_done(&w.heard);
}

static bool short_blocks(struct world *w, int i)
{
	if (w->stream) /* the head of the next one is always there */
		say(w, i ? "04B0" : "B0");
	return !waited(w, 3 * STUCK);
}

static void a_message_after_the_other(void **state _unused_)
{
	struct world w = run(&blocks, short_blocks, 0, NULL);

	assert_true(!strstr(w.heard.data, "closed") || w.worst > STUCK / 2);
	assert_true(str_starts(w.heard.data, "[B004][B004][B004]") || w.worst > STUCK / 2);
	buf_done(&w.heard);
}

static bool talk_then_be_silent(struct world *w, int i _unused_)
{
	if (w->stream && !waited(w, 2 * IDLE)) {
		if (waited(w, IDLE * 3 / 2))
			say(w, ".\n");
		else
			assert_true(stream_send(w->stream, "x", 1));
		w->taken = monotonic_usec();
	}
	return !w->gone && !waited(w, 5 * USEC_PER_SEC);
}

static void a_silent_peer(void **state _unused_)
{
	struct world w = run(&lines, talk_then_be_silent, 0, NULL);

	assert_true(str_ends(w.heard.data, "[.\n]closed ETIMEDOUT;"));
	assert_true(w.gone >= w.taken + IDLE - 10 * STEP_USEC || w.worst > IDLE / 2);
	assert_true(w.gone >= w.began + 3 * IDLE - 20 * STEP_USEC || w.worst > IDLE / 2);
	buf_done(&w.heard);
}

/* --- ends --------------------------------------------------------------------------------------
 */

static bool peer_goes(struct world *w, int i)
{
	if (i == 0) {
		say(w, "last\n");
		w->peer = (close(w->peer), -1);
	}
	return i < 2;
}

static void a_peer_that_goes(void **state _unused_)
{
	(void)run(&patient, peer_goes, 0, "[last\n]closed 0;");
}

static bool send_to_nobody(struct world *w, int i)
{
	if (i == 0) {
		w->peer = (close(w->peer), -1);
		assert_true(stream_send(w->stream, "x", 1)); /* no signal, no callback */
		assert_string_equal(w->heard.data, "");
	}
	return i < 2;
}

static void a_peer_that_is_gone(void **state _unused_)
{
	(void)run(&patient, send_to_nobody, 0, "closed EPIPE;");
}

static bool peer_goes_in_the_middle(struct world *w, int i)
{
	if (i == 0)
		say(w, "whole\nhal");
	if (i == 1)
		w->peer = (close(w->peer), -1);
	return i < 2;
}

static void a_peer_that_goes_in_the_middle(void **state _unused_)
{
	(void)run(&patient, peer_goes_in_the_middle, 0, "[whole\n]closed EPIPE;");
}

static bool peer_goes_without_reading(struct world *w, int i)
{
	char text[1000] = "";

	if (i == 0)
		while (stream_send(w->stream, text, sizeof(text)))
			;
	if (i == 1)
		w->peer = (close(w->peer), -1);
	if (i == 2)
		assert_null(w->stream);
	return i < 2;
}

/* What waited is not said to be sent. */
static void a_peer_that_goes_without_reading(void **state _unused_)
{
	(void)run(&patient, peer_goes_without_reading, 0, "closed ECONNRESET;");
}

static bool finish_with_much_to_send(struct world *w, int i)
{
	if (i == 0) {
		_cleanup_(freep) char *text = xcalloc(1, LARGE);

		assert_true(stream_send(w->stream, text, LARGE));
		assert_false(stream_send(w->stream, text, 1));
		stream_finish(w->stream);
		say(w, "late\n");
	}
	if (i == 1)
		assert_string_equal(w->heard.data, "");
	read_all(w);
	return w->stream;
}

static bool finish_and_end(struct world *w, int i)
{
	if (finish_with_much_to_send(w, i))
		return true;
	read_all(w);
	assert_int_equal(w->read.len, LARGE);
	assert_int_equal(peer_read(w, 1), 0);
	return false;
}

/* All of it, then the end; what comes meanwhile is nobody's. */
static void a_clean_end(void **state _unused_)
{
	(void)run(&calm_blocks, finish_and_end, 0, "closed 0;");
}

static bool finish_at_once(struct world *w, int i)
{
	if (i == 0)
		say(w, "one\ntwo\n");
	if (i == 1)
		assert_int_equal(peer_read(w, 1), 0);
	return i < 1;
}

static void a_clean_end_with_nothing_to_send(void **state _unused_)
{
	(void)run(&patient, finish_at_once, 'f', "[one\n]closed 0;");
}

static bool finish_from_outside(struct world *w, int i)
{
	if (i == 0)
		stream_finish(w->stream);
	if (i == 1)
		assert_int_equal(peer_read(w, 1), 0);
	return i < 1;
}

static void a_clean_end_from_outside(void **state _unused_)
{
	(void)run(&patient, finish_from_outside, 0, "closed 0;");
}

static bool flood_after_the_end(struct world *w, int i)
{
	_cleanup_(freep) char *text = xcalloc(1, LARGE);

	if (i == 0) {
		assert_true(stream_send(w->stream, text, LARGE));
		stream_finish(w->stream);
	}
	if (w->stream)
		(void)!send(w->peer, text, LIMIT / 2, MSG_NOSIGNAL);
	return w->stream && i < 10;
}

static void a_flood_after_the_end(void **state _unused_)
{
	(void)run(&patient, flood_after_the_end, 0, "closed EMSGSIZE;");
}

static bool close_in_message(struct world *w, int i)
{
	if (i == 0)
		say(w, "one\ntwo\n");
	if (i == 1)
		assert_int_equal(peer_read(w, 1), 0);
	return i < 1;
}

static void closed_by_its_user(void **state _unused_)
{
	(void)run(&patient, close_in_message, 'c', "[one\n]");
}

static bool close_in_ready(struct world *w, int i)
{
	char text[1000] = "";

	if (i == 0)
		while (stream_send(w->stream, text, sizeof(text)))
			;
	read_all(w);
	return w->stream && i < 10;
}

static void closed_when_it_is_ready(void **state _unused_)
{
	(void)run(&calm_blocks, close_in_ready, 'c', "ready;");
}

/* --- connecting --------------------------------------------------------------------------------
 */

struct listener {
	int fd;
	struct sockaddr_in at;
};

static struct listener listen_somewhere(int backlog)
{
	struct listener l = {.at = {.sin_family = AF_INET}};
	socklen_t len = sizeof(l.at);

	l.at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(l.fd, (struct sockaddr *)&l.at, len), 0);
	assert_int_equal(listen(l.fd, backlog), 0);
	assert_int_equal(getsockname(l.fd, (struct sockaddr *)&l.at, &len), 0);
	return l;
}

static int dial(struct world *w, const struct listener *l, const struct stream_ops *ops)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return stream_connect(w->loop, "dial", fd, (const struct sockaddr *)&l->at, sizeof(l->at),
			      ops, w, &w->stream);
}

static bool greet(struct world *w, int i)
{
	if (i == 0)
		say(w, "B008abcd");
	if (i == 1)
		read_all(w);
	return i < 1;
}

static void a_connection(void **state _unused_)
{
	struct listener l = listen_somewhere(1);
	struct world w;

	begin(&w, greet);
	w.action = 'r';
	w.again = "hello";
	assert_int_equal(dial(&w, &l, &calm_blocks), 0);
	assert_true(stream_send(w.stream, "early ", 6));
	w.peer = accept(l.fd, NULL, NULL);
	assert_int_equal(loop_run(w.loop), 0);
	assert_string_equal(w.heard.data, "ready;[B008abcd]");
	assert_string_equal(w.read.data, "early hello");
	buf_done(&w.heard);
	w.stream = stream_close(w.stream);
	(void)loop_source_free(w.timer);
	(void)loop_free(w.loop);
	buf_done(&w.read);
	(void)close(w.peer);
	(void)close(l.fd);
}

static bool until_it_is_gone(struct world *w, int i _unused_)
{
	return !w->gone && !waited(w, 5 * USEC_PER_SEC);
}

static void nobody_listens(void **state _unused_)
{
	struct listener l = listen_somewhere(1);
	struct world w;

	(void)close(l.fd);
	begin(&w, until_it_is_gone);
	if (dial(&w, &l, &blocks) == 0)
		end(&w);
	assert_string_equal(w.heard.data, "closed ECONNREFUSED;");
	buf_done(&w.heard);
}

/* The kernel drops what comes to a listener whose backlog is full. */
static void nobody_answers(void **state _unused_)
{
	struct listener l = listen_somewhere(0);
	int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct world w;

	assert_int_equal(connect(first, (struct sockaddr *)&l.at, sizeof(l.at)), 0);
	begin(&w, until_it_is_gone);
	assert_int_equal(dial(&w, &l, &blocks), 0);
	end(&w);
	assert_string_equal(w.heard.data, "closed ETIMEDOUT;");
	assert_true(w.gone >= w.began + STUCK);
	buf_done(&w.heard);
	(void)close(first);
	(void)close(l.fd);
}

static bool never(struct world *w _unused_, int i _unused_)
{
	return false;
}

static void no_such_address(void **state _unused_)
{
	struct sockaddr_in nowhere = {.sin_family = AF_INET};
	struct world w;

	nowhere.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	nowhere.sin_port = 1;
	begin(&w, never);
	assert_true(stream_connect(w.loop, "dial", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
				   (struct sockaddr *)&nowhere, sizeof(nowhere), &blocks, &w,
				   &w.stream) < 0);
	assert_null(w.stream);
	end(&w);
	buf_done(&w.heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_make_messages),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(as_long_as_may_be),
		cmocka_unit_test(a_line_without_end),
		cmocka_unit_test(a_block_that_is_too_long),
		cmocka_unit_test(no_message),
		cmocka_unit_test(a_large_message),
		cmocka_unit_test(a_reader_that_stops_and_goes_on),
		cmocka_unit_test(what_is_sent_is_forgotten),
		cmocka_unit_test(a_reader_that_does_not_read),
		cmocka_unit_test(a_reader_that_is_slow),
		cmocka_unit_test(a_message_that_never_ends),
		cmocka_unit_test(a_message_after_the_other),
		cmocka_unit_test(a_silent_peer),
		cmocka_unit_test(a_peer_that_goes),
		cmocka_unit_test(a_peer_that_is_gone),
		cmocka_unit_test(a_peer_that_goes_in_the_middle),
		cmocka_unit_test(a_peer_that_goes_without_reading),
		cmocka_unit_test(a_clean_end),
		cmocka_unit_test(a_clean_end_with_nothing_to_send),
		cmocka_unit_test(a_clean_end_from_outside),
		cmocka_unit_test(a_flood_after_the_end),
		cmocka_unit_test(closed_by_its_user),
		cmocka_unit_test(closed_when_it_is_ready),
		cmocka_unit_test(a_connection),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(no_such_address),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
