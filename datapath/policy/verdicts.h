/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdicts.h - where the packets of a local pod's addresses go: to a program, or nowhere.  Pure.
 *
 * An address has one row in each direction: in the verdict map, or in the record of what is open.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/policy/endpoint.h"

void verdicts_put(struct nft_table *t, const struct base *b, struct endpoint *ep, enum direction d,
		  const char *chain);
void verdicts_clear(struct nft_table *t, const struct base *b, struct endpoint *ep);
void verdicts_keep(struct nft_table *t, const struct base *b, struct endpoint *ep);
