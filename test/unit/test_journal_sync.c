// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_journal_sync.c - group commit, failed syncs, replacing, with a disk that ends them when and
 * how the test says: the functions of disk.h stand here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/disk.h"
#include "ipam/journal.h"
#include "ipam/journal_file.h"
#include "test/unit/sample_attachment.h"

/* --- the disk -------------------------------------------------------------------------------- */

static struct {
	bool running, ended;
	struct disk_result result;
	unsigned int started, replaced;
	off_t size; /* of the file when the last sync began */
	char path[96];
	struct buf content; /* of the new file */
} disk;

int disk_new(struct disk **ret)
{
	disk.running = disk.ended = false;
	disk.started = disk.replaced = 0;
	*ret = (struct disk *)&disk;
	return 0;
}

struct disk *disk_free(struct disk *d _unused_)
{
	buf_done(&disk.content);
	return NULL;
}

int disk_fd(const struct disk *d _unused_)
{
	return -1;
}

bool disk_running(const struct disk *d _unused_)
{
	return disk.running;
}

static void start(enum disk_operation operation)
{
	assert_false(disk.running);
	disk.running = true;
	disk.ended = false;
	disk.result = (struct disk_result){.operation = operation, .fd = -1};
}

void disk_sync(struct disk *d _unused_, int fd)
{
	struct stat st;

	start(DISK_SYNC);
	assert_int_equal(fstat(fd, &st), 0);
	disk.size = st.st_size;
	disk.started++;
}

void disk_replace(struct disk *d _unused_, const char *of, struct buf *content)
{
	start(DISK_REPLACE);
	(void)snprintf(disk.path, sizeof(disk.path), "%s", of);
	disk.content = TAKE(*content, (struct buf){0});
	disk.replaced++;
}

bool disk_take(struct disk *d _unused_, struct disk_result *ret)
{
	if (!disk.ended)
		return false;
	disk.running = disk.ended = false;
	*ret = disk.result;
	return true;
}

static void end_sync(int result)
{
	assert_true(disk.running);
	assert_int_equal(disk.result.operation, DISK_SYNC);
	disk.ended = true;
	disk.result.result = result;
}

static void end_replace(int folder)
{
	struct disk_result *r = &disk.result;

	assert_true(disk.running);
	assert_int_equal(r->operation, DISK_REPLACE);
	disk.ended = true;
	r->result = journal_file_replace(disk.path, &disk.content, &r->fd, &r->folder);
	r->folder = folder;
	buf_done(&disk.content);
}

/* --- a journal on it ------------------------------------------------------------------------- */

static char folder[64], path[96], fresh[112], lock[112];

static int set_up(void **state)
{
	struct journal *j = NULL;
	struct journal_report report;

	(void)snprintf(folder, sizeof(folder), "/tmp/manx-sync-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/journal", folder);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	if (journal_open(path, "boot", &j, &report, NULL) < 0)
		return -1;
	*state = j;
	return 0;
}

static int tear_down(void **state)
{
	(void)journal_close(*state);
	(void)rmdir(fresh);
	(void)unlink(path);
	(void)unlink(lock);
	return rmdir(folder);
}

static uint64_t put(struct journal *j, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	uint64_t seq = 0;

	assert_int_equal(journal_put(j, a, &seq, NULL), 0);
	assert_true(seq > 0);
	return seq;
}

static off_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static ino_t file_inode(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* A folder of that name: the file cannot be rewritten. */
static void forbid_rewriting(void)
{
	assert_int_equal(mkdir(fresh, 0700), 0);
}

static void allow_rewriting(void)
{
	assert_int_equal(rmdir(fresh), 0);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void writes_during_a_sync_share_the_next(void **state)
{
	struct journal *j = *state;
	uint64_t first = put(j, 1), second, third;

	assert_int_equal(disk.started, 1);
	assert_int_equal(disk.size, file_size());
	second = put(j, 2);
	third = put(j, 3);
	assert_int_equal(disk.started, 1);
	assert_int_equal(journal_poll(j, NULL), 0); /* woken for nothing */
	assert_false(journal_synced(j, first));
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, first));
	assert_false(journal_synced(j, second));
	assert_int_equal(disk.started, 2);
	assert_int_equal(disk.size, file_size());
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, third));
	assert_int_equal(disk.started, 2); /* nothing is left to do */
	assert_false(disk.running);
}

static void removals_are_synced_too(void **state)
{
	struct journal *j = *state;
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);
	uint64_t seq, none;

	(void)put(j, 1);
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_int_equal(journal_remove(j, a->id, a->ifname, &seq, NULL), 0);
	assert_int_equal(disk.started, 2);
	assert_false(journal_synced(j, seq));
	/* Who removes it again waits for the first one. */
	assert_int_equal(journal_remove(j, a->id, a->ifname, &none, NULL), 0);
	assert_int_equal(none, seq);
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, seq));
}

