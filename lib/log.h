/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - one line an event, logfmt, to standard error.
 *
 * log_info("nft", "committed", "ops=%zu us=%" PRIu64, n, us) prints
 *   ts=2026-01-02T03:04:05.678Z level=info part=nft msg="committed" ops=3 us=87
 * and under systemd, in place of time and level, the journal's priority prefix.  Text from
 * outside is put in quotes by the caller's format; control characters and line ends are escaped
 * here.  Pure files never log.  Nothing waits for who reads it: lines that find no room are lost,
 * counted, and their number is logged when there is room again.
 */
#pragma once

#include "lib/util.h"

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, _LOG_LEVEL_MAX };

int log_level_parse(const char *s, enum log_level *ret);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
uint64_t log_lost(void);
void log_at(enum log_level level, const char *part, const char *msg, const char *fmt, ...)
	_printf_(4, 5);

#define log_err(part, msg, ...)	  log_at(LOG_LEVEL_ERR, part, msg, __VA_ARGS__)
#define log_warn(part, msg, ...)  log_at(LOG_LEVEL_WARN, part, msg, __VA_ARGS__)
#define log_info(part, msg, ...)  log_at(LOG_LEVEL_INFO, part, msg, __VA_ARGS__)
#define log_debug(part, msg, ...) log_at(LOG_LEVEL_DEBUG, part, msg, __VA_ARGS__)
