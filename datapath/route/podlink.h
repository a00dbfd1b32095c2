/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podlink.h - a pod's veth pair, made, checked and deleted by the plugin's process (blocking).
 *
 * The host's end carries HOST_MAC, the link-local address that the kernel makes and fe80::1; the
 * pod's end gets its addresses as /32 and /128 (no duplicate address detection), a permanent
 * neighbour entry for the link-local gateways 169.254.1.1 and fe80::1 that points at the host's
 * end, an on-link route to the gateway and a default route through it: no bridge, no ARP, no ND on
 * the link.  Beside another interface that has the pod's default route it takes nothing of that:
 * its routes then stand in a table of its own (podlink_beside.c).
 */
#pragma once

#include "lib/addr.h"
#include "lib/err.h"

#define PODLINK_MTU_MOST 65535u /* of a veth */
#define PODLINK_GATEWAY4 "169.254.1.1"
#define PODLINK_GATEWAY6 "fe80::1"
#define PODLINK_HOST_MAC "02:6d:61:6e:78:01" /* locally administered; the same on every link */

struct podlink {
	const char *netns; /* path */
	const char *ifname, *host_ifname;
	struct mac mac;
	uint32_t mtu;
	uint32_t n_addrs;
	struct addr addrs[2];
};

/*
 * Make it.  @ret_beside (NULL if nobody asks) says of each of its addresses whether another
 * interface has the default route of the family.   What an earlier, interrupted try left under the
 * same names is replaced. Named failures: -ENOENT no such namespace, -ENOTTY not a pod's network
 * namespace, -EEXIST an interface of that name is in use.
 */
int podlink_create(const struct podlink *l, bool ret_beside[2], struct err *reterr);
int podlink_check(const struct podlink *l, bool ret_beside[2], struct err *reterr);
bool podlink_netns_exists(const char *netns);
uint32_t podlink_mtu_of_link(uint32_t link, bool six);
uint32_t podlink_next_mtu(uint32_t pod, uint32_t host, uint32_t node);
/* Take back what would outlive the interface in the pod's namespace; before podlink_delete(). */
void podlink_give_back(const char *netns, const char *ifname);
/* Delete by the host's name; 0 also when it does not exist. */
int podlink_delete(const char *host_ifname, struct err *reterr);
