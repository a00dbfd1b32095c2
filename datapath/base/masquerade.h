/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * masquerade.h - who is masqueraded, and towards where not: the sets pod_ranges and cluster of the
 * fixed program.  Pure.
 *
 * A pod's own address is seen inside the cluster, and by the destinations that the configuration
 * names; beyond, packets of this node's pods carry the node's address.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/base/coverset.h"
#include "lib/vec.h"

/* struct masquerade - [0] for IPv4, [1] for IPv6; it must not move after masquerade_init() */
struct masquerade {
	struct coverset cluster[2], pod_ranges[2];
	VEC(struct prefix) exclude; /* configured */
};

void masquerade_init(struct masquerade *m, struct nft_table *t, const struct base *b);
void masquerade_done(struct masquerade *m);
void masquerade_configure(struct masquerade *m, bool on, const struct prefix *exclude, size_t n);
void masquerade_cluster(struct masquerade *m, const struct prefix *p, cover_change *change);
void masquerade_own(struct masquerade *m, const struct prefix *p, cover_change *change);
