/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - the objects as they are now, by kind, namespace and name.  Pure.
 */
#pragma once

#include "watch/object/object.h"

struct store;

typedef void store_fn(void *arg, const struct object *o);

struct store *store_new(void);
struct store *store_free(struct store *s);
bool store_put(struct store *s, struct object *o, struct object **ret_old);
struct object *store_remove(struct store *s, enum kind kind, const char *ns, const char *name);
const struct object *store_get(const struct store *s, enum kind kind, const char *ns,
			       const char *name);
void store_mark(struct store *s, const struct object *o, uint16_t feed, uint16_t generation,
		uint64_t version);
void store_each(const struct store *s, enum kind kind, store_fn *fn, void *arg);
void store_each_of(const struct store *s, uint16_t feed, store_fn *fn, void *arg);
size_t store_count(const struct store *s, enum kind kind);
