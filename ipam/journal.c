// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal.c - the table of attachments and the file behind it.
 *
 *   file    = magic (8 bytes), boot id (counted string), checksum (8), record...
 *   record  = length of what follows but the checksum (4), type (1), number (8), payload,
 *             checksum (8) over everything before it in the record
 *
 * Numbers rise by one, so that a stale record in the middle is as visible as a damaged one.  What
 * comes behind the first record that does not hold is cut off; the caller finds what is missing
 * by looking at the interfaces that exist.
 */
#include "ipam/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "ipam/disksync.h"
#include "ipam/journal_format.h"

#define COMPACT_MIN 65536 /* bytes below which history is not worth rewriting */

struct entry {
	char *key;
	struct attachment *at;
	size_t bytes; /* of its record */
	UT_hash_handle hh;
};

struct journal {
	char *path;
	char *boot_id;
	int fd, lock;
	struct entry *entries;
	uint64_t number; /* of the next record */
	size_t size, live; /* bytes of the file, and of records that still count */
	uint64_t written, synced, syncing; /* sequence numbers for journal_synced() */
	struct disksync *sync;
	bool distrusted; /* a sync failed: rewrite before the file counts again */
};

/* --- the table --------------------------------------------------------------------------------- */

static char *make_key(const char *id, const char *ifname)
{
	return xasprintf("%s/%s", id, ifname);
}

static struct entry *find(const struct journal *j, const char *id, const char *ifname)
{
	_cleanup_(freep) char *key = make_key(id, ifname);
	struct entry *e;

	HASH_FIND_STR(j->entries, key, e);
	return e;
}

static void entry_free(struct journal *j, struct entry *e)
{
	HASH_DEL(j->entries, e);
	j->live -= e->bytes;
	(void)attachment_free(e->at);
	free(e->key);
	free(e);
}

static void table_put(struct journal *j, struct attachment *at, size_t bytes)
{
	struct entry *e = find(j, at->id, at->ifname);

	if (e)
		entry_free(j, e);
	e = xcalloc(1, sizeof(*e));
	e->key = make_key(at->id, at->ifname);
	e->at = at;
	e->bytes = bytes;
	j->live += bytes;
	HASH_ADD_KEYPTR(hh, j->entries, e->key, strlen(e->key), e);
}

static void table_remove(struct journal *j, const char *id, const char *ifname)
{
	struct entry *e = find(j, id, ifname);

	if (e)
		entry_free(j, e);
}

/* Take one good record over; from journal_scan(). */
static void replay(void *arg, enum journal_record type, struct attachment *at, size_t bytes)
{
	struct journal *j = arg;

	if (type == JOURNAL_PUT) {
		table_put(j, at, bytes);
		return;
	}
	table_remove(j, at->id, at->ifname);
	(void)attachment_free(at);
}

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
	const struct entry *e = find(j, id, ifname);

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
	const struct entry *e = j->entries;

	if (prev) {
		e = find(j, prev->id, prev->ifname);
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
	return HASH_COUNT(j->entries);
}

/* --- the file ---------------------------------------------------------------------------------- */

static int write_all(int fd, const struct buf *b, size_t offset)
{
	size_t done = 0;

	while (done < b->len) {
		ssize_t n = pwrite(fd, b->data + done, b->len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		done += (size_t)n;
	}
	return 0;
}

static int sync_folder(const char *path)
{
	_cleanup_(freep) char *folder = xstrdup(path);
	_cleanup_(closep) int fd = -1;
	char *slash = strrchr(folder, '/');

	if (slash)
		*slash = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static void encode_all(struct journal *j, struct buf *out)
{
	j->number = 0;
	journal_encode_head(j->boot_id, out);
	for (struct entry *e = j->entries; e; e = e->hh.next) {
		size_t before = out->len;

		journal_encode(JOURNAL_PUT, j->number++, e->at, out);
		e->bytes = out->len - before;
	}
}

/* Write the table as a new file beside, and put it in the place of the old one. */
static int rewrite(struct journal *j)
{
	_cleanup_(freep) char *fresh = xasprintf("%s.new", j->path);
	_cleanup_(closep) int fd =
		open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	_cleanup_(buf_done) struct buf b = {0};
	uint64_t number = j->number;
	int r = fd < 0 ? -errno : 0;

	encode_all(j, &b);
	if (r == 0)
		r = write_all(fd, &b, 0);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(fresh, j->path) < 0)
		r = -errno;
	if (r == 0)
		r = sync_folder(j->path);
	if (r < 0) {
		j->number = number;
		(void)unlink(fresh);
		return r;
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = TAKE(fd, -1);
	j->size = j->live = b.len;
	j->synced = j->syncing = j->written;
	j->distrusted = false;
	return 0;
}

static bool is_mostly_history(const struct journal *j)
{
	return j->size > COMPACT_MIN && j->live < j->size / 2;
}

static int read_file(int fd, struct buf *ret)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (ret->len + (size_t)n > JOURNAL_MAX)
			return -EFBIG;
		buf_put(ret, chunk, (size_t)n);
	}
	return 0;
}

