// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stream.c - a connected socket on the loop: receive, cut, queue, send, time limits.
 *
 * A timer is set for the earliest limit and set on when it fires too early: what happens between
 * only notes the time.
 */
#include "lib/stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/buf.h"

#define CHUNK 65536

/*
 * struct stream
 * @in:         What came and is no whole message yet
 * @out, @sent: What is to be sent, and how much of it was
 * @ignored:    Bytes that came after stream_finish()
 * @active:     When something came or went last
 * @in_since:   When the first byte of @in came
 * @out_since:  When the peer took something last, or the queue began
 * @armed:      When the timer fires
 * @refused:    stream_send() was
 * @busy:       A callback runs; @dead: the user closed the stream in it
 */
struct stream {
	struct loop *loop;
	const struct stream_ops *ops;
	void *arg;
	int fd;
	struct loop_source *io, *timer;
	struct buf in, out;
	size_t sent, ignored;
	uint64_t active, in_since, out_since, armed;
	bool connecting, refused, finishing, busy, dead;
};

static size_t queued(const struct stream *s)
{
	return s->out.len - s->sent;
}

static void destroy(struct stream *s)
{
	(void)loop_source_free(s->io);
	(void)loop_source_free(s->timer);
	close(s->fd);
	buf_done(&s->in);
	buf_done(&s->out);
	free(s);
}

/* --- time --------------------------------------------------------------------------------------
 */

static uint64_t deadline(const struct stream *s)
{
	uint64_t at = USEC_INFINITY;

	if (s->ops->idle_usec)
		at = s->active + s->ops->idle_usec;
	if (s->ops->stuck_usec && s->in.len && !s->finishing)
		at = MIN(at, s->in_since + s->ops->stuck_usec);
	if (s->ops->stuck_usec && (queued(s) || s->connecting))
		at = MIN(at, s->out_since + s->ops->stuck_usec);
	return at;
}

/* After everything that changes what is waited for. */
static void watch(struct stream *s)
{
	uint64_t at = deadline(s);
	bool sends = queued(s) || s->connecting || s->finishing;

	loop_io_events(s->io, EPOLLIN | (sends ? EPOLLOUT : 0));
	if (at < s->armed) {
		s->armed = at;
		loop_timer_at(s->timer, at);
	}
}

/* --- out ---------------------------------------------------------------------------------------
 */

