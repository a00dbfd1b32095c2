/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aside.h - policies that the kernel refuses are set aside, and the others go on.
 *
 * It stands between the queue of changes and the policy engine and remembers which policies changed
 * in this turn or since the kernel took everything last.  When a transaction is refused, it puts
 * fenced versions (same pods, same directions, nothing allowed) in the place of those that what was
 * refused is to be blamed on, or of all that changed, and brings the real ones back, half by half
 * if need be, until the guilty ones are found: those stay fenced, with a message, and are tried
 * again from time to time.  A transaction that could not even be judged (no memory, a broken
 * socket) is no policy's fault: who is under suspicion stays so.
 */
#pragma once

#include "datapath/datapath.h"
#include "datapath/nft/apply.h"
#include "lib/err.h"

struct aside;

/**
 * typedef aside_apply_fn - Settle, and send all that is pending
 * @arg:    Context
 * @ret_op: What the kernel refuses; NULL: it did not say.  Borrowed until the data path changes
 * @reterr: What it said
 *
 * Return: as nft_apply_all()
 */
typedef int aside_apply_fn(void *arg, const struct nft_op **ret_op, struct err *reterr);

/* aside_told_fn - takes each policy that is set aside, and why; NULL: it is no more */
typedef void aside_told_fn(void *arg, const struct object *policy, const char *problem);

struct aside *aside_new(struct datapath *d, aside_apply_fn *apply, aside_told_fn *told, void *arg);
struct aside *aside_free(struct aside *s);
void aside_begin(struct aside *s, bool settled, uint64_t now);
void aside_object(struct aside *s, const struct object *old, const struct object *new);
bool aside_guilty(struct aside *s, const struct nft_op *op, const struct err *refusal);
bool aside_retry(struct aside *s);
void aside_settled(struct aside *s);
uint64_t aside_retry_at(const struct aside *s);
size_t aside_count(const struct aside *s);
void aside_each(const struct aside *s, aside_told_fn *fn, void *arg);
