/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cover.h - of address blocks of one family, those that are in no larger one.  Pure.
 *
 * Two blocks are disjoint or one is inside the other, so the outermost ones are disjoint and cover
 * all others.  Blocks come and go, the same one any number of times; of the outermost each
 * difference is told.  A change costs the blocks inside it, beside moving the tail of a sorted
 * array.
 */
#pragma once

#include "lib/addr.h"

struct cover;

/**
 * typedef cover_fn - Takes one difference
 * @arg:   Context
 * @p:     Block
 * @holds: It is an outermost one now; false: no longer
 */
typedef void cover_fn(void *arg, const struct prefix *p, bool holds);

/* cover_add() or cover_remove() */
typedef void cover_change(struct cover *c, const struct prefix *p);

struct cover *cover_new(cover_fn *fn, void *arg);
struct cover *cover_free(struct cover *c);
void cover_add(struct cover *c, const struct prefix *p);
void cover_remove(struct cover *c, const struct prefix *p);
void cover_each(struct cover *c, bool holds);
