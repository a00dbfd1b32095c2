/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall.h (agent) - forward chains of other tables that drop packets of pods: found, told, and
 * with `forward-accept` opened for pods by a rule of ours.
 */
#pragma once

#include "agent/repair.h"
#include "datapath/nft/foreign_rules.h"
#include "lib/err.h"

struct agent;
struct loop_source;

/*
 * struct firewall - embedded in the agent
 * @problems: What drops packets of pods, as text; owned
 * @again:    It was asked for while it ran
 * @accepts:  Rules of ours may be in other tables
 */
struct firewall {
	struct nft_firewall *nft;
	struct repair repair;
	struct loop_source *timer;
	bool running, again, accepts;
	VEC(char *) problems;
};

int firewall_open(struct agent *a, struct err *reterr);
void firewall_watch(struct agent *a);
void firewall_close(struct agent *a);
void firewall_changed(struct agent *a);
void firewall_due(struct agent *a);
