// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client.c - one call to the agent: send it, do what is asked in between, take the result.
 */
#include "agent/socket/client.h"

#include <endian.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/socket/wire.h"
#include "lib/jsonw.h"
#include "watch/document/json.h"

/* Whoever answers has us change links: it must be root, or, in tests, be who we are. */
static bool peer_is_trusted(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == 0 || cred.uid == geteuid());
}

/**
 * client_connect() - Connect to the agent
 * @path:    Its socket
 * @seconds: To wait for it to take the connection, and each message, and to send one
 * @reterr:  Message
 *
 * The time limits come first: connect() waits while the agent's backlog is full.
 *
 * Return: descriptor; -ENOENT, -ECONNREFUSED if nobody listens; -EPERM if that is not root; -errno
 */
int client_connect(const char *path, int seconds, struct err *reterr)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval timeout = {.tv_sec = seconds};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(reterr, -ENAMETOOLONG, "socket %s: the name is too long", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(reterr, -errno, "the agent does not answer on %s: %s", path,
			       strerror(errno));
	if (!peer_is_trusted(fd))
		return err_set(reterr, -EPERM, "socket %s: the program behind it is not root's",
			       path);
	return TAKE(fd, -1);
}

static int send_bytes(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/**
 * client_send() - Send a message
 * @fd:     Connection
 * @json:   Message
 * @reterr: Message
 *
 * Return: 0, -errno
 */
int client_send(int fd, const char *json, struct err *reterr)
{
	uint32_t len = htole32((uint32_t)strlen(json));
	int r = send_bytes(fd, (const char *)&len, sizeof(len));

	if (r == 0)
		r = send_bytes(fd, json, strlen(json));
	return r == 0 ? 0 : err_set(reterr, r, "sending to the agent: %s", strerror(-r));
}

/* What came beside the bytes; the kernel closes what is not asked for. */
static void keep_descriptors(struct msghdr *m, struct client_fds *fds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (fds->n < ARRAY_SIZE(fds->fd))
				fds->fd[fds->n++] = fd;
			else
				close(fd);
		}
	}
}

static ssize_t receive_some(int fd, char *p, size_t n, struct client_fds *fds)
{
	char control[CMSG_SPACE(sizeof(fds->fd))];
	struct iovec bytes = {p, n};
	struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1};
	ssize_t got;

	if (fds) {
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
	}
	got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	if (got > 0 && fds)
		keep_descriptors(&m, fds);
	return got;
}

static int receive_bytes(int fd, char *p, size_t n, struct client_fds *fds)
{
	while (n) {
		ssize_t got = receive_some(fd, p, n, fds);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EPIPE;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

/**
 * client_receive() - Wait for a message
 * @fd:     Connection
 * @fds:    Descriptors that come with it are added, to be closed, also on failure; NULL: none are
 *          wanted
 * @ret:    Message; untouched on failure
 * @reterr: Message
 *
 * Return: 0; -EPIPE at the end of the connection; -EAGAIN when nothing came in time; -errno
 */
int client_receive(int fd, struct client_fds *fds, struct value_doc **ret, struct err *reterr)
{
	_cleanup_(freep) char *text = NULL;
	uint32_t len = 0;
	int r = receive_bytes(fd, (char *)&len, sizeof(len), fds);

	len = le32toh(len);
	if (r == 0 && len > WIRE_MAX)
		r = -EMSGSIZE;
	if (r == 0) {
		text = xmalloc(len + 1);
		r = receive_bytes(fd, text, len, fds);
	}
	if (r < 0)
		return err_set(reterr, r, "the agent ended the call: %s", strerror(-r));
	return json_parse(text, len, ret, reterr);
}

/* Do what is asked, and answer. */
static int do_it(int fd, client_do_fn *fn, void *arg, const struct value *m, struct err *reterr)
{
	_cleanup_(buf_done) struct buf done = {0}, failed = {0};
	struct jsonw w = {.out = &done};
	struct err e = {0};
	int code;

	jsonw_begin(&w, NULL, '{');
	jsonw_bool(&w, "done", true);
	code = fn(arg, m, &w, &e);
	jsonw_end(&w, '}');
	if (!code)
		return client_send(fd, done.data, reterr);
	w = (struct jsonw){.out = &failed};
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "error", e.msg);
	jsonw_int(&w, "code", code);
	jsonw_end(&w, '}');
	return client_send(fd, failed.data, reterr);
}

/* 1: the message was a part of the text, and was taken; 0: it is something else. */
static int take_part(const struct value *m, struct buf *ret_text)
{
	const char *text = NULL;

	if (value_get_str(m, "", "part", &text, NULL) <= 0)
		return 0;
	buf_puts(ret_text, text);
	return 1;
}

/* 1: the message is the result and was taken; 0: it is something else; -errno. */
static int take_result(const struct value *m, struct buf *ret_text, int *ret_exit,
		       struct err *reterr)
{
	const char *text = NULL;
	int64_t code = 0;
	int r;

	if (m->type != VALUE_MAP)
		return err_set(reterr, -EPROTO, "the agent's message is not a map");
	r = value_get_str(m, "", "result", &text, reterr);
	if (r > 0)
		r = value_get_int(m, "", "exit", 0, 255, &code, reterr);
	if (r < 0 || !text)
		return r;
	buf_puts(ret_text, text);
	*ret_exit = (int)code;
	return 1;
}

/* One message of the agent: 1 it was the result, 0 go on, -errno. */
static int handle(int fd, client_do_fn *fn, void *arg, struct buf *ret_text, int *ret_exit,
		  struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	int r = client_receive(fd, NULL, &doc, reterr);

	if (r == 0 && take_part(value_root(doc), ret_text))
		return 0;
	if (r == 0)
		r = take_result(value_root(doc), ret_text, ret_exit, reterr);
	if (r != 0)
		return r;
	if (!fn)
		return err_set(reterr, -EPROTO, "unexpected message from the agent");
	return do_it(fd, fn, arg, value_root(doc), reterr);
}

/**
 * client_call() - Call the agent
 * @socket_path: Its socket
 * @json:        The call
 * @fn:          Does what the agent asks for; NULL for calls without such
 * @arg:         Its first argument
 * @ret_text:    Appended to: what to print
 * @ret_exit:    What to exit with
 * @reterr:      What failed
 *
 * Waits CLIENT_TIMEOUT_SEC for the connection and for each message.
 *
 * Return: 0; -errno if the agent could not be reached or went away before the result
 */
int client_call(const char *socket_path, const char *json, client_do_fn *fn, void *arg,
		struct buf *ret_text, int *ret_exit, struct err *reterr)
{
	_cleanup_(closep) int fd = client_connect(socket_path, CLIENT_TIMEOUT_SEC, reterr);
	int r = fd < 0 ? fd : client_send(fd, json, reterr);

	while (r == 0)
		r = handle(fd, fn, arg, ret_text, ret_exit, reterr);
	return r < 0 ? r : 0;
}
