/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.h - messages over a connected socket on the loop.
 *
 * Bytes that come are cut to messages by the user's frame function; bytes to be sent wait in a
 * queue with a bound.  The user sets options on the descriptor and gives it away.  Nothing here
 * blocks, and no callback runs inside a function that the user calls: a connection that breaks
 * while something is sent reports that from the loop.
 */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "lib/loop.h"

struct stream;

/*
 * struct stream_ops - what a user brings
 * @frame:   How many bytes the message at the beginning of @data takes, more than @len if it is not
 *           whole; 0 if these bytes do not say yet; -errno if they cannot be a message.  @len is at
 *           least 1
 * @message: One whole message, borrowed; may close the stream
 * @ready:   Connected (stream_connect()), or half of the queue is free after stream_send() refused;
 *           may close the stream; NULL if the user has no need
 * @closed:  The connection ended and the stream goes: 0 when the peer closed it between two
 * messages or everything was sent after stream_finish(); -ETIMEDOUT, -EMSGSIZE, -EPIPE in the
 *           middle of a message, what @frame returned, or -errno of the system.  Not called by
 *           stream_close()
 * @message_max: Bytes of an incoming message
 * @queue_max:   Bytes that may wait to be sent, beside a single message
 * @idle_usec:   The stream ends when nothing came or went for so long; 0: it may be silent
 * @stuck_usec:  It ends when a message that began is not whole after so long, when the peer takes
 *               nothing of the queue for so long, or the connection is not made; 0: no limit
 */
struct stream_ops {
	ssize_t (*frame)(const char *data, size_t len);
	void (*message)(void *arg, const char *data, size_t len);
	void (*ready)(void *arg);
	void (*closed)(void *arg, int error);
	size_t message_max, queue_max;
	uint64_t idle_usec, stuck_usec;
};

struct stream *stream_new(struct loop *l, const char *name, int fd, const struct stream_ops *ops,
			  void *arg);
int stream_connect(struct loop *l, const char *name, int fd, const struct sockaddr *to,
		   socklen_t len, const struct stream_ops *ops, void *arg, struct stream **ret);
bool stream_send(struct stream *s, const char *data, size_t len);
void stream_finish(struct stream *s);
int stream_fd(const struct stream *s);
struct stream *stream_close(struct stream *s);
