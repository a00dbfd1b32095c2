// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_journal_sync.c - group commit and failed syncs, with a disk that ends its syncs when and
 * how the test says: the functions of disksync.h stand here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/disksync.h"
#include "ipam/journal.h"
#include "test/unit/sample_attachment.h"

/* --- the disk -------------------------------------------------------------------------------- */

static struct {
	bool running, ended;
	int result;
	unsigned int started;
	off_t size; /* of the file when the last sync began */
} disk;

int disksync_new(struct disksync **ret)
{
	disk.running = disk.ended = false;
	disk.started = 0;
	*ret = (struct disksync *)&disk;
	return 0;
}

struct disksync *disksync_free(struct disksync *d _unused_)
{
	return NULL;
}

int disksync_fd(const struct disksync *d _unused_)
{
	return -1;
}

bool disksync_running(const struct disksync *d _unused_)
{
	return disk.running;
}

void disksync_start(struct disksync *d _unused_, int file)
{
	struct stat st;

	assert_false(disk.running);
	assert_int_equal(fstat(file, &st), 0);
	disk.size = st.st_size;
	disk.running = true;
	disk.ended = false;
	disk.started++;
}

bool disksync_take(struct disksync *d _unused_, int *ret_result)
{
	if (!disk.ended)
		return false;
	disk.running = disk.ended = false;
	*ret_result = disk.result;
	return true;
}

uint64_t disksync_blocking(const struct disksync *d _unused_)
{
	return 0;
}

static void end_sync(int result)
{
	assert_true(disk.running);
	disk.ended = true;
	disk.result = result;
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

/* The file is replaced while the old one is synced: its result must not undo anything. */
static void rewriting_during_a_sync(void **state)
{
	struct journal *j = *state;
	ino_t before = file_inode();
	uint64_t last = 0;

	for (unsigned int n = 0; n < 400; n++) { /* one container again and again */
		last = put(j, 1);
		assert_int_equal(disk.started, 1);
	}
	assert_int_not_equal(file_inode(), before);
	assert_false(journal_synced(j, last));
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_false(journal_synced(j, last));
	assert_int_equal(disk.started, 2);
	end_sync(0);
	assert_int_equal(journal_poll(j, NULL), 0);
	assert_true(journal_synced(j, last));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_during_a_sync_share_the_next), TEST(removals_are_synced_too),
		TEST(a_failed_sync_rewrites_the_file),	   TEST(a_disk_that_fails_altogether),
		TEST(a_write_makes_good_as_well),	   TEST(rewriting_during_a_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
