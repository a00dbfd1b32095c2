/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podrows.h - what a local pod has in the fixed program whatever its policies are: its sources
 * (anti-spoofing), itself, its host ports.  Pure.
 */
#pragma once

#include "datapath/base/base.h"
#include "ipam/attachment.h"

void podrows_want(struct nft_table *t, const struct base *b, const struct attachment *a);
void podrows_drop(struct nft_table *t, const struct base *b, const struct attachment *a);
void link_elem(const char *ifname, struct nft_elem *ret);
void addr_elem(const struct addr *a, struct nft_elem *ret);
enum nft_settled podrows_settled(struct nft_table *t, const struct base *b,
				 const struct attachment *a, const char **ret_problem);