/* The kernel drops what it could not write and says so once: only a new file can be trusted. */
static void a_failed_sync_rewrites_the_file(void **state)
{
	struct journal *j = *state;
	ino_t before = file_inode();
	uint64_t first = put(j, 1), second = put(j, 2);

	end_sync(-EIO);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_int_not_equal(file_inode(), before);
	assert_true(journal_synced(j, first) && journal_synced(j, second));
	assert_int_equal(journal_trouble(j), 0);
	assert_false(disk.running); /* all is durable */
	(void)put(j, 3);
	assert_int_equal(disk.started, 2);
	assert_int_equal(disk.size, file_size()); /* of the new file */
}

static void a_disk_that_fails_altogether(void **state)
{
	struct journal *j = *state;
	_cleanup_(attachment_freep) struct attachment *three = sample_attachment(3);
	uint64_t first = put(j, 1), second = put(j, 2), third = 77;
	struct err e = {0};

	end_sync(-EIO);
	forbid_rewriting();
	assert_int_equal(journal_poll(j, &e), -EISDIR);
	assert_non_null(strstr(e.msg, "making "));
	assert_non_null(strstr(e.msg, "/journal durable: Is a directory"));
	assert_int_equal(journal_trouble(j), -EIO);
	assert_false(journal_synced(j, first) || journal_synced(j, second));
	/* Nothing is appended to a file that is not trusted. */
	assert_int_equal(journal_put(j, three, &third, &e), -EISDIR);
	assert_non_null(strstr(e.msg, "anew, 2 attachments: Is a directory"));
	assert_int_equal(third, 77);
	assert_int_equal(journal_count(j), 2);
	assert_int_equal(journal_poll(j, &e), -EISDIR);
	assert_false(disk.running);
	allow_rewriting();
	assert_int_equal(journal_poll(j, &e), 0);
	assert_true(journal_synced(j, first) && journal_synced(j, second));
	assert_int_equal(journal_trouble(j), 0);
	assert_int_equal(journal_put(j, three, &third, &e), 0);
	assert_int_equal(third, 3);
}

static void a_write_makes_good_as_well(void **state)
{
	struct journal *j = *state;
	uint64_t first = put(j, 1), second;

	end_sync(-ENOSPC);
	forbid_rewriting();
	assert_int_equal(journal_poll(j, NULL), -EISDIR);
	allow_rewriting();
	second = put(j, 2);
	assert_true(journal_synced(j, first)); /* the new file has it */
	assert_false(journal_synced(j, second));
	assert_int_equal(disk.size, file_size());
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, second));
}

