/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * analyzer.h - what clang-tidy cannot see from one file; scripts/lint includes it before each.
 *
 * err_set() returns the code it was given, which is negative: without that the analyzer believes
 * that a caller goes on after an error.
 */
#pragma once

#include "lib/err.h"

#define err_set(reterr, code, ...) (err_set(reterr, code, __VA_ARGS__), (code))
