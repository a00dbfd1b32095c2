/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall.h (agent) - forward chains of other tables that drop packets of pods: found, told, and
 * with `forward-accept` opened for pods by a rule of ours.
 */
#pragma once

#include "agent/repair.h"
#include "datapath/nft/foreign_rules.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/once.h"
#include "lib/waiter.h"

struct ipam;
struct nodes;
struct rtnl;

/* struct firewall_uses - @uplink: the node's interface, 16 bytes that may change; "" for none */
struct firewall_uses {
	struct loop *loop;
	struct waiter *waiter;
	struct rtnl *rtnl;
	const struct nodes *nodes;
	const struct ipam *ipam;
	const char *uplink;
};

/*
 * struct firewall
 * @problems: What drops packets of pods, as text; owned
 * @accept:   Put such rules there
 * @accepts:  Rules of ours may be in other tables
 */
struct firewall {
	struct firewall_uses use;
	struct nft_firewall *nft;
	struct repair repair;
	struct loop_source *timer;
	struct once job;
	bool accept, accepts;
	VEC(char *) problems;
};

int firewall_open(struct firewall *f, const struct firewall_uses *u, struct err *reterr);
void firewall_configure(struct firewall *f, bool accept);
void firewall_close(struct firewall *f);
void firewall_changed(struct firewall *f);
void firewall_due(struct firewall *f);
