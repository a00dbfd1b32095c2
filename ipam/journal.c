// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal.c - look up, write, make durable.
 *
 * A record is appended with one write, then the table changes, then a sync begins unless the disk
 * is busy; everything written while it runs shares the next one.  A write that fails is cut off
 * again.  When the file has more than JOURNAL_COMPACT_MIN bytes and more than half of it is
 * history, it is replaced by one with what counts, about 300 bytes a pod; records that come
 * meanwhile go to the old file, and to the new one when it has taken the name.
 *
 * When a sync fails the kernel may have dropped the pages and would not tell again, so the file is
 * not trusted until it has been rewritten whole.  That is done at once, fsync included, and holds
 * the caller; so does a file that is full.  Limit: JOURNAL_MAX bytes.
 *
 * After a write that failed, journal_probe() finds out whether the disk takes one again: with the
 * removal of an attachment that nobody has.
 */
#include "ipam/journal_internal.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "ipam/journal_file.h"
#include "lib/loop.h"

#define PROBE_BYTES 4096

/* --- the table ------------------------------------------------------------------------------- */

/* --- the disk -------------------------------------------------------------------------------- */

static void switch_to(struct journal *j, int fd, uint64_t number, size_t size)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	j->number = number;
	j->size = size;
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

/**
 * journal_forget_since() - The records that a new file would lack are not needed
 * @j: Journal
 */
void journal_forget_since(struct journal *j)
{
	vec_foreach (r, &j->since)
		(void)attachment_free(r->at);
	vec_done(&j->since);
}

static void begin_replacing(struct journal *j)
{
	struct buf content = {0};

	j->snapshot_next = journal_table_encode(&j->table, j->boot_id, j->number, &content);
	j->snapshot = j->written;
	j->snapshot_size = content.len;
	j->replacing = true;
	disk_replace(j->disk, j->path, &content);
}

/* What the disk is to do next, if it has time. */
static void use_disk(struct journal *j)
{
	if (disk_running(j->disk) || j->trouble)
		return;
	if (journal_is_mostly_history(j) && j->size >= j->replace_at) {
		begin_replacing(j);
	} else if (j->syncing != j->written) {
		j->syncing = j->written;
		disk_sync(j->disk, j->fd);
	}
}

/* The new file has the name: it gets the records that came meanwhile. */
static int catch_up(struct journal *j)
{
	_cleanup_(buf_done) struct buf b = {0};
	int r;

	vec_foreach (record, &j->since) {
		record->number = j->number++;
		journal_encode(record, &b);
	}
	r = journal_file_write(j->fd, &b, j->size);
	j->size += b.len;
	return r;
}

static void replaced(struct journal *j, const struct disk_result *d)
{
	int r = d->result;

	j->replacing = false;
	if (r == 0) {
		switch_to(j, d->fd, j->snapshot_next, j->snapshot_size);
		r = d->folder;
		if (r == 0)
			r = catch_up(j);
		if (r < 0) /* the file that has the name lacks something, or may lose the name */
			j->trouble = r;
	}
	if (r == 0)
		j->synced = j->syncing = MAX(j->synced, j->snapshot);
	j->replace_at = r == 0 ? 0 : j->size + JOURNAL_COMPACT_MIN;
	journal_forget_since(j);
}

static void take_result(struct journal *j)
{
	struct disk_result d;

	if (!disk_take(j->disk, &d))
		return;
	if (d.operation == DISK_REPLACE)
		replaced(j, &d);
	else if (d.result == 0)
		j->synced = MAX(j->synced, j->syncing);
	else
		j->trouble = d.result;
}

/* --- at once --------------------------------------------------------------------------------- */

/* Whatever the disk is doing; only for when it has failed, for start and for exit. */
static void wait_for_disk(struct journal *j)
{
	struct pollfd p = {.fd = disk_fd(j->disk), .events = POLLIN};

	while (disk_running(j->disk)) {
		(void)poll(&p, 1, -1);
		take_result(j);
	}
}

