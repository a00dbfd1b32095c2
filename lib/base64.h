/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base64.h - decode base64, as RFC 4648 section 4 has it, with white space between.
 */
#pragma once

#include "lib/buf.h"

int base64_decode(const char *text, size_t len, struct buf *ret);
