/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_internal.h - the journal, shared by journal.c and journal_open.c: its table
 * (journal_table.h), its bytes (journal_format.h) and its file (journal_file.h), held together.
 */
#pragma once

#include "ipam/disk.h"
#include "ipam/journal.h"
#include "ipam/journal_table.h"
#include "lib/vec.h"

#define JOURNAL_COMPACT_MIN 65536 /* bytes below which history is not worth rewriting */

struct journal_freed {
	struct addr addr;
	uint64_t time, owner;
};

/*
 * struct journal
 * @number:   of the next record in the file
 * @size:     bytes of the file that hold good records
 * @written, @syncing, @synced: sequence numbers: written, covered by the sync that runs, durable
 * @replacing: the disk makes a new file, which covers the sequence numbers up to @snapshot, has
 *            @snapshot_size bytes, and @snapshot_next as the number of its next record
 * @replace_at: bytes that the file must have before that is tried again; set when it failed
 * @since:    records that the new one lacks; their attachments are ours
 * @trouble:  0 or -errno: the file does not say what the table says, or may not be durable;
 *            it must be rewritten before anything else
 * @refused:  0 or -errno: the last write failed, and changed nothing
 * @freed:    removals found at open
 */
struct journal {
	char *path, *boot_id;
	int fd, lock;
	struct journal_table table;
	uint64_t number;
	size_t size;
	uint64_t written, syncing, synced;
	struct disk *disk;
	int trouble, refused;
	bool replacing;
	uint64_t snapshot, snapshot_next;
	size_t snapshot_size, replace_at;
	VEC(struct journal_record) since;
	VEC(struct journal_freed) freed;
};

int journal_rewrite(struct journal *j);
bool journal_is_mostly_history(const struct journal *j);
void journal_forget_since(struct journal *j);
