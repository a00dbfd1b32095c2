// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pages.c - libmicrohttpd inside the loop: no thread, its epoll descriptor is one of our sources.
 *
 * The listening socket is ours (lib/acceptor.h) rather than the library's: an error names its
 * cause, and the loop rests while no descriptor is left.  Who may hold a connection is for places.h
 * to say; one that has to go is shut down, and the library ends it.  Limits: PAGES_MAX pages,
 * 16 KiB of memory a connection for the request (longer headers are answered with 431 by the
 * library), no request body.
 */
#include "agent/report/pages.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/report/places.h"
#include "lib/acceptor.h"
#include "lib/log.h"

#define CONNECTION_MEMORY (16u << 10)
#define BACKLOG		  1024 /* connections that wait for one wake-up each */
#define PLAIN_TEXT	  "text/plain; charset=utf-8"

struct route {
	const char *path;
	pages_fn *fn;
	void *arg;
};

struct pages {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct acceptor *acceptor;
	struct loop_source *io, *timer;
	uint16_t port;
	struct places places;
	size_t n_routes;
	struct route routes[PAGES_MAX];
};

static const struct route *find_route(const struct pages *s, const char *path)
{
	for (size_t i = 0; i < s->n_routes; i++)
		if (streq(s->routes[i].path, path))
			return &s->routes[i];
	return NULL;
}

static enum MHD_Result respond(struct MHD_Connection *c, unsigned int status, const char *type,
			       struct buf *body)
{
	struct MHD_Response *r;
	enum MHD_Result result;
	size_t len = body->len;

	r = MHD_create_response_from_buffer(len, buf_take(body), MHD_RESPMEM_MUST_FREE);
	if (!r)
		abort(); /* out of memory, as everywhere */
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result respond_text(struct MHD_Connection *c, unsigned int status, const char *text)
{
	struct buf body = {0};

	buf_puts(&body, text);
	return respond(c, status, PLAIN_TEXT, &body);
}

static enum MHD_Result answer(const struct pages *s, struct MHD_Connection *c, const char *path)
{
	const struct route *route = find_route(s, path);
	const char *type = PLAIN_TEXT;
	struct buf body = {0};
	unsigned int status;

	if (!route)
		return respond_text(c, MHD_HTTP_NOT_FOUND, "not found\n");
	status = route->fn(route->arg, &body, &type);
	return respond(c, status, type, &body);
}

/*
 * The library calls once with the header, then with each part of a body, then once more.  An
 * answer to the first call closes the connection: right for what is refused (its body is never
 * read), wrong for a scraper that comes back every few seconds.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version _unused_,
				  const char *upload _unused_, size_t *upload_len, void **context)
{
	if (!streq(method, MHD_HTTP_METHOD_GET) && !streq(method, MHD_HTTP_METHOD_HEAD))
		return respond_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
	if (!*context || *upload_len > 0) {
		*context = arg;
		*upload_len = 0;
		return MHD_YES;
	}
	return answer(arg, c, path);
}

/* --- who holds a connection --------------------------------------------------------------------
 */

static struct place *place_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pages *s = arg;
	struct place *mine = *context;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (mine)
			*mine = (struct place){0};
		return;
	}
	for (size_t i = 0; info && i < ARRAY_SIZE(s->places.p); i++)
		if (s->places.p[i].used && s->places.p[i].fd == info->connect_fd)
			*context = &s->places.p[i];
}

/* The answer is out: the time for the next request begins. */
static void on_completed(void *arg, struct MHD_Connection *c, void **context _unused_,
			 enum MHD_RequestTerminationCode how _unused_)
{
	const struct pages *s = arg;
	struct place *p = place_of(c);

	if (p)
		p->since = loop_now(s->loop);
}

/* The library notices, and gives the place back. */
static void end_connection(struct place *p)
{
	(void)shutdown(p->fd, SHUT_RDWR);
	p->fd = -1;
}

/* Let the library work, then wake it when it asks to, if nothing arrives before. */
static void drive(struct pages *s)
{
	uint64_t now = loop_now(s->loop), at;
	MHD_UNSIGNED_LONG_LONG msec;
	struct place *p;

	while ((p = places_overdue(&s->places, now)))
		end_connection(p);
	if (MHD_run(s->daemon) != MHD_YES)
		log_err("http", "server failed, pages may be missing", "port=%u", s->port);
	at = places_deadline(&s->places);
	if (MHD_get_timeout(s->daemon, &msec) == MHD_YES)
		at = MIN(at, now + msec * USEC_PER_MSEC);
	loop_timer_at(s->timer, at);
}

static void peer_of(const struct sockaddr_storage *sa, struct addr *ret)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

	*ret = (struct addr){0};
	if (sa->ss_family == AF_INET) {
		ret->family = AF_INET;
		memcpy(ret->b, &in->sin_addr, 4);
	} else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		ret->family = AF_INET;
		memcpy(ret->b, &in6->sin6_addr.s6_addr[12], 4);
	} else {
		ret->family = AF_INET6;
		memcpy(ret->b, &in6->sin6_addr, 16);
	}
}

