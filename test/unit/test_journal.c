// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_journal.c - the journal on a real disk: what is written is found again, whatever happens
 * to the file.  Sync failures are in test_journal_sync.c, the bytes in test_journal_format.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipam/journal_internal.h"
#include "lib/loop.h"
#include "test/unit/sample_attachment.h"

#define BOOT	   "8d0b3bd4-58d5-4e7e-9d3c-2f9e3f0d1c11"
#define OTHER_BOOT "11111111-2222-3333-4444-555555555555"

/* A folder for each test, removed with what is in it. */
static char folder[64];
static char path[96];

static int make_folder_in(const char *parent)
{
	(void)snprintf(folder, sizeof(folder), "%s/manx-journal-XXXXXX", parent);
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/journal", folder);
	return 0;
}

static int make_folder_on_disk(void **state _unused_)
{
	return make_folder_in("/tmp");
}

/* In memory where that can be: some tests open and sync thousands of times. */
static int make_folder(void **state _unused_)
{
	return make_folder_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static int remove_folder(void **state _unused_)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_(freep) char *name = xasprintf("%s/%s", folder, e->d_name);

		if (e->d_name[0] != '.')
			(void)remove(name);
	}
	if (d)
		closedir(d);
	return rmdir(folder);
}

static void journal_cleanup(struct journal **j)
{
	(void)journal_close(*j);
}

static struct journal *open_boot(const char *boot_id, struct journal_report *ret)
{
	struct journal *j = NULL;
	struct err e = {0};

	if (journal_open(path, boot_id, &j, ret, &e) < 0)
		fail_msg("%s", e.msg);
	return j;
}

static struct journal *open_it(void)
{
	struct journal_report report;

	return open_boot(BOOT, &report);
}

static int put(struct journal *j, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	uint64_t seq;

	return journal_put(j, a, &seq, NULL);
}

static int drop(struct journal *j, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	uint64_t seq;

	return journal_remove(j, a->id, a->ifname, &seq, NULL);
}

static bool has(const struct journal *j, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	const struct attachment *found = journal_find(j, a->id, a->ifname);

	if (found)
		assert_true(same_attachment(a, found));
	return found;
}

static struct buf content_of(const char *name)
{
	_cleanup_(closep) int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct buf b = {0};
	char chunk[4096];
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&b, chunk, (size_t)n);
	return b;
}

static void write_content(const char *data, size_t len)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
}

static bool exists(const char *suffix)
{
	_cleanup_(freep) char *name = xasprintf("%s%s", path, suffix);

	return access(name, F_OK) == 0;
}

