/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * localpods.h - the local pods: their attachments, and what each has in the fixed program whatever
 * its policies are.  Pure.
 *
 * That is its rows (podrows.h), and its addresses as blocks: those that come from local pods'
 * interfaces only (with this node's ranges, given to a pod or not), and those that are masqueraded.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/base/coverset.h"
#include "datapath/base/masquerade.h"
#include "ipam/attachment.h"
#include "lib/vec.h"

struct localpod;

/* struct localpods - it must not move after localpods_init() */
struct localpods {
	struct nft_table *table;
	const struct base *base;
	struct masquerade *masquerade;
	struct localpod *pods; /* by container and interface */
	struct coverset addresses[2];
	VEC(struct prefix) ranges;
};

void localpods_init(struct localpods *l, struct nft_table *t, const struct base *b,
		    struct masquerade *m);
void localpods_done(struct localpods *l);
void localpods_ranges(struct localpods *l, const struct prefix *ranges, size_t n);
void localpods_hold_link(struct localpods *l, const char *ifname, bool hold);
const struct attachment *localpods_add(struct localpods *l, const struct attachment *a);
struct attachment *localpods_remove(struct localpods *l, const char *id, const char *ifname);
size_t localpods_in(const struct localpods *l, const struct prefix *range);
enum nft_settled localpods_settled(const struct localpods *l, const struct attachment *a,
				   const char **ret_problem);
