// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * refuser.c - preloaded by an agent: the kernel refuses what the test does not like.
 *
 * While the file $MANX_REFUSE exists, every message of a transaction that holds its bytes goes to
 * the kernel with a type that nf_tables does not know.  So the kernel itself refuses the
 * transaction, for that message.
 */
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NO_SUCH_TYPE = 0xff };

static size_t read_needle(char *bytes, size_t size)
{
	const char *path = getenv("MANX_REFUSE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = 0;

	if (fd >= 0) {
		n = read(fd, bytes, size);
		close(fd);
	}
	return n > 0 ? (size_t)n : 0;
}

static void spoil(char *batch, size_t len, const char *needle, size_t n)
{
	struct nlmsghdr *h = (struct nlmsghdr *)batch;
	int left = (int)len;

	for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
		if (memmem(h, h->nlmsg_len, needle, n))
			h->nlmsg_type |= NO_SUCH_TYPE;
}

static int is_transaction(const void *data, size_t len, const struct sockaddr *to)
{
	const struct nlmsghdr *h = data;

	return to && to->sa_family == AF_NETLINK && len >= sizeof(*h) &&
	       h->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

/**
 * sendto() - In the place of the C library's
 * @fd:     As there
 * @data:   As there
 * @len:    As there
 * @flags:  As there
 * @to:     As there
 * @to_len: As there
 *
 * Return: as there
 */
ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	char needle[16], *copy = NULL;
	size_t n = is_transaction(data, len, to) ? read_needle(needle, sizeof(needle)) : 0;
	ssize_t sent;

	if (n && (copy = malloc(len))) {
		memcpy(copy, data, len);
		spoil(copy, len, needle, n);
	}
	sent = syscall(SYS_sendto, fd, copy ? copy : data, len, flags, to, to_len);
	free(copy);
	return sent;
}
