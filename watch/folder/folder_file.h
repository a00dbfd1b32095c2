/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder_file.h - one file of the manifest folder: what is there, has its writer finished?
 */
#pragma once

#include <sys/stat.h>

#include "lib/util.h"

bool file_stat(int dir, const char *name, struct stat *ret);
bool file_complete_at_birth(int dir, const char *name);
bool file_being_written(int dir, const char *name);
bool file_settled(const struct stat *st, uint64_t usec);
