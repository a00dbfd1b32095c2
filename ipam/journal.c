// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal.c - look up, write, make durable.
 *
 * A record is appended with one write, then the table changes, then a sync begins unless one
 * runs; everything written while it runs shares the next one.  A write that fails is cut off
 * again.  When a sync fails the kernel may have dropped the pages and would not tell again, so
 * the file is not trusted until it has been rewritten whole.
 *
 * Limits: JOURNAL_MAX bytes.  Rewriting is done at once, fsync included, and holds the caller: it
 * writes what counts, about 300 bytes a pod, when the file has more than JOURNAL_COMPACT_MIN bytes
 * and more than half of it is history.
 */
#include "ipam/journal_internal.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "ipam/journal_file.h"
#include "lib/loop.h"

/* --- the table ------------------------------------------------------------------------------- */

/**
 * journal_find() - Look an attachment up
 * @j:      Journal
 * @id:     Container
 * @ifname: Interface
 *
 * Return: the attachment, borrowed until the next change; NULL if there is none
 */
const struct attachment *journal_find(const struct journal *j, const char *id, const char *ifname)
{
	const struct journal_entry *e = journal_table_find(&j->table, id, ifname);

	return e ? e->at : NULL;
}

/**
 * journal_next() - Walk the attachments, oldest first
 * @j:    Journal
 * @prev: The one before; NULL to begin
 *
 * Return: the next one, borrowed; NULL at the end
 */
const struct attachment *journal_next(const struct journal *j, const struct attachment *prev)
{
	const struct journal_entry *e = j->table.entries;

	if (prev) {
		e = journal_table_find(&j->table, prev->id, prev->ifname);
		e = e ? e->hh.next : NULL;
	}
	return e ? e->at : NULL;
}

/**
 * journal_count() - Number of attachments
 * @j: Journal
 *
 * Return: the number
 */
size_t journal_count(const struct journal *j)
{
	return HASH_COUNT(j->table.entries);
}

/* --- writing --------------------------------------------------------------------------------- */

/**
 * journal_rewrite() - Write the table as a new file in the place of the old one
 * @j: Journal
 *
 * Also while a sync of the old file runs: its result does no harm.  Blocking.
 *
 * Return: 0: everything is durable, and no trouble is left; -errno
 */
int journal_rewrite(struct journal *j)
{
	_cleanup_(buf_done) struct buf content = {0};
	uint64_t number = journal_table_encode(&j->table, j->boot_id, j->number, &content);
	int fd, folder, r;

	if (content.len > JOURNAL_MAX)
		return -EFBIG;
	r = journal_file_replace(j->path, &content, &fd, &folder);
	if (r < 0)
		return r;
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	j->number = number;
	j->size = content.len;
	j->trouble = folder;
	if (folder < 0)
		return folder;
	j->synced = j->syncing = j->written;
	return 0;
}

/**
 * journal_is_mostly_history() - Is it worth rewriting?
 * @j: Journal
 *
 * Return: true if so
 */
bool journal_is_mostly_history(const struct journal *j)
{
	return j->size > JOURNAL_COMPACT_MIN && j->table.live < j->size / 2;
}

static void begin_sync(struct journal *j)
{
	if (disksync_running(j->sync) || j->syncing == j->written)
		return;
	j->syncing = j->written;
	disksync_start(j->sync, j->fd);
}

/* A record that is not whole must not stay: what follows it could not be read. */
static int append(struct journal *j, const struct buf *record, struct err *reterr)
{
	int r = journal_file_write(j->fd, record, j->size);

	if (r == 0) {
		j->size += record->len;
		return 0;
	}
	if (ftruncate(j->fd, (off_t)j->size) < 0)
		j->trouble = r;
	return err_set(reterr, r, "writing %s: %s", j->path, strerror(-r));
}

/* Before a record of @len bytes: rewrite the file if it is not trusted or has no room. */
static int make_good(struct journal *j, size_t len, struct err *reterr)
{
	bool full = j->size + len > JOURNAL_MAX;
	int r;

	if (!j->trouble && !journal_is_mostly_history(j) && !full)
		return 0;
	r = full && j->table.live + JOURNAL_COMPACT_MIN + len > JOURNAL_MAX ? -EFBIG
									    : journal_rewrite(j);
	if (r == 0 || (!j->trouble && !full))
		return 0;
	return err_set(reterr, r, "writing %s anew, %zu attachments: %s", j->path, journal_count(j),
		       strerror(-r));
}

