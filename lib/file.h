/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.h - read whole files, up to a limit, and tell their versions apart.  Blocking.
 */
#pragma once

#include <sys/stat.h>

#include "lib/buf.h"
#include "lib/err.h"

/* struct file_mark - two equal marks: the same content, as far as the file system tells; the mark
 * of no file is all zero */
struct file_mark {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

struct file_mark file_mark(const struct stat *st);
bool file_mark_equal(const struct file_mark *a, const struct file_mark *b);
int fd_read(int fd, size_t max, struct buf *ret);
int fd_write(int fd, const char *data, size_t len);
int file_load(const char *path, size_t max, struct buf *ret, struct err *reterr);
int file_read(int dir, const char *name, size_t max, struct buf *ret, struct err *reterr);
