/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timeline.h - a small cluster that changes by chance, one step after another.
 *
 * Owns all objects and attachments of a world and says of each step what changed, as the watch and
 * the CNI plugin would tell it.  Keeps for each endpoint the last object that was its own.  Pure.
 * Limits: at most one endpoint a pod name, but for those that vary.h adds; attached addresses are
 * unique, as IPAM makes them.
 */
#pragma once

#include "ipam/attachment.h"
#include "random.h"

enum change_kind { CHANGE_NONE, CHANGE_OBJECT, CHANGE_ATTACH, CHANGE_DETACH };

/*
 * struct change - one step
 * @old, @new:  CHANGE_OBJECT; @old is readable until timeline_reap()
 * @attachment: Else; one that goes is readable until timeline_reap() too
 */
struct change {
	enum change_kind kind;
	const struct object *old, *new;
	const struct attachment *attachment;
};

/*
 * struct timeline
 * @world:       How it is now
 * @attachments: In the order of @world.endpoints
 * @gone:        Objects that are in no world any more; an endpoint may refer to one
 * @left:        The attachment that the last step removed
 * @generation:  Counts pods, for UIDs
 */
struct timeline {
	struct rng rng;
	struct world world;
	VEC(struct attachment *) attachments;
	VEC(struct object *) gone;
	struct attachment *left;
	uint32_t n_namespaces, pods_a_namespace, generation, containers;
};

void timeline_init(struct timeline *t, uint64_t seed);
struct change timeline_step(struct timeline *t);
struct change timeline_remove_any(struct timeline *t);
void timeline_reap(struct timeline *t);
void timeline_done(struct timeline *t);
