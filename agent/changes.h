/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * changes.h - the queue of changes between the store, which the source writes, and the parts. Pure.
 *
 * Changes of one key within a turn are merged: the parts see the version that they know and the
 * last one.
 */
#pragma once

#include "watch/object/store.h"

struct changes;

/* changes_fn - takes one change; both are borrowed, @old is freed after changes_drained() */
typedef void changes_fn(void *arg, const struct object *old, const struct object *now);

struct changes *changes_new(void);
struct changes *changes_free(struct changes *q);

void changes_add(struct changes *q, const struct object_key *key, struct object *old, uint64_t now);
size_t changes_drain(struct changes *q, const struct store *store, changes_fn *fn, void *arg);
void changes_drained(struct changes *q);
size_t changes_length(const struct changes *q);
uint64_t changes_oldest(const struct changes *q);
