/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h - the attachments on disk: an append-only file of checksummed records.
 *
 * It owns the table of attachments and its file.  A record is written at once and made durable
 * beside the loop, which never waits for the disk: whoever needs durability asks journal_synced()
 * with the sequence number that the write returned, and is woken by the descriptor of
 * journal_fd().  Several writes share one sync.  When most of the file is history it is rewritten
 * beside and renamed over.
 */
#pragma once

#include "ipam/attachment.h"
#include "lib/err.h"

#define JOURNAL_DAMAGED_MAX 8 /* damaged files that are kept: <path>.damaged-1 to -8 */

struct journal;

struct journal_report {
	uint64_t records;    /* read at open */
	uint64_t good_bytes; /* before the first of: */
	uint64_t bad_bytes;  /* left out because a record was torn or damaged */
	bool damaged;	     /* more than a torn last record, as a crash leaves it */
	bool empty;	     /* there was no file, or nothing in it */
	unsigned int kept;   /* n of <path>.damaged-<n>, the file before the cut; 0: not kept */
	bool rebooted;	     /* the boot id differs: every attachment was from before the boot */
};

int journal_open(const char *path, const char *boot_id, struct journal **ret,
		 struct journal_report *ret_report, struct err *reterr);
struct journal *journal_close(struct journal *j);
char *journal_damaged_path(const char *path, unsigned int n);

/* The table; borrowed pointers hold until the next journal_put/_remove. */
const struct attachment *journal_find(const struct journal *j, const char *id, const char *ifname);
const struct attachment *journal_find_link(const struct journal *j, const char *host_ifname);
const struct attachment *journal_find_port(const struct journal *j, const struct host_port *p);
const struct attachment *journal_next(const struct journal *j, const struct attachment *prev);
size_t journal_count(const struct journal *j);

/* journal_freed_fn - takes an address that was free at open, when it was freed (monotonic, us), and
 * whose it was (attachment_owner()) */
typedef void journal_freed_fn(void *arg, const struct addr *a, uint64_t freed, uint64_t owner);
void journal_take_freed(struct journal *j, journal_freed_fn *fn, void *arg);

/* Write; on success *ret_seq is the sequence number to wait for.  -ENOSPC, -EROFS, -EIO, ...:
 * nothing changed, neither in the table nor (as far as a reader is concerned) in the file; except
 * that journal_remove() takes the attachment out of the table all the same. */
int journal_put(struct journal *j, const struct attachment *a, uint64_t *ret_seq,
		struct err *reterr);
int journal_remove(struct journal *j, const char *id, const char *ifname, uint64_t *ret_seq,
		   struct err *reterr);

/* Durability. */
int journal_fd(const struct journal *j);		 /* readable when the disk is done */
int journal_poll(struct journal *j, struct err *reterr); /* take results, start the next sync */
bool journal_synced(const struct journal *j, uint64_t seq);
int journal_trouble(const struct journal *j); /* 0, or why what is not synced will not be soon */
int journal_refused(const struct journal *j); /* 0, or why the last write failed */
int journal_probe(struct journal *j, struct err *reterr); /* try again after that */
const char *journal_path(const struct journal *j);
int journal_sync_wait(struct journal *j, struct err *reterr); /* blocking; start and exit only */

/* Read-only view for `manx ipam show` while no agent runs. */
int journal_read(const char *path, void (*fn)(void *arg, const struct attachment *a), void *arg,
		 struct journal_report *ret_report, struct err *reterr);
