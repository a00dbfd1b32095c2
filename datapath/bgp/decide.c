// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decide.c - which path of a prefix is the best: RFC 4271 9.1.1 and 9.1.2.2, step by step.  Pure.
 *
 * Each step takes the paths that the steps before have left, finds the best value among them, and
 * says of those that have a worse one that they lost by this step.  MED is compared among paths of
 * one neighbouring AS only, which no order of two paths can say: so it goes by elimination, as the
 * RFC has it.
 */
#include "datapath/bgp/rib.h"

/* What a step compares; the lowest is the best. */
typedef uint64_t value_fn(const struct bgp_rib *r, const struct bgp_path *p);

static uint64_t by_local_pref(const struct bgp_rib *r _unused_, const struct bgp_path *p)
{
	bool given = !p->peer->external && p->attrs->has >> BGP_ATTR_LOCAL_PREF & 1;

	return UINT32_MAX - (given ? p->attrs->local_pref : BGP_LOCAL_PREF_DEFAULT);
}

static uint64_t by_length(const struct bgp_rib *r _unused_, const struct bgp_path *p)
{
	return p->attrs->path_length;
}

static uint64_t by_origin(const struct bgp_rib *r _unused_, const struct bgp_path *p)
{
	return p->attrs->origin;
}

static uint64_t by_external(const struct bgp_rib *r _unused_, const struct bgp_path *p)
{
	return !p->peer->external;
}

static uint64_t by_metric(const struct bgp_rib *r, const struct bgp_path *p)
{
	struct addr hop = bgp_kept_hop(p->attrs);
	uint32_t metric = 0;

	return r->hop && !r->hop(r->hop_arg, &hop, &metric) ? UINT64_MAX : metric;
}

/* RFC 4456 9: of a route that was reflected, who announced it first. */
static uint64_t by_id(const struct bgp_rib *r _unused_, const struct bgp_path *p)
{
	return p->attrs->has >> BGP_ATTR_ORIGINATOR & 1 ? p->attrs->originator : p->peer->id;
}

static uint64_t by_clusters(const struct bgp_rib *r _unused_, const struct bgp_path *p)
{
	return p->attrs->len[BGP_LIST_CLUSTERS];
}

static bool is_in(const struct bgp_path *p)
{
	return p->fate == BGP_USED;
}

static void eliminate(const struct bgp_rib *r, struct bgp_net *n, value_fn *value,
		      enum bgp_fate fate)
{
	uint64_t best = UINT64_MAX;

	for (struct bgp_path *p = n->paths; p; p = p->next)
		if (is_in(p))
			best = MIN(best, value(r, p));
	for (struct bgp_path *p = n->paths; p; p = p->next)
		if (is_in(p) && value(r, p) > best)
			p->fate = (uint8_t)fate;
}

/* 9.1.2.2 c: without a MED it counts as the lowest. */
static uint32_t med_of(const struct bgp_path *p)
{
	return p->attrs->has >> BGP_ATTR_MED & 1 ? p->attrs->med : 0;
}

static bool beats_by_med(const struct bgp_path *a, const struct bgp_path *b)
{
	return (is_in(a) || a->fate == BGP_LOST_MED) && a->attrs->first_as == b->attrs->first_as &&
	       med_of(a) < med_of(b);
}

static void eliminate_by_med(struct bgp_net *n)
{
	for (struct bgp_path *p = n->paths; p; p = p->next)
		for (struct bgp_path *q = n->paths; is_in(p) && q; q = q->next)
			if (beats_by_med(q, p))
				p->fate = BGP_LOST_MED;
}

static void eliminate_by_address(struct bgp_net *n)
{
	struct bgp_path *best = NULL;

	for (struct bgp_path *p = n->paths; p; p = p->next)
		if (is_in(p) && (!best || addr_cmp(&p->peer->addr, &best->peer->addr) < 0))
			best = p;
	for (struct bgp_path *p = n->paths; p; p = p->next)
		if (is_in(p) && p != best)
			p->fate = BGP_LOST_ADDRESS;
}

/* 9.1.2: without a way to the next hop it is not looked at. */
static void look(const struct bgp_rib *r, struct bgp_path *p)
{
	p->fate = p->refused;
	if (is_in(p) && by_metric(r, p) == UINT64_MAX)
		p->fate = BGP_REFUSED_UNREACHABLE;
}

/* Those that are used first, the best of all first. */
static void order(struct bgp_net *n)
{
	struct bgp_path *best = NULL, *used = NULL, *rest = NULL;
	struct bgp_path **used_end = &used, **rest_end = &rest;

	for (struct bgp_path *p = n->paths, *next; p; p = next) {
		struct bgp_path ***end = bgp_path_is_used(p) ? &used_end : &rest_end;

		next = p->next;
		if (p->fate == BGP_USED) {
			best = p;
			continue;
		}
		**end = p;
		*end = &p->next;
	}
	*rest_end = NULL;
	*used_end = rest;
	if (best)
		best->next = used;
	n->paths = best ?: used;
}

/**
 * bgp_decide() - Say of each path of a prefix what becomes of it
 * @r: Table
 * @n: Prefix
 */
void bgp_decide(const struct bgp_rib *r, struct bgp_net *n)
{
	static const struct {
		value_fn *value;
		enum bgp_fate fate;
	} before[] = {{by_local_pref, BGP_LOST_LOCAL_PREF},
		      {by_length, BGP_LOST_PATH_LENGTH},
		      {by_origin, BGP_LOST_ORIGIN}},
	  after[] = {{by_external, BGP_LOST_INTERNAL},
		     {by_metric, BGP_LOST_METRIC},
		     {by_id, BGP_LOST_ID},
		     {by_clusters, BGP_LOST_CLUSTERS}};

	for (struct bgp_path *p = n->paths; p; p = p->next)
		look(r, p);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		eliminate(r, n, before[i].value, before[i].fate);
	eliminate_by_med(n);
	for (size_t i = 0; i < ARRAY_SIZE(after); i++)
		eliminate(r, n, after[i].value, after[i].fate);
	eliminate_by_address(n);
	order(n);
}
