/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update.h - UPDATE: routes that come and go, read and written.  Pure.
 *
 * Reading follows RFC 7606: what is wrong with an attribute costs as little as the table in
 * attr_read.c says, a session only where nothing else is possible.
 *
 * Sources: RFC 4271 4.3, 5, 6.3; RFC 7606; RFC 4760; RFC 2545 (IPv6 next hops); RFC 6793; RFC 7607;
 * RFC 4724 2 (End-of-RIB).
 */
#pragma once

#include "datapath/bgp/attrs.h"
#include "datapath/bgp/message.h"
#include "datapath/bgp/open.h"

/* What an error costs (RFC 7606 2), the strongest last. */
enum bgp_action {
	BGP_ACCEPT,
	BGP_DISCARD,  /* the attribute */
	BGP_WITHDRAW, /* the routes of the UPDATE: they count as withdrawn */
	BGP_DISABLE,  /* the family, for the rest of the session */
	BGP_RESET,    /* the session, with a NOTIFICATION */
};

/* struct bgp_routes - prefixes of a family, checked; walk them with bgp_nlri_next() */
struct bgp_routes {
	enum bgp_family family; /* _BGP_FAMILY_MAX: none that was agreed on */
	struct bgp_span nlri;
};

/* Where routes stand in an UPDATE. */
enum bgp_field {
	BGP_FIELD_WITHDRAWN,
	BGP_FIELD_MP_UNREACH,
	BGP_FIELD_ANNOUNCED,
	BGP_FIELD_MP_REACH,
	_BGP_FIELD_MAX
};

/*
 * struct bgp_update - an UPDATE as it was read
 * @action:   The strongest that was needed
 * @culprit:  The attribute that needed it; 0: none did
 * @notice:   Of BGP_RESET: what to answer, its data borrowed from the message
 * @withdraw: BGP_WITHDRAW was needed too: what is announced counts as withdrawn
 * @disabled: Bits of the families of BGP_DISABLE
 * @ended:    The family whose End-of-RIB this is; _BGP_FAMILY_MAX: it is none
 * @attrs:    Of BGP_FIELD_ANNOUNCED; see bgp_update_attrs()
 * @next_hop, @link_local: Of BGP_FIELD_MP_REACH
 * @field:    Routes
 * @path, @others: Bytes that @attrs borrows
 * The rest is bgp_update_read()'s.
 */
struct bgp_update {
	enum bgp_action action;
	uint8_t culprit;
	struct bgp_notice notice;
	bool withdraw;
	uint8_t disabled;
	enum bgp_family ended;
	struct bgp_attrs attrs;
	struct addr next_hop, link_local;
	struct bgp_routes field[_BGP_FIELD_MAX];
	struct buf path, others;
	/* while it is read */
	const struct bgp_agreed *session;
	bool alone; /* MP_UNREACH_NLRI is the only attribute */
	uint8_t seen[32];
	struct bgp_span path4, raw;
	uint32_t aggregator4_as, aggregator4_id;
};

/* bgp_route_fn - a route; @attrs is NULL: it is withdrawn */
typedef void bgp_route_fn(void *arg, const struct prefix *p, const struct bgp_attrs *attrs);

void bgp_update_read(struct bgp_update *u, const uint8_t *data, size_t len,
		     const struct bgp_agreed *session);
void bgp_update_each(const struct bgp_update *u, bgp_route_fn *route, void *arg);
void bgp_update_done(struct bgp_update *u);

bool bgp_nlri_valid(const uint8_t *p, size_t len, enum bgp_family family);
bool bgp_nlri_next(struct reader *r, enum bgp_family family, struct prefix *ret);
size_t bgp_nlri_len(const struct prefix *p);

size_t bgp_update_put(struct buf *out, const struct bgp_agreed *session, const struct bgp_attrs *a,
		      const struct prefix *p, size_t n);
size_t bgp_withdraw_put(struct buf *out, const struct prefix *p, size_t n);
void bgp_end_of_rib_put(struct buf *out, enum bgp_family family);

/* attr_read.c, for update_read.c */
void bgp_attr_read(struct bgp_update *u, uint8_t flags, uint8_t type, const struct bgp_span *value);
void bgp_attr_fault(struct bgp_update *u, enum bgp_action action, uint8_t type, uint8_t subcode);
void bgp_attr_finish(struct bgp_update *u);
/* attr_write.c, for update_write.c */
bool bgp_attrs_put(struct buf *out, const struct bgp_agreed *session, const struct bgp_attrs *a,
		   bool next_hop);
