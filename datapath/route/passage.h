/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passage.h - settings of the host's network that keep packets of pods from passing: the check of
 * sources (rp_filter) and filtering of what a bridge passes (bridge-nf).  The decision is pure;
 * rtnl_passage.c reads what it needs.
 */
#pragma once

#include <net/if.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/vec.h"

/*
 * struct passage - what decides; starts zeroed
 * @uplink:    The interface that carries the node's address; "" while that is not known
 * @rp_filter: net.ipv4.conf: [0] of all interfaces, [1] of @uplink; 0 when it cannot be read
 * @peer:      Pods of another node, the first whose packets the kernel refuses from @uplink
 * @way_back:  The interface of the kernel's route to @peer; "": no such peer
 * @bridge:    The bridge that @uplink is, or is a port of; "": neither
 * @ports:     Of @bridge
 * @nf_global: net.bridge.bridge-nf-call-iptables and -ip6tables
 * @nf_own:    The same of @bridge alone
 * @pods:      Pods have IPv4, IPv6 addresses
 */
struct passage {
	char uplink[IF_NAMESIZE];
	unsigned int rp_filter[2];
	struct prefix peer;
	char way_back[IF_NAMESIZE];
	char bridge[IF_NAMESIZE];
	unsigned int ports;
	bool nf_global[2], nf_own[2], pods[2];
};

/* struct passage_findings - text for people, each on the heap; starts zeroed */
struct passage_findings {
	VEC(char *) v;
};

bool passage_strict(const struct passage *p);
void passage_judge(const struct passage *p, struct passage_findings *ret);
