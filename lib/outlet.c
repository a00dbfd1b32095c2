// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * outlet.c - see outlet.h.  What standard error is is found out at the first line; that is state of
 * the process, as standard error is.
 */
#include "lib/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(OUTLET_LINE_MAX == PIPE_BUF, "a line is written whole");

static const char cut_off[] = {'.', '.', '.', '\n'}; /* how a line ends that was too long */

/* @cut: The last line was taken in part */
static struct {
	enum { UNSEEN, FILE_LIKE, SOCKET, OWN, SHARED } how;
	int fd;
	bool cut;
} outlet;

static void look(void)
{
	struct stat st;
	int fd;

	outlet.how = FILE_LIKE;
	outlet.fd = STDERR_FILENO;
	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	if (S_ISSOCK(st.st_mode)) {
		outlet.how = SOCKET;
	} else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		outlet.how = fd < 0 ? SHARED : OWN;
		outlet.fd = fd < 0 ? STDERR_FILENO : fd;
	}
}

static bool has_room(void)
{
	struct pollfd p = {.fd = outlet.fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static ssize_t put(const char *bytes, size_t n)
{
	if (outlet.how == SOCKET)
		return send(outlet.fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (outlet.how == SHARED && !has_room()) {
		errno = EAGAIN;
		return -1;
	}
	return write(outlet.fd, bytes, n);
}

/**
 * outlet_write() - Write a line, if its reader has room for it
 * @line: Text with its end of line
 * @len:  Bytes; what is beyond OUTLET_LINE_MAX is cut off
 *
 * Return: false if it is lost: the reader does not read, or there is none
 */
bool outlet_write(const char *line, size_t len)
{
	char text[OUTLET_LINE_MAX];
	size_t n = 0;
	ssize_t done;

	if (outlet.how == UNSEEN)
		look();
	if (outlet.cut)
		text[n++] = '\n';
	memcpy(text + n, line, MIN(len, sizeof(text) - n));
	if (len > sizeof(text) - n) {
		n = sizeof(text);
		memcpy(text + n - sizeof(cut_off), cut_off, sizeof(cut_off));
	} else {
		n += len;
	}
	do
		done = put(text, n);
	while (done < 0 && errno == EINTR);
	if (done <= 0)
		return false;
	outlet.cut = (size_t)done < n;
	return !outlet.cut;
}
