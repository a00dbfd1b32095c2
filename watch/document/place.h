/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place.h - lines in messages: "line 12: ..." of the parsers and "... (line 12)" of the decoders
 * become "FILE:12: ...", as compilers and editors write it.  Pure.
 */
#pragma once

#include "lib/err.h"

int err_place(struct err *e, const char *file);
uint32_t place_take_line(char *msg);
