// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_journal.c - attachments survive; damage and full disks lose nothing that was whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipam/journal.h"

static char folder[] = "/tmp/manx-journal-XXXXXX";
static char path[sizeof(folder) + 16];

static int setup(void **state _unused_)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/journal", folder);
	return 0;
}

static int teardown(void **state _unused_)
{
	_cleanup_(freep) char *command = xasprintf("rm -r '%s'", folder);

	return system(command);
}

static struct attachment *pod(int i)
{
	struct attachment *a = xcalloc(1, sizeof(*a));

	a->id = xasprintf("container-%d", i);
	a->ifname = xstrdup("eth0");
	a->netns = xasprintf("/run/netns/%d", i);
	a->ns = xstrdup("default");
	a->pod = xasprintf("pod-%d", i);
	a->uid = xstrdup("");
	a->host_ifname = xasprintf("mx%012d", i);
	a->n_addrs = 2;
	a->addrs[0] = (struct addr){.family = AF_INET, .b = {10, 0, 0, (uint8_t)i}};
	a->addrs[1] = (struct addr){.family = AF_INET6, .b = {0xfd, [15] = (uint8_t)i}};
	a->n_ports = 1;
	a->ports = xcalloc(1, sizeof(*a->ports));
	a->ports[0] = (struct host_port){.protocol = 6, .host_port = 80, .container_port = 8080};
	return a;
}

static struct journal *open_journal(const char *boot, struct journal_report *report)
{
	struct journal *j = NULL;
	struct err e = {0};

	if (journal_open(path, boot, &j, report, &e) < 0)
		fail_msg("%s", e.msg);
	return j;
}

static uint64_t put(struct journal *j, int i)
{
	_cleanup_(attachment_freep) struct attachment *a = pod(i);
	struct err e = {0};
	uint64_t seq = 0;

	if (journal_put(j, a, &seq, &e) < 0)
		fail_msg("%s", e.msg);
	return seq;
}

static void removal(struct journal *j, int i)
{
	_cleanup_(attachment_freep) struct attachment *a = pod(i);
	uint64_t seq;

	assert_int_equal(journal_remove(j, a->id, a->ifname, &seq, NULL), 0);
}

static void wait_synced(struct journal *j, uint64_t seq)
{
	while (!journal_synced(j, seq)) {
		struct pollfd p = {.fd = journal_fd(j), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(journal_poll(j, NULL), 0);
	}
}

static void attachments_survive(void **state _unused_)
{
	struct journal_report report;
	struct journal *j = open_journal("boot-1", &report);
	const struct attachment *a;

	wait_synced(j, put(j, 1));
	wait_synced(j, put(j, 2));
	removal(j, 1);
	(void)put(j, 3);
	(void)journal_close(j);

	j = open_journal("boot-1", &report);
	assert_int_equal(report.bad_bytes, 0);
	assert_false(report.rebooted);
	assert_int_equal(journal_count(j), 2);
	a = journal_find(j, "container-2", "eth0");
	assert_non_null(a);
	assert_string_equal(a->pod, "pod-2");
	assert_int_equal(a->addrs[1].b[15], 2);
	assert_int_equal(a->ports[0].container_port, 8080);
	assert_null(journal_find(j, "container-1", "eth0"));
	(void)journal_close(j);

	j = open_journal("boot-2", &report);
	assert_true(report.rebooted);
	(void)journal_close(j);
}

static void one_process_only(void **state _unused_)
{
	struct journal_report report;
	struct journal *j = open_journal("b", &report), *other = NULL;
	struct err e = {0};

	assert_int_equal(journal_open(path, "b", &other, &report, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "another agent uses this state folder"));
	(void)journal_close(j);
}

static void many_writes_share_syncs(void **state _unused_)
{
	struct journal_report report;
	struct journal *j = open_journal("b", &report);
	uint64_t last = 0;

	for (int i = 0; i < 200; i++)
		last = put(j, i);
	wait_synced(j, last);
	(void)journal_close(j);
	j = open_journal("b", &report);
	assert_int_equal(journal_count(j), 200);
	(void)journal_close(j);
}

static void history_is_dropped(void **state _unused_)
{
	struct journal_report report;
	struct journal *j = open_journal("b", &report);
	struct stat st;

	for (int i = 0; i < 5000; i++) {
		wait_synced(j, put(j, 1));
		removal(j, 1);
	}
	wait_synced(j, put(j, 2));
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 200000); /* 10,000 records would be 1.3 MB */
	assert_int_equal(st.st_mode & 0777, 0600);
	(void)journal_close(j);
	j = open_journal("b", &report);
	assert_int_equal(journal_count(j), 1);
	(void)journal_close(j);
}

