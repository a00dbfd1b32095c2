// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http.c - curl's sockets and its timer as sources of the loop; easy handles as requests.
 *
 * curl calls back for every socket and for its one timer; what ends is collected after each of its
 * turns.  An easy handle is never removed inside one of its own callbacks: a request that is
 * cancelled there is only marked.
 *
 * The first request opens a connection alone; the others follow when its answer begins, because
 * only then it is known whether they can share it.  After a failure it is so again.
 *
 * TCP keep-alive finds a peer that went without a word after some 60 seconds; a peer that is there
 * but silent is for the owner of the request to notice.
 */
#include "watch/kube/http_internal.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utlist.h>

#define UNACKED_MSEC 30000
#define STREAMS_MAX  1000 /* of one HTTP/2 connection, if the server allows */

/* --- the server --------------------------------------------------------------------------------
 */

/* A secret must not stay in freed memory. */
static void free_secret(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

/**
 * http_server_done() - Free the texts
 * @s: Server
 */
void http_server_done(struct http_server *s)
{
	free(s->url);
	free(s->server_name);
	free(s->ca);
	free(s->cert);
	free(s->user);
	free(s->proxy);
	free_secret(&s->key);
	free_secret(&s->token);
	free_secret(&s->password);
	*s = (struct http_server){0};
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/**
 * http_set_server() - Whom to ask from now on
 * @h: Client
 * @s: Server; copied.  Requests under way go on as they began
 */
void http_set_server(struct http *h, const struct http_server *s)
{
	struct http_server new = {
		.url = copy(s->url),
		.server_name = copy(s->server_name),
		.ca = copy(s->ca),
		.cert = copy(s->cert),
		.key = copy(s->key),
		.insecure = s->insecure,
		.token = copy(s->token),
		.user = copy(s->user),
		.password = copy(s->password),
		.proxy = copy(s->proxy),
	};

	http_server_done(&h->server);
	h->server = new;
}

/* --- the end of requests -----------------------------------------------------------------------
 */

/* It is in no list and no multi handle any more. */
static void request_done(struct http_request *r)
{
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	curl_slist_free_all(r->connect_to);
	free(r->body);
	free(r->name);
	free(r);
}

/**
 * http_let_begin() - Have those that wait begin: one as the opener, or all
 * @h: Client
 *
 * Inside curl's callbacks, which must not add to it, nothing happens: they begin when it has
 * returned.
 */
void http_let_begin(struct http *h)
{
	struct http_request *r;

	if (h->in_curl)
		return;
	DL_FOREACH (h->requests, r) {
		if (r->added || r->cancelled || (h->opener && !h->open))
			continue;
		if (!h->open)
			h->opener = r;
		r->added = true;
		(void)curl_multi_add_handle(h->multi, r->easy); /* its timer begins the transfer */
	}
}

/**
 * http_request_free() - End a request and forget it
 * @r: Request; not inside curl's callbacks
 */
void http_request_free(struct http_request *r)
{
	struct http *h = r->http;

	DL_DELETE(h->requests, r);
	(void)curl_multi_remove_handle(h->multi, r->easy);
	if (h->opener == r)
		h->opener = NULL;
	request_done(r);
}

static int error_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return -EKEYREJECTED;
	default:
		return -EIO;
	}
}

/* Seconds; a date in this header is not used by API servers. */
static uint32_t retry_after(const struct http_request *r)
{
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds > 0 ? (uint32_t)MIN(seconds, 3600) : 0;
}

static void request_ended(struct http_request *r, CURLcode code)
{
	struct http_result result = {.error = error_of(code), .retry_after = retry_after(r)};
	const struct http_handler handler = r->handler;
	char text[CURL_ERROR_SIZE + 32];
	bool cancelled = r->cancelled;
	void *arg = r->arg;
	long status = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	/* curl says only what TLS said, a number sometimes. */
	(void)snprintf(text, sizeof(text), "%s%s",
		       code == CURLE_RECV_ERROR ? "connection broke: " : "",
		       *r->error ? r->error : curl_easy_strerror(code));
	result.status = (int)status;
	result.text = text;
	if (code != CURLE_OK && !cancelled)
		r->http->open = false;
	http_request_free(r);
	if (!cancelled)
		handler.done(arg, &result);
}

static void collect(struct http *h)
{
	struct http_request *r = NULL;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		request_ended(r, code);
	}
}

static void act(struct http *h, curl_socket_t fd, int events)
{
	struct http_request *r, *next;
	int running;

	h->in_curl = true;
	(void)curl_multi_socket_action(h->multi, fd, events, &running);
	h->in_curl = false;
	collect(h);
	if (TAKE(h->reap, false))
		DL_FOREACH_SAFE (h->requests, r, next)
			if (r->cancelled)
				http_request_free(r);
	http_let_begin(h);
}

/* --- curl's callbacks --------------------------------------------------------------------------
 */

static void on_io(void *arg, uint32_t events)
{
	struct socket *s = arg;
	int what = 0;

	if (events & EPOLLIN)
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		what |= CURL_CSELECT_ERR;
	act(s->http, s->fd, what);
}

static void on_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void socket_forget(struct socket *s)
{
	DL_DELETE(s->http->sockets, s);
	(void)loop_source_free(s->io);
	free(s);
}

