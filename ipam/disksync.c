// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * disksync.c - one fdatasync at a time: io_submit(IOCB_CMD_FDSYNC), ended by an eventfd.
 *
 * AIO is refused by kernels before 4.18 or without CONFIG_AIO, where fs.aio-max-nr is used up, by
 * some seccomp profiles, and for files that have no fsync: then fdatasync() holds the caller.
 * Source: io_setup(2), io_submit(2).
 */
#include "ipam/disksync.h"

#include <assert.h>
#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct disksync {
	aio_context_t context; /* 0: not available */
	int event;
	bool running;
	bool done; /* ended at once; @result holds */
	int result;
	uint64_t blocking;
};

/**
 * disksync_new() - Prepare
 * @ret: The handle, to be freed; untouched on failure
 *
 * Return: 0; -EMFILE, -ENFILE, -ENODEV, -ENOMEM: no eventfd
 */
int disksync_new(struct disksync **ret)
{
	struct disksync *d;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (event < 0)
		return -errno;
	d = xcalloc(1, sizeof(*d));
	d->event = event;
	if (syscall(SYS_io_setup, 1, &d->context) < 0)
		d->context = 0;
	*ret = d;
	return 0;
}

/**
 * disksync_free() - Free; waits for a sync that runs, its result is lost
 * @d: Handle or NULL
 *
 * Return: NULL
 */
struct disksync *disksync_free(struct disksync *d)
{
	if (!d)
		return NULL;
	if (d->context)
		(void)syscall(SYS_io_destroy, d->context);
	close(d->event);
	free(d);
	return NULL;
}

/**
 * disksync_fd() - Descriptor that becomes readable when a sync has ended
 * @d: Handle
 *
 * Return: the descriptor
 */
int disksync_fd(const struct disksync *d)
{
	return d->event;
}

/**
 * disksync_running() - Is a sync under way, or its result not taken yet?
 * @d: Handle
 *
 * Return: true if so
 */
bool disksync_running(const struct disksync *d)
{
	return d->running;
}

/**
 * disksync_blocking() - How many syncs had to be waited for
 * @d: Handle
 *
 * Return: the number; 0 where AIO works
 */
uint64_t disksync_blocking(const struct disksync *d)
{
	return d->blocking;
}

static bool submit(struct disksync *d, int file)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_FDSYNC,
		.aio_fildes = (uint32_t)file,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)d->event,
	};
	struct iocb *list[] = {&cb}; /* copied by the kernel */

	return d->context && syscall(SYS_io_submit, d->context, 1, list) == 1;
}

/**
 * disksync_start() - Begin to make everything written so far durable
 * @d:    Handle; none is running
 * @file: Descriptor of the file; may be closed at once, the kernel keeps the file
 *
 * Blocks where AIO is refused; the descriptor of @d is readable then, too.
 */
void disksync_start(struct disksync *d, int file)
{
	assert(!d->running);
	d->running = true;
	d->done = !submit(d, file);
	if (!d->done)
		return;
	d->blocking++;
	d->result = fdatasync(file) < 0 ? -errno : 0;
	(void)!write(d->event, &(uint64_t){1}, sizeof(uint64_t));
}

/**
 * disksync_take() - Take the result of the sync
 * @d:          Handle
 * @ret_result: 0 or -errno; untouched if none has ended
 *
 * Return: true if a sync has ended
 */
bool disksync_take(struct disksync *d, int *ret_result)
{
	struct timespec no_time = {0};
	struct io_event event;
	uint64_t ended;

	if (!d->running || read(d->event, &ended, sizeof(ended)) < 0)
		return false;
	if (!d->done) {
		if (syscall(SYS_io_getevents, d->context, 1, 1, &event, &no_time) != 1)
			return false;
		d->result = (int)event.res;
	}
	d->running = false;
	*ret_result = d->result;
	return true;
}
