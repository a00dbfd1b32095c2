/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * near.h - how far is one word from another?  For "did you mean ...?".  Pure.
 */
#pragma once

#include "lib/util.h"

#define NEAR_WORD_MAX 32 /* bytes; longer words are near nothing */
#define NEAR_NOT      (NEAR_WORD_MAX + 1)

unsigned int near_distance(const char *a, const char *b);