/**
 * journal_rewrite() - Write the table as a new file in the place of the old one
 * @j: Journal
 *
 * Blocking.
 *
 * Return: 0: everything is durable, and no trouble is left; -errno
 */
int journal_rewrite(struct journal *j)
{
	_cleanup_(buf_done) struct buf content = {0};
	uint64_t number;
	int fd, folder, r;

	wait_for_disk(j);
	number = journal_table_encode(&j->table, j->boot_id, j->number, &content);
	if (content.len > JOURNAL_MAX)
		return -EFBIG;
	r = journal_file_replace(j->path, &content, &fd, &folder);
	if (r < 0)
		return r;
	switch_to(j, fd, number, content.len);
	j->trouble = folder;
	if (folder < 0)
		return folder;
	j->synced = j->syncing = j->written;
	j->refused = 0;
	return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

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

	if (!j->trouble && !full)
		return 0;
	r = full && j->table.live + JOURNAL_COMPACT_MIN + len > JOURNAL_MAX ? -EFBIG
									    : journal_rewrite(j);
	if (r == 0)
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
	if (r < 0) {
		j->refused = r;
		return r;
	}
	record->number = j->number;
	record->bytes = b.len;
	buf_reset(&b);
	journal_encode(record, &b);
	r = append(j, &b, reterr);
	j->refused = r;
	if (r < 0)
		return r;
	j->number++;
	j->written++;
	if (j->replacing) {
		vec_push(&j->since, *record);
		j->since.v[j->since.n - 1].at = attachment_copy(record->at);
	}
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
	use_disk(j);
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
	use_disk(j);
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
	return disk_fd(j->disk);
}

/**
 * journal_poll() - Take a result of the disk, give it more to do; try again what had failed
 * @j:      Journal
 * @reterr: What failed
 *
 * After a failed sync the file is written anew at once.
 *
 * Return: 0; -errno: that failed, too; nothing is durable until a later call or write succeeds
 */
int journal_poll(struct journal *j, struct err *reterr)
{
	int r = 0;

	take_result(j);
	if (j->trouble)
		r = journal_rewrite(j);
	if (r < 0) {
		j->syncing = j->synced;
		return err_set(reterr, r, "making %s durable: %s", j->path, strerror(-r));
	}
	use_disk(j);
	return 0;
}

/**
 * journal_probe() - After a write that failed: does the disk take one again?
 * @j:      Journal
 * @reterr: Why not
 *
 * Writes a record that says nothing, in PROBE_BYTES: what is refused next must not be a record
 * that is only a little longer.  Nothing is done unless the last write failed.
 *
 * Return: 0; -errno
 */
int journal_probe(struct journal *j, struct err *reterr)
{
	static char nothing[] = "", nobodys[] = "-"; /* no container's name begins so */
	char room[PROBE_BYTES + 1];
	struct attachment nobody = {.id = nobodys,
				    .ifname = nobodys,
				    .netns = room,
				    .ns = nothing,
				    .pod = nothing,
				    .uid = nothing,
				    .host_ifname = nobodys};
	struct journal_record record = {.type = JOURNAL_REMOVE, .at = &nobody};
	int r;

	memset(room, '-', PROBE_BYTES);
	room[PROBE_BYTES] = '\0';
	r = j->refused ? write_record(j, &record, reterr) : 0;
	if (r == 0)
		use_disk(j);
	return r;
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
 * journal_refused() - Does the disk take what is written?
 * @j: Journal
 *
 * Return: 0, as far as is known; -errno of the last write, or journal_trouble()
 */
int journal_refused(const struct journal *j)
{
	return j->trouble ?: j->refused;
}

/**
 * journal_path() - The file
 * @j: Journal
 *
 * Return: its path, borrowed
 */
const char *journal_path(const struct journal *j)
{
	return j->path;
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

		if (disk_running(j->disk) && poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_set(reterr, -errno, "waiting for %s: %s", j->path,
				       strerror(errno));
		r = journal_poll(j, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}