/* Send what the socket takes: 0, -errno. */
static int flush(struct stream *s)
{
	while (queued(s)) {
		ssize_t n =
			send(s->fd, s->out.data + s->sent, queued(s), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		s->sent += (size_t)n;
		s->active = s->out_since = loop_now(s->loop);
	}
	buf_reset(&s->out);
	s->sent = 0;
	return 0;
}

/* What was sent does not stay in memory as long as the queue is never empty. */
static void forget_sent(struct stream *s)
{
	if (s->sent < s->out.len / 2)
		return;
	s->out.len -= s->sent;
	memmove(s->out.data, s->out.data + s->sent, s->out.len);
	s->sent = 0;
}

/**
 * stream_send() - Send bytes, now or when the peer takes them
 * @s:    Stream, not finished
 * @data: Bytes
 * @len:  Their number
 *
 * Return: true; false if the queue is full: nothing of it was taken, and ready() is called when
 * half of the queue is free
 */
bool stream_send(struct stream *s, const char *data, size_t len)
{
	if (queued(s) && queued(s) + len > s->ops->queue_max) {
		s->refused = true;
		return false;
	}
	if (!queued(s))
		s->out_since = loop_now(s->loop);
	if (s->sent)
		forget_sent(s);
	buf_put(&s->out, data, len);
	if (!s->connecting)
		(void)flush(s); /* a broken connection shows itself to the loop */
	watch(s);
	return true;
}

/**
 * stream_finish() - Close the connection when everything is sent
 * @s: Stream; what comes from now on is ignored
 *
 * closed() is called then, never before this returns.
 */
void stream_finish(struct stream *s)
{
	s->finishing = true;
	watch(s);
}

/* --- in ----------------------------------------------------------------------------------------
 */

/* Bytes of the message at @at: 0 if it is not whole, -errno. */
static ssize_t whole(const struct stream *s, size_t at)
{
	size_t left = s->in.len - at;
	ssize_t n = left ? s->ops->frame(s->in.data + at, left) : 0;

	if (n < 0)
		return n;
	if ((size_t)n > s->ops->message_max || (!n && left > s->ops->message_max))
		return -EMSGSIZE;
	return (size_t)n <= left ? n : 0;
}

/* Hand on the messages that are whole: 0, -errno. */
static int cut(struct stream *s)
{
	size_t at = 0;
	ssize_t n;

	while ((n = whole(s, at)) > 0) {
		s->ops->message(s->arg, s->in.data + at, (size_t)n);
		if (s->dead || s->finishing)
			return 0;
		at += (size_t)n;
		s->in_since = s->active;
	}
	if (at) {
		s->in.len -= at;
		memmove(s->in.data, s->in.data + at, s->in.len);
	}
	return (int)n;
}

static int take(struct stream *s, const char *data, size_t len)
{
	s->active = loop_now(s->loop);
	if (s->finishing) {
		s->ignored += len;
		return s->ignored > s->ops->message_max ? -EMSGSIZE : 0;
	}
	if (!s->in.len)
		s->in_since = s->active;
	buf_put(&s->in, data, len);
	return cut(s);
}

/* Take what is there: 1 and the stream goes on; 0 the peer closed it; -errno. */
static int receive(struct stream *s)
{
	char chunk[CHUNK];
	ssize_t n = recv(s->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	if (n == 0)
		return queued(s) || (s->in.len && !s->finishing) ? -EPIPE : 0;
	r = take(s, chunk, (size_t)n);
	return r < 0 ? r : 1;
}

/* --- the loop ----------------------------------------------------------------------------------
 */

static int connected(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	s->connecting = false;
	s->active = loop_now(s->loop);
	s->refused = true; /* has ready() called */
	return error ? -error : 1;
}

/* 1 and the stream goes on; 0 it has ended; -errno. */
static int step(struct stream *s, uint32_t events)
{
	int r = 1;

	if (s->connecting)
		r = connected(s);
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		r = receive(s);
	if (r <= 0 || s->dead)
		return r;
	r = flush(s);
	if (r < 0)
		return r;
	if (s->refused && !s->finishing && queued(s) <= s->ops->queue_max / 2) {
		s->refused = false;
		if (s->ops->ready)
			s->ops->ready(s->arg);
	}
	return s->dead || !s->finishing || queued(s);
}

static void end(struct stream *s, int error)
{
	s->busy = true;
	if (!s->dead)
		s->ops->closed(s->arg, error);
	destroy(s);
}

static void on_io(void *arg, uint32_t events)
{
	struct stream *s = arg;
	int r;

	s->busy = true;
	r = step(s, events);
	s->busy = false;
	if (s->dead || r <= 0)
		end(s, r);
	else
		watch(s);
}

static void on_timer(void *arg)
{
	struct stream *s = arg;

	s->armed = USEC_INFINITY;
	if (deadline(s) <= loop_now(s->loop))
		end(s, -ETIMEDOUT);
	else
		watch(s);
}

static struct stream *new_stream(struct loop *l, const char *name, int fd,
				 const struct stream_ops *ops, void *arg, bool connecting)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	*s = (struct stream){.loop = l, .ops = ops, .arg = arg, .fd = fd, .connecting = connecting};
	s->active = s->out_since = loop_now(l);
	s->armed = USEC_INFINITY;
	s->io = loop_io(l, name, fd, 0, on_io, s);
	s->timer = loop_timer(l, name, on_timer, s);
	watch(s);
	return s;
}

/**
 * stream_new() - Put a connected socket on the loop
 * @l:    Loop
 * @name: For reports of stalls, a literal
 * @fd:   Socket; taken over
 * @ops:  What the user brings; borrowed, lasts
 * @arg:  First argument of its functions
 *
 * Return: the stream; it frees itself after closed(), else stream_close() does
 */
struct stream *stream_new(struct loop *l, const char *name, int fd, const struct stream_ops *ops,
			  void *arg)
{
	return new_stream(l, name, fd, ops, arg, false);
}

/**
 * stream_connect() - Connect a socket; ready() is called when it is
 * @l:    Loop
 * @name: For reports of stalls, a literal
 * @fd:   Socket, non-blocking, with the options that the user wants; taken over, also on failure
 * @to:   Address
 * @len:  Its length
 * @ops:  What the user brings; borrowed, lasts
 * @arg:  First argument of its functions
 * @ret:  Stream, which may be sent to already; untouched on failure
 *
 * Return: 0, -errno of connect()
 */
int stream_connect(struct loop *l, const char *name, int fd, const struct sockaddr *to,
		   socklen_t len, const struct stream_ops *ops, void *arg, struct stream **ret)
{
	if (connect(fd, to, len) < 0 && errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		return -error;
	}
	*ret = new_stream(l, name, fd, ops, arg, true);
	return 0;
}

/**
 * stream_fd() - The descriptor
 * @s: Stream
 *
 * Return: descriptor, borrowed
 */
int stream_fd(const struct stream *s)
{
	return s->fd;
}

/**
 * stream_close() - Close the connection at once; what waits to be sent is lost
 * @s: Stream or NULL; may be the one whose callback runs
 *
 * Return: NULL
 */
struct stream *stream_close(struct stream *s)
{
	if (!s)
		return NULL;
	s->dead = true;
	if (!s->busy)
		destroy(s);
	return NULL;
}
