// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_journal_damage.c - a small journal cut and changed at every byte: every record that holds
 * counts, nothing is made up, and the file can be used again.
 *
 * The functions of disk.h stand here and do nothing: the real ones take 20 ms to end, which
 * is too long for thousands of journals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/sample_journal.h"

int disk_new(struct disk **ret)
{
	*ret = NULL;
	return 0;
}

struct disk *disk_free(struct disk *d _unused_)
{
	return NULL;
}

int disk_fd(const struct disk *d _unused_)
{
	return -1;
}

bool disk_running(const struct disk *d _unused_)
{
	return false;
}

void disk_sync(struct disk *d _unused_, int fd _unused_)
{
}

void disk_replace(struct disk *d _unused_, const char *to _unused_, struct buf *content _unused_)
{
}

bool disk_take(struct disk *d _unused_, struct disk_result *ret _unused_)
{
	return false;
}

/* --- every byte ------------------------------------------------------------------------------ */

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

/* Which are there without record @lost (from 0)?  4: none is lost */
static bool holds_without(size_t lost, unsigned int which)
{
	return which == 0 ? lost == 2 : which == 1 ? lost != 1 : lost != 3;
}

static void check_only(const struct journal *j, const bool holds[3])
{
	size_t count = 0;

	for (unsigned int which = 0; which < 3; which++) {
		assert_int_equal(has(j, which), holds[which]);
		count += holds[which];
	}
	assert_int_equal(journal_count(j), count);
}

static void check_holds(const struct journal *j, size_t n)
{
	const bool holds[] = {holds_after(n, 0), holds_after(n, 1), holds_after(n, 2)};

	check_only(j, holds);
}

/* What is left can be read, written to, and read again. */
static void check_recovers_as(size_t records, size_t bad_bytes, bool damaged, const bool holds[3])
{
	struct journal_report report;
	struct journal *j = open_boot(BOOT, &report);

	assert_int_equal(report.records, records);
	assert_int_equal(report.bad_bytes, bad_bytes);
	assert_int_equal(report.damaged, damaged);
	assert_int_equal(report.kept, damaged);
	check_only(j, holds);
	assert_int_equal(put(j, 7), 0);
	(void)journal_close(j);
	j = open_boot(BOOT, &report);
	assert_int_equal(report.bad_bytes, 0);
	assert_true(has(j, 7));
	assert_int_equal(drop(j, 7), 0);
	check_only(j, holds);
	(void)journal_close(j);
}

static void check_recovers(size_t records, size_t bad_bytes, bool damaged)
{
	const bool holds[] = {holds_after(records, 0), holds_after(records, 1),
			      holds_after(records, 2)};

	check_recovers_as(records, bad_bytes, damaged, holds);
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
		size_t lost = 0, seen = 0, good, bad;
		struct journal_report report;
		bool holds[3];

		b.data[i] = (char)~b.data[i];
		write_content(b.data, b.len);
		b.data[i] = (char)~b.data[i];
		while (lost < 4 && ends[lost + 1] <= i)
			lost++;
		good = i < ends[0] ? 0 : ends[lost];
		bad = i < ends[0] ? ends[0] : ends[lost + 1] - ends[lost];
		if (i < ends[0])
			lost = 4;
		for (unsigned int which = 0; which < 3; which++)
			holds[which] = holds_without(lost, which);
		assert_int_equal(journal_read(path, judge_copy, &seen, &report, NULL), 0);
		assert_int_equal(report.bad_bytes, bad);
		assert_int_equal(report.good_bytes, good);
		assert_int_equal(seen, holds[0] + holds[1] + holds[2]);
		check_recovers_as(lost == 4 ? 4 : 3, bad, i < ends[3], holds);
		if (i < ends[3])
			remove_kept();
	}
}

/* struct told - what a scan handed over */
struct told {
	size_t n;
	struct addr addrs[8]; /* in use at its end */
	size_t n_addrs;
};

