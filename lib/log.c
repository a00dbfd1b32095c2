// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * log.c - the log writer; its level, and the count of what was lost, are of the whole process.
 */
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/outlet.h"

static const char *const level_names[] = {
	[LOG_LEVEL_ERR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
_Static_assert(ARRAY_SIZE(level_names) == _LOG_LEVEL_MAX, "a name for every level");

static enum log_level max_level = LOG_LEVEL_INFO;
static uint64_t lost, lost_untold;

/**
 * log_level_parse() - Read a level's name
 * @s:   "error", "warn", "info" or "debug"
 * @ret: Level; untouched on failure
 *
 * Return: 0, -EINVAL
 */
int log_level_parse(const char *s, enum log_level *ret)
{
	for (int i = 0; i < _LOG_LEVEL_MAX; i++) {
		if (!streq(s, level_names[i]))
			continue;
		*ret = (enum log_level)i;
		return 0;
	}
	return -EINVAL;
}

/**
 * log_set_level() - Choose what is printed
 * @level: Least important level to print
 */
void log_set_level(enum log_level level)
{
	max_level = level;
}

/**
 * log_enabled() - Ask before building an expensive message
 * @level: Level of the message
 *
 * Return: true if it would be printed
 */
bool log_enabled(enum log_level level)
{
	return level <= max_level;
}

/* systemd's sd-daemon(3) prefixes: 3 error, 4 warning, 6 info, 7 debug. */
static void put_head(struct buf *b, enum log_level level)
{
	static const char priority[] = {'3', '4', '6', '7'};
	struct timespec ts;
	struct tm tm;

	if (getenv("JOURNAL_STREAM")) {
		buf_printf(b, "<%c>", priority[level]);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	buf_printf(b, "ts=%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ level=%s ", tm.tm_year + 1900,
		   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		   ts.tv_nsec / 1000000, level_names[level]);
}

static void escape_controls(struct buf *to, const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_printf(to, "\\x%02x", (unsigned char)*s);
		else
			buf_putc(to, *s);
	}
}

/* Before the next line gets out it is said how many did not. */
static bool tell_lost(void)
{
	_cleanup_(buf_done) struct buf line = {0};

	if (!lost_untold)
		return true;
	put_head(&line, LOG_LEVEL_WARN);
	buf_printf(&line, "part=log msg=\"%" PRIu64 " lines lost, standard error was not read\"\n",
		   lost_untold);
	if (!outlet_write(line.data, line.len))
		return false;
	lost_untold = 0;
	return true;
}

/**
 * log_lost() - Lines that nobody can read, because standard error was not read
 *
 * Return: their number, since the start
 */
uint64_t log_lost(void)
{
	return lost;
}

/**
 * log_at() - Print one event
 * @level: Level
 * @part:  Room or file that speaks ("nft", "cni", ...)
 * @msg:   What happened, and what happens next
 * @fmt:   printf format of further fields; NULL: there are none
 */
void log_at(enum log_level level, const char *part, const char *msg, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf line = {0};
	char text[2048] = "";
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	if (fmt)
		(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_head(&line, level);
	buf_printf(&line, "part=%s msg=\"%s\"%s", part, msg, text[0] ? " " : "");
	escape_controls(&line, text);
	buf_putc(&line, '\n');
	if (tell_lost() && outlet_write(line.data, line.len))
		return;
	lost++;
	lost_untold++;
}
