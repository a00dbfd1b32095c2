/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share.h - what one feed has told of the objects in the store.  Pure.
 *
 * Several feeds tell of the same kind, sometimes of the same object, and their watches are not
 * equally far.  The latest version counts, whoever tells it; an object is of the share of the feed
 * that told it, and a list that lacks it removes it only from that share.
 *
 * While a list is on its way nothing changes.  An object of this share that is in the store
 * already, and equal, is marked as seen; all else is held until the list is complete.  Then that is
 * put in force, and what was not seen is removed.  So a list costs memory only for what it changes.
 */
#pragma once

#include "lib/vec.h"
#include "watch/kube/api_stream.h"
#include "watch/object/store.h"

/* struct held - told by a list that is not complete: an object, or that it is gone */
struct held {
	struct object *o;
	uint64_t version;
	bool gone;
};

/*
 * struct share - filled in by its owner up to @feed, the rest zeroed; share_forget() at the end
 * @feed:       Mark of its objects
 * @generation: Of the list: objects seen by it carry this number
 * @leaving:    Others take over: it touches nothing of theirs
 */
struct share {
	struct store *store;
	enum kind kind;
	uint16_t feed, generation;
	bool leaving;
	VEC(struct held) held;
};

/**
 * typedef share_heir_fn - Whose is an object from now on?
 * @arg: Context
 * @o:   Object
 *
 * Return: share; NULL: nobody's
 */
typedef const struct share *share_heir_fn(void *arg, const struct object *o);

void share_hold(struct share *s, const struct api_item *item);
void share_forget(struct share *s);
size_t share_commit(struct share *s, uint64_t version);
void share_take(struct share *s, const struct api_item *item);
void share_distrust(struct store *s);
void share_give_up(struct share *s, share_heir_fn *heir, void *arg);
