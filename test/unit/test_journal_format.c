// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_journal_format.c - what a scan makes of a file that is whole, cut, changed or made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipam/journal_format.h"
#include "lib/hash.h"
#include "test/unit/sample_attachment.h"

#define BOOT "8d0b3bd4-58d5-4e7e-9d3c-2f9e3f0d1c11"

/* struct seen - what journal_record_fn was told */
struct seen {
	size_t n;
	struct journal_record last;
	uint64_t first_number;
	bool foreign; /* an attachment that is none of the samples 0 to 9 */
};

static void see(void *arg, const struct journal_record *r)
{
	struct seen *s = arg;
	bool known = false;

	for (unsigned int n = 0; n < 10 && !known; n++) {
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);

		known = same_attachment(a, r->at);
	}
	s->foreign |= !known;
	if (!s->n++)
		s->first_number = r->number;
	s->last = *r;
	(void)attachment_free(r->at);
	s->last.at = NULL;
}

static struct journal_scan scan(const struct buf *b, size_t len, struct seen *ret_seen)
{
	struct journal_scan s;

	*ret_seen = (struct seen){0};
	journal_scan(b->data, len, &s, see, ret_seen);
	assert_int_equal(s.records, ret_seen->n);
	assert_true(s.good <= len);
	assert_true(s.bad <= len - s.good);
	if (s.boot_id && s.good == len)
		assert_string_equal(s.boot_id, BOOT);
	assert_int_equal(s.end == JOURNAL_WHOLE, s.good == len);
	free(s.boot_id);
	return s;
}

static void put(struct buf *b, enum journal_type type, uint64_t number, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	struct journal_record r = {.type = type,
				   .number = number,
				   .time = type == JOURNAL_REMOVE ? 123456789 : 0,
				   .at = a};

	journal_encode(&r, b);
}

/* A head and @n puts; @ret_ends[i] is where record i ends, @ret_ends[n] the head's end. */
static struct buf file_of(size_t n, uint64_t first, size_t *ret_ends)
{
	struct buf b = {0};

	journal_encode_head(BOOT, first, &b);
	ret_ends[n] = b.len;
	for (size_t i = 0; i < n; i++) {
		put(&b, JOURNAL_PUT, first + i, (unsigned int)i);
		ret_ends[i] = b.len;
	}
	return b;
}

static void a_whole_file(void **state _unused_)
{
	size_t ends[4];
	_cleanup_(buf_done) struct buf b = file_of(3, 1000, ends);
	struct journal_scan s;
	struct seen seen;

	put(&b, JOURNAL_REMOVE, 1003, 2);
	s = scan(&b, b.len, &seen);
	assert_int_equal(s.end, JOURNAL_WHOLE);
	assert_int_equal(s.records, 4);
	assert_int_equal(s.next, 1004);
	assert_int_equal(seen.first_number, 1000);
	assert_int_equal(seen.last.type, JOURNAL_REMOVE);
	assert_int_equal(seen.last.time, 123456789);
	assert_int_equal(seen.last.bytes, b.len - ends[2]);
	assert_false(seen.foreign);
}

static void an_empty_file(void **state _unused_)
{
	struct journal_scan s;

	journal_scan(NULL, 0, &s, see, NULL);
	assert_null(s.boot_id);
	assert_int_equal(s.end, JOURNAL_WHOLE);
	assert_int_equal(s.good + s.records + s.next, 0);
}

static void cut_at_every_byte(void **state _unused_)
{
	size_t ends[5];
	_cleanup_(buf_done) struct buf b = file_of(4, 0, ends);

	for (size_t len = 1; len <= b.len; len++) {
		struct seen seen;
		struct journal_scan s = scan(&b, len, &seen);
		size_t whole = 0, good = len < ends[4] ? 0 : ends[4];

		for (size_t i = 0; i < 4 && ends[i] <= len; i++, whole++)
			good = ends[i];
		assert_int_equal(s.records, whole);
		assert_int_equal(s.good, good);
		assert_false(seen.foreign);
		assert_int_equal(s.end, len < ends[4] ? JOURNAL_DAMAGED
					: len == good ? JOURNAL_WHOLE
						      : JOURNAL_TORN);
	}
}

