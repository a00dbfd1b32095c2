/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netpol.h - NetworkPolicy, and what stands in for policies that cannot be read.
 */
#pragma once

#include "watch/object/object.h"

enum port_kind { PORT_ALL, PORT_NUMBER, PORT_NAME };

/*
 * struct policy_port - one entry of a rule's ports
 * @protocol: PROTO_TCP (also when absent), PROTO_UDP or PROTO_SCTP
 * @kind:     PORT_ALL: no port given, every port of @protocol
 * @port:     PORT_NUMBER: 1 to 65535
 * @end_port: PORT_NUMBER: last port, equal to @port when absent
 * @name:     PORT_NAME: IANA service name, resolved per target pod
 */
struct policy_port {
	uint8_t protocol;
	enum port_kind kind;
	uint16_t port, end_port;
	const char *name;
};

enum peer_kind { PEER_PODS, PEER_BLOCK };

/*
 * struct policy_peer - one entry of a rule's from or to
 * @ns_given:   PEER_PODS: namespaceSelector is present; otherwise the policy's own namespace
 * @namespaces: PEER_PODS: namespaceSelector
 * @pods:       PEER_PODS: podSelector; absent selects every pod
 * @cidr:       PEER_BLOCK: ipBlock.cidr
 * @except:     PEER_BLOCK: ipBlock.except, each inside @cidr
 */
struct policy_peer {
	enum peer_kind kind;
	bool ns_given;
	struct selector namespaces;
	struct selector pods;
	struct prefix cidr;
	uint32_t n_except;
	struct prefix *except;
};

/* struct policy_rule - no ports: every port of every protocol; no peers: everyone */
struct policy_rule {
	uint32_t n_ports;
	struct policy_port *ports;
	uint32_t n_peers;
	struct policy_peer *peers;
};

enum direction { INGRESS, EGRESS, _DIRECTION_MAX };

/*
 * struct netpol - a NetworkPolicy of networking.k8s.io/v1
 * @selects:  spec.podSelector
 * @isolates: policyTypes after defaulting, by direction
 * @rules:    spec.ingress and spec.egress; a direction that is isolated and has no rule denies all
 */
struct netpol {
	struct object o;
	struct selector selects;
	bool isolates[_DIRECTION_MAX];
	uint32_t n_rules[_DIRECTION_MAX];
	struct policy_rule *rules[_DIRECTION_MAX];
};

#define NS_EVERY \
	"*" /* namespace of stand-ins for what may be of any; no namespace has such a name */

/*
 * A stand-in takes the place of policies that a source knows of, or cannot rule out, and cannot
 * read: a policy that allows nothing.  Its name has a colon, which names of objects have not.
 */
static inline bool is_stand_in(const struct object *o)
{
	return o->kind == KIND_NETPOL && strchr(o->name, ':');
}

extern const struct kind_info kind_netpol;

static inline const struct netpol *as_netpol(const struct object *o)
{
	return (const struct netpol *)o;
}
