// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal_format.c - encode and scan the journal's bytes.  Pure.
 *
 * A scan ends at the first record that does not hold: what follows cannot be trusted to be in
 * place.  Whether good records follow is found out only to tell a torn end, which every crash may
 * leave, from damage that somebody should look at.
 */
#include "ipam/journal_format.h"

#include "lib/hash.h"

static const char magic[8] = {'m', 'a', 'n', 'x', 'j', 'r', 'n', '1'};

#define LENGTH_SIZE   4
#define FIXED_SIZE    17 /* type, number and time */
#define CHECKSUM_SIZE 8
#define RECORD_MIN    (LENGTH_SIZE + FIXED_SIZE + CHECKSUM_SIZE)
#define TRIES_MAX     64 /* checksums computed in search of a later record */

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

/* One record; false, and @r anywhere, if it does not hold. */
static bool scan_record(struct reader *r, uint64_t number, struct journal_record *ret)
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
	if ((type != JOURNAL_PUT && type != JOURNAL_REMOVE) || ret->number != number ||
	    attachment_decode(&inner, &at) < 0 || reader_left(&inner))
		return false;
	ret->at = TAKE(at, NULL);
	return true;
}

/* Could a record that comes after number @from begin here?  Cheap: no checksum. */
static bool looks_like_later(struct reader r, uint64_t from)
{
	size_t left = reader_left(&r);
	uint32_t len = reader_u32(&r);
	uint8_t type = reader_u8(&r);
	uint64_t number = reader_u64(&r);

	return !r.bad && (type == JOURNAL_PUT || type == JOURNAL_REMOVE) && len >= FIXED_SIZE &&
	       len <= left - LENGTH_SIZE && number >= from && number - from <= left / RECORD_MIN;
}

/*
 * Is there a good record anywhere in @r?  The number that a record has at its place is known
 * within the few that fit in between, so hardly any offset gets as far as the checksum; where
 * more than TRIES_MAX do, somebody made it up, and that is damage.
 */
static bool has_later_record(struct reader r, uint64_t next)
{
	int tries = 0;

	for (; reader_left(&r) >= RECORD_MIN; r.p++) {
		struct reader try = r;

		if (!looks_like_later(r, next + 1))
			continue;
		(void)reader_bytes(&try, reader_u32(&try));
		if (++tries > TRIES_MAX || checksum_holds(r.p, &try))
			return true;
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
static enum journal_end judge_rest(struct reader rest, const struct journal_scan *s)
{
	if (!reader_left(&rest))
		return JOURNAL_WHOLE;
	if (!s->boot_id)
		return JOURNAL_DAMAGED;
	if (all_zero(rest))
		return JOURNAL_TORN;
	if (reader_left(&rest) > LENGTH_SIZE + JOURNAL_RECORD_MAX + CHECKSUM_SIZE ||
	    has_later_record(rest, s->next))
		return JOURNAL_DAMAGED;
	return JOURNAL_TORN;
}

/**
 * journal_scan() - Read a file up to the first byte that does not hold
 * @data: The file; NULL if it is empty
 * @len:  Its length
 * @ret:  What was found; its @boot_id is to be freed
 * @fn:   Called for each good record, in order
 * @arg:  Its first argument
 *
 * Time: O(len).
 */
void journal_scan(const void *data, size_t len, struct journal_scan *ret, journal_record_fn *fn,
		  void *arg)
{
	struct reader r, good;
	struct journal_record record;

	*ret = (struct journal_scan){0};
	if (!len)
		return;
	r = good = reader_of(data, len);
	if (scan_head(&r, ret)) {
		good = r;
		while (scan_record(&r, ret->next, &record)) {
			good = r;
			ret->next++;
			ret->records++;
			fn(arg, &record);
		}
	}
	ret->good = len - reader_left(&good);
	ret->end = judge_rest(good, ret);
}