static size_t read_all(char *data, size_t max)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, data, max);

	close(fd);
	assert_true(n > 0 && (size_t)n < max);
	return (size_t)n;
}

static void write_all(const char *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, data, n), n);
	close(fd);
}

static void is_one_of_ours(void *arg, const struct attachment *a)
{
	size_t *n = arg;
	int i = a->addrs[0].b[3];
	_cleanup_(attachment_freep) struct attachment *original = pod(i);

	assert_string_equal(a->id, original->id);
	assert_string_equal(a->pod, original->pod);
	assert_memory_equal(a->addrs, original->addrs, sizeof(a->addrs));
	++*n;
}

/* Cut at every byte, and every bit of every byte flipped: a prefix of the truth, nothing else. */
static void damage(void **state _unused_)
{
	struct journal_report report;
	struct journal *j = open_journal("b", &report);
	static char good[8192];
	size_t len, n;

	for (int i = 1; i <= 4; i++)
		(void)put(j, i);
	(void)journal_close(j);
	len = read_all(good, sizeof(good));
	for (size_t cut = 0; cut < len; cut++) {
		write_all(good, cut);
		n = 0;
		assert_int_equal(journal_read(path, is_one_of_ours, &n, &report, NULL), 0);
		assert_true(n < 4);
		assert_true(report.records == n);
	}
	for (size_t i = 0; i < len * 8; i++) {
		good[i / 8] ^= (char)(1 << (i % 8));
		write_all(good, len);
		n = 0;
		assert_int_equal(journal_read(path, is_one_of_ours, &n, &report, NULL), 0);
		assert_true(n < 4);
		assert_true(report.bad_bytes > 0);
		good[i / 8] ^= (char)(1 << (i % 8));
	}
}

static void a_torn_end_is_cut_off(void **state _unused_)
{
	struct journal_report report;
	struct journal *j = open_journal("b", &report);
	static char good[8192];
	size_t len;

	(void)put(j, 1);
	(void)put(j, 2);
	(void)journal_close(j);
	len = read_all(good, sizeof(good));
	write_all(good, len - 5);
	j = open_journal("b", &report);
	assert_true(report.bad_bytes > 0);
	assert_int_equal(journal_count(j), 1);
	(void)put(j, 3);
	(void)journal_close(j);
	j = open_journal("b", &report);
	assert_int_equal(report.bad_bytes, 0);
	assert_int_equal(journal_count(j), 2);
	(void)journal_close(j);
}

/* The disk is full for a while: an error, nothing changed, and it works again by itself. */
static void a_full_disk(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = pod(9);
	struct journal_report report;
	struct journal *j = open_journal("b", &report);
	struct rlimit old, small;
	struct stat st;
	struct err e = {0};
	uint64_t seq = 0;

	wait_synced(j, put(j, 1));
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(stat(path, &st), 0);
	small = old;
	small.rlim_cur = (rlim_t)st.st_size + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(journal_put(j, a, &seq, &e) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(e.msg, "File too large"));
	assert_null(journal_find(j, "container-9", "eth0"));
	wait_synced(j, put(j, 2));
	(void)journal_close(j);
	j = open_journal("b", &report);
	assert_int_equal(report.bad_bytes, 0);
	assert_int_equal(journal_count(j), 2);
	(void)journal_close(j);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attachments_survive), TEST(one_process_only), TEST(many_writes_share_syncs),
		TEST(history_is_dropped),  TEST(damage),	   TEST(a_torn_end_is_cut_off),
		TEST(a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
