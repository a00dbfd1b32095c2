/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intern.h - one copy of every string that occurs often: label keys and values, names.
 *
 * Two interned strings are equal exactly when their pointers are.  The pool is the one table that
 * the whole process shares (it holds no decision, only spellings); each intern() is matched by one
 * intern_put(), because labels of pods come and go for as long as the agent runs.
 */
#pragma once

#include "lib/util.h"

const char *intern(const char *s);
const char *intern_n(const char *s, size_t len);
const char *intern_ref(const char *interned);
void intern_put(const char *interned);
size_t intern_count(void);
