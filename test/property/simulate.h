/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simulate.h - send a packet through the table that is wanted, as the kernel would.
 *
 * Takes one packet and a hook, runs the hook's base chains in order of their priority.  What the
 * simulator does not know is an assertion: a new statement or field must be taught to it.  Pure.
 * Limits: the packet is the first of its connection; nothing is translated.
 */
#pragma once

#include "datapath/nft/table.h"

/*
 * struct sim_packet - what a rule can read
 * @dport:   Bytes 2 and 3 behind the IP header, whatever the protocol: the kernel does not look
 * @icmp6:   Type of an ICMPv6 packet
 * @iifname: "" when sent by the node itself
 * @local:   @dst is an address of the node
 */
struct sim_packet {
	struct addr src, dst;
	uint8_t protocol, icmp6;
	uint16_t dport;
	const char *iifname, *oifname;
	struct mac mac;
	bool local;
};

bool simulate_hook(const struct nft_table *t, enum nft_hook hook, const struct sim_packet *p);
