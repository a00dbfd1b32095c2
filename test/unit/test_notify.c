// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_notify.c - a service manager that reads, one that does not, and none.  What waits for it
 * ends by an alarm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/notify.h"

/* struct world - @fd: where the manager hears; @others: by it others write; @seen: a line each */
struct world {
	char folder[32], path[64];
	int fd, others;
	struct loop *loop;
	struct notify *notify;
	char seen[4096];
	const char *awaited;
};

static void hear(struct world *w)
{
	size_t len = strlen(w->seen);
	ssize_t n;

	while ((n = recv(w->fd, w->seen + len, sizeof(w->seen) - len - 2, MSG_DONTWAIT)) > 0) {
		len += (size_t)n;
		w->seen[len++] = '\n';
		w->seen[len] = '\0';
	}
	assert_int_equal(errno, EAGAIN);
}

static void on_turn(void *arg)
{
	struct world *w = arg;

	hear(w);
	if (strstr(w->seen, w->awaited))
		loop_exit(w->loop, 0);
}

/* Runs the loop until the manager has heard it; a loop is run once in its life. */
static void await(struct world *w, const char *text)
{
	w->awaited = text;
	loop_on_turn(w->loop, on_turn, w);
	loop_wake(w->loop);
	assert_int_equal(loop_run(w->loop), 0);
}

/* With room for nothing more; how many are in it. */
static int fill(const struct world *w)
{
	int n = 0;

	while (send(w->others, "old", 3, MSG_DONTWAIT) == 3)
		n++;
	assert_int_equal(errno, EAGAIN);
	return n;
}

static void bind_to(struct world *w, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = strlen(name);

	memcpy(a.sun_path, name, len);
	if (*name == '@')
		a.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path);
	assert_int_equal(bind(w->fd, (struct sockaddr *)&a, (socklen_t)len), 0);
	assert_int_equal(connect(w->others, (struct sockaddr *)&a, (socklen_t)len), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	*state = w;
	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/manx-notify-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->path, sizeof(w->path), "%s/notify", w->folder);
	w->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	w->others = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(w->fd >= 0 && w->others >= 0);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(loop_new(&w->loop), 0);
	alarm(10);
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	alarm(0);
	(void)notify_free(w->notify);
	(void)loop_free(w->loop);
	close(w->fd);
	close(w->others);
	unlink(w->path);
	assert_int_equal(rmdir(w->folder), 0);
	free(w);
	return 0;
}

static void a_state_is_told_at_once(void **state)
{
	struct world *w = *state;

	bind_to(w, w->path);
	w->notify = notify_new(w->loop);
	notify_say(w->notify, "READY=1");
	hear(w);
	assert_string_equal(w->seen, "READY=1\n");
}

static void to_an_abstract_name(void **state)
{
	struct world *w = *state;
	char name[64];

	(void)snprintf(name, sizeof(name), "@manx-notify-%d", getpid());
	bind_to(w, name);
	w->notify = notify_new(w->loop);
	notify_say(w->notify, "READY=1");
	hear(w);
	assert_string_equal(w->seen, "READY=1\n");
}

/* The manager reads nothing for a while: the watchdog's and the state's time is then. */
static void nobody_waits_for_a_manager_that_does_not_read(void **state)
{
	struct world *w = *state;
	int old;

	bind_to(w, w->path);
	setenv("WATCHDOG_USEC", "60000000", 1);
	old = fill(w);
	assert_true(old > 0);
	w->notify = notify_new(w->loop);
	notify_say(w->notify, "READY=1");
	for (int i = 0; i < old; i++)
		assert_int_equal(recv(w->fd, w->seen, sizeof(w->seen), MSG_DONTWAIT), 3);
	w->seen[0] = '\0';
	hear(w);
	assert_string_equal(w->seen, "");
	await(w, "READY=1\n");
	assert_non_null(strstr(w->seen, "WATCHDOG=1\n"));
}

static void the_last_state_counts(void **state)
{
	struct world *w = *state;

	bind_to(w, w->path);
	(void)fill(w);
	w->notify = notify_new(w->loop);
	notify_say(w->notify, "READY=1");
	notify_say(w->notify, "STOPPING=1");
	await(w, "STOPPING=1\n");
	assert_null(strstr(w->seen, "READY=1"));
}

static void the_watchdog_is_fed_twice_a_period(void **state)
{
	uint64_t began = monotonic_usec();
	struct world *w = *state;

	bind_to(w, w->path);
	setenv("WATCHDOG_USEC", "200000", 1);
	w->notify = notify_new(w->loop);
	await(w, "WATCHDOG=1\nWATCHDOG=1\nWATCHDOG=1\n");
	assert_in_range(monotonic_usec() - began, 200000, 2000000);
}

static void nobody_is_there(void **state)
{
	const char *const names[] = {NULL, "", "relative", "vsock:2:1234",
				     "/tmp/manx-nobody-is-there"};
	struct world *w = *state;

	setenv("WATCHDOG_USEC", "200000", 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i])
			setenv("NOTIFY_SOCKET", names[i], 1);
		w->notify = notify_free(w->notify);
		w->notify = notify_new(w->loop);
		notify_say(w->notify, "READY=1");
	}
}

static void a_watchdog_of_another_process(void **state)
{
	struct world *w = *state;

	bind_to(w, w->path);
	setenv("WATCHDOG_USEC", "200000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	w->notify = notify_new(w->loop);
	hear(w);
	assert_string_equal(w->seen, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_state_is_told_at_once),
		TEST(to_an_abstract_name),
		TEST(nobody_waits_for_a_manager_that_does_not_read),
		TEST(the_last_state_counts),
		TEST(the_watchdog_is_fed_twice_a_period),
		TEST(nobody_is_there),
		TEST(a_watchdog_of_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
