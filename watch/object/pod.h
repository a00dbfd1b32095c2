/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pod.h - Pod: labels, identity, addresses, named ports.
 */
#pragma once

#include "watch/object/object.h"

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

extern const struct kind_info kind_pod;

static inline const struct pod *as_pod(const struct object *o)
{
	return (const struct pod *)o;
}

uint16_t pod_named_port(const struct pod *p, uint8_t protocol, const char *name);