static int on_socket(CURL *easy _unused_, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http *h = arg;
	struct socket *s = known;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	if (what == CURL_POLL_REMOVE) {
		if (s)
			socket_forget(s);
		return 0;
	}
	if (s) {
		loop_io_events(s->io, events);
		return 0;
	}
	s = xcalloc(1, sizeof(*s));
	s->http = h;
	s->fd = fd;
	s->io = loop_io(h->loop, "api", fd, events, on_io, s);
	DL_APPEND(h->sockets, s);
	(void)curl_multi_assign(h->multi, fd, s);
	return 0;
}

static int on_timer_change(CURLM *multi _unused_, long msec, void *arg)
{
	struct http *h = arg;

	loop_timer_at(h->timer,
		      msec < 0 ? USEC_INFINITY : monotonic_usec() + (uint64_t)msec * USEC_PER_MSEC);
	return 0;
}

/* To the owner.  False: it wants no more. */
static bool hand_over(struct http_request *r, const char *bytes, size_t n)
{
	long status = 0;

	if (r->cancelled)
		return false;
	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	return r->handler.data(r->arg, (int)status, bytes, n);
}

/**
 * http_on_header() - An answer begins: now it is known what the connection can do
 * @line: A line; the last one is empty
 * @size: 1
 * @n:    Bytes, the end of the line included
 * @arg:  struct http_request
 *
 * Return: bytes taken; CURL_WRITEFUNC_ERROR: the owner wants no more
 */
size_t http_on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;
	struct http *h = r->http;

	if (!h->open) {
		h->open = true;
		h->opener = NULL;
	}
	n *= size;
	return *line != '\r' || hand_over(r, line, 0) ? n : CURL_WRITEFUNC_ERROR;
}

/**
 * http_on_data() - Bytes of a body
 * @bytes: Bytes
 * @size:  1
 * @n:     Their number
 * @arg:   struct http_request
 *
 * Return: bytes taken; CURL_WRITEFUNC_ERROR: the owner wants no more
 */
size_t http_on_data(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;

	n *= size;
	r->http->stats.bytes += n;
	return hand_over(r, bytes, n) ? n : CURL_WRITEFUNC_ERROR;
}

/**
 * http_on_new_socket() - A connection is about to be made
 * @arg:     struct http
 * @fd:      Its socket
 * @purpose: Not looked at
 *
 * Return: CURL_SOCKOPT_OK
 */
int http_on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose _unused_)
{
	unsigned int msec = UNACKED_MSEC;
	struct http *h = arg;

	h->stats.connections++;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &msec, sizeof(msec));
	return CURL_SOCKOPT_OK;
}

/* --- the client --------------------------------------------------------------------------------
 */

static CURLM *new_multi(struct http *h)
{
	CURLM *m = curl_multi_init();

	if (!m)
		abort();
	(void)curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(m, CURLMOPT_SOCKETDATA, h);
	(void)curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer_change);
	(void)curl_multi_setopt(m, CURLMOPT_TIMERDATA, h);
	(void)curl_multi_setopt(m, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX);
	return m;
}

/* The connections end.  Curl 8 watches them once more to say goodbye: not on our loop. */
static void be_deaf(struct http *h)
{
	struct socket *s, *next;

	(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, NULL);
	(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, NULL);
	DL_FOREACH_SAFE (h->sockets, s, next)
		socket_forget(s);
}

/**
 * http_new() - Create a client, after libcurl_load(); http_set_server() comes before a request
 * @l: Loop
 *
 * Return: the client, to be freed
 */
struct http *http_new(struct loop *l)
{
	struct http *h = xcalloc(1, sizeof(*h));

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		abort();
	h->loop = l;
	h->timer = loop_timer(l, "api timer", on_timer, h);
	h->multi = new_multi(h);
	return h;
}

/**
 * http_free() - Cancel all requests and free the client
 * @h: Client or NULL
 *
 * Return: NULL
 */
struct http *http_free(struct http *h)
{
	struct http_request *r, *next;

	if (!h)
		return NULL;
	be_deaf(h);
	DL_FOREACH_SAFE (h->requests, r, next)
		http_request_free(r);
	(void)curl_multi_cleanup(h->multi);
	(void)loop_source_free(h->timer);
	http_server_done(&h->server);
	free(h);
	curl_global_cleanup();
	return NULL;
}

/**
 * http_fresh_connections() - Trust no connection that stands: somebody on one has gone silent
 * @h: Client; not from within a callback for data
 *
 * All requests under way end with -ESTALE; later ones open a new connection.
 */
void http_fresh_connections(struct http *h)
{
	struct http_request *r, *next, *requests;

	assert(!h->in_curl);
	be_deaf(h);
	DL_FOREACH (h->requests, r)
		if (r->added)
			(void)curl_multi_remove_handle(h->multi, r->easy);
	(void)curl_multi_cleanup(h->multi);
	h->multi = new_multi(h);
	h->open = false;
	h->opener = NULL;
	requests = TAKE(h->requests, NULL);
	DL_FOREACH_SAFE (requests, r, next) {
		static const struct http_result stale = {.error = -ESTALE,
							 .text = "the connection has gone silent"};
		const struct http_handler handler = r->handler;
		void *arg = r->arg;

		DL_DELETE(requests, r);
		request_done(r);
		handler.done(arg, &stale);
	}
}

/**
 * http_stats() - Figures
 * @h:   Client
 * @ret: Figures
 */
void http_stats(const struct http *h, struct http_stats *ret)
{
	*ret = h->stats;
}
