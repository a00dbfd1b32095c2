// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal_format.c - encode and scan the journal's bytes (journal.c draws them).  Pure.
 */
#include "ipam/journal_format.h"

#include "lib/hash.h"

static const char magic[8] = {'m', 'a', 'n', 'x', 'j', 'r', 'n', '1'};

static void put_checksum(struct buf *out, size_t from)
{
	buf_put_u64(out, hash_stable(out->data + from, out->len - from));
}

/**
 * journal_encode_head() - Write the beginning of a file
 * @boot_id: Of this boot
 * @out:     Appended to
 */
void journal_encode_head(const char *boot_id, struct buf *out)
{
	size_t from = out->len;

	buf_put(out, magic, sizeof(magic));
	buf_put_str(out, boot_id);
	put_checksum(out, from);
}

/**
 * journal_encode() - Write a record
 * @type:   What it says
 * @number: Its number in the file, from 0
 * @a:      Attachment; of a removal only the key counts
 * @out:    Appended to
 */
void journal_encode(enum journal_record type, uint64_t number, const struct attachment *a,
		    struct buf *out)
{
	_cleanup_(buf_done) struct buf payload = {0};
	size_t from = out->len;

	attachment_encode(a, &payload);
	buf_put_u32(out, (uint32_t)(1 + sizeof(number) + payload.len));
	buf_putc(out, (char)type);
	buf_put_u64(out, number);
	buf_put(out, payload.data, payload.len);
	put_checksum(out, from);
}

static bool checksum_holds(const uint8_t *from, struct reader *r)
{
	size_t len = (size_t)(r->p - from);

	return reader_u64(r) == hash_stable(from, len) && !r->bad;
}

static bool scan_head(struct reader *r, struct journal_head *ret)
{
	const uint8_t *from = r->p, *m = reader_bytes(r, sizeof(magic));
	char *boot_id;

	if (!m || memcmp(m, magic, sizeof(magic)) != 0)
		return false;
	boot_id = reader_str(r);
	if (!checksum_holds(from, r)) {
		free(boot_id);
		return false;
	}
	ret->boot_id = boot_id;
	return true;
}

/* One record; false if it does not hold. */
static bool scan_record(struct reader *r, uint64_t number, journal_record_fn *fn, void *arg)
{
	const uint8_t *from = r->p;
	uint32_t len = reader_u32(r);
	const uint8_t *body = reader_bytes(r, len);
	struct attachment *at = NULL;
	struct reader inner;
	uint8_t type;

	if (!body || !checksum_holds(from, r))
		return false;
	inner = reader_of(body, len);
	type = reader_u8(&inner);
	if ((type != JOURNAL_PUT && type != JOURNAL_REMOVE) || reader_u64(&inner) != number ||
	    attachment_decode(&inner, &at) < 0)
		return false;
	if (reader_left(&inner)) {
		(void)attachment_free(at);
		return false;
	}
	fn(arg, (enum journal_record)type, at, (size_t)(r->p - from));
	return true;
}

/**
 * journal_scan() - Read a file up to the first byte that does not hold
 * @data: The file
 * @len:  Its length
 * @ret:  What its head says; @boot_id is to be freed
 * @fn:   Called for each good record, in order
 * @arg:  Its first argument
 *
 * Return: length of the good part; less than @len: the rest is torn or damaged
 */
size_t journal_scan(const void *data, size_t len, struct journal_head *ret, journal_record_fn *fn,
		    void *arg)
{
	struct reader r;
	size_t good = 0;

	*ret = (struct journal_head){0};
	if (!len)
		return 0;
	r = reader_of(data, len);
	if (!scan_head(&r, ret))
		return 0;
	do
		good = len - reader_left(&r);
	while (reader_left(&r) && scan_record(&r, ret->records, fn, arg) && ++ret->records);
	return good;
}
