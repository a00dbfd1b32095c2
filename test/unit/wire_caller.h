/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire_caller.h - a blocking caller of the agent's socket (agent/socket/wire.h), for the child of a
 * test: it writes down what it sees, and ends when nothing can be seen.
 */
#pragma once

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/socket/wire.h"
#include "lib/utf8.h"

/* struct caller - @out: where it writes down what it sees */
struct caller {
	const char *path;
	int out;
};

static inline _noreturn_ void give_up(const struct caller *c, const char *what)
{
	(void)dprintf(c->out, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static inline int dial(const struct caller *c)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", c->path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		give_up(c, "connect");
	return fd;
}

static inline bool put_bytes(int fd, const char *p, size_t n)
{
	return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* A message as the wire has it: little-endian length, text. */
static inline void frame(struct buf *b, const char *json, size_t len)
{
	for (int i = 0; i < 4; i++)
		buf_putc(b, (char)(len >> 8 * i));
	buf_put(b, json, len);
}

static inline void frame_call(struct buf *b, const char *what)
{
	_cleanup_(freep) char *json = xasprintf("{\"call\":\"%s\"}", what);

	frame(b, json, strlen(json));
}

/* Send the calls, one after another in one piece; NULL-terminated.  A refusal shows later. */
static inline void put_calls(int fd, const char *const *whats)
{
	_cleanup_(buf_done) struct buf b = {0};

	for (; *whats; whats++)
		frame_call(&b, *whats);
	(void)put_bytes(fd, b.data, b.len);
}

#define PUT(fd, ...) put_calls(fd, (const char *const[]){__VA_ARGS__, NULL})

/* The next message, to be freed; NULL at the end of the connection. */
static inline char *next_message(const struct caller *c, int fd)
{
	uint32_t head = 0;
	ssize_t n = recv(fd, &head, sizeof(head), MSG_WAITALL);
	char *text;

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return NULL;
	if (n != sizeof(head))
		give_up(c, "recv");
	head = le32toh(head);
	text = xcalloc(1, (size_t)head + 1);
	if (recv(fd, text, head, MSG_WAITALL) != (ssize_t)head)
		give_up(c, "a message that was cut off");
	return text;
}

/* Write down the next message, or the end. */
static inline void hear(const struct caller *c, int fd)
{
	_cleanup_(freep) char *text = next_message(c, fd);

	(void)dprintf(c->out, "%s\n", text ? text : "end");
}

#define PART   "{\"part\":\""
#define RESULT "{\"result\":\""

/* The text of one message, without its frame, added to @text; true if more is to come. */
static inline bool add_part(const struct caller *c, int fd, struct buf *text)
{
	_cleanup_(freep) char *m = next_message(c, fd);
	bool more = m && str_starts(m, PART);
	size_t head = strlen(more ? PART : RESULT), tail = strlen(more ? "\"}" : "\",\"exit\":0}");
	size_t len = m ? strlen(m) : 0;

	if (len < head + tail || len - head - tail > WIRE_PART_MAX || !utf8_valid(m, len))
		give_up(c, "a message of another form");
	buf_put(text, m + head, len - head - tail);
	return more;
}

/* Compare a result, in parts or not; it holds nothing that has to be escaped. */
static inline void hear_text(const struct caller *c, int fd, const char *want)
{
	_cleanup_(buf_done) struct buf text = {0};
	int n = 1;

	while (add_part(c, fd, &text))
		n++;
	(void)dprintf(c->out, "%s in %d\n", streq(text.data, want) ? "all of it" : "another", n);
}

/*
 * Whatever happened on the socket before, the server has seen now: events of one wake-up have no
 * order, but this takes at least two.
 */
static inline void sync_with_server(const struct caller *c)
{
	int fd = dial(c);

	PUT(fd, "sync");
	free(next_message(c, fd));
	free(next_message(c, fd));
	(void)close(fd);
}

static inline void hang_up(const struct caller *c, int fd)
{
	(void)close(fd);
	sync_with_server(c);
}
