/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_status.h - the Status object with which the API server says no.  Pure.
 */
#pragma once

#include "lib/buf.h"
#include "watch/document/value.h"

#define API_STATUS_TEXT_MAX (64u << 10) /* bytes of an answer that is looked at */

/*
 * struct api_status
 * @code:        As the HTTP status; 0: not told
 * @reason:      "Expired", "Forbidden", ...; "" when not told
 * @message:     For people; cut, "" when not told
 * @too_large:   A cause is ResourceVersionTooLarge: the version asked for is ahead of the server
 * @retry_after: Seconds; 0: not told
 */
struct api_status {
	int code;
	char reason[64];
	char message[256];
	bool too_large;
	uint32_t retry_after;
};

void api_status_read(const struct value *root, struct api_status *ret);
void api_status_gather(struct buf *body, const char *bytes, size_t n);
void api_status_parse(const char *text, size_t n, struct api_status *ret);
