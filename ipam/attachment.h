/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attachment.h - one interface of one container: what CNI ADD made and CNI DEL takes away.
 *
 * It is the unit of the journal: everything needed to program the pod again after a restart,
 * without the API server and without asking the runtime.
 */
#pragma once

#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/util.h"

#define CONTAINER_ID_MAX   128 /* bytes; Kubernetes uses 64 */
#define IFNAME_MAX	   15
#define HOST_IFNAME_PREFIX "mx"
#define HOST_PORTS_MAX	   256
#define NETWORK_NAME_MAX   253
#define DEFAULT_NETWORK	   "manx" /* "name" of the list that the agent installs */

struct host_port {
	uint8_t protocol; /* PROTO_x */
	uint16_t host_port, container_port;
	bool has_ip;
	struct addr host_ip; /* address of the node the port is bound to; any when !has_ip */
};

/*
 * struct attachment - strings are heap memory owned by it, never NULL
 * @id, @ifname: the key, CNI_CONTAINERID and CNI_IFNAME
 * @network:     name of the network it belongs to; NULL: not known, an earlier version made it
 * @netns:       CNI_NETNS of the ADD
 * @ns, @pod, @uid: K8S_POD_NAMESPACE, K8S_POD_NAME, K8S_POD_UID ("" when the runtime sent none)
 * @host_ifname: "mx" and 12 hexadecimal digits of a hash of the key: stable
 * @mac:         of the pod's end
 * @addrs:       one a family, IPv4 first
 */
struct attachment {
	char *id, *ifname, *network, *netns;
	char *ns, *pod, *uid;
	char *host_ifname;
	struct mac mac;
	uint32_t n_addrs;
	struct addr addrs[2];
	uint32_t n_ports;
	struct host_port *ports;
};

struct attachment *attachment_free(struct attachment *a);
static inline void attachment_freep(struct attachment **a)
{
	(void)attachment_free(*a);
}
struct attachment *attachment_unexplained(const char *host_ifname);
bool attachment_is_unexplained(const struct attachment *a);
struct attachment *attachment_copy(const struct attachment *a);
void attachment_host_ifname(const char *network, const char *id, const char *ifname,
			    char ret[static IFNAME_MAX + 1]);
uint64_t attachment_owner(const struct attachment *a);
bool attachment_is_host_ifname(const char *ifname);
void attachment_encode(const struct attachment *a, struct buf *out);
int attachment_decode(struct reader *r, struct attachment **ret);
