/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - the objects as they are now, by kind, namespace and name.  Pure.
 *
 * The source writes it, and nobody else does.  Whoever has to know of changes is called for each.
 */
#pragma once

#include "watch/object/object.h"

struct store;

typedef void store_fn(void *arg, const struct object *o);

/**
 * typedef changed_fn - Takes one change, which is in the store already
 * @arg: Context
 * @key: Which object, borrowed for the call
 * @old: The version before, owned by the callee; NULL: there was none
 */
typedef void changed_fn(void *arg, const struct object_key *key, struct object *old);

struct store *store_new(changed_fn *fn, void *arg);
struct store *store_free(struct store *s);
bool store_put(struct store *s, struct object *o);
bool store_remove(struct store *s, const struct object_key *key);
const struct object *store_get(const struct store *s, const struct object_key *key);
void store_mark(struct store *s, const struct object *o, uint16_t feed, uint16_t generation,
		uint64_t version);
void store_each(const struct store *s, enum kind kind, store_fn *fn, void *arg);
void store_each_of(const struct store *s, uint16_t feed, store_fn *fn, void *arg);
size_t store_count(const struct store *s, enum kind kind);
