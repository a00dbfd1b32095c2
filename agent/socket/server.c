// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * server.c - the socket's side of server.h.
 */
#include "agent/socket/server.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "agent/socket/wire.h"
#include "lib/acceptor.h"
#include "lib/jsonw.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/utf8.h"

#define QUEUE_MAX (4 * WIRE_PART_MAX) /* bytes that wait for a caller to read */
#define STUCK_USEC \
	(30 * USEC_PER_SEC) /* for a message that began, for a caller to read something */

struct server {
	struct loop *loop;
	struct acceptor *acceptor;
	char *path;
	call_fn *fn;
	void *arg;
	struct call *calls;
	size_t n_calls;
};

/*
 * struct call
 * @text, @sent: The result, and how much of it is in the stream
 */
struct call {
	struct server *server;
	struct stream *stream;
	struct call_work *work;
	bool finished;
	char *text;
	size_t sent;
	int exit_code;
	struct call *prev, *next;
};

static void call_free(struct call *c)
{
	struct server *s = c->server;

	DL_DELETE(s->calls, c);
	s->n_calls--;
	if (c->work)
		c->work->closed(c->work);
	free(c->text);
	free(c);
}

/**
 * call_set_work() - Have what the caller says from now on handed to a work
 * @c:    Call
 * @work: Borrowed until its closed() or the end of the call; NULL: none any more
 */
void call_set_work(struct call *c, struct call_work *work)
{
	c->work = work;
}

/* --- out ---------------------------------------------------------------------------------------
 */

/* A message with its length before it: false if the queue is full. */
static bool put(struct call *c, const char *json)
{
	_cleanup_(buf_done) struct buf b = {0};

	wire_put(json, &b);
	return stream_send(c->stream, b.data, b.len);
}

/**
 * call_break() - End a call without a result
 * @c: Call; its work's closed() is called by the loop
 */
void call_break(struct call *c)
{
	(void)shutdown(stream_fd(c->stream), SHUT_RDWR); /* which the loop will see */
}

/**
 * call_send() - Send a message to the caller
 * @c:    Call, not finished
 * @json: Message
 *
 * A caller that reads nothing, so that QUEUE_MAX waits for it, loses the connection.
 */
void call_send(struct call *c, const char *json)
{
	if (put(c, json))
		return;
	log_warn("server", "a caller does not read, closing", "bytes=%u", QUEUE_MAX);
	call_break(c);
}

static bool put_part(struct call *c, size_t n)
{
	_cleanup_(freep) char *part = xstrndup(c->text + c->sent, n);
	_cleanup_(buf_done) struct buf b = {0};
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "part", part);
	jsonw_end(&w, '}');
	return put(c, b.data);
}

static bool put_result(struct call *c)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "result", c->text + c->sent);
	jsonw_int(&w, "exit", c->exit_code);
	jsonw_end(&w, '}');
	return put(c, b.data);
}

/* What the stream takes of the result: all but its last part as "part". */
static void send_result(struct call *c)
{
	size_t left = strlen(c->text + c->sent);

	while (left > WIRE_PART_MAX) {
		size_t n = utf8_cut(c->text + c->sent, left, WIRE_PART_MAX);

		if (!put_part(c, n))
			return;
		c->sent += n;
		left -= n;
	}
	if (put_result(c))
		stream_finish(c->stream);
}

/**
 * call_finish() - Send the result; the connection closes when it is sent
 * @c:         Call; not to be used by its work afterwards
 * @text:      What the caller prints on standard output; of any length
 * @exit_code: What the caller exits with
 */
void call_finish(struct call *c, const char *text, int exit_code)
{
	c->finished = true;
	c->text = xstrdup(text);
	c->exit_code = exit_code;
	send_result(c);
}

/**
 * call_hand_over() - Send descriptors to a caller to which nothing else was sent
 * @c: Call
 * @h: Descriptors
 *
 * Return: 0, -errno
 */
int call_hand_over(struct call *c, const struct handover *h)
{
	return handover_send(stream_fd(c->stream), h);
}

/* --- in ----------------------------------------------------------------------------------------
 */