static void on_connect(void *arg, int fd)
{
	struct pages *s = arg;
	struct sockaddr_storage sa = {0};
	struct place *mine, *victim;
	socklen_t len = sizeof(sa);
	struct addr peer;

	(void)getpeername(fd, (struct sockaddr *)&sa, &len);
	peer_of(&sa, &peer);
	mine = places_take(&s->places, fd, &peer, loop_now(s->loop));
	if (!mine) { /* those told to end have not ended yet */
		close(fd);
		return;
	}
	victim = places_victim(&s->places, mine);
	if (victim)
		end_connection(victim);
	if (MHD_add_connection(s->daemon, fd, (struct sockaddr *)&sa, len) != MHD_YES)
		*mine = (struct place){0};
	drive(s);
}

static void on_io(void *arg, uint32_t events _unused_)
{
	drive(arg);
}

static void on_timer(void *arg)
{
	drive(arg);
}

static socklen_t to_sockaddr(const struct pages_address *a, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (!a->any && a->addr.family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->addr.b, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	if (!a->any)
		memcpy(&in6->sin6_addr, a->addr.b, 16);
	return sizeof(*in6);
}

static int bind_and_listen(int fd, const struct pages_address *a)
{
	struct sockaddr_storage sa;
	socklen_t len = to_sockaddr(a, &sa);
	int on = 1, only6 = !a->any;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (sa.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof(only6)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

/* ":PORT" on a host without IPv6 falls back to every IPv4 address. */
static int open_socket(const struct pages_address *a, int *ret)
{
	struct pages_address every4 = {.addr = {.family = AF_INET}, .port = a->port};
	int family = !a->any && a->addr.family == AF_INET ? AF_INET : AF_INET6;
	_cleanup_(closep) int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0 && errno == EAFNOSUPPORT && a->any)
		return open_socket(&every4, ret);
	if (fd < 0)
		return -errno;
	r = bind_and_listen(fd, a);
	if (r == 0)
		*ret = TAKE(fd, -1);
	return r;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 sa = {0}; /* the port is at the same place in both families */
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return 0;
	return ntohs(sa.sin6_port);
}

static struct MHD_Daemon *start_daemon(struct pages *s)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request,
				s, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)(2 * PLACES_MAX),
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)PAGES_TIMEOUT_SEC,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
}

/**
 * pages_start() - Listen and serve
 * @l:      Loop
 * @a:      Address; not off
 * @socket: The socket that listens there already, taken over; -1: none does
 * @ret:    Server without pages; untouched on failure
 * @reterr: Message without the address
 *
 * Return: 0; -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, another -errno
 */
int pages_start(struct loop *l, const struct pages_address *a, int socket, struct pages **ret,
		struct err *reterr)
{
	_cleanup_(pages_stopp) struct pages *s = xcalloc(1, sizeof(*s));
	const union MHD_DaemonInfo *info;
	_cleanup_(closep) int fd = socket;
	int r;

	assert(!a->off);
	r = fd < 0 ? open_socket(a, &fd) : 0;
	if (r < 0)
		return err_set(reterr, r, "cannot listen: %s", strerror(-r));
	s->loop = l;
	s->port = port_of(fd);
	s->daemon = start_daemon(s);
	if (!s->daemon)
		return err_set(reterr, -EIO, "cannot start libmicrohttpd: %m");
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_set(reterr, -EOPNOTSUPP, "libmicrohttpd was built without epoll");
	s->acceptor = acceptor_new(l, "http", TAKE(fd, -1), on_connect, s);
	s->io = loop_io(l, "http", info->epoll_fd, EPOLLIN, on_io, s);
	s->timer = loop_timer(l, "http timer", on_timer, s);
	if (a->any || !addr_is_loopback(&a->addr))
		log_warn("http",
			 "http-address is open to pods and to all who reach this node; metrics and "
			 "states can be read there",
			 "port=%u", s->port);
	*ret = TAKE(s, NULL);
	return 0;
}

/**
 * pages_route() - Serve a page
 * @s:    Server
 * @path: "/metrics", a literal; compared whole, without the query
 * @fn:   Writes the page
 * @arg:  Its context
 */
void pages_route(struct pages *s, const char *path, pages_fn *fn, void *arg)
{
	assert(s->n_routes < PAGES_MAX);
	s->routes[s->n_routes++] = (struct route){path, fn, arg};
}

/**
 * pages_port() - The port that is served
 * @s: Server
 *
 * Return: port, host byte order; the one that the kernel picked when 0 was asked for
 */
uint16_t pages_port(const struct pages *s)
{
	return s->port;
}

/**
 * pages_hold() - Let connections wait, or no longer
 * @s:    Server or NULL
 * @hold: Let them wait
 */
void pages_hold(struct pages *s, bool hold)
{
	if (s)
		acceptor_hold(s->acceptor, hold);
}

/**
 * pages_fd() - The socket that listens
 * @s: Server or NULL
 *
 * Return: descriptor, borrowed; -1 if there is none
 */
int pages_fd(const struct pages *s)
{
	return s ? acceptor_fd(s->acceptor) : -1;
}

/**
 * pages_stop() - Close the socket and every connection
 * @s: Server or NULL
 *
 * Return: NULL
 */
struct pages *pages_stop(struct pages *s)
{
	if (!s)
		return NULL;
	(void)acceptor_free(s->acceptor);
	(void)loop_source_free(s->io);
	(void)loop_source_free(s->timer);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	free(s);
	return NULL;
}
