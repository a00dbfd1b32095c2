/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cuts.h - connections that were cut must not come back by a reply.  Pure.
 *
 * When the kernel has forgotten a connection, the next packet of the server, in the middle of its
 * stream, looks to it like the first of a connection from server to client, and that one may be
 * allowed.  So the replies of what is cut are dropped by who sends them: from address and port of
 * the server to the client.  A rule lasts about as long as the kernel remembers a silent
 * connection: whoever is silent for longer begins anew for everybody.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/base/flow.h"

/* What the kernel itself takes for forgotten (nf_conntrack_tcp_timeout_established, ...) */
#define CUT_TCP_USEC  (5 * 24 * 3600 * USEC_PER_SEC)
#define CUT_SCTP_USEC (15 * 60 * USEC_PER_SEC) /* the peer's heartbeats have ended by then */
#define CUT_USEC      (3 * 60 * USEC_PER_SEC)  /* UDP and other protocols with ports */

#define CUTS_MAX 32768 /* rules; beyond that the oldest go first */

struct cuts;

struct cuts *cuts_new(struct nft_table *t, const struct base *b);
struct cuts *cuts_free(struct cuts *c);
void cuts_add(struct cuts *c, const struct flow *f, uint64_t now);
void cuts_adopt(struct cuts *c, uint64_t now);
void cuts_expire(struct cuts *c, uint64_t now);
uint64_t cuts_next(const struct cuts *c);
size_t cuts_count(const struct cuts *c);
