/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_write.h - whole files and folders: create, replace atomically, remove.  Blocking; for start,
 * exit and the command line.
 */
#pragma once

#include <sys/types.h>

#include "lib/buf.h"
#include "lib/err.h"

int dir_create(const char *path, mode_t mode, struct err *reterr);
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
		      struct err *reterr);
int file_update(const char *path, const void *data, size_t len, mode_t mode, struct err *reterr);
int file_copy(const char *from, const char *path, mode_t mode, struct err *reterr);
int file_remove(const char *path, struct err *reterr);
