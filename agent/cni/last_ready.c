// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * last_ready.c - write and read the line of last_ready.h.  Pure.
 */
#include "agent/cni/last_ready.h"

#include <inttypes.h>
#include <stdio.h>

#define DIGITS 20 /* of UINT64_MAX */

/**
 * last_ready_print() - Write the line
 * @boot_id: Of this boot, 36 characters
 * @at:      When the agent was ready, CLOCK_BOOTTIME in microseconds
 * @grace:   How long that counts, microseconds
 * @ret:     The line, with NUL
 */
void last_ready_print(const char *boot_id, uint64_t at, uint64_t grace,
		      char ret[static LAST_READY_LEN + 1])
{
	(void)snprintf(ret, LAST_READY_LEN + 1,
		       "%-36.36s %020" PRIu64 " %020" PRIu64 " %020" PRIu64 "\n", boot_id, at,
		       grace, at);
}

/* DIGITS digits and what ends them; false for anything else. */
static bool read_number(const char *s, char end, uint64_t *ret)
{
	uint64_t n = 0;

	for (int i = 0; i < DIGITS; i++) {
		if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s[i] - '0'), &n))
			return false;
	}
	*ret = n;
	return s[DIGITS] == end;
}

/**
 * last_ready_left() - For how long does it still count that an agent was ready?
 * @text:    What the file holds
 * @len:     Its bytes
 * @boot_id: Of this boot
 * @now:     CLOCK_BOOTTIME in microseconds
 *
 * Return: microseconds; 0 when it does not: the grace is over, the line is of another boot or of
 * the future, or it is no such line
 */
uint64_t last_ready_left(const char *text, size_t len, const char *boot_id, uint64_t now)
{
	const char *at_text = text + BOOT_ID_LEN + 1;
	uint64_t at, grace, again;

	if (len != LAST_READY_LEN || strlen(boot_id) != BOOT_ID_LEN ||
	    memcmp(text, boot_id, BOOT_ID_LEN) != 0 || text[BOOT_ID_LEN] != ' ' ||
	    !read_number(at_text, ' ', &at) || !read_number(at_text + DIGITS + 1, ' ', &grace) ||
	    !read_number(at_text + 2 * (DIGITS + 1), '\n', &again))
		return 0;
	if (at != again || at > now || grace > LAST_READY_GRACE_MAX || now - at >= grace)
		return 0;
	return grace - (now - at);
}
