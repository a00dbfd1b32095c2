/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nlmsg_link.h - one link: look it up, change it; in the network namespace of the socket.
 */
#pragma once

#include <net/if.h>

#include "datapath/netlink/nlmsg.h"

/*
 * struct link - what one link message tells
 * @peer:      Index of a veth's other end, in the other end's namespace; 0 when it has none
 * @peer_nsid: The kernel's number for that namespace; -1: the same one
 * @up:        Set up by whoever manages it
 * @drops:     IPv4 packets that come in are not forwarded
 * @local:     lo or a dummy: it carries addresses, and nothing leaves the node through it
 * @master:    Index of what it is a port of; 0: nothing
 * @filters:   Of a bridge: nf_call_iptables, nf_call_ip6tables
 * @running:   Takes packets: up, with a carrier of which the kernel has taken notice
 */
struct link {
	char ifname[IF_NAMESIZE];
	uint32_t index, peer, master;
	int peer_nsid;
	uint32_t mtu;
	struct mac mac;
	bool up, running, veth, bridge, local, drops;
	bool filters[2];
};

/*
 * struct link_change - what shall be otherwise
 * @up:      Set up
 * @mtu:     Bytes; 0: as it is
 * @forward: IPv4 packets that come in are forwarded; IPv6 has one switch for all
 */
struct link_change {
	bool up, forward;
	uint32_t mtu;
};

void link_read(const struct nlmsghdr *h, struct link *ret);
int link_get(struct mnl_socket *s, const char *ifname, struct link *ret);
int link_get_index(struct mnl_socket *s, uint32_t index, struct link *ret);
int link_get_peer(struct mnl_socket *s, const struct link *link, struct link *ret);
int link_index(struct mnl_socket *s, const char *ifname);
int link_change(struct mnl_socket *s, const char *ifname, const struct link_change *c,
		struct err *reterr);
