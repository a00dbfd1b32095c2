// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * server.c - the socket's side of server.h.
 */
#include "agent/socket/server.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "agent/socket/wire.h"
#include "lib/acceptor.h"
#include "lib/jsonw.h"
#include "lib/log.h"
#include "lib/utf8.h"

struct server {
	struct loop *loop;
	struct acceptor *acceptor;
	char *path;
	struct call_handler handler;
	void *arg;
	struct call *calls;
	size_t n_calls;
};

struct call {
	struct server *server;
	int fd;
	struct loop_source *io;
	struct buf in, out;
	size_t sent;
	bool finished; /* close when everything is sent */
	void *work;
	struct call *prev, *next;
};

static void call_close(struct call *c)
{
	struct server *s = c->server;

	DL_DELETE(s->calls, c);
	s->n_calls--;
	s->handler.closed(s->arg, c, TAKE(c->work, NULL));
	(void)loop_source_free(c->io);
	close(c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	free(c);
}

/**
 * call_set_work() - Keep the handler's state with a call
 * @c:    Call
 * @work: State; handed to the handler's closed()
 */
void call_set_work(struct call *c, void *work)
{
	c->work = work;
}

/**
 * call_work() - The state kept with call_set_work()
 * @c: Call
 *
 * Return: the state or NULL
 */
void *call_work(const struct call *c)
{
	return c->work;
}

/* Send what the socket takes; false if the connection broke. */
static bool flush(struct call *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += (size_t)n;
	}
	buf_reset(&c->out);
	c->sent = 0;
	return true;
}

/**
 * call_send() - Send a message to the caller
 * @c:    Call, not finished
 * @json: Message
 */
void call_send(struct call *c, const char *json)
{
	uint32_t len = htole32((uint32_t)strlen(json));

	buf_put(&c->out, &len, sizeof(len));
	buf_puts(&c->out, json);
	(void)flush(c); /* a broken connection shows itself to the loop */
	loop_io_events(c->io, EPOLLIN | (c->out.len ? EPOLLOUT : 0));
}

/* All but the last WIRE_PART_MAX bytes; return the rest. */
static const char *send_parts(struct call *c, const char *text)
{
	size_t left = text ? strlen(text) : 0;

	while (left > WIRE_PART_MAX) {
		size_t n = utf8_cut(text, left, WIRE_PART_MAX);
		_cleanup_(freep) char *part = xstrndup(text, n);
		_cleanup_(buf_done) struct buf b = {0};
		struct jsonw w = {.out = &b};

		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "part", part);
		jsonw_end(&w, '}');
		call_send(c, b.data);
		text += n;
		left -= n;
	}
	return text;
}

/**
 * call_finish() - Send the result; the connection closes when it is sent
 * @c:         Call; not to be used by the handler afterwards
 * @text:      What the caller prints on standard output; of any length
 * @exit_code: What the caller exits with
 */
void call_finish(struct call *c, const char *text, int exit_code)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "result", send_parts(c, text));
	jsonw_int(&w, "exit", exit_code);
	jsonw_end(&w, '}');
	c->finished = true;
	call_send(c, b.data);
	loop_io_events(c->io, EPOLLIN | EPOLLOUT);
}

/* Handle one whole message if it is there: 1 handled, 0 not yet, -EPROTO. */
static int take_message(struct call *c)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct err e = {0};
	int r = wire_take(&c->in, &doc, &e);

	if (r < 0)
		log_warn("server", "message is not JSON, closing", "err=\"%s\"", e.msg);
	if (r > 0)
		c->server->handler.message(c->server->arg, c, value_root(doc));
	return r;
}

static int receive(struct call *c)
{
	char chunk[65536];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	int r = 1;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	if (c->in.len + (size_t)n > WIRE_MAX + sizeof(uint32_t) + sizeof(chunk))
		return -EPROTO;
	buf_put(&c->in, chunk, (size_t)n);
	while (r == 1 && !c->finished)
		r = take_message(c);
	return r < 0 ? r : 0;
}

static void on_call(void *arg, uint32_t events)
{
	struct call *c = arg;
	bool alive = true;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = receive(c) == 0;
	if (alive)
		alive = flush(c);
	if (!alive || (c->finished && !c->out.len)) {
		call_close(c);
		return;
	}
	loop_io_events(c->io, EPOLLIN | (c->out.len ? EPOLLOUT : 0));
}

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
	c->fd = TAKE(fd, -1);
	c->io = loop_io(s->loop, "call", c->fd, EPOLLIN, on_call, c);
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
 * @h:    Handler; copied
 * @arg:  Its first argument
 * @ret:  Server; untouched on failure
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int server_open(struct loop *l, const char *path, const struct call_handler *h, void *arg,
		struct server **ret, struct err *reterr)
{
	int fd = listen_at(path, reterr);
	struct server *s;

	if (fd < 0)
		return fd;
	s = xcalloc(1, sizeof(*s));
	*s = (struct server){.loop = l, .path = xstrdup(path), .handler = *h, .arg = arg};
	s->acceptor = acceptor_new(l, "server", fd, on_connect, s);
	*ret = s;
	return 0;
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
	DL_FOREACH_SAFE (s->calls, c, next)
		call_close(c);
	(void)acceptor_free(s->acceptor);
	(void)unlink(s->path);
	free(s->path);
	free(s);
	return NULL;
}
