/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreign_rules_priv.h - shared by the files of foreign_rules.h.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "datapath/nft/foreign_rules.h"

struct nft_firewall {
	struct mnl_socket *s;
};

struct nlmsghdr *nft_firewall_request(char *room, uint16_t type, uint16_t flags, uint8_t family);
int nft_firewall_delete(struct nft_firewall *f, uint8_t family, const char *table,
			const char *chain, uint64_t handle);
