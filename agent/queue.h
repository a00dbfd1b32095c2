/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue.h - the event queue: changes of objects between a source and the parts.  Pure.
 *
 * It owns the store.  Changes of one key within a turn are merged: the parts see the version that
 * they know and the last one.
 */
#pragma once

#include "watch/object/store.h"

struct queue;

/* queue_fn - takes one change; both are borrowed, @old is freed after queue_drained() */
typedef void queue_fn(void *arg, const struct object *old, const struct object *new);

struct queue *queue_new(void);
struct queue *queue_free(struct queue *q);
struct store *queue_store(const struct queue *q);

void queue_put(struct queue *q, struct object *o, uint64_t now);
void queue_remove(struct queue *q, enum kind kind, const char *ns, const char *name, uint64_t now);
size_t queue_drain(struct queue *q, queue_fn *fn, void *arg);
void queue_drained(struct queue *q);
size_t queue_length(const struct queue *q);
uint64_t queue_oldest(const struct queue *q);