/* Whatever bit flips, it costs one record at most, or none in the head, and nothing is made up. */
static void every_flipped_bit(void **state _unused_)
{
	size_t ends[4];
	_cleanup_(buf_done) struct buf b = file_of(3, 7, ends);

	for (size_t bit = 0; bit < b.len * 8; bit++) {
		size_t at = bit / 8, before = 0;
		struct journal_scan s;
		struct seen seen;

		b.data[at] ^= (char)(1 << bit % 8);
		s = scan(&b, b.len, &seen);
		b.data[at] ^= (char)(1 << bit % 8);
		while (before < 3 && ends[before] <= at)
			before++;
		assert_false(seen.foreign);
		assert_int_equal(s.records, at < ends[3] ? 3 : 2);
		assert_int_equal(s.next, before == 2 ? 9 : 10);
		assert_int_equal(s.good, at < ends[3] ? 0 : before ? ends[before - 1] : ends[3]);
		/* Damage of the last record alone is what a crash leaves. */
		assert_int_equal(s.end, at >= ends[1] ? JOURNAL_TORN : JOURNAL_DAMAGED);
	}
}

static void zeros_at_the_end_are_torn(void **state _unused_)
{
	size_t ends[3];
	_cleanup_(buf_done) struct buf b = file_of(2, 0, ends);
	static const char zeros[JOURNAL_RECORD_MAX * 2];
	struct journal_scan s;
	struct seen seen;

	buf_put(&b, zeros, sizeof(zeros));
	s = scan(&b, b.len, &seen);
	assert_int_equal(s.end, JOURNAL_TORN);
	assert_int_equal(s.good, ends[1]);
	assert_int_equal(s.records, 2);
}

static void much_garbage_at_the_end_is_damage(void **state _unused_)
{
	size_t ends[3];
	_cleanup_(buf_done) struct buf b = file_of(2, 0, ends);
	struct seen seen;

	for (size_t i = 0; i < JOURNAL_RECORD_MAX + 13; i++)
		buf_putc(&b, (char)(i * 7 + 1));
	assert_int_equal(scan(&b, b.len, &seen).end, JOURNAL_DAMAGED);
	assert_int_equal(scan(&b, ends[1] + 1000, &seen).end, JOURNAL_TORN);
}

/* A record that once was right, at a place where it is not */
static void stale_records_are_refused(void **state _unused_)
{
	size_t ends[4];
	_cleanup_(buf_done) struct buf b = file_of(3, 100, ends), pasted = {0}, swapped = {0};
	struct journal_scan s;
	struct seen seen;

	buf_put(&pasted, b.data, b.len);
	buf_put(&pasted, b.data + ends[0], ends[1] - ends[0]);
	s = scan(&pasted, pasted.len, &seen);
	assert_int_equal(s.records, 3);
	assert_int_equal(s.good, b.len);

	buf_put(&swapped, b.data, ends[3]);
	buf_put(&swapped, b.data + ends[0], ends[1] - ends[0]);
	buf_put(&swapped, b.data + ends[3], ends[0] - ends[3]);
	s = scan(&swapped, swapped.len, &seen);
	assert_int_equal(s.records, 1);
	assert_int_equal(s.end, JOURNAL_DAMAGED);
}

/* Any span of the file is lost, or stands there twice, or is zero: what is whole of the rest
 * counts. */
static void every_span_lost_doubled_or_zero(void **state _unused_)
{
	size_t ends[6];
	_cleanup_(buf_done) struct buf b = file_of(5, 40, ends);
	static const char zeros[4096];

	assert_true(b.len < sizeof(zeros));
	for (size_t from = ends[5]; from < b.len; from += 7) {
		for (size_t to = from + 1; to <= b.len; to += 5) {
			_cleanup_(buf_done) struct buf lost = {0}, twice = {0}, zero = {0};
			size_t whole = 0, in_a_copy = 0;
			struct journal_scan s;
			struct seen seen;

			for (size_t i = 0; i < 5; i++) {
				size_t begin = i ? ends[i - 1] : ends[5];

				whole += ends[i] <= from || begin >= to;
				in_a_copy += ends[i] <= to || begin >= from;
			}
			buf_put(&lost, b.data, from);
			buf_put(&lost, b.data + to, b.len - to);
			s = scan(&lost, lost.len, &seen);
			/* The beginning of one record may be as good as that of the next. */
			assert_in_range(s.records, whole, whole + 1);
			assert_false(seen.foreign);

			buf_put(&zero, b.data, from);
			buf_put(&zero, zeros, to - from);
			buf_put(&zero, b.data + to, b.len - to);
			if (memcmp(zero.data, b.data, b.len) == 0) /* there were zeros */
				continue;
			s = scan(&zero, zero.len, &seen);
			assert_int_equal(s.records, whole);
			assert_int_equal(s.end, to <= ends[3] ? JOURNAL_DAMAGED : JOURNAL_TORN);
			assert_false(seen.foreign);

			buf_put(&twice, b.data, to);
			buf_put(&twice, b.data + from, b.len - from);
			s = scan(&twice, twice.len, &seen);
			assert_in_range(s.records, in_a_copy, 5);
			assert_false(seen.foreign);
		}
	}
}

