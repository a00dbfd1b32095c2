// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_conntrack_kernel.c - connection tracking entries of an address, against the real kernel.
 * Needs root.
 *
 * Each test has a fresh network namespace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "datapath/route/conntrack.h"
#include "kernel_lab.h"

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static int set_up(void **state)
{
	struct conntrack *c = NULL;
	struct err e = {0};

	lab_enter_new();
	assert_int_equal(conntrack_open(&c, &e), 0);
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	*state = conntrack_close(*state);
	return 0;
}

static void track_connections(void)
{
	lab_run("nft add table inet track && "
		"nft 'add chain inet track in { type filter hook prerouting priority 0; }' && "
		"nft add rule inet track in ct state new counter");
}

static unsigned int entries(const char *with)
{
	_cleanup_(freep) char *text =
		lab_output("{ conntrack -L -f ipv4; conntrack -L -f ipv6; } 2>/dev/null");
	unsigned int n = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		n += strstr(line, with) != NULL;
	return n;
}

static void insert(const char *orig, const char *reply)
{
	lab_run("conntrack -I -p tcp --sport 1000 --dport 80 --reply-port-src 80 "
		"--reply-port-dst 1000 --timeout 600 --state ESTABLISHED %s %s 2>/dev/null",
		orig, reply);
}

/* The pod's address in every place, beside entries of others; also as a prefix of others'. */
static void insert_everywhere(void)
{
	insert("-s 10.1.0.5 -d 192.0.2.9", "-r 192.0.2.9 -q 198.51.100.1");
	insert("-s 192.0.2.10 -d 10.1.0.5", "");
	insert("-s 192.0.2.11 -d 198.51.100.1", "-r 10.1.0.5 -q 192.0.2.11");
	insert("-s 192.0.2.12 -d 192.0.2.13", "-r 192.0.2.13 -q 10.1.0.5");
	insert("-s 10.1.0.50 -d 192.0.2.14", "");
	insert("-s 192.0.2.15 -d 10.1.0.6", "");
	insert("-s fd00:1::5 -d 2001:db8::9", "-r 2001:db8::9 -q 2001:db8:1::1");
	insert("-s 2001:db8::10 -d fd00:1::5", "");
	insert("-s 2001:db8::11 -d 2001:db8:1::1", "-r fd00:1::5 -q 2001:db8::11");
	insert("-s 2001:db8::12 -d 2001:db8::13", "-r 2001:db8::13 -q fd00:1::5");
	insert("-s fd00:1::50 -d 2001:db8::14", "");
	assert_int_equal(entries("ESTABLISHED"), 11);
}

typedef int flush_fn(struct conntrack *c, const struct addr *addrs, size_t n, struct err *reterr);

static void assert_flushes(struct conntrack *c, flush_fn *flush)
{
	struct addr v4 = address("10.1.0.5"), v6 = address("fd00:1::5");
	struct addr several[] = {address("fd00:1::50"), v4, address("10.1.0.6"), v6};
	struct err e = {0};

	insert_everywhere();
	if (flush(c, &v4, 1, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(entries("=10.1.0.5 "), 0);
	assert_int_equal(entries("ESTABLISHED"), 7);
	assert_int_equal(entries("=fd00:1::5 "), 4);
	if (flush(c, &v6, 1, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(entries("=fd00:1::5 "), 0);
	assert_int_equal(entries("ESTABLISHED"), 3);
	assert_int_equal(flush(c, &v4, 1, &e), 0); /* nothing is there any more */
	assert_int_equal(entries("ESTABLISHED"), 3);
	lab_run("conntrack -F 2>/dev/null");
	insert_everywhere();
	assert_int_equal(flush(c, several, ARRAY_SIZE(several), &e), 0);
	assert_int_equal(entries("ESTABLISHED"), 1);
	assert_int_equal(entries("=fd00:1::50 "), 0);
	assert_int_equal(entries("=10.1.0.50 "), 1);
	lab_run("conntrack -F 2>/dev/null");
}

static void an_address_in_every_place(void **state)
{
	track_connections();
	assert_flushes(*state, conntrack_flush);
}

/* How it is done for IPv6, and for IPv4 on kernels before 6.11. */
static void an_address_in_every_place_one_by_one(void **state)
{
	track_connections();
	assert_flushes(*state, conntrack_list_and_delete);
}

/* What a real packet leaves, from and to the namespace itself. */
static void real_connections(void **state)
{
	struct conntrack *c = *state;
	struct addr a = address("127.0.0.2");
	struct err e = {0};

	track_connections();
	lab_run("ip link set lo up");
	lab_run("bash -c 'echo x >/dev/udp/127.0.0.2/9; echo x >/dev/udp/127.0.0.3/9'");
	assert_int_equal(entries("udp"), 2);
	assert_int_equal(conntrack_flush(c, &a, 1, &e), 0);
	assert_int_equal(entries("udp"), 1);
	assert_int_equal(entries("=127.0.0.3 "), 1);
}

/* More than a batch of deletions holds. */
static void thousands_of_connections(void **state)
{
	flush_fn *const both[] = {conntrack_flush, conntrack_list_and_delete};
	struct addr a = address("10.1.0.5");
	struct err e = {0};

	track_connections();
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		uint64_t start;

		lab_run("for i in $(seq 3000); do echo -I -p udp -s 10.1.0.5 -d 192.0.2.9 --sport "
			"$i --dport 53 --timeout 600; done | conntrack -R - >/dev/null 2>&1");
		assert_int_equal(entries("=10.1.0.5 "), 3000);
		start = lab_nsec();
		assert_int_equal(both[i](*state, &a, 1, &e), 0);
		print_message("3000 entries deleted %s in %.1f ms\n",
			      i ? "one by one" : "by filter", (double)(lab_nsec() - start) / 1e6);
		assert_int_equal(entries("=10.1.0.5 "), 0);
	}
}

static void not_without_root(void **state _unused_)
{
	skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest none[] = {cmocka_unit_test(not_without_root)};
	const struct CMUnitTest tests[] = {
		TEST(an_address_in_every_place),
		TEST(an_address_in_every_place_one_by_one),
		TEST(real_connections),
		TEST(thousands_of_connections),
	};

	if (!lab_is_root())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
