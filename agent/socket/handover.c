// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * handover.c - a list of descriptors as one message: names in its text, descriptors beside it.
 */
#include "agent/socket/handover.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/socket/wire.h"
#include "lib/jsonw.h"

/**
 * handover_add() - Add a descriptor
 * @h:    List
 * @name: Its name, copied
 * @fd:   Descriptor, borrowed until handover_forget(); -1: there is none, nothing is added
 */
void handover_add(struct handover *h, const char *name, int fd)
{
	if (fd < 0)
		return;
	vec_push(&h->name, xstrdup(name));
	vec_push(&h->fd, fd);
}

/**
 * handover_take() - Take a descriptor out of the list
 * @h:    List
 * @name: Name
 *
 * Return: descriptor, to be closed; -1 if there is none of that name
 */
int handover_take(struct handover *h, const char *name)
{
	for (size_t i = 0; i < h->name.n; i++)
		if (streq(h->name.v[i], name) && h->fd.v[i] >= 0)
			return TAKE(h->fd.v[i], -1);
	return -1;
}

/**
 * handover_forget() - Free a list of borrowed descriptors
 * @h: List; empty afterwards
 */
void handover_forget(struct handover *h)
{
	vec_foreach (name, &h->name)
		free(*name);
	vec_done(&h->name);
	vec_done(&h->fd);
}

/**
 * handover_close() - Close what nobody took
 * @h: List as received; empty afterwards
 */
void handover_close(struct handover *h)
{
	vec_foreach (fd, &h->fd)
		if (*fd >= 0)
			close(*fd);
	handover_forget(h);
}

static void put_names(const struct handover *h, struct buf *out)
{
	_cleanup_(buf_done) struct buf json = {0};
	struct jsonw w = {.out = &json};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "do", "take-over");
	jsonw_begin(&w, "descriptors", '[');
	vec_foreach (name, &h->name)
		jsonw_str(&w, NULL, *name);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	wire_put(json.data, out);
}

/**
 * handover_send() - Send the list to the next agent
 * @socket: Its connection, on which nothing waits to be sent
 * @h:      List, at most HANDOVER_MAX
 *
 * Return: 0; -EMSGSIZE if it did not go in one piece; -errno
 */
int handover_send(int socket, const struct handover *h)
{
	_cleanup_(buf_done) struct buf text = {0};
	char control[CMSG_SPACE(HANDOVER_MAX * sizeof(int))] = {0};
	struct iovec bytes;
	struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *c = (struct cmsghdr *)control;
	ssize_t n;

	assert(h->fd.n > 0 && h->fd.n <= HANDOVER_MAX);
	put_names(h, &text);
	bytes = (struct iovec){text.data, text.len};
	m.msg_controllen = CMSG_SPACE(h->fd.n * sizeof(int));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(h->fd.n * sizeof(int));
	memcpy(CMSG_DATA(c), h->fd.v, h->fd.n * sizeof(int));
	n = sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	return (size_t)n == text.len ? 0 : -EMSGSIZE;
}

/**
 * handover_receive() - Name the descriptors that came
 * @m:      The message beside them
 * @fds:    Descriptors in its order; closed on failure
 * @n:      Their number
 * @ret:    List; untouched on failure
 * @reterr: What is wrong
 *
 * Return: 0, -EPROTO
 */
int handover_receive(const struct value *m, int *fds, size_t n, struct handover *ret,
		     struct err *reterr)
{
	const struct value *list = NULL;
	const char *what = NULL;
	struct handover h = {0};

	(void)value_get_str(m, "", "do", &what, NULL);
	(void)value_get_seq(m, "", "descriptors", &list, NULL);
	for (uint32_t i = 0; i < n; i++)
		handover_add(&h,
			     list && i < list->n && list->items[i]->type == VALUE_STRING
				     ? list->items[i]->text
				     : "",
			     fds[i]);
	if (!streq(what, "take-over") || !list || list->n != n) {
		handover_close(&h);
		return err_set(reterr, -EPROTO, "the agent's answer is not a list of descriptors");
	}
	*ret = h;
	return 0;
}