static off_t size_of(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

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

static void list_freed(void *arg, const struct addr *a, uint64_t freed)
{
	struct freed_list *l = arg;

	assert_true(l->n < ARRAY_SIZE(l->addrs));
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

/* --- damage ---------------------------------------------------------------------------------- */

/* put 0, put 1, remove 0, put 2: what a table holds after the first @n records */
static bool holds_after(size_t n, unsigned int which)
{
	return which == 0 ? n == 1 || n == 2 : which == 1 ? n >= 2 : n >= 4;
}

static struct buf small_journal(size_t ret_ends[5])
{
	struct journal *j = open_it();

	ret_ends[0] = (size_t)size_of();
	assert_int_equal(put(j, 0), 0);
	ret_ends[1] = (size_t)size_of();
	assert_int_equal(put(j, 1), 0);
	ret_ends[2] = (size_t)size_of();
	assert_int_equal(drop(j, 0), 0);
	ret_ends[3] = (size_t)size_of();
	assert_int_equal(put(j, 2), 0);
	ret_ends[4] = (size_t)size_of();
	(void)journal_close(j);
	return content_of(path);
}

static void check_holds(const struct journal *j, size_t n)
{
	size_t count = 0;

	for (unsigned int which = 0; which < 3; which++) {
		assert_int_equal(has(j, which), holds_after(n, which));
		count += holds_after(n, which);
	}
	assert_int_equal(journal_count(j), count);
}

/* What is left can be read, written to, and read again. */
static void check_recovers(size_t records, size_t bad_bytes, bool damaged)
{
	struct journal_report report;
	struct journal *j = open_boot(BOOT, &report);

	assert_int_equal(report.records, records);
	assert_int_equal(report.bad_bytes, bad_bytes);
	assert_int_equal(report.damaged, damaged);
	assert_int_equal(report.kept, damaged);
	check_holds(j, records);
	assert_int_equal(put(j, 7), 0);
	(void)journal_close(j);
	j = open_boot(BOOT, &report);
	assert_int_equal(report.bad_bytes, 0);
	assert_true(has(j, 7));
	assert_int_equal(drop(j, 7), 0);
	check_holds(j, records);
	(void)journal_close(j);
}

static void remove_kept(void)
{
	_cleanup_(freep) char *kept = journal_damaged_path(path, 1);

	assert_int_equal(unlink(kept), 0);
}

static void cut_at_every_byte(void **state _unused_)
{
	size_t ends[5];
	_cleanup_(buf_done) struct buf b = small_journal(ends);

	for (size_t len = 0; len <= b.len; len++) {
		size_t records = 0;

		write_content(b.data, len);
		while (records < 4 && ends[records + 1] <= len)
			records++;
		if (len == 0 || len >= ends[0]) {
			check_recovers(records, len ? len - ends[records] : 0, false);
			continue;
		}
		check_recovers(0, len, true);
		remove_kept();
	}
}

static void judge_copy(void *arg, const struct attachment *a)
{
	bool known = false;

	for (unsigned int n = 0; n < 3 && !known; n++) {
		_cleanup_(attachment_freep) struct attachment *sample = sample_attachment(n);

		known = same_attachment(sample, a);
	}
	assert_true(known);
	(*(size_t *)arg)++;
}

static void every_flipped_byte(void **state _unused_)
{
	size_t ends[5];
	_cleanup_(buf_done) struct buf b = small_journal(ends);

	for (size_t i = 0; i < b.len; i++) {
		size_t records = 0, seen = 0, good;
		struct journal_report report;

		b.data[i] = (char)~b.data[i];
		write_content(b.data, b.len);
		b.data[i] = (char)~b.data[i];
		while (records < 4 && ends[records + 1] <= i)
			records++;
		good = i < ends[0] ? 0 : ends[records];
		assert_int_equal(journal_read(path, judge_copy, &seen, &report, NULL), 0);
		assert_int_equal(report.bad_bytes, b.len - good);
		assert_int_equal(seen, holds_after(records, 0) + holds_after(records, 1) +
					       holds_after(records, 2));
		check_recovers(records, b.len - good, i < ends[3]);
		if (i < ends[3])
			remove_kept();
	}
}

static void damaged_files_are_kept_as_they_were(void **state _unused_)
{
	size_t ends[5];
	_cleanup_(buf_done) struct buf b = small_journal(ends);
	struct journal_report report;

	b.data[ends[1] + 20] ^= 1;
	for (unsigned int n = 1; n <= JOURNAL_DAMAGED_MAX + 1; n++) {
		_cleanup_(freep) char *name = journal_damaged_path(path, n);
		_cleanup_(buf_done) struct buf kept = {0};

		write_content(b.data, b.len);
		(void)journal_close(open_boot(BOOT, &report));
		assert_true(report.damaged);
		assert_int_equal(report.kept, n <= JOURNAL_DAMAGED_MAX ? n : 0);
		if (!report.kept)
			break;
		kept = content_of(name);
		assert_int_equal(kept.len, b.len);
		assert_memory_equal(kept.data, b.data, b.len);
	}
	assert_true(exists(".damaged-8"));
	assert_false(exists(".damaged-9"));
}

static void an_old_record_pasted_in_is_refused(void **state _unused_)
{
	size_t ends[5];
	_cleanup_(buf_done) struct buf b = small_journal(ends), pasted = {0};
	struct journal_report report;
	struct journal *j;

	/* Container 0 would be back from the dead. */
	buf_put(&pasted, b.data, b.len);
	buf_put(&pasted, b.data + ends[0], ends[1] - ends[0]);
	write_content(pasted.data, pasted.len);
	j = open_boot(BOOT, &report);
	assert_int_equal(report.bad_bytes, ends[1] - ends[0]);
	check_holds(j, 4);
	(void)journal_close(j);
}

/* Numbers go on when the file is rewritten: records of the file before do not fit this one. */
static void a_record_of_the_file_before_is_refused(void **state _unused_)
{
	size_t ends[5];
	_cleanup_(buf_done) struct buf old = small_journal(ends), fresh = {0};
	struct journal_report report;
	struct journal *j = open_it();

	assert_int_equal(journal_rewrite(j), 0);
	(void)journal_close(j);
	fresh = content_of(path);
	buf_put(&fresh, old.data + ends[3], ends[4] - ends[3]);
	write_content(fresh.data, fresh.len);
	j = open_boot(BOOT, &report);
	assert_int_equal(report.bad_bytes, ends[4] - ends[3]);
	check_holds(j, 4);
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
	}
	assert_int_equal(journal_count(j), 20);
	/* Some 1.2 MB were written; the file never has much more than 64 KiB. */
	assert_true(largest > JOURNAL_COMPACT_MIN && largest < JOURNAL_COMPACT_MIN + 2048);
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

/*
 * On a small file system of its own, in a process of its own.  Exit code: 0, 77 without the right
 * to mount, or the number of what failed.
 */
static int use_small_disk(void)
{
	struct journal_report report;
	struct journal *j = NULL;
	unsigned int n = 0;
	struct err e = {0};
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    mount("none", folder, "tmpfs", 0, "size=128k,mode=700") < 0)
		return 77;
	if (journal_open(path, BOOT, &j, &report, &e) < 0)
		return 1;
	while ((r = put(j, n)) == 0)
		n++;
	if (r != -ENOSPC || journal_count(j) != n || n < 100 || has(j, n))
		return 2;
	if (put(j, n) != -ENOSPC || journal_count(j) != n)
		return 3;
	for (unsigned int i = 10; i < n; i++) /* no room to write it down */
		(void)drop(j, i);
	if (put(j, n) != 0 || journal_count(j) != 11)
		return 4;
	if (mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0)
		return 5; /* it is open for writing: a read-only mount is refused */
	(void)journal_close(j);
	if (mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 77;
	if (journal_open(path, BOOT, &j, &report, &e) != -EROFS ||
	    !strstr(e.msg, "Read-only file system"))
		return 6;
	if (journal_read(path, judge_copy, &(size_t){0}, &report, &e) < 0)
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
	assert_int_equal(journal_read(path, judge_copy, NULL, &report, &e), -EFBIG);
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
	assert_int_equal(journal_read(path, judge_copy, &(size_t){0}, &report, &e), 0);
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
	assert_int_equal(journal_read(missing, judge_copy, NULL, &report, &e), -ENOENT);
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
		TEST(removing_what_is_not_there),
		TEST(only_root_may_read_it),
		TEST(a_whole_file_is_left_alone),
		TEST(another_boot_is_told_once),
		TEST(freed_addresses_are_handed_on),
		TEST(cut_at_every_byte),
		TEST(every_flipped_byte),
		TEST(damaged_files_are_kept_as_they_were),
		TEST(an_old_record_pasted_in_is_refused),
		TEST(a_record_of_the_file_before_is_refused),
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
