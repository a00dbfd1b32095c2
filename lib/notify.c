// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * notify.c - datagrams to $NOTIFY_SOCKET: states, and signs of life for the watchdog.
 *
 * Source: sd_notify(3), sd_watchdog_enabled(3).
 */
#include "lib/notify.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define LATER_USEC (50 * USEC_PER_MSEC)

/*
 * struct notify
 * @fd:      -1: there is no manager
 * @owed:    State that the manager had no room for; NULL: none
 * @period:  Of signs of life
 * @feed_at: When the next one is due; USEC_INFINITY: nobody wants any
 */
struct notify {
	int fd;
	struct sockaddr_un to;
	socklen_t to_len;
	struct loop_source *timer;
	const char *owed;
	uint64_t period, feed_at;
};

/* A path, or a name in the abstract namespace, which begins with "@". */
static bool read_address(struct notify *n, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (!len || len >= sizeof(n->to.sun_path) || !strchr("/@", *text))
		return false;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, text, len);
	if (*text == '@')
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*text == '/'));
	return true;
}

/* False: there is no room, try again.  With whom is not there it is of no use. */
static bool sent(const struct notify *n, const char *text)
{
	return sendto(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *)&n->to, n->to_len) >= 0 ||
	       (errno != EAGAIN && errno != EINTR && errno != ENOBUFS && errno != ENOMEM);
}

static void send_what_is_due(struct notify *n)
{
	uint64_t now = monotonic_usec();

	if (n->owed && sent(n, n->owed))
		n->owed = NULL;
	if (n->feed_at <= now)
		n->feed_at = now + (sent(n, "WATCHDOG=1") ? n->period : LATER_USEC);
	loop_timer_at(n->timer, MIN(n->feed_at, n->owed ? now + LATER_USEC : USEC_INFINITY));
}

static void on_timer(void *arg)
{
	send_what_is_due(arg);
}

/**
 * notify_new() - Find the service manager, and feed its watchdog from now on if it has one
 * @l: Loop
 *
 * Return: to be freed before @l; without a manager it does nothing
 */
struct notify *notify_new(struct loop *l)
{
	struct notify *n = xcalloc(1, sizeof(*n));
	uint64_t limit = 0;

	n->fd = -1;
	n->feed_at = USEC_INFINITY;
	if (read_address(n, getenv("NOTIFY_SOCKET")))
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		return n;
	n->timer = loop_timer(l, "notify", on_timer, n);
	if (sd_watchdog_enabled(false, &limit) > 0) {
		n->period = limit / 2;
		n->feed_at = 0;
	}
	send_what_is_due(n);
	return n;
}

/**
 * notify_free() - Tell nothing more
 * @n: Object or NULL
 *
 * Return: NULL
 */
struct notify *notify_free(struct notify *n)
{
	if (!n)
		return NULL;
	(void)loop_source_free(n->timer);
	if (n->fd >= 0)
		close(n->fd);
	free(n);
	return NULL;
}

/**
 * notify_say() - Tell a state, now or when there is room; one that is not told yet is replaced
 * @n:     Object
 * @state: "READY=1", a literal
 */
void notify_say(struct notify *n, const char *state)
{
	if (n->fd < 0)
		return;
	n->owed = state;
	send_what_is_due(n);
}