/* Keep a damaged file for whoever wants to know what happened to it. */
static void keep_damaged(const struct journal *j, const struct buf *content)
{
	_cleanup_(freep) char *path = xasprintf("%s.damaged", j->path);
	_cleanup_(closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd >= 0)
		(void)write_all(fd, content, 0);
}

static int load(struct journal *j, struct journal_report *ret, struct err *reterr)
{
	_cleanup_(buf_done) struct buf content = {0};
	struct journal_head head = {0};
	size_t good;
	int r = read_file(j->fd, &content);

	if (r < 0)
		return err_set(reterr, r, "%s: %s", j->path, strerror(-r));
	good = journal_scan(content.data, content.len, &head, replay, j);
	*ret = (struct journal_report){.records = head.records, .bad_bytes = content.len - good};
	ret->rebooted = head.boot_id && !streq(head.boot_id, j->boot_id);
	free(head.boot_id);
	if (ret->bad_bytes)
		keep_damaged(j, &content);
	r = rewrite(j);
	return r == 0 ? 0 : err_set(reterr, r, "writing %s: %s", j->path, strerror(-r));
}

static int take_lock(struct journal *j, struct err *reterr)
{
	_cleanup_(freep) char *path = xasprintf("%s.lock", j->path);

	j->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (j->lock < 0)
		return err_set(reterr, -errno, "%s: %s", path, strerror(errno));
	if (flock(j->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(reterr, -EBUSY, "%s: another agent uses this state folder", path);
	return 0;
}

/**
 * journal_open() - Open or create, and read
 * @path:       File; its folder exists
 * @boot_id:    Of this boot
 * @ret:        Journal; untouched on failure
 * @ret_report: What was found
 * @reterr:     What failed
 *
 * The file is written anew at once, so that a failing disk shows here and history is gone.
 * Blocking.
 *
 * Return: 0; -EBUSY if another process has it open; -errno
 */
int journal_open(const char *path, const char *boot_id, struct journal **ret,
		 struct journal_report *ret_report, struct err *reterr)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	struct journal_report report;
	int r;

	*j = (struct journal){.path = xstrdup(path), .boot_id = xstrdup(boot_id)};
	j->fd = -1;
	j->sync = disksync_new();
	r = take_lock(j, reterr);
	if (r == 0) {
		j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
		if (j->fd < 0)
			r = err_set(reterr, -errno, "%s: %s", path, strerror(errno));
	}
	if (r == 0)
		r = load(j, &report, reterr);
	if (r < 0) {
		(void)journal_close(j);
		return r;
	}
	*ret_report = report;
	*ret = j;
	return 0;
}

/**
 * journal_close() - Close; waits for a sync that runs
 * @j: Journal or NULL
 *
 * Return: NULL
 */
struct journal *journal_close(struct journal *j)
{
	struct entry *e, *next;

	if (!j)
		return NULL;
	(void)disksync_free(j->sync);
	HASH_ITER(hh, j->entries, e, next)
		entry_free(j, e);
	if (j->fd >= 0)
		close(j->fd);
	if (j->lock >= 0)
		close(j->lock);
	free(j->path);
	free(j->boot_id);
	free(j);
	return NULL;
}

/* --- writing ----------------------------------------------------------------------------------- */

static void begin_sync(struct journal *j)
{
	if (disksync_running(j->sync) || j->syncing == j->written)
		return;
	j->syncing = j->written;
	disksync_start(j->sync, j->fd);
}

/* A record that is not whole on disk must not stay: what follows it could not be read. */
static int append(struct journal *j, const struct buf *record, struct err *reterr)
{
	int r = write_all(j->fd, record, j->size);

	if (r == 0) {
		j->size += record->len;
		return 0;
	}
	if (ftruncate(j->fd, (off_t)j->size) < 0)
		j->distrusted = true;
	return err_set(reterr, r, "writing %s: %s", j->path, strerror(-r));
}

/* While a sync runs the file's descriptor is in use, so it is not replaced. */
static int make_good(struct journal *j, struct err *reterr)
{
	int r = 0;

	if (disksync_running(j->sync))
		return j->distrusted ? err_set(reterr, -EIO, "%s: an earlier write failed", j->path)
				     : 0;
	if (j->distrusted || is_mostly_history(j))
		r = rewrite(j);
	if (r == 0 || !j->distrusted)
		return 0;
	return err_set(reterr, r, "writing %s: %s", j->path, strerror(-r));
}

static int write_record(struct journal *j, enum journal_record type, const struct attachment *at,
			size_t *ret_bytes, struct err *reterr)
{
	_cleanup_(buf_done) struct buf record = {0};
	int r = make_good(j, reterr);

	if (r < 0)
		return r;
	journal_encode(type, j->number, at, &record);
	r = append(j, &record, reterr);
	if (r < 0)
		return r;
	j->number++;
	j->written++;
	*ret_bytes = record.len;
	return 0;
}

/**
 * journal_put() - Add or replace an attachment
 * @j:       Journal
 * @a:       Attachment; copied
 * @ret_seq: What to ask journal_synced() for; untouched on failure
 * @reterr:  What failed
 *
 * Return: 0; -ENOSPC, -EROFS, -EIO, ...: nothing changed
 */
int journal_put(struct journal *j, const struct attachment *a, uint64_t *ret_seq,
		struct err *reterr)
{
	size_t bytes;
	int r = write_record(j, JOURNAL_PUT, a, &bytes, reterr);

	if (r < 0)
		return r;
	table_put(j, attachment_copy(a), bytes);
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
 * Return: 0, also if there is none; -ENOSPC, -EROFS, -EIO, ...: the table has it no more, but a
 *         restart may find it again
 */
int journal_remove(struct journal *j, const char *id, const char *ifname, uint64_t *ret_seq,
		   struct err *reterr)
{
	struct entry *e = find(j, id, ifname);
	size_t bytes;
	int r;

	if (!e) {
		*ret_seq = j->written;
		return 0;
	}
	r = write_record(j, JOURNAL_REMOVE, e->at, &bytes, reterr);
	entry_free(j, e);
	if (r < 0) {
		j->distrusted = true; /* the next write brings the file up to date */
		return r;
	}
	*ret_seq = j->written;
	begin_sync(j);
	return 0;
}

/* --- durability -------------------------------------------------------------------------------- */

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
 * journal_poll() - Take the result of a sync and begin the next one
 * @j:      Journal
 * @reterr: What failed
 *
 * After a failed sync the kernel may have dropped the written pages, so the file is written anew.
 *
 * Return: 0; -errno: the sync failed and so did the rewriting; waiters keep waiting
 */
int journal_poll(struct journal *j, struct err *reterr)
{
	int result = 0;

	if (!disksync_take(j->sync, &result))
		return 0;
	if (result == 0) {
		j->synced = j->syncing;
	} else {
		j->distrusted = true;
		result = rewrite(j);
	}
	if (result < 0) {
		j->syncing = j->synced;
		return err_set(reterr, result, "making %s durable: %s", j->path, strerror(-result));
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
 * journal_sync_wait() - Wait until everything is durable; blocking, for start and exit
 * @j:      Journal
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
int journal_sync_wait(struct journal *j, struct err *reterr)
{
	if (j->synced == j->written)
		return 0;
	if (fdatasync(j->fd) < 0)
		return err_set(reterr, -errno, "making %s durable: %s", j->path, strerror(errno));
	j->synced = j->written;
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

/* --- without an agent ---------------------------------------------------------------------------- */

/**
 * journal_read() - Read the attachments of a file that no agent has open
 * @path:       File
 * @fn:         Called for each attachment
 * @arg:        Its first argument
 * @ret_report: What was found
 * @reterr:     What failed
 *
 * Return: 0, -errno
 */
int journal_read(const char *path, void (*fn)(void *arg, const struct attachment *a), void *arg,
		 struct journal_report *ret_report, struct err *reterr)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(buf_done) struct buf content = {0};
	struct journal table = {0};
	struct journal_head head = {0};
	struct entry *e, *next;
	int r = fd < 0 ? -errno : read_file(fd, &content);

	if (r < 0)
		return err_set(reterr, r, "%s: %s", path, strerror(-r));
	ret_report->bad_bytes =
		content.len - journal_scan(content.data, content.len, &head, replay, &table);
	ret_report->records = head.records;
	ret_report->rebooted = false;
	free(head.boot_id);
	HASH_ITER(hh, table.entries, e, next)
	{
		fn(arg, e->at);
		entry_free(&table, e);
	}
	return 0;
}
