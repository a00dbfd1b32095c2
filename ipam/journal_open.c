// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal_open.c - open, read and close a journal.
 *
 * Opening takes over what holds, and leaves a file to which records can be appended.  What records
 * that were lost said is not known: what they put is missing, and what they removed is still there,
 * unless its address was given to another one since.
 */
#include "ipam/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ipam/journal_file.h"
#include "lib/file.h"

#define FREED_MAX 1024 /* freed addresses handed on from the last run, the newest ones */

static void note_freed(struct journal *j, const struct attachment *at, uint64_t time)
{
	for (uint32_t i = 0; i < at->n_addrs; i++)
		vec_push(&j->freed,
			 (struct journal_freed){at->addrs[i], time, attachment_owner(at)});
	if (j->freed.n < 2 * FREED_MAX)
		return;
	memmove(j->freed.v, j->freed.v + j->freed.n - FREED_MAX, FREED_MAX * sizeof(*j->freed.v));
	j->freed.n = FREED_MAX;
}

/* Take one good record over; from journal_scan(). */
static void replay(void *arg, const struct journal_record *r)
{
	struct journal *j = arg;
	struct journal_entry *e;

	if (r->type == JOURNAL_PUT) {
		journal_table_put(&j->table, r->at, r->bytes);
		return;
	}
	e = journal_table_find(&j->table, r->at->id, r->at->ifname);
	if (e)
		journal_table_drop(&j->table, e);
	note_freed(j, r->at, r->time);
	(void)attachment_free(r->at);
}

/* Cut off what is torn; rewrite where that is not enough. */
static int put_right(struct journal *j, const struct journal_scan *s,
		     const struct journal_report *report)
{
	j->number = s->next;
	j->size = s->good;
	if (!s->boot_id || report->damaged || report->rebooted || journal_is_mostly_history(j))
		return journal_rewrite(j);
	if (report->bad_bytes && (ftruncate(j->fd, (off_t)j->size) < 0 || fdatasync(j->fd) < 0))
		return -errno;
	return 0;
}

static int load(struct journal *j, struct journal_report *ret, struct err *reterr)
{
	_cleanup_(buf_done) struct buf content = {0};
	struct journal_scan s;
	int r = fd_read(j->fd, JOURNAL_MAX, &content);

	if (r < 0)
		return err_set(reterr, r, "reading %s: %s", j->path, strerror(-r));
	journal_scan(content.data, content.len, &s, replay, j);
	*ret = (struct journal_report){
		.records = s.records,
		.good_bytes = s.good,
		.bad_bytes = s.bad,
		.damaged = s.end == JOURNAL_DAMAGED,
		.empty = !content.len,
		.rebooted = s.boot_id && !streq(s.boot_id, j->boot_id),
	};
	if (ret->damaged) {
		ret->kept = journal_file_keep(j->path);
		journal_table_newest(&j->table);
	}
	if (ret->rebooted || !s.boot_id)
		vec_done(&j->freed); /* their times are of another clock */
	r = put_right(j, &s, ret);
	free(s.boot_id);
	return r == 0 ? 0 : err_set(reterr, r, "writing %s: %s", j->path, strerror(-r));
}

static void journal_closep(struct journal **j)
{
	(void)journal_close(*j);
}

/**
 * journal_open() - Open or create, and read
 * @path:       File; its folder exists
 * @boot_id:    Of this boot
 * @ret:        Journal; untouched on failure
 * @ret_report: What was found; untouched on failure
 * @reterr:     What failed
 *
 * A torn last record is cut off.  Of a file that is damaged further in, every record that holds is
 * taken over, and the file is kept under journal_damaged_path().  A file that is whole
 * and of this boot is not written to.  Blocking.
 *
 * Return: 0; -EBUSY if another process has it open; -errno
 */
int journal_open(const char *path, const char *boot_id, struct journal **ret,
		 struct journal_report *ret_report, struct err *reterr)
{
	_cleanup_(journal_closep) struct journal *j = xcalloc(1, sizeof(*j));
	struct journal_report report;
	int r;

	j->fd = j->lock = -1;
	j->path = xstrdup(path);
	j->boot_id = xstrdup(boot_id);
	r = disk_new(&j->disk);
	if (r < 0)
		return err_set(reterr, r, "%s: starting a thread: %s", path, strerror(-r));
	r = journal_file_lock(path, &j->lock, reterr);
	if (r == 0)
		r = journal_file_open(path, &j->fd, reterr);
	if (r == 0)
		r = load(j, &report, reterr);
	if (r < 0)
		return r;
	*ret_report = report;
	*ret = TAKE(j, NULL);
	return 0;
}

/**
 * journal_close() - Close; waits for an operation on the disk that runs, begins none
 * @j: Journal or NULL
 *
 * Return: NULL
 */
struct journal *journal_close(struct journal *j)
{
	if (!j)
		return NULL;
	(void)disk_free(j->disk);
	journal_forget_since(j);
	journal_table_done(&j->table);
	vec_done(&j->freed);
	closep(&j->fd);
	closep(&j->lock);
	free(j->path);
	free(j->boot_id);
	free(j);
	return NULL;
}

/**
 * journal_take_freed() - Addresses that the last run of this boot freed, oldest first
 * @j:   Journal
 * @fn:  Called for each; the address may be in use again, and may come more than once
 * @arg: Its first argument
 *
 * So that a cool-down goes on over a restart.  At most the newest FREED_MAX that the file still
 * tells of; rewriting it ends its memory.  Each comes in one call only.
 */
void journal_take_freed(struct journal *j, journal_freed_fn *fn, void *arg)
{
	vec_foreach (f, &j->freed)
		fn(arg, &f->addr, f->time, f->owner);
	vec_done(&j->freed);
}

/* --- without an agent ------------------------------------------------------------------------ */

/**
 * journal_read() - Read the attachments of a file; also while an agent has it open
 * @path:       File
 * @fn:         Called for each attachment
 * @arg:        Its first argument
 * @ret_report: What was found; @rebooted and @kept stay unset
 * @reterr:     What failed
 *
 * Return: 0, -errno
 */
int journal_read(const char *path, void (*fn)(void *arg, const struct attachment *a), void *arg,
		 struct journal_report *ret_report, struct err *reterr)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(buf_done) struct buf content = {0};
	struct journal j = {0};
	struct journal_scan s;
	int r = fd < 0 ? -errno : fd_read(fd, JOURNAL_MAX, &content);

	if (r < 0)
		return err_set(reterr, r, "reading %s: %s", path, strerror(-r));
	journal_scan(content.data, content.len, &s, replay, &j);
	*ret_report = (struct journal_report){.records = s.records,
					      .good_bytes = s.good,
					      .bad_bytes = s.bad,
					      .empty = !content.len,
					      .damaged = s.end == JOURNAL_DAMAGED};
	if (ret_report->damaged)
		journal_table_newest(&j.table);
	for (struct journal_entry *e = j.table.entries; e; e = e->hh.next)
		fn(arg, e->at);
	journal_table_done(&j.table);
	vec_done(&j.freed);
	free(s.boot_id);
	return 0;
}
