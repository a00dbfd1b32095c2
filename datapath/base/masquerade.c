// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * masquerade.c - two interval sets of each family.  Pure.
 */
#include "datapath/base/masquerade.h"

/**
 * masquerade_init() - Begin with nothing, and off
 * @m: Filled in
 * @t: Table
 * @b: Sets of the fixed program
 */
void masquerade_init(struct masquerade *m, struct nft_table *t, const struct base *b)
{
	*m = (struct masquerade){0};
	for (int six = 0; six < 2; six++) {
		coverset_init(&m->cluster[six], t, b->cluster[six]);
		coverset_init(&m->pod_ranges[six], t, b->pod_ranges[six]);
		coverset_show(&m->pod_ranges[six], false);
	}
}

/**
 * masquerade_done() - Forget all; the elements stay wanted
 * @m: Masquerade
 */
void masquerade_done(struct masquerade *m)
{
	for (int six = 0; six < 2; six++) {
		coverset_done(&m->cluster[six]);
		coverset_done(&m->pod_ranges[six]);
	}
	vec_done(&m->exclude);
}

/**
 * masquerade_configure() - Take the configuration, at start and at a reload
 * @m:       Masquerade
 * @on:      This node's pods are masqueraded at all
 * @exclude: Destinations beside the cluster that see a pod's own address; copied
 * @n:       Their number
 */
void masquerade_configure(struct masquerade *m, bool on, const struct prefix *exclude, size_t n)
{
	/* New ones first: what is in both never leaves. */
	for (size_t i = 0; i < n; i++)
		masquerade_cluster(m, &exclude[i], cover_add);
	vec_foreach (old, &m->exclude)
		masquerade_cluster(m, old, cover_remove);
	m->exclude.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push(&m->exclude, exclude[i]);
	for (int six = 0; six < 2; six++)
		coverset_show(&m->pod_ranges[six], on);
}

/**
 * masquerade_cluster() - A block of the cluster comes or goes: pods, or addresses of a node
 * @m:      Masquerade
 * @p:      Block
 * @change: cover_add or cover_remove
 */
void masquerade_cluster(struct masquerade *m, const struct prefix *p, cover_change *change)
{
	change(coverset_of(m->cluster, p), p);
}

/**
 * masquerade_own() - A block of this node's pods comes or goes
 * @m:      Masquerade
 * @p:      Block; it is one of the cluster's as well
 * @change: cover_add or cover_remove
 */
void masquerade_own(struct masquerade *m, const struct prefix *p, cover_change *change)
{
	change(coverset_of(m->cluster, p), p);
	change(coverset_of(m->pod_ranges, p), p);
}
