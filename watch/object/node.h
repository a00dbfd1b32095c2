/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node.h - Node: its ranges and addresses.
 */
#pragma once

#include "watch/object/object.h"

struct node {
	struct object o;
	struct labels labels;
	uint32_t n_pod_cidrs; /* spec.podCIDRs, else spec.podCIDR */
	struct prefix *pod_cidrs;
	uint32_t n_internal_ips; /* status.addresses of type InternalIP, in order */
	struct addr *internal_ips;
	uint64_t created; /* metadata.creationTimestamp as YYYYMMDDhhmmss; 0: not known */
};

extern const struct kind_info kind_node;

static inline const struct node *as_node(const struct object *o)
{
	return (const struct node *)o;
}