/* The file cannot grow: an error of the write, as on a full disk. */
static void allow_bytes(rlim_t max)
{
	const struct rlimit limit = {max, RLIM_INFINITY};

	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_tried_again(void **state)
{
	struct journal *j = *state;
	_cleanup_(attachment_freep) struct attachment *two = sample_attachment(2);
	struct journal_report report;
	uint64_t seq = put(j, 1);
	off_t size = file_size();
	struct err e = {0};

	assert_int_equal(journal_probe(j, &e), 0); /* nothing failed: nothing is written */
	assert_int_equal(file_size(), size);
	allow_bytes((rlim_t)size + 8);
	assert_int_equal(journal_put(j, two, &seq, &e), -EFBIG);
	assert_int_equal(journal_refused(j), -EFBIG);
	assert_int_equal(journal_trouble(j), 0); /* what is in the file holds */
	assert_int_equal(file_size(), size);
	allow_bytes((rlim_t)size + 1000); /* room, but not enough to say that all is well */
	assert_int_equal(journal_probe(j, &e), -EFBIG);
	assert_non_null(strstr(e.msg, "/journal: File too large"));
	assert_int_equal(file_size(), size);
	allow_bytes(RLIM_INFINITY);
	assert_int_equal(journal_probe(j, &e), 0);
	assert_int_equal(journal_refused(j), 0);
	end_sync(0);
	assert_int_equal(journal_poll(j, &e), 0);
	(void)put(j, 3);
	(void)journal_close(j);
	/* What was written to find out changes nothing for a reader. */
	assert_int_equal(journal_open(path, "boot", &j, &report, &e), 0);
	*state = j;
	assert_int_equal(report.bad_bytes, 0);
	assert_int_equal(report.records, 3);
	assert_int_equal(journal_count(j), 2);
}

/* --- replacing ------------------------------------------------------------------------------- */

/* One container again and again, until the file is mostly history and nothing else is to be done */
static uint64_t make_history(struct journal *j)
{
	uint64_t last = 0;

	while (!disk.replaced) {
		last = put(j, 1);
		if (!disk.running || disk.result.operation != DISK_SYNC)
			continue;
		end_sync(0);
		assert_int_equal(journal_poll(j, NULL), 0);
	}
	assert_true(disk.running);
	return last;
}

/* What the file holds, read as the next start would. */
static void note(void *arg, const struct attachment *a)
{
	char **names = arg;

	*names = xasprintf("%s%s ", TAKE(*names, NULL) ?: "", a->id);
}

static char *names_in_file(void)
{
	struct journal_report report;
	char *names = NULL;

	assert_int_equal(journal_read(path, note, &names, &report, NULL), 0);
	assert_int_equal(report.bad_bytes, 0);
	return names;
}

static void nothing_waits_for_the_new_file(void **state)
{
	struct journal *j = *state;
	ino_t before = file_inode();
	uint64_t last = make_history(j);
	off_t size = file_size();

	assert_false(journal_synced(j, last));
	(void)put(j, 2); /* goes to the old file at once */
	assert_true(file_size() > size);
	assert_int_equal(file_inode(), before);
	end_replace(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_int_not_equal(file_inode(), before);
	assert_true(journal_synced(j, last));
	assert_true(file_size() < 2048);
}

static void the_new_file_gets_what_came_meanwhile(void **state)
{
	struct journal *j = *state;
	_cleanup_(attachment_freep) struct attachment *one = sample_attachment(1);
	_cleanup_(attachment_freep) struct attachment *two = sample_attachment(2);
	_cleanup_(attachment_freep) struct attachment *three = sample_attachment(3);
	_cleanup_(freep) char *names = NULL, *wanted = xasprintf("%s ", three->id);
	uint64_t last, seq;

	(void)make_history(j);
	(void)put(j, 2);
	assert_int_equal(journal_remove(j, one->id, one->ifname, &seq, NULL), 0);
	last = put(j, 3);
	assert_int_equal(journal_remove(j, two->id, two->ifname, &seq, NULL), 0);
	end_replace(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_false(journal_synced(j, last)); /* written to the new file, not synced */
	assert_int_equal(disk.size, file_size());
	names = names_in_file();
	assert_string_equal(names, wanted);
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, seq));
}

/* The old file is as good as it was: go on with it, and try again when it has grown. */
static void a_new_file_that_cannot_be_made(void **state)
{
	struct journal *j = *state;
	ino_t before = file_inode();
	uint64_t last;

	(void)make_history(j);
	last = put(j, 2);
	forbid_rewriting();
	end_replace(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_int_equal(file_inode(), before);
	assert_int_equal(journal_trouble(j), 0);
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, last));
	assert_int_equal(disk.replaced, 1);
	(void)put(j, 3);
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_int_equal(disk.replaced, 1);
	disk.replaced = 0;
	allow_rewriting();
	last = make_history(j);
	end_replace(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, last));
}

/* The name may be lost in a crash, and with it everything: only a new try can be trusted. */
static void a_folder_that_cannot_be_synced(void **state)
{
	struct journal *j = *state;
	uint64_t last;

	(void)make_history(j);
	last = put(j, 2);
	end_replace(-EIO);
	assert_int_equal(journal_poll(j, NULL), 0); /* rewritten at once */
	assert_true(journal_synced(j, last));
	assert_int_equal(journal_trouble(j), 0);
}

/* A removal that could not be written is in neither file: the new one is not to be trusted. */
static void trouble_outlives_the_new_file(void **state)
{
	struct journal *j = *state;
	_cleanup_(attachment_freep) struct attachment *one = sample_attachment(1);
	struct rlimit before, full;
	char *names;
	uint64_t seq;

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)make_history(j);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	full = (struct rlimit){(rlim_t)file_size(), before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	assert_int_equal(journal_remove(j, one->id, one->ifname, &seq, NULL), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(journal_trouble(j), -EFBIG);
	end_replace(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_int_equal(journal_trouble(j), 0);
	names = names_in_file();
	assert_null(names);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_during_a_sync_share_the_next),
		TEST(removals_are_synced_too),
		TEST(a_failed_sync_rewrites_the_file),
		TEST(a_disk_that_fails_altogether),
		TEST(a_write_makes_good_as_well),
		TEST(a_full_disk_is_tried_again),
		TEST(nothing_waits_for_the_new_file),
		TEST(the_new_file_gets_what_came_meanwhile),
		TEST(a_new_file_that_cannot_be_made),
		TEST(a_folder_that_cannot_be_synced),
		TEST(trouble_outlives_the_new_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
