// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fake_agent.c - one connection, served by a child: read a message, write it down, send the next
 * one of the script; at its end close.
 */
#include "fake_agent.h"

#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/socket/wire.h"

static bool read_all(int fd, void *data, size_t n)
{
	return recv(fd, data, n, MSG_WAITALL) == (ssize_t)n;
}

/* Write one message of the caller down, on a line; false at the end of the connection. */
static bool take(int fd, int log)
{
	_cleanup_(freep) char *text = NULL;
	uint32_t len;

	if (!read_all(fd, &len, sizeof(len)))
		return false;
	len = le32toh(len);
	if (len > WIRE_MAX)
		_exit(2);
	text = xmalloc(len + 1);
	if (len && !read_all(fd, text, len))
		_exit(3);
	text[len] = '\n';
	if (write(log, text, len + 1) != (ssize_t)len + 1)
		_exit(4);
	return true;
}

static void say(int fd, const char *message)
{
	bool half = strcmp(message, FAKE_SHORT) == 0, huge = strcmp(message, FAKE_HUGE) == 0;
	uint32_t n = half ? 100 : huge ? WIRE_MAX + 1 : (uint32_t)strlen(message);
	uint32_t len = htole32(n);

	if (send(fd, &len, sizeof(len), MSG_NOSIGNAL) != sizeof(len))
		_exit(5);
	/* A caller need not wait for the text of what is wrong already. */
	(void)send(fd, message, strlen(message), MSG_NOSIGNAL);
}

static void serve(int listener, int log, const char *const *messages)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		_exit(1);
	for (bool heard = false; *messages; messages++) {
		if (!heard && !take(fd, log))
			_exit(6);
		say(fd, *messages);
		heard = strstr(*messages, "\"part\""); /* nobody answers to a part */
	}
	(void)shutdown(fd, SHUT_WR);
	while (take(fd, log))
		;
	_exit(0);
}

/**
 * fake_agent_start() - Listen
 * @f:        Handle; @path is its socket
 * @messages: What to say after each message of the caller; NULL-terminated
 */
void fake_agent_start(struct fake_agent *f, const char *const *messages)
{
	_cleanup_(closep) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), log = -1;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/manx-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/cni.sock", f->dir);
	(void)snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", f->path);
	log = open(f->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(log >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(listener, 8), 0);
	(void)fflush(NULL);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		serve(listener, log, messages);
}

/**
 * fake_agent_stop() - Wait until the caller has gone
 * @f: Handle; its folder is removed
 *
 * Return: the messages of the caller, one a line; to be freed
 */
char *fake_agent_stop(struct fake_agent *f)
{
	char *text = xcalloc(1, 1 << 20);
	_cleanup_(closep) int log = -1;
	int status = 0;

	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_int_equal(status, 0);
	log = open(f->log, O_RDONLY | O_CLOEXEC);
	assert_true(log >= 0);
	assert_true(read(log, text, (1 << 20) - 1) >= 0);
	(void)unlink(f->log);
	(void)unlink(f->path);
	(void)rmdir(f->dir);
	return text;
}