static int write_record(struct journal *j, struct journal_record *record, struct err *reterr)
{
	_cleanup_(buf_done) struct buf b = {0};
	int r;

	journal_encode(record, &b);
	r = make_good(j, b.len, reterr);
	if (r < 0)
		return r;
	record->number = j->number;
	record->bytes = b.len;
	buf_reset(&b);
	journal_encode(record, &b);
	r = append(j, &b, reterr);
	if (r < 0)
		return r;
	j->number++;
	j->written++;
	return 0;
}

/**
 * journal_put() - Add or replace an attachment
 * @j:       Journal
 * @a:       Attachment; copied
 * @ret_seq: What to ask journal_synced() for; untouched on failure
 * @reterr:  What failed
 *
 * Return: 0; -ENOSPC, -EROFS, -EIO, -EFBIG, ...: nothing changed
 */
int journal_put(struct journal *j, const struct attachment *a, uint64_t *ret_seq,
		struct err *reterr)
{
	struct journal_record record = {.type = JOURNAL_PUT, .at = (struct attachment *)a};
	int r = write_record(j, &record, reterr);

	if (r < 0)
		return r;
	journal_table_put(&j->table, attachment_copy(a), record.bytes);
	*ret_seq = j->written;
	begin_sync(j);
	return 0;
}

/**
 * journal_remove() - Remove an attachment
 * @j:       Journal
 * @id:      Container
 * @ifname:  Interface
 * @ret_seq: What to ask journal_synced() for; untouched on failure
 * @reterr:  What failed
 *
 * A full disk must not keep a pod from being deleted.
 *
 * Return: 0, also if there is none; -ENOSPC, -EROFS, -EIO, ...: the table has it no more, but a
 *         restart finds it again unless a later write, which writes the file anew, succeeds
 */
int journal_remove(struct journal *j, const char *id, const char *ifname, uint64_t *ret_seq,
		   struct err *reterr)
{
	struct journal_entry *e = journal_table_find(&j->table, id, ifname);
	struct journal_record record = {.type = JOURNAL_REMOVE, .time = monotonic_usec()};
	int r;

	if (!e) {
		*ret_seq = j->written;
		return 0;
	}
	record.at = e->at;
	r = write_record(j, &record, reterr);
	journal_table_drop(&j->table, e);
	if (r < 0) {
		j->trouble = r;
		return r;
	}
	*ret_seq = j->written;
	begin_sync(j);
	return 0;
}

/* --- durability ------------------------------------------------------------------------------ */

/**
 * journal_fd() - Descriptor that is readable when journal_poll() has something to do
 * @j: Journal
 *
 * Return: the descriptor
 */
int journal_fd(const struct journal *j)
{
	return disksync_fd(j->sync);
}

/**
 * journal_poll() - Take the result of a sync, begin the next one; try again what had failed
 * @j:      Journal
 * @reterr: What failed
 *
 * After a failed sync the file is written anew at once.
 *
 * Return: 0; -errno: that failed, too; nothing is durable until a later call or write succeeds
 */
int journal_poll(struct journal *j, struct err *reterr)
{
	int result = 0, r = 0;

	if (disksync_take(j->sync, &result)) {
		if (result == 0)
			j->synced = MAX(j->synced, j->syncing);
		else
			j->trouble = result;
	}
	if (j->trouble)
		r = journal_rewrite(j);
	if (r < 0) {
		j->syncing = j->synced;
		return err_set(reterr, r, "making %s durable: %s", j->path, strerror(-r));
	}
	begin_sync(j);
	return 0;
}

/**
 * journal_synced() - Is a write durable?
 * @j:   Journal
 * @seq: From journal_put() or journal_remove(); 0 is always durable
 *
 * Return: true if so
 */
bool journal_synced(const struct journal *j, uint64_t seq)
{
	return seq <= j->synced;
}

/**
 * journal_trouble() - Does the file say what the table says, as far as is known?
 * @j: Journal
 *
 * Return: 0; -errno of the write or sync that failed and could not be made good
 */
int journal_trouble(const struct journal *j)
{
	return j->trouble;
}

/**
 * journal_sync_wait() - Wait until everything is durable; blocking, for start and exit
 * @j:      Journal
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int journal_sync_wait(struct journal *j, struct err *reterr)
{
	while (j->trouble || j->synced < j->written) {
		struct pollfd p = {.fd = journal_fd(j), .events = POLLIN};
		int r;

		if (disksync_running(j->sync) && poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_set(reterr, -errno, "waiting for %s: %s", j->path,
				       strerror(errno));
		r = journal_poll(j, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * journal_blocking_syncs() - Syncs that held the caller because AIO is not available
 * @j: Journal
 *
 * Return: the number
 */
uint64_t journal_blocking_syncs(const struct journal *j)
{
	return disksync_blocking(j->sync);
}
