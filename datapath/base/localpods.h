/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * localpods.h - the addresses that come from local pods' interfaces only: those of the pods, in a
 * range of this node's or not, and the ranges, given to a pod or not.  Pure.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/base/coverset.h"
#include "ipam/attachment.h"
#include "lib/vec.h"

/* struct localpods - it must not move after localpods_init() */
struct localpods {
	struct coverset addresses[2];
	VEC(struct prefix) ranges;
};

void localpods_init(struct localpods *l, struct nft_table *t, const struct base *b);
void localpods_done(struct localpods *l);
void localpods_ranges(struct localpods *l, const struct prefix *ranges, size_t n);
void localpods_change(struct localpods *l, const struct attachment *a, cover_change *change);
