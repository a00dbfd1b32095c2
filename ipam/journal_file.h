/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_file.h - what a journal does to files.
 */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"

int journal_file_lock(const char *path, int *ret, struct err *reterr);
int journal_file_open(const char *path, int *ret, struct err *reterr);
int journal_file_write(int fd, const struct buf *content, size_t offset);
int journal_file_replace(const char *path, const struct buf *content, int *ret, int *ret_folder);
unsigned int journal_file_keep(const char *path);
