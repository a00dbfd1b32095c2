/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * out.h - what we announce, and how far each neighbour knows it: Adj-RIB-Out.  Pure.
 *
 * Only what is ours is in here, so nothing that a neighbour says goes on to another.  There is one
 * list a family, in the order of the last change; a neighbour is a place in it.  What is before
 * that it knows, what comes from there on is still to be sent, so a change costs nothing but its
 * own sending, a prefix that changes twice is sent once, and a new neighbour, or one that asks for
 * a refresh, begins at the front.  A bit of each neighbour in each prefix says whether it has it:
 * who has not is sent no withdrawal.
 */
#pragma once

#include "datapath/bgp/kept.h"
#include "datapath/bgp/update.h"

#define BGP_COMMUNITY_NO_EXPORT	   0xffffff01 /* RFC 1997 */
#define BGP_COMMUNITY_NO_ADVERTISE 0xffffff02

/* struct bgp_advert - a prefix; @attrs NULL: withdrawn, and somebody has it still */
struct bgp_advert {
	struct bgp_advert *before, *after;
	struct bgp_kept *attrs;
	uint64_t few, *more; /* who has it: the first 64 neighbours; the rest, in @n_more words */
	uint32_t n_more;
	struct prefix p;
};

/*
 * struct bgp_reader - a neighbour whose session stands
 * @session: What both agreed on; borrowed
 * @asn:     Ours
 * @hop, @link_local: Next hop that it is told, by family; family 0: none, so nothing is announced
 * @wants:   Is the prefix for it?  NULL: all are
 * @sent:    Prefixes that it has, by family
 * @too_long: Announcements that no message can hold
 * The rest is the list's.
 */
struct bgp_reader {
	const struct bgp_agreed *session;
	uint32_t asn;
	struct addr hop[_BGP_FAMILY_MAX], link_local;
	bool (*wants)(void *arg, const struct prefix *p, const struct bgp_kept *attrs);
	void *wants_arg;
	uint32_t sent[_BGP_FAMILY_MAX], too_long;
	struct bgp_advert *cursor[_BGP_FAMILY_MAX];
	bool ended[_BGP_FAMILY_MAX];
	uint32_t slot;
	struct bgp_reader *next;
};

/* struct bgp_out - starts zeroed */
struct bgp_out {
	struct ptr_table adverts;
	struct bgp_advert *first[_BGP_FAMILY_MAX], *last[_BGP_FAMILY_MAX];
	struct bgp_reader *readers;
	struct bgp_pool pool;
};

void bgp_out_want(struct bgp_out *o, const struct prefix *p, const struct bgp_attrs *a);
void bgp_out_drop(struct bgp_out *o, const struct prefix *p);
void bgp_out_add(struct bgp_out *o, struct bgp_reader *r);
void bgp_out_remove(struct bgp_out *o, struct bgp_reader *r);
void bgp_out_refresh(struct bgp_out *o, struct bgp_reader *r, enum bgp_family f);
bool bgp_out_write(struct bgp_out *o, struct bgp_reader *r, struct buf *out, size_t limit);
bool bgp_out_export(const struct bgp_reader *r, const struct bgp_advert *a, struct bgp_attrs *ret,
		    struct buf *path);
bool bgp_out_has(const struct bgp_advert *a, const struct bgp_reader *r);
void bgp_out_note(struct bgp_out *o, struct bgp_advert *a, struct bgp_reader *r, bool held);
void bgp_out_done(struct bgp_out *o);
