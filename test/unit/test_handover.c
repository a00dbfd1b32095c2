// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_handover.c - a list of descriptors goes over a socketpair and arrives under its names.
 */
#include "agent/socket/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/socket/client.h"
#include "watch/document/json.h"

#define MANY HANDOVER_MAX

/* A file of its own, so that it can be told from others. */
static int file(void)
{
	char path[] = "/tmp/manx-test.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	return fd;
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	assert_int_equal(fstat(a, &one), 0);
	assert_int_equal(fstat(b, &other), 0);
	return one.st_ino == other.st_ino;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Send a list and take what arrives. */
static struct handover pass(const struct handover *h)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct client_fds fds = {0};
	struct handover ret = {0};
	struct err e = {0};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(handover_send(pair[0], h), 0);
	(void)close(pair[0]);
	assert_int_equal(client_receive(pair[1], &fds, &doc, &e), 0);
	assert_int_equal(handover_receive(value_root(doc), fds.fd, fds.n, &ret, &e), 0);
	(void)close(pair[1]);
	return ret;
}

static void each_under_its_name(void **state _unused_)
{
	struct handover h = {0}, got;
	int one = file(), two = file(), taken, rest;

	handover_add(&h, "one", one);
	handover_add(&h, "none", -1);
	handover_add(&h, "two \"quoted\"", two);
	got = pass(&h);
	handover_forget(&h);
	assert_true(is_open(one) && is_open(two)); /* borrowed */
	assert_int_equal(got.name.n, 2);
	taken = handover_take(&got, "two \"quoted\"");
	assert_true(taken >= 0 && taken != two && same_file(taken, two));
	assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
	assert_int_equal(handover_take(&got, "two \"quoted\""), -1);
	assert_int_equal(handover_take(&got, "none"), -1);
	rest = got.fd.v[0];
	assert_true(same_file(rest, one));
	handover_close(&got);
	assert_true(is_open(taken) && !is_open(rest));
	assert_int_equal(handover_take(&got, "one"), -1);
	(void)close(taken);
	(void)close(one);
	(void)close(two);
}

static void as_many_as_may_be(void **state _unused_)
{
	struct handover h = {0}, got;
	int one = file();

	for (int i = 0; i < MANY; i++) {
		_cleanup_(freep) char *name = xasprintf("fd %d", i);

		handover_add(&h, name, one);
	}
	got = pass(&h);
	assert_int_equal(got.fd.n, MANY);
	for (int i = 0; i < MANY; i++) {
		_cleanup_(freep) char *name = xasprintf("fd %d", i);
		_cleanup_(closep) int fd = handover_take(&got, name);

		assert_true(same_file(fd, one));
	}
	handover_forget(&h);
	handover_close(&got);
	(void)close(one);
}

/* What does not fit together is closed, all of it. */
static void not_a_list(void **state _unused_)
{
	static const char *const texts[] = {
		"{\"do\":\"take-over\",\"descriptors\":[\"a\"]}",
		"{\"do\":\"take-over\",\"descriptors\":[\"a\",\"b\",\"c\"]}",
		"{\"do\":\"attach\",\"descriptors\":[\"a\",\"b\"]}",
		"{\"do\":\"take-over\"}",
		"[]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
		struct handover untouched = {0};
		int fds[2] = {file(), file()};
		struct err e = {0};

		assert_int_equal(json_parse(texts[i], strlen(texts[i]), &doc, &e), 0);
		assert_int_equal(handover_receive(value_root(doc), fds, 2, &untouched, &e),
				 -EPROTO);
		assert_false(is_open(fds[0]) || is_open(fds[1]));
		assert_null(untouched.fd.v);
	}
}

static void nobody_reads(void **state _unused_)
{
	struct handover h = {0};
	int one = file(), pair[2];

	handover_add(&h, "one", one);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	(void)close(pair[1]);
	assert_int_equal(handover_send(pair[0], &h), -EPIPE);
	handover_forget(&h);
	(void)close(pair[0]);
	(void)close(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_under_its_name),
		cmocka_unit_test(as_many_as_may_be),
		cmocka_unit_test(not_a_list),
		cmocka_unit_test(nobody_reads),
	};

	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
