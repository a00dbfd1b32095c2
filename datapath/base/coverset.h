/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coverset.h - an interval set of the table that holds address blocks: the outermost of those that
 * were put in (cover.h).  Pure.
 */
#pragma once

#include "datapath/base/cover.h"
#include "datapath/nft/table.h"

/*
 * struct coverset - one family; it must not move after coverset_init()
 * @hidden: The blocks are known, and the set has no element
 */
struct coverset {
	struct nft_table *table;
	struct nft_set *set;
	struct cover *cover;
	bool hidden;
};

void coverset_init(struct coverset *c, struct nft_table *t, struct nft_set *set);
void coverset_done(struct coverset *c);
void coverset_show(struct coverset *c, bool show);
struct cover *coverset_of(const struct coverset c[2], const struct prefix *p);
