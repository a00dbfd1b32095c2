// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * acceptor.c - accept one connection a wake-up, pause when the system has none to give.
 */
#include "lib/acceptor.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

/*
 * struct acceptor
 * @held:    The owner wants no more for now
 * @starved: The last try found no descriptor or memory
 */
struct acceptor {
	struct loop *loop;
	const char *name;
	int fd;
	acceptor_fn *fn;
	void *arg;
	struct loop_source *io, *timer;
	bool held, starved;
};

static void listen_or_not(struct acceptor *a, bool yes)
{
	loop_io_events(a->io, yes && !a->held ? EPOLLIN : 0);
}

static void pause_for_a_while(struct acceptor *a, int error)
{
	if (!a->starved)
		log_err(a->name, "connections have to wait, the system has no room for them",
			"err=\"%s\"", strerror(error));
	a->starved = true;
	listen_or_not(a, false);
	loop_timer_at(a->timer, loop_now(a->loop) + ACCEPTOR_PAUSE_USEC);
}

static void on_connect(void *arg, uint32_t events _unused_)
{
	struct acceptor *a = arg;
	int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_for_a_while(a, errno);
		else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			log_warn(a->name, "cannot accept a connection", "err=\"%s\"",
				 strerror(errno));
		return;
	}
	if (a->starved)
		log_info(a->name, "connections are served again", NULL);
	a->starved = false;
	a->fn(a->arg, fd);
}

static void on_timer(void *arg)
{
	listen_or_not(arg, true);
}

/**
 * acceptor_new() - Put a listening socket on the loop
 * @l:    Loop
 * @name: For the log and the loop; a literal
 * @fd:   Socket, non-blocking; taken over
 * @fn:   Takes each connection; may not free the acceptor
 * @arg:  Its first argument
 *
 * Return: the acceptor, to be freed
 */
struct acceptor *acceptor_new(struct loop *l, const char *name, int fd, acceptor_fn *fn, void *arg)
{
	struct acceptor *a = xcalloc(1, sizeof(*a));

	*a = (struct acceptor){.loop = l, .name = name, .fd = fd, .fn = fn, .arg = arg};
	a->io = loop_io(l, name, fd, EPOLLIN, on_connect, a);
	a->timer = loop_timer(l, name, on_timer, a);
	return a;
}

/**
 * acceptor_free() - Close the socket
 * @a: Acceptor or NULL
 *
 * Return: NULL
 */
struct acceptor *acceptor_free(struct acceptor *a)
{
	if (!a)
		return NULL;
	(void)loop_source_free(a->io);
	(void)loop_source_free(a->timer);
	close(a->fd);
	free(a);
	return NULL;
}

/**
 * acceptor_hold() - Let connections wait, or no longer
 * @a:    Acceptor
 * @hold: Let them wait
 */
void acceptor_hold(struct acceptor *a, bool hold)
{
	if (a->held == hold)
		return;
	a->held = hold;
	listen_or_not(a, true);
}

/**
 * acceptor_fd() - The listening socket
 * @a: Acceptor
 *
 * Return: descriptor, borrowed
 */
int acceptor_fd(const struct acceptor *a)
{
	return a->fd;
}
