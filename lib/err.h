/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err.h - the message that bad input carries to whoever can show it.
 *
 * A function that judges input takes a last parameter `struct err *reterr` and answers bad input
 * with `return err_set(reterr, -EINVAL, "spec.podCIDR: not a prefix: '%s'", s);`.  The message
 * begins with the path to the field; callers that know more put it in front with err_prefix().
 */
#pragma once

#include "lib/util.h"

struct err {
	int code;      /* -errno; 0 while nothing is wrong */
	char msg[512]; /* one line, UTF-8, no control characters */
};

int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);
int err_prefix(struct err *e, const char *fmt, ...) _printf_(2, 3);
