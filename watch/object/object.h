/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object.h - the typed objects that Manx works with: what remains of a Kubernetes object after
 * decoding.  Every string in them is interned (lib/intern.h) unless said otherwise, so that equal
 * names are equal pointers; an object owns its uses and its arrays.
 */
#pragma once

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/util.h"

enum kind { KIND_NODE, KIND_NAMESPACE, KIND_POD, KIND_NETPOL, _KIND_MAX };

/*
 * struct object - the head of every object; embedded first
 * @kind:     What it is; decides the type around this head
 * @feed, @generation, @version: Marks of the source that gave it; they mean nothing to anybody
 * else, and two objects that differ in them alone are equal
 * @prev, @next: The store's: its objects of one @feed
 * @ns:       Namespace, NULL for kinds without one
 * @name:     metadata.name
 * @uid:      metadata.uid, NULL when absent
 * @problem:  NULL, or why the object was set aside (heap, "spec.ingress[0].ports[1].endPort: ...").
 *            Then, for a policy, @selects of struct netpol is as wide as could be read and it has
 *            no rules: it fails closed.
 */
struct object {
	enum kind kind;
	uint16_t feed, generation;
	uint64_t version;
	struct object *prev, *next;
	const char *ns;
	const char *name;
	const char *uid;
	char *problem;
};

/* struct object_key - interned names, borrowed; @ns is NULL for kinds without namespace */
struct object_key {
	enum kind kind;
	const char *ns, *name;
};

struct label {
	const char *key;
	const char *value;
};

/* struct labels - sorted by strcmp of the keys, each key once */
struct labels {
	uint32_t n;
	struct label *v;
};

enum selector_op {
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_NOT_EXISTS,
	_SELECTOR_MAX
};

/* struct requirement - one term of a selector; @values sorted by strcmp, none twice */
struct requirement {
	const char *key;
	enum selector_op op;
	uint32_t n_values;
	const char **values;
};

/*
 * struct selector - all terms must hold; none at all selects everything.  matchLabels become
 * SELECTOR_IN with one value.  Terms are sorted (key, op, values) and none stands twice, so that
 * selectors of the same meaning and spelling compare equal.
 * Source: k8s.io/apimachinery meta/v1 LabelSelector.
 */
struct selector {
	uint32_t n;
	struct requirement *v;
};

#define PROTO_TCP  6
#define PROTO_UDP  17
#define PROTO_SCTP 132

struct node {
	struct object o;
	struct labels labels;
	uint32_t n_pod_cidrs; /* spec.podCIDRs, else spec.podCIDR */
	struct prefix *pod_cidrs;
	uint32_t n_internal_ips; /* status.addresses of type InternalIP, in order */
	struct addr *internal_ips;
	uint64_t created; /* metadata.creationTimestamp as YYYYMMDDhhmmss; 0: not known */
};

struct namespace
{
	struct object o;
	struct labels labels; /* kubernetes.io/metadata.name is filled in as the API server does */
};

struct container_port {
	const char *name; /* never NULL: ports without a name are not kept */
	uint8_t protocol;
	uint16_t port;
};

/*
 * struct pod
 * @mirror_of: annotation kubernetes.io/config.hash, the UID that the kubelet gives to CNI for a
 *             static pod; NULL when absent
 * @node:      spec.nodeName, NULL when not scheduled
 * @finished:  status.phase is Succeeded or Failed: its addresses may belong to someone else now
 * @ips:       status.podIPs, else status.podIP; at most one a family, IPv4 first
 * @ports:     named ports of containers, init containers and sidecars; first wins for a
 *             name and protocol that stand twice; sorted by (name, protocol)
 */
struct pod {
	struct object o;
	struct labels labels;
	const char *mirror_of;
	const char *node;
	bool host_network;
	bool finished;
	uint32_t n_ips;
	struct addr ips[2];
	uint32_t n_ports;
	struct container_port *ports;
};

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

const char *kind_str(enum kind k); /* "Pod", "NetworkPolicy", ... */
const char *protocol_str(uint8_t protocol);
char *object_title(enum kind kind, const char *ns, const char *name);

bool object_key_equal(const struct object_key *a, const struct object_key *b);
uint32_t object_key_hash(const struct object_key *key);
void object_key_ref(const struct object_key *key);
void object_key_put(const struct object_key *key);

struct object *object_free(struct object *o);
static inline void object_freep(struct object **o)
{
	(void)object_free(*o);
}
bool object_equal(const struct object *a, const struct object *b);

static inline const struct pod *as_pod(const struct object *o)
{
	return (const struct pod *)o;
}
static inline const struct namespace *as_namespace(const struct object *o)
{
	return (const struct namespace *)o;
}
static inline const struct node *as_node(const struct object *o)
{
	return (const struct node *)o;
}
static inline const struct netpol *as_netpol(const struct object *o)
{
	return (const struct netpol *)o;
}

const char *labels_get(const struct labels *l, const char *key);
bool selector_matches(const struct selector *s, const struct labels *l);
bool selector_equal(const struct selector *a, const struct selector *b);
struct selector selector_copy(const struct selector *s);
void selector_done(struct selector *s);

uint16_t pod_named_port(const struct pod *p, uint8_t protocol, const char *name);
