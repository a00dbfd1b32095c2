// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_lab.c - what the tests against the real kernel share.
 *
 * Every test begins in a network namespace of its own, which goes with the process or the next
 * lab_enter_new(): nothing is left on the machine.
 */
#include "kernel_lab.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/**
 * lab_is_root() - May this process make namespaces?
 *
 * Return: true if so; else a message was printed
 */
bool lab_is_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("SKIPPED: these tests need root: they make network namespaces\n");
	return false;
}

/**
 * lab_enter_new() - Move this process to a fresh network namespace with its loopback up
 */
void lab_enter_new(void)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	lab_run("ip link set lo up");
}

/**
 * lab_own_netns() - The namespace of this process
 *
 * Return: descriptor, to be closed
 */
int lab_own_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/**
 * lab_new_netns() - Make a namespace and stay where we are
 *
 * Return: descriptor, to be closed; the namespace goes with it
 */
int lab_new_netns(void)
{
	_cleanup_(closep) int home = lab_own_netns();
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = lab_own_netns();
	lab_setns(home);
	return fd;
}

/**
 * lab_netns_path() - A path by which this process can open a namespace
 * @netns: Its descriptor
 *
 * Return: path, to be freed
 */
char *lab_netns_path(int netns)
{
	return xasprintf("/proc/self/fd/%d", netns);
}

/**
 * lab_setns() - Enter a namespace
 * @netns: Its descriptor
 */
void lab_setns(int netns)
{
	assert_int_equal(setns(netns, CLONE_NEWNET), 0);
}

static _printf_(1, 0) char *format(const char *fmt, va_list ap)
{
	char *s = NULL;

	assert_true(vasprintf(&s, fmt, ap) >= 0);
	return s;
}

/**
 * lab_run() - Run a shell command that has to succeed
 * @fmt: Command
 */
void lab_run(const char *fmt, ...)
{
	_cleanup_(freep) char *command = NULL;
	va_list ap;

	va_start(ap, fmt);
	command = format(fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static char *read_command(const char *command)
{
	char *text = xcalloc(1, 1 << 20);
	FILE *f = popen(command, "r");

	assert_non_null(f);
	text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
	(void)pclose(f);
	return text;
}

/**
 * lab_output() - What a shell command prints
 * @fmt: Command
 *
 * Return: up to 1 MiB of text, to be freed
 */
char *lab_output(const char *fmt, ...)
{
	_cleanup_(freep) char *command = NULL;
	va_list ap;

	va_start(ap, fmt);
	command = format(fmt, ap);
	va_end(ap);
	return read_command(command);
}

/**
 * lab_shows() - Does a shell command print this text?
 * @text: Text
 * @fmt:  Command
 *
 * Return: true if so
 */
bool lab_shows(const char *text, const char *fmt, ...)
{
	_cleanup_(freep) char *command = NULL, *output = NULL;
	va_list ap;

	va_start(ap, fmt);
	command = format(fmt, ap);
	va_end(ap);
	output = read_command(command);
	return strstr(output, text);
}

/**
 * lab_sysctl() - Write a file under /proc/sys/net of the namespace
 * @name:  "ipv4/ip_forward"
 * @value: What to write
 */
void lab_sysctl(const char *name, const char *value)
{
	_cleanup_(freep) char *path = xasprintf("/proc/sys/net/%s", name);
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
}

/**
 * lab_nsec() - Monotonic clock
 *
 * Return: nanoseconds
 */
uint64_t lab_nsec(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/**
 * lab_print_times() - Print the distribution of some times
 * @what: Of what
 * @nsec: Nanoseconds; sorted by this
 * @n:    How many, above 0
 */
void lab_print_times(const char *what, uint64_t *nsec, size_t n)
{
	qsort(nsec, n, sizeof(*nsec), compare);
	print_message("%-28s n=%zu p50=%.3f ms p99=%.3f ms max=%.3f ms\n", what, n,
		      (double)nsec[n / 2] / 1e6, (double)nsec[n * 99 / 100] / 1e6,
		      (double)nsec[n - 1] / 1e6);
}
