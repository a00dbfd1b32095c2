/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_format.h - the journal's bytes.  Pure.
 */
#pragma once

#include "ipam/attachment.h"

#define JOURNAL_MAX (64u << 20) /* bytes of a file; 65,536 attachments take about 20 MiB */

enum journal_record { JOURNAL_PUT = 1, JOURNAL_REMOVE = 2 };

struct journal_head {
	char *boot_id; /* heap; NULL if the head does not hold */
	uint64_t records;
};

/* journal_record_fn - takes a good record; owns @at; @bytes is the length of the record */
typedef void journal_record_fn(void *arg, enum journal_record type, struct attachment *at,
			       size_t bytes);

void journal_encode_head(const char *boot_id, struct buf *out);
void journal_encode(enum journal_record type, uint64_t number, const struct attachment *a,
		    struct buf *out);
size_t journal_scan(const void *data, size_t len, struct journal_head *ret, journal_record_fn *fn,
		    void *arg);