static void on_message(void *arg, const char *data, size_t len)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct call *c = arg;
	struct err e = {0};

	if (c->finished)
		return;
	if (wire_read(data, len, &doc, &e) < 0) {
		log_warn("server", "message is not JSON, closing", "err=\"%s\"", e.msg);
		(void)stream_close(c->stream);
		call_free(c);
	} else if (c->work) {
		c->work->message(c->work, value_root(doc));
	} else {
		c->server->fn(c->server->arg, c, value_root(doc));
	}
}

static void on_ready(void *arg)
{
	struct call *c = arg;

	if (c->finished)
		send_result(c);
}

static void on_closed(void *arg, int error)
{
	if (error == -EPROTO || error == -EMSGSIZE || error == -ETIMEDOUT)
		log_warn("server", "closing a connection", "err=\"%s\"", strerror(-error));
	call_free(arg);
}

static const struct stream_ops stream_ops = {
	.frame = wire_frame,
	.message = on_message,
	.ready = on_ready,
	.closed = on_closed,
	.message_max = sizeof(uint32_t) + WIRE_MAX,
	.queue_max = QUEUE_MAX,
	.stuck_usec = STUCK_USEC,
};

static bool peer_is_root(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == 0;
}

static void on_connect(void *arg, int connection)
{
	_cleanup_(closep) int fd = connection;
	struct server *s = arg;
	struct call *c;

	if (!peer_is_root(fd) || s->n_calls >= SERVER_CALLS_MAX) {
		log_warn("server", "connection refused", "calls=%zu", s->n_calls);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->stream = stream_new(s->loop, "call", TAKE(fd, -1), &stream_ops, c);
	DL_APPEND(s->calls, c);
	s->n_calls++;
}

static int listen_at(const char *path, struct err *reterr)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(reterr, -ENAMETOOLONG,
			       "run-dir: '%s' is longer than a socket's name may be (%zu)", path,
			       sizeof(sa.sun_path) - 1);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (fd < 0)
		return err_set(reterr, -errno, "socket: %s", strerror(errno));
	(void)unlink(path); /* the instance lock says that nobody listens on it */
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	(void)umask(mask);
	if (r < 0 || listen(fd, SERVER_CALLS_MAX) < 0)
		return err_set(reterr, -errno, "%s: %s", path, strerror(errno));
	return TAKE(fd, -1);
}

/**
 * server_open() - Listen
 * @l:    Loop
 * @path: Socket; an old one is replaced: the caller holds the lock of the run folder
 * @fd:   The socket that listens there already, taken over; -1: none does
 * @fn:   Takes calls
 * @arg:  Its first argument
 * @ret:  Server; untouched on failure
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int server_open(struct loop *l, const char *path, int fd, call_fn *fn, void *arg,
		struct server **ret, struct err *reterr)
{
	struct server *s;

	if (fd < 0)
		fd = listen_at(path, reterr);
	if (fd < 0)
		return fd;
	s = xcalloc(1, sizeof(*s));
	*s = (struct server){.loop = l, .path = xstrdup(path), .fn = fn, .arg = arg};
	s->acceptor = acceptor_new(l, "server", fd, on_connect, s);
	*ret = s;
	return 0;
}

/**
 * server_hold() - Let connections wait, or no longer
 * @s:    Server
 * @hold: Let them wait
 */
void server_hold(struct server *s, bool hold)
{
	acceptor_hold(s->acceptor, hold);
}

/**
 * server_calls() - Connections that are open
 * @s: Server
 *
 * Return: their number
 */
size_t server_calls(const struct server *s)
{
	return s->n_calls;
}

/**
 * server_fd() - The socket that listens
 * @s: Server
 *
 * Return: descriptor, borrowed
 */
int server_fd(const struct server *s)
{
	return acceptor_fd(s->acceptor);
}

/**
 * server_close() - Close all connections and remove the socket
 * @s: Server or NULL
 *
 * Return: NULL
 */
struct server *server_close(struct server *s)
{
	struct call *c, *next;

	if (!s)
		return NULL;
	DL_FOREACH_SAFE (s->calls, c, next) {
		(void)stream_close(c->stream);
		call_free(c);
	}
	(void)acceptor_free(s->acceptor);
	(void)unlink(s->path);
	free(s->path);
	free(s);
	return NULL;
}
