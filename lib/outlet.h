/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outlet.h - whole lines to standard error, without ever waiting for who reads it.
 *
 * The file description is shared with whoever started us, so it is never made non-blocking: a pipe
 * or terminal is opened once more for us alone, a socket is asked not to wait by each call, and
 * where that cannot be done a line is written when there is room for all of it.  A file is written
 * to as any: its disk is not a reader.
 */
#pragma once

#include "lib/util.h"

#define OUTLET_LINE_MAX 4096 /* bytes: what a pipe takes whole or not at all (PIPE_BUF) */

bool outlet_write(const char *line, size_t len);
