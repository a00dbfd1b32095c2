// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_journal.c - the journal on a real disk: what is written is found again, whatever happens
 * to the disk.  Damaged files are in test_journal_damage.c, failed syncs in test_journal_sync.c,
 * the bytes in test_journal_format.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "lib/loop.h"
#include "test/unit/sample_journal.h"

/* --- round trips ----------------------------------------------------------------------------- */

static void what_was_put_is_found_again(void **state _unused_)
{
	struct journal_report report;

	for (int round = 0; round < 2; round++) {
		_cleanup_(journal_cleanup) struct journal *j = open_boot(BOOT, &report);

		if (!round)
			for (unsigned int n = 0; n < 6; n++)
				assert_int_equal(put(j, n), 0);
		if (!round)
			assert_int_equal(drop(j, 2), 0);
		assert_int_equal(journal_count(j), 5);
		for (unsigned int n = 0; n < 6; n++)
			assert_int_equal(has(j, n), n != 2);
		assert_null(journal_find(j, "container-00000000", "eth1"));
		if (!round)
			assert_int_equal(journal_sync_wait(j, NULL), 0);
	}
	assert_int_equal(report.records, 7);
	assert_int_equal(report.bad_bytes, 0);
	assert_false(report.rebooted);
	assert_false(report.damaged);
}

static void the_walk_is_oldest_first(void **state _unused_)
{
	_cleanup_(journal_cleanup) struct journal *j = open_it();
	const struct attachment *at = NULL;
	const unsigned int order[] = {3, 1, 2};
	size_t i = 0;

	assert_null(journal_next(j, NULL));
	for (; i < ARRAY_SIZE(order); i++)
		assert_int_equal(put(j, order[i]), 0);
	for (i = 0; (at = journal_next(j, at)); i++) {
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(order[i]);

		assert_true(same_attachment(a, at));
	}
	assert_int_equal(i, 3);
}

static void a_second_put_replaces(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);
	struct journal *j = open_it();
	uint64_t seq;

	assert_int_equal(put(j, 1), 0);
	a->addrs[0].b[3] = 99;
	assert_int_equal(journal_put(j, a, &seq, NULL), 0);
	/* The table's own attachment may be written again. */
	assert_int_equal(journal_put(j, journal_find(j, a->id, a->ifname), &seq, NULL), 0);
	(void)journal_close(j);
	j = open_it();
	assert_int_equal(journal_count(j), 1);
	assert_true(same_attachment(a, journal_find(j, a->id, a->ifname)));
	(void)journal_close(j);
}

static void found_by_the_link(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);
	_cleanup_(journal_cleanup) struct journal *j = open_it();
	uint64_t seq;

	assert_int_equal(put(j, 2), 0);
	assert_null(journal_find_link(j, a->host_ifname));
	assert_int_equal(put(j, 1), 0);
	assert_int_equal(put(j, 1), 0);
	assert_true(same_attachment(a, journal_find_link(j, a->host_ifname)));
	assert_int_equal(journal_remove(j, a->id, a->ifname, &seq, NULL), 0);
	assert_null(journal_find_link(j, a->host_ifname));
}

static void removing_what_is_not_there(void **state _unused_)
{
	_cleanup_(journal_cleanup) struct journal *j = open_it();
	uint64_t seq = 77;
	off_t before = size_of();

	assert_int_equal(journal_remove(j, "nobody", "eth0", &seq, NULL), 0);
	assert_true(journal_synced(j, seq));
	assert_int_equal(size_of(), before);
}

static void only_root_may_read_it(void **state _unused_)
{
	struct journal *j;
	struct stat st;

	(void)umask(0);
	(void)journal_close(open_it());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(path, 0644), 0);
	j = open_it();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)journal_close(j);
	(void)umask(022);
}

/* Records are appended where the last run ended, run after run. */
static void runs_follow_each_other(void **state _unused_)
{
	for (unsigned int run = 0; run < 5; run++) {
		struct journal_report report;
		struct journal *j = open_boot(BOOT, &report);

		assert_int_equal(report.bad_bytes, 0);
		assert_int_equal(report.records, run ? 3 * run - 1 : 0);
		assert_int_equal(journal_count(j), run ? run + 1 : 0);
		if (run)
			assert_int_equal(drop(j, run), 0);
		assert_int_equal(put(j, run) + put(j, run + 1), 0);
		(void)journal_close(j);
	}
}

