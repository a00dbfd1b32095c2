/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims.h - several owners of one derived key (a destination, an address, a port): a list of their
 * claims, the best first.  Pure.
 *
 * Who is first has the key; when its claim is dropped, the next one takes over.  The order follows
 * from the claims alone and not from when they came, so all nodes agree on it.
 */
#pragma once

#include "lib/util.h"

/*
 * struct claimant - whose a claim is; @rank and @name identify it
 * @rank:  Of the kind of owner: the lowest is the best
 * @since: When the owner was created, on any scale: the oldest is the best; 0: not known, which
 *         comes after all that are known
 * @name:  Decides between equals, by strcmp(); interned in claims that are in a list
 */
struct claimant {
	uint32_t rank;
	uint64_t since;
	const char *name;
};

/* struct claim - embedded first in what the owner wants */
struct claim {
	struct claimant by;
	struct claim *next;
};

struct claim *claims_find(struct claim *list, const struct claimant *by);
void claims_add(struct claim **list, struct claim *c);
void claims_remove(struct claim **list, struct claim *c);
