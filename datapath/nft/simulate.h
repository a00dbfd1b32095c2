/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simulate.h - send a packet through the table that is wanted, as the kernel would.
 *
 * Takes one packet and a hook, runs the hook's base chains in order of their priority.  What the
 * simulator does not know is an assertion: a new field must be added to it, a new statement says in
 * its row what it does (stmt.h).  Pure.
 * Limits: the packet is the first of its connection; nothing is translated.
 */
#pragma once

#include "datapath/nft/table.h"

/*
 * struct sim_packet - what a rule can read
 * @sport, @dport: Bytes 0 to 3 behind the IP header, whatever the protocol: the kernel does not
 * look
 * @tcp_flags: NFT_TCP_x
 * @icmp6:   Type of an ICMPv6 packet
 * @iifname: "" when sent by the node itself
 */
struct sim_packet {
	struct addr src, dst;
	uint8_t protocol, icmp6;
	uint16_t sport, dport;
	uint8_t tcp_flags;
	const char *iifname, *oifname;
	struct mac mac;
};

bool simulate_chain(const struct nft_table *t, const char *name, const struct sim_packet *p);
bool simulate_hook(const struct nft_table *t, enum nft_hook hook, const struct sim_packet *p);
