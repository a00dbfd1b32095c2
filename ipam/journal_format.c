// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal_format.c - encode and scan the journal's bytes.  Pure.
 *
 * A scan goes on behind a record that does not hold, at the next place where one does: checksum and
 * number say so.  Numbers only rise, so nothing old is taken for new; what the lost records said is
 * not known, and whoever reads the rest has to reckon with it (journal_open.c, agent/restore.c).
 */
#include "ipam/journal_format.h"

#include "lib/hash.h"

static const char magic[8] = {'m', 'a', 'n', 'x', 'j', 'r', 'n', '1'};

#define LENGTH_SIZE   4
#define FIXED_SIZE    17 /* type, number and time */
#define CHECKSUM_SIZE 8
#define RECORD_MIN    (LENGTH_SIZE + FIXED_SIZE + CHECKSUM_SIZE)
#define NUMBERS_MAX   (JOURNAL_MAX / RECORD_MIN) /* of one file */
#define TRIES_MAX     1024 /* checksums that do not hold, computed in search of the next record */

static void put_checksum(struct buf *out, size_t from)
{
	buf_put_u64(out, hash_stable(out->data + from, out->len - from));
}

/**
 * journal_encode_head() - Write the beginning of a file
 * @boot_id: Of this boot, at most 65535 bytes
 * @first:   Number of the first record
 * @out:     Appended to
 */
void journal_encode_head(const char *boot_id, uint64_t first, struct buf *out)
{
	size_t from = out->len;

	buf_put(out, magic, sizeof(magic));
	buf_put_u64(out, first);
	buf_put_str(out, boot_id);
	put_checksum(out, from);
}

/**
 * journal_encode() - Write a record
 * @r:   Record; its length is not read, its attachment is borrowed
 * @out: Appended to
 */
void journal_encode(const struct journal_record *r, struct buf *out)
{
	_cleanup_(buf_done) struct buf at = {0};
	size_t from = out->len;

	attachment_encode(r->at, &at);
	buf_put_u32(out, (uint32_t)(FIXED_SIZE + at.len));
	buf_putc(out, (char)r->type);
	buf_put_u64(out, r->number);
	buf_put_u64(out, r->time);
	buf_put(out, at.data, at.len);
	put_checksum(out, from);
}

static bool checksum_holds(const uint8_t *from, struct reader *r)
{
	size_t len = (size_t)(r->p - from);
	uint64_t sum = reader_u64(r);

	return !r->bad && sum == hash_stable(from, len);
}

static bool scan_head(struct reader *r, struct journal_scan *ret)
{
	const uint8_t *from = r->p, *m = reader_bytes(r, sizeof(magic));
	_cleanup_(freep) char *boot_id = NULL;
	uint64_t first;

	if (!m || memcmp(m, magic, sizeof(magic)) != 0)
		return false;
	first = reader_u64(r);
	boot_id = reader_str(r);
	if (r->bad || !checksum_holds(from, r))
		return false;
	ret->boot_id = TAKE(boot_id, NULL);
	ret->next = first;
	return true;
}

/* May it be the next one?  Which number that has at least, the head says, or a record. */
static bool is_next(const struct journal_scan *s, uint64_t number)
{
	bool known = s->boot_id || s->records;

	return !known || (number >= s->next && number - s->next <= NUMBERS_MAX);
}

/* One record; false, and @r anywhere, if it does not hold. */
static bool scan_record(struct reader *r, const struct journal_scan *s, struct journal_record *ret)
{
	const uint8_t *from = r->p;
	uint32_t len = reader_u32(r);
	const uint8_t *body = reader_bytes(r, len);
	_cleanup_(attachment_freep) struct attachment *at = NULL;
	struct reader inner;
	uint8_t type;

	if (!body || len > JOURNAL_RECORD_MAX || !checksum_holds(from, r))
		return false;
	inner = reader_of(body, len);
	type = reader_u8(&inner);
	*ret = (struct journal_record){.type = (enum journal_type)type,
				       .number = reader_u64(&inner),
				       .time = reader_u64(&inner),
				       .bytes = (size_t)(r->p - from)};
	if ((type != JOURNAL_PUT && type != JOURNAL_REMOVE) || !is_next(s, ret->number) ||
	    attachment_decode(&inner, &at) < 0 || reader_left(&inner))
		return false;
	ret->at = TAKE(at, NULL);
	return true;
}