/* An address that is in use already must never be given once more. */
static void use_address(struct told *t, const struct addr *a)
{
	for (size_t i = 0; i < t->n_addrs; i++)
		assert_false(addr_eq(&t->addrs[i], a));
	t->addrs[t->n_addrs++] = *a;
}

static void free_address(struct told *t, const struct addr *a)
{
	for (size_t i = 0; i < t->n_addrs; i++)
		if (addr_eq(&t->addrs[i], a))
			t->addrs[i--] = t->addrs[--t->n_addrs];
}

static void take_record(void *arg, const struct journal_record *r)
{
	struct told *t = arg;
	size_t seen = 0;

	judge_copy(&seen, r->at);
	for (uint32_t i = 0; i < r->at->n_addrs; i++)
		(r->type == JOURNAL_PUT ? use_address : free_address)(t, &r->at->addrs[i]);
	t->n++;
	(void)attachment_free(r->at);
}

/*
 * In memory, so that all values can be tried: a checksum that misses some of them would not show
 * with one alone.
 */
static void every_value_of_every_byte(void **state _unused_)
{
	size_t ends[5], records = 0;
	_cleanup_(buf_done) struct buf b = small_journal(ends);

	for (size_t i = 0; i < b.len; i++) {
		const char was = b.data[i];

		while (records < 4 && ends[records + 1] <= i)
			records++;
		for (int change = 1; change < 256; change++) {
			struct journal_scan s;
			struct told t = {0};

			b.data[i] = (char)(was ^ change);
			journal_scan(b.data, b.len, &s, take_record, &t);
			assert_int_equal(t.n, i < ends[0] ? 4 : 3);
			assert_int_equal(s.good, i < ends[0] ? 0 : ends[records]);
			assert_int_equal(s.end, i < ends[3] ? JOURNAL_DAMAGED : JOURNAL_TORN);
			free(s.boot_id);
		}
		b.data[i] = was;
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

/* The record that freed an address is lost, and the address was given to another container. */
static void the_newest_has_the_address(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *again = sample_attachment(5);
	size_t ends[5];
	_cleanup_(buf_done) struct buf b = small_journal(ends);
	struct journal *j = open_it();
	struct journal_report report;
	uint64_t seq;

	again->addrs[0] = (struct addr){2, {10, 1, 0, 0}}; /* that of container 0 */
	assert_int_equal(journal_put(j, again, &seq, NULL), 0);
	(void)journal_close(j);
	buf_done(&b);
	b = content_of(path);
	b.data[ends[2] + 20] ^= 1;
	write_content(b.data, b.len);
	j = open_boot(BOOT, &report);
	assert_true(report.damaged);
	assert_false(has(j, 0));
	assert_non_null(journal_find(j, again->id, again->ifname));
	assert_int_equal(journal_count(j), 3);
	(void)journal_close(j);
}

/* One that had two addresses, each of which another one has now, goes once. */
static void each_of_two_addresses_has_a_newer_owner(void **state _unused_)
{
	struct journal_table t = {0};

	for (unsigned int n = 1; n <= 3; n++) {
		struct attachment *a = sample_attachment(n);

		a->n_addrs = n == 1 ? 2 : 1;
		a->addrs[0] = (struct addr){AF_INET, {10, 1, 0, 1}};
		a->addrs[1] = (struct addr){AF_INET6, {0xfd}};
		if (n == 3)
			a->addrs[0] = a->addrs[1];
		journal_table_put(&t, a, 100);
	}
	journal_table_newest(&t);
	assert_null(journal_table_find(&t, "container-00000001", "eth0"));
	assert_non_null(journal_table_find(&t, "container-00000002", "eth0"));
	assert_non_null(journal_table_find(&t, "container-00000003", "eth0"));
	assert_int_equal(t.live, 200);
	journal_table_done(&t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cut_at_every_byte),
		TEST(every_flipped_byte),
		TEST(the_newest_has_the_address),
		TEST(each_of_two_addresses_has_a_newer_owner),
		TEST(every_value_of_every_byte),
		TEST(damaged_files_are_kept_as_they_were),
		TEST(an_old_record_pasted_in_is_refused),
		TEST(a_record_of_the_file_before_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