/* A restart with nothing changed writes nothing. */
static void a_whole_file_is_left_alone(void **state _unused_)
{
	_cleanup_(buf_done) struct buf before = {0}, after = {0};
	struct journal *j = open_it();
	struct stat a, b;

	assert_int_equal(put(j, 1), 0);
	(void)journal_close(j);
	assert_int_equal(stat(path, &a), 0);
	before = content_of(path);
	(void)journal_close(open_it());
	after = content_of(path);
	assert_int_equal(stat(path, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
}

/* --- reboot ---------------------------------------------------------------------------------- */

static void another_boot_is_told_once(void **state _unused_)
{
	struct journal_report report;
	struct journal *j = open_it();

	assert_int_equal(put(j, 1), 0);
	(void)journal_close(j);
	j = open_boot(OTHER_BOOT, &report);
	assert_true(report.rebooted);
	assert_true(has(j, 1)); /* the caller decides */
	(void)journal_close(j);
	j = open_boot(OTHER_BOOT, &report);
	assert_false(report.rebooted);
	assert_true(has(j, 1));
	(void)journal_close(j);
}

struct freed_list {
	size_t n;
	struct addr addrs[8];
	uint64_t times[8];
};

static void list_freed(void *arg, const struct addr *a, uint64_t freed, uint64_t owner)
{
	struct freed_list *l = arg;

	assert_true(l->n < ARRAY_SIZE(l->addrs));
	assert_int_not_equal(owner, 0);
	l->addrs[l->n] = *a;
	l->times[l->n++] = freed;
}

static void freed_addresses_are_handed_on(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *one = sample_attachment(1);
	_cleanup_(attachment_freep) struct attachment *two = sample_attachment(2);
	uint64_t before = monotonic_usec(), after;
	struct freed_list l = {0};
	struct journal *j = open_it();

	assert_int_equal(put(j, 1) + put(j, 2) + put(j, 3), 0);
	assert_int_equal(drop(j, 2) + drop(j, 1), 0);
	journal_take_freed(j, list_freed, &l);
	assert_int_equal(l.n, 0); /* only what was found at open */
	after = monotonic_usec();
	(void)journal_close(j);

	j = open_it();
	journal_take_freed(j, list_freed, &l);
	assert_int_equal(l.n, 3);
	assert_true(addr_eq(&l.addrs[0], &two->addrs[0]));
	assert_true(addr_eq(&l.addrs[1], &one->addrs[0]));
	assert_true(addr_eq(&l.addrs[2], &one->addrs[1]));
	for (size_t i = 0; i < 3; i++)
		assert_true(l.times[i] >= before && l.times[i] <= after);
	journal_take_freed(j, list_freed, &l);
	assert_int_equal(l.n, 3);
	(void)journal_close(j);

	/* The clock began anew. */
	l.n = 0;
	j = open_boot(OTHER_BOOT, &(struct journal_report){0});
	journal_take_freed(j, list_freed, &l);
	assert_int_equal(l.n, 0);
	(void)journal_close(j);
}

/* --- compaction ------------------------------------------------------------------------------ */

static void history_is_rewritten(void **state _unused_)
{
	struct journal *j = open_it();
	off_t largest = 0;

	for (unsigned int n = 0; n < 20; n++)
		assert_int_equal(put(j, n), 0);
	for (unsigned int n = 1000; n < 3000; n++) {
		assert_int_equal(put(j, n), 0);
		assert_int_equal(drop(j, n), 0);
		largest = MAX(largest, size_of());
		if (n % 20 == 0)
			assert_int_equal(journal_sync_wait(j, NULL), 0);
	}
	assert_int_equal(journal_count(j), 20);
	/* Some 1.2 MB were written; the file never has much more than 64 KiB. */
	assert_true(largest > JOURNAL_COMPACT_MIN && largest < 2 * JOURNAL_COMPACT_MIN);
	assert_false(exists(".new"));
	assert_int_equal(journal_sync_wait(j, NULL), 0);
	(void)journal_close(j);
	j = open_it();
	assert_int_equal(journal_count(j), 20);
	for (unsigned int n = 0; n < 20; n++)
		assert_true(has(j, n));
	(void)journal_close(j);
}

static void what_counts_is_not_rewritten(void **state _unused_)
{
	_cleanup_(journal_cleanup) struct journal *j = open_it();
	struct stat before, after;

	assert_int_equal(stat(path, &before), 0);
	for (unsigned int n = 0; n < 1000; n++)
		assert_int_equal(put(j, n), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > 2 * JOURNAL_COMPACT_MIN);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* --- the disk refuses ------------------------------------------------------------------------ */

static struct rlimit file_limit;

static void limit_file(rlim_t bytes)
{
	struct rlimit l = {.rlim_cur = bytes, .rlim_max = file_limit.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void a_full_disk(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(2);
	struct journal *j = open_it();
	struct err e = {0};
	uint64_t seq = 77;
	off_t before;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &file_limit), 0);
	assert_int_equal(put(j, 1), 0);
	before = size_of();
	for (rlim_t room = 0; room < 200; room += 50) { /* nothing, or a part, can be written */
		limit_file((rlim_t)before + room);
		assert_int_equal(journal_put(j, a, &seq, &e), -EFBIG);
		limit_file(file_limit.rlim_cur);
		assert_non_null(strstr(e.msg, "/journal: File too large"));
		assert_int_equal(seq, 77);
		assert_int_equal(size_of(), before);
		assert_int_equal(journal_count(j), 1);
		assert_false(has(j, 2));
		assert_int_equal(journal_trouble(j), 0);
	}
	assert_int_equal(journal_put(j, a, &seq, &e), 0);
	(void)journal_close(j);
	j = open_it();
	assert_true(has(j, 1) && has(j, 2));
	(void)journal_close(j);
}

/* A pod can be deleted all the same; the file follows when it can. */
static void a_removal_on_a_full_disk(void **state _unused_)
{
	struct journal *j = open_it();
	struct err e = {0};

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &file_limit), 0);
	assert_int_equal(put(j, 1) + put(j, 2), 0);
	limit_file((rlim_t)size_of());
	assert_int_equal(drop(j, 1), -EFBIG);
	assert_false(has(j, 1));
	assert_int_equal(journal_trouble(j), -EFBIG);
	limit_file(10); /* not even a smaller file */
	assert_int_equal(put(j, 3), -EFBIG);
	assert_false(has(j, 3));
	assert_int_equal(journal_poll(j, &e), -EFBIG);
	assert_false(exists(".new"));
	limit_file(file_limit.rlim_cur);
	assert_int_equal(journal_poll(j, &e), 0);
	assert_int_equal(journal_trouble(j), 0);
	(void)journal_close(j);
	j = open_it();
	assert_false(has(j, 1));
	assert_true(has(j, 2));
	(void)journal_close(j);
}

static bool write_proc(const char *name, const char *text)
{
	_cleanup_(closep) int fd = open(name, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* The right to mount, for whoever we are: root of a user namespace. */
static bool become_root(void)
{
	_cleanup_(freep) char *uids = xasprintf("0 %u 1", geteuid());
	_cleanup_(freep) char *gids = xasprintf("0 %u 1", getegid());

	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       write_proc("/proc/self/setgroups", "deny") &&
	       write_proc("/proc/self/uid_map", uids) && write_proc("/proc/self/gid_map", gids);
}

static void count_one(void *arg, const struct attachment *a _unused_)
{
	(*(size_t *)arg)++;
}

/* Whatever else fills the disk */
static void fill_disk(const char *name)
{
	_cleanup_(closep) int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char block[4096] = {0};

	while (write(fd, block, sizeof(block)) > 0)
		;
}

/*
 * On a small file system of its own, in a process of its own.  Exit code: 0, 77 without the right
 * to mount, or the number of what failed.
 */
static int use_small_disk(void)
{
	_cleanup_(freep) char *ballast = xasprintf("%s/ballast", folder);
	struct journal_report report;
	struct journal *j = NULL;
	unsigned int n = 0;
	struct err e = {0};
	size_t count = 0;
	int r;

	if (!become_root() || mount("none", folder, "tmpfs", 0, "size=128k,mode=700") < 0)
		return 77;
	if (journal_open(path, BOOT, &j, &report, &e) < 0)
		return 1;
	fill_disk(ballast);
	while ((r = put(j, n)) == 0) /* what its last page takes */
		n++;
	if (r != -ENOSPC || n < 5 || journal_count(j) != n || has(j, n))
		return 2;
	if (drop(j, 0) != -ENOSPC || has(j, 0) || journal_trouble(j) != -ENOSPC)
		return 3;
	if (put(j, n) != -ENOSPC || journal_count(j) != n - 1)
		return 4;
	(void)unlink(ballast);
	if (put(j, n) != 0 || journal_count(j) != n || journal_trouble(j))
		return 5;
	(void)journal_close(j);
	if (mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 77;
	if (journal_open(path, BOOT, &j, &report, &e) != -EROFS ||
	    !strstr(e.msg, "Read-only file system"))
		return 6;
	if (journal_read(path, count_one, &count, &report, &e) < 0 || count != n)
		return 7;
	return 0;
}

static void a_small_disk_and_a_read_only_one(void **state _unused_)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		_exit(use_small_disk());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* no user namespaces here */
	assert_int_equal(status, 0);
}

/* Attachments of 460 KB until the 64 MiB are full. */
static void the_file_has_a_limit(void **state _unused_)
{
	_cleanup_(journal_cleanup) struct journal *j = open_it();
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(0);
	unsigned int n = 0;
	struct err e = {0};
	uint64_t seq;
	int r;

	free(a->netns);
	a->netns = xcalloc(65536, 1);
	memset(a->netns, 'n', 65535);
	for (char **s = (char *[]){a->ns, a->pod, a->uid, NULL}; *s; s++)
		free(*s);
	a->ns = xstrdup(a->netns);
	a->pod = xstrdup(a->netns);
	a->uid = xstrdup(a->netns);
	do {
		free(a->id);
		a->id = xasprintf("c%u", n);
		r = journal_put(j, a, &seq, &e);
	} while (r == 0 && ++n < 1000);
	assert_int_equal(r, -EFBIG);
	assert_true(n > 200 && n < 260);
	assert_int_equal(journal_count(j), n);
	assert_non_null(strstr(e.msg, "attachments: File too large"));
	assert_int_equal(journal_remove(j, "c0", "eth0", &seq, NULL), -EFBIG);
	assert_int_equal(journal_put(j, a, &seq, &e), 0); /* in its place */
	assert_int_equal(journal_count(j), n);
}

static void files_too_large_to_be_ours(void **state _unused_)
{
	struct journal *j = NULL;
	struct journal_report report;
	struct err e = {0};

	write_content("", 0);
	assert_int_equal(truncate(path, (64 << 20) + 1), 0);
	assert_int_equal(journal_open(path, BOOT, &j, &report, &e), -EFBIG);
	assert_non_null(strstr(e.msg, "/journal: File too large"));
	assert_int_equal(journal_read(path, count_one, NULL, &report, &e), -EFBIG);
}

/* --- who may open it ------------------------------------------------------------------------- */

static void a_second_one_is_refused(void **state _unused_)
{
	struct journal *j = open_it(), *second = NULL;
	struct journal_report report;
	struct err e = {0};

	assert_int_equal(journal_open(path, BOOT, &second, &report, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "/journal.lock is locked: another agent uses it"));
	assert_null(second);
	assert_int_equal(journal_rewrite(j), 0); /* the lock is not the file's */
	assert_int_equal(journal_open(path, BOOT, &second, &report, &e), -EBUSY);
	/* Reading needs no lock. */
	assert_int_equal(journal_read(path, count_one, &(size_t){0}, &report, &e), 0);
	(void)journal_close(j);
	(void)journal_close(open_it());
}

static void paths_that_cannot_be(void **state _unused_)
{
	_cleanup_(freep) char *missing = xasprintf("%s/no/journal", folder);
	struct journal *j = NULL;
	struct journal_report report;
	struct err e = {0};

	assert_int_equal(journal_open(missing, BOOT, &j, &report, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "/no/journal.lock: No such file or directory"));
	assert_int_equal(journal_read(missing, count_one, NULL, &report, &e), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(journal_open(path, BOOT, &j, &report, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "is not a regular file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(journal_open(path, BOOT, &j, &report, &e), -ELOOP);
	assert_null(j);
}

/* --- durability ------------------------------------------------------------------------------ */

static void writes_become_durable(void **state _unused_)
{
	_cleanup_(journal_cleanup) struct journal *j = open_it();
	struct pollfd p = {.fd = journal_fd(j), .events = POLLIN};
	uint64_t seq = 0;

	assert_true(journal_synced(j, 0));
	for (unsigned int n = 0; n < 50; n++) {
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);

		assert_int_equal(journal_put(j, a, &seq, NULL), 0);
	}
	assert_int_equal(seq, 50);
	assert_false(journal_synced(j, seq)); /* the first sync covers the first record only */
	while (!journal_synced(j, seq)) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_int_equal(journal_poll(j, NULL), 0);
	}
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(journal_poll(j, NULL), 0);
}

static void waiting_for_everything(void **state _unused_)
{
	_cleanup_(journal_cleanup) struct journal *j = open_it();

	assert_int_equal(journal_sync_wait(j, NULL), 0);
	for (unsigned int n = 0; n < 10; n++)
		assert_int_equal(put(j, n), 0);
	assert_int_equal(journal_sync_wait(j, NULL), 0);
	assert_true(journal_synced(j, 10));
}

#define TEST(f)		cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
#define TEST_ON_DISK(f) cmocka_unit_test_setup_teardown(f, make_folder_on_disk, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON_DISK(what_was_put_is_found_again),
		TEST(the_walk_is_oldest_first),
		TEST(a_second_put_replaces),
		TEST(found_by_the_link),
		TEST(removing_what_is_not_there),
		TEST(only_root_may_read_it),
		TEST(runs_follow_each_other),
		TEST(a_whole_file_is_left_alone),
		TEST(another_boot_is_told_once),
		TEST(freed_addresses_are_handed_on),
		TEST_ON_DISK(history_is_rewritten),
		TEST(what_counts_is_not_rewritten),
		TEST(a_full_disk),
		TEST(a_removal_on_a_full_disk),
		TEST(a_small_disk_and_a_read_only_one),
		TEST(the_file_has_a_limit),
		TEST(files_too_large_to_be_ours),
		TEST(a_second_one_is_refused),
		TEST(paths_that_cannot_be),
		TEST_ON_DISK(writes_become_durable),
		TEST_ON_DISK(waiting_for_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