/* Could the next record begin here?  Cheap: no checksum. */
static bool looks_like_next(struct reader r, const struct journal_scan *s)
{
	size_t left = reader_left(&r);
	uint32_t len = reader_u32(&r);
	uint8_t type = reader_u8(&r);
	uint64_t number = reader_u64(&r);

	return !r.bad && (type == JOURNAL_PUT || type == JOURNAL_REMOVE) && len >= FIXED_SIZE &&
	       len <= JOURNAL_RECORD_MAX && len <= left - LENGTH_SIZE && is_next(s, number);
}

/*
 * Go on at the next good record in @r; false if there is none.  Hardly any offset gets as far as
 * the checksum; where more than TRIES_MAX do, somebody made it up.
 */
static bool scan_next(struct reader *r, const struct journal_scan *s, int *tries,
		      struct journal_record *ret)
{
	struct reader at = *r;

	for (; reader_left(&at) >= RECORD_MIN && *tries < TRIES_MAX; at.p++) {
		struct reader try = at;

		if (!looks_like_next(at, s))
			continue;
		if (scan_record(&try, s, ret)) {
			*r = try;
			return true;
		}
		++*tries;
	}
	return false;
}

static bool all_zero(struct reader r)
{
	for (; r.p < r.end; r.p++)
		if (*r.p)
			return false;
	return true;
}

/* A crash may also leave zeros: the file system has noted the size, and not written the data. */
static bool is_torn(const struct reader *rest)
{
	return all_zero(*rest) ||
	       reader_left(rest) <= LENGTH_SIZE + JOURNAL_RECORD_MAX + CHECKSUM_SIZE;
}

/* The rest of a file, from a record on; @s->good and @s->bad are as if all of it was bad. */
static void scan_records(struct reader *r, struct journal_scan *s, journal_record_fn *fn, void *arg)
{
	struct journal_record record = {0};
	size_t total = s->good + s->bad;
	bool gap = !s->boot_id;
	int tries = 0;

	for (;;) {
		const uint8_t *before = r->p;

		if (!scan_next(r, s, &tries, &record))
			break;
		gap |= (size_t)(r->p - before) > record.bytes || record.number != s->next;
		if (!gap)
			s->good = total - reader_left(r);
		s->bad -= record.bytes;
		s->next = record.number + 1;
		s->records++;
		fn(arg, &record);
	}
	if (gap || (reader_left(r) && (!is_torn(r) || tries >= TRIES_MAX)))
		s->end = JOURNAL_DAMAGED;
	else
		s->end = reader_left(r) ? JOURNAL_TORN : JOURNAL_WHOLE;
}

/**
 * journal_scan() - Read what holds of a file
 * @data: The file; NULL if it is empty
 * @len:  Its length
 * @ret:  What was found; its @boot_id is to be freed
 * @fn:   Called for each good record, in order
 * @arg:  Its first argument
 *
 * Time: O(len), beside at most TRIES_MAX checksums.
 */
void journal_scan(const void *data, size_t len, struct journal_scan *ret, journal_record_fn *fn,
		  void *arg)
{
	struct reader r, head;

	*ret = (struct journal_scan){0};
	if (!len)
		return;
	r = head = reader_of(data, len);
	if (scan_head(&head, ret)) {
		r = head;
		ret->good = len - reader_left(&r);
	}
	ret->bad = len - ret->good;
	scan_records(&r, ret, fn, arg);
}
