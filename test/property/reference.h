/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reference.h - NetworkPolicy as its API document says it, for tests.
 *
 * Judges one packet against everything that is known, by looking at everything.  It shares no code
 * with datapath/policy/ and knows nothing of sets, chains or addresses in kernels.  Pure.
 *
 * Source: Kubernetes API reference, networking.k8s.io/v1 NetworkPolicy, and
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 * and that page of Kubernetes 1.6 for the annotation
 */
#pragma once

#include "lib/vec.h"
#include "watch/object/object.h"
#include "watch/object/pod.h"

/*
 * struct reference_endpoint - a pod whose interface is attached on this node
 * @uid:    NULL when the runtime sent none
 * @object: Its object, the last known when that has gone; NULL: never seen
 */
struct reference_endpoint {
	const char *ns, *name, *uid;
	uint32_t n_addrs;
	struct addr addrs[2];
	const struct pod *object;
};

/* struct world - all objects of all kinds, and the endpoints, oldest first; nothing is owned */
struct world {
	VEC(const struct object *) objects;
	VEC(struct reference_endpoint) endpoints;
};

enum packet_path {
	FORWARDED, /* from anywhere to anywhere through this node */
	FROM_NODE, /* sent by this node itself */
	TO_NODE,   /* @dst is an address of this node */
};

/* struct packet - the first packet of a connection; @dport means nothing without ports */
struct packet {
	struct addr src, dst;
	uint8_t protocol;
	uint16_t dport;
	enum packet_path path;
};

bool reference_allows(const struct world *w, const struct packet *p);
