/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_format.h - the journal's bytes.  Pure.
 *
 *   file    = magic (8 bytes), number of the first record (8), boot id (counted string),
 *             checksum (8), record...
 *   record  = length of what follows but the checksum (4), type (1), number (8), time (8),
 *             attachment, checksum (8)
 *
 * A checksum is hash_stable() of everything before it in the head or record; integers are little
 * endian.  Numbers rise by one through the life of the journal, also when it is rewritten, so a
 * stale record (an old block of the disk, an old copy pasted in) is as visible as a damaged one.
 */
#pragma once

#include "ipam/attachment.h"

#define JOURNAL_MAX	   (64u << 20)	/* bytes of a file; 65,536 attachments take about 20 MiB */
#define JOURNAL_RECORD_MAX (512u << 10) /* bytes of a record; seven strings of 64 KiB and ports */

enum journal_type { JOURNAL_PUT = 1, JOURNAL_REMOVE = 2 };

/*
 * struct journal_record - one good record
 * @at:    of a removal, what was removed; owned by whoever takes the record
 * @time:  of a removal, when it was: CLOCK_MONOTONIC, microseconds; else 0
 * @bytes: length of the record
 */
struct journal_record {
	enum journal_type type;
	uint64_t number, time;
	struct attachment *at;
	size_t bytes;
};

enum journal_end {
	JOURNAL_WHOLE,	 /* the file ends with a record, and none is missing */
	JOURNAL_TORN,	 /* the last record is incomplete or damaged */
	JOURNAL_DAMAGED, /* records in the middle do not hold, or are missing, or the head is */
};

/* struct journal_scan - what was found; @boot_id is heap memory, NULL if the head does not hold */
struct journal_scan {
	char *boot_id;
	uint64_t next;	  /* number of the record to come */
	uint64_t records; /* good ones */
	size_t good;	  /* bytes before the first that is torn or damaged */
	size_t bad;	  /* bytes that are in no good record */
	enum journal_end end;
};

/* journal_record_fn - takes a good record and owns its attachment */
typedef void journal_record_fn(void *arg, const struct journal_record *r);

void journal_encode_head(const char *boot_id, uint64_t first, struct buf *out);
void journal_encode(const struct journal_record *r, struct buf *out);
void journal_scan(const void *data, size_t len, struct journal_scan *ret, journal_record_fn *fn,
		  void *arg);
