/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * utf8.h - is this text valid UTF-8, what makes it so, and where may it be cut.  Pure.
 */
#pragma once

#include "lib/util.h"

bool utf8_valid(const char *s, size_t len);
bool utf8_plain(const char *s, size_t len);
void utf8_mend(char *s);
size_t utf8_cut(const char *s, size_t len, size_t max);
