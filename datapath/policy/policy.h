/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - NetworkPolicy of the local pods.  Pure.
 *
 * Takes every change of an object and every attachment of a local pod; keeps the verdict maps
 * (pod address to program) and through program.h and peers.h everything behind them as the table
 * wants it.  A change marks the local pods that it touches; settling recomputes those whole.
 */
#pragma once

#include "datapath/part.h"
#include "datapath/policy/peers.h"
#include "watch/object/netpol.h"

struct policy_engine;

/* struct policy_info - one policy, for status */
struct policy_info {
	const struct netpol *policy;
	uint32_t local_pods; /* attached here and selected by it */
};

/* struct policy_pod_info - one attachment, for status */
struct policy_pod_info {
	const char *id, *ifname;
	bool known;			     /* its object has arrived */
	const char *program[_DIRECTION_MAX]; /* chain, NULL: open */
};

struct policy_counts {
	size_t pods, namespaces, policies, attachments, programs, peer_sets;
};

/*
 * enum policy_knowledge
 * @POLICY_UNKNOWN: No policy is known; the table is about to be read
 * @POLICY_AS_LEFT: It was read: what it holds stays in force, what it lacks is isolated
 * @POLICY_ISOLATE: What it holds cannot be kept: all pods are isolated
 * @POLICY_KNOWN:   All of the source is known
 */
enum policy_knowledge { POLICY_UNKNOWN, POLICY_AS_LEFT, POLICY_ISOLATE, POLICY_KNOWN };

extern const struct part_ops policy_part;

struct policy_engine *policy_of(struct part *p);
void policy_knowledge(struct policy_engine *e, enum policy_knowledge k);

void policy_each_shared(const struct policy_engine *e, shared_addr_fn *fn, void *arg);
struct touched *policy_touched(struct policy_engine *e, bool all);

bool policy_pod_known(const struct policy_engine *e, const char *id, const char *ifname);
void policy_counts(const struct policy_engine *e, struct policy_counts *ret);
void policy_each(const struct policy_engine *e,
		 void (*fn)(void *arg, const struct policy_info *info), void *arg);
bool policy_pod_info(const struct policy_engine *e, const char *id, const char *ifname,
		     struct policy_pod_info *ret);