/* --- made up with right checksums ------------------------------------------------------------ */

static void seal(struct buf *b, size_t from)
{
	buf_put_u64(b, hash_stable(b->data + from, b->len - from));
}

static void put_raw(struct buf *b, uint32_t length, uint8_t type, uint64_t number,
		    const void *payload, size_t payload_len)
{
	size_t from = b->len;

	buf_put_u32(b, length);
	buf_putc(b, (char)type);
	buf_put_u64(b, number);
	buf_put_u64(b, 0);
	buf_put(b, payload, payload_len);
	seal(b, from);
}

static void hostile_records_are_refused(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);
	_cleanup_(buf_done) struct buf payload = {0};
	uint32_t len;

	attachment_encode(a, &payload);
	len = (uint32_t)(17 + payload.len);
	for (int i = 0; i < 8; i++) {
		size_t ends[2];
		_cleanup_(buf_done) struct buf b = file_of(1, 0, ends);
		struct seen seen;
		uint32_t lengths[] = {len, len, len, 0, len - 1, len + 1, UINT32_MAX, len};
		uint8_t types[] = {0, 3, 1, 1, 1, 1, 1, 1};
		uint64_t numbers[] = {1, 1, 0, 1, 1, 1, 1, 1};

		if (i == 7) /* something behind the attachment */
			buf_putc(&payload, 0), lengths[i]++;
		put_raw(&b, lengths[i], types[i], numbers[i], payload.data, payload.len);
		assert_int_equal(scan(&b, b.len, &seen).records, 1);
	}
}

static void hostile_heads_are_refused(void **state _unused_)
{
	for (int i = 0; i < 3; i++) {
		_cleanup_(buf_done) struct buf b = {0};
		struct seen seen;

		buf_put(&b, i == 0 ? "manxjrn2" : "manxjrn1", 8);
		buf_put_u64(&b, 0);
		if (i == 1) {
			buf_put_u16(&b, 3);
			buf_put(&b, "a\0b", 3);
		} else {
			buf_put_str(&b, BOOT);
		}
		seal(&b, 0);
		if (i == 2)
			b.len--;
		assert_int_equal(scan(&b, b.len, &seen).end, JOURNAL_DAMAGED);
	}
}

/* Thousands of places that look like a record, none of which is one: it ends soon. */
static void decoys_cost_little(void **state _unused_)
{
	size_t ends[2];
	_cleanup_(buf_done) struct buf b = file_of(1, 0, ends);
	struct seen seen;

	while (b.len < ends[0] + JOURNAL_RECORD_MAX - 64) {
		buf_put_u32(&b, 1000);
		buf_putc(&b, JOURNAL_PUT);
		buf_put_u64(&b, 2);
	}
	assert_int_equal(scan(&b, b.len, &seen).end, JOURNAL_DAMAGED);
	assert_int_equal(seen.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file),
		cmocka_unit_test(an_empty_file),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(every_flipped_bit),
		cmocka_unit_test(zeros_at_the_end_are_torn),
		cmocka_unit_test(much_garbage_at_the_end_is_damage),
		cmocka_unit_test(stale_records_are_refused),
		cmocka_unit_test(every_span_lost_doubled_or_zero),
		cmocka_unit_test(hostile_records_are_refused),
		cmocka_unit_test(hostile_heads_are_refused),
		cmocka_unit_test(decoys_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
