// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * disk.c - one operation on a file at a time, as a job of a waiter.
 */
#include "ipam/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ipam/journal_file.h"
#include "lib/waiter.h"

/*
 * struct disk - @job, @file, @path and @content belong to the thread until @ended
 * @file: A descriptor of its own: the owner may close the file meanwhile
 */
struct disk {
	struct waiter *waiter;
	struct waiter_job job;
	int file;
	char *path;
	struct buf content;
	struct disk_result result;
	bool running, ended;
};

/**
 * disk_new() - Prepare
 * @ret: The handle, to be freed; untouched on failure
 *
 * Return: 0; -errno: no thread or descriptor is left
 */
int disk_new(struct disk **ret)
{
	struct disk *d = xcalloc(1, sizeof(*d));
	int r = waiter_new(&d->waiter);

	if (r < 0) {
		free(d);
		return r;
	}
	*ret = d;
	return 0;
}

/**
 * disk_free() - Free; waits for an operation that runs, its result is lost
 * @d: Handle or NULL
 *
 * Return: NULL
 */
struct disk *disk_free(struct disk *d)
{
	struct disk_result lost;

	if (!d)
		return NULL;
	(void)waiter_free(d->waiter);
	d->waiter = NULL;
	if (disk_take(d, &lost) && lost.operation == DISK_REPLACE && lost.result == 0)
		close(lost.fd);
	free(d);
	return NULL;
}

/**
 * disk_fd() - Descriptor that is readable when an operation has ended
 * @d: Handle
 *
 * Return: the descriptor
 */
int disk_fd(const struct disk *d)
{
	return waiter_fd(d->waiter);
}

/**
 * disk_running() - Is an operation under way, or its result not taken yet?
 * @d: Handle
 *
 * Return: true if so
 */
bool disk_running(const struct disk *d)
{
	return d->running;
}

static void ended(struct waiter_job *j)
{
	struct disk *d = container_of(j, struct disk, job);

	closep(&d->file);
	free(TAKE(d->path, NULL));
	buf_done(&d->content);
	d->ended = true;
}

static void begin(struct disk *d, enum disk_operation operation, waiter_fn *run)
{
	assert(!d->running);
	d->running = true;
	d->ended = false;
	d->result = (struct disk_result){.operation = operation, .fd = -1};
	d->job = (struct waiter_job){run, ended, NULL};
	waiter_submit(d->waiter, &d->job);
}

static void run_sync(struct waiter_job *j)
{
	struct disk *d = container_of(j, struct disk, job);

	d->result.result = fdatasync(d->file) < 0 ? -errno : 0;
}

/**
 * disk_sync() - Begin to make everything written so far durable
 * @d:  Handle; none is running
 * @fd: Descriptor of the file; may be closed at once
 */
void disk_sync(struct disk *d, int fd)
{
	assert(!d->running);
	d->file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	begin(d, DISK_SYNC, run_sync);
}

static void run_replace(struct waiter_job *j)
{
	struct disk *d = container_of(j, struct disk, job);
	struct disk_result *r = &d->result;

	r->result = journal_file_replace(d->path, &d->content, &r->fd, &r->folder);
}

/**
 * disk_replace() - Begin to put a new file in the place of one
 * @d:       Handle; none is running
 * @path:    File; copied
 * @content: Content of the new file; taken over
 *
 * As journal_file_replace().
 */
void disk_replace(struct disk *d, const char *path, struct buf *content)
{
	assert(!d->running);
	d->file = -1;
	d->path = xstrdup(path);
	d->content = TAKE(*content, (struct buf){0});
	begin(d, DISK_REPLACE, run_replace);
}

/**
 * disk_take() - Take the result of the operation
 * @d:   Handle
 * @ret: Result; untouched if none has ended
 *
 * Return: true if one has ended
 */
bool disk_take(struct disk *d, struct disk_result *ret)
{
	if (d->waiter)
		waiter_dispatch(d->waiter);
	if (!d->running || !d->ended)
		return false;
	d->running = false;
	*ret = d->result;
	return true;
}
