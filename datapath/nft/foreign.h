/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreign.h - who else changes our table?  The kernel tells of every transaction, and whose it was.
 */
#pragma once

#include "datapath/nft/apply.h"

struct nft_foreign;

/*
 * struct nft_culprit - the last one that changed our table
 * @pid:  Process; 0: not known
 * @name: Its name; "" when not known
 */
struct nft_culprit {
	uint32_t pid;
	char name[32];
};

/*
 * struct nft_telling - what the kernel tells, as far as it was heard
 * @table:   Ours
 * @others:  Chains or rules of other tables changed since that was asked
 * @touched: By the transaction that is being told, or by one whose end got lost
 * @what:    All objects touched since the list was emptied; owned
 */
struct nft_telling {
	const char *table;
	bool touched, others;
	struct nft_touched what;
};

int nft_foreign_open(const struct nft_socket *own, const char *table, struct nft_foreign **ret,
		     struct err *reterr);
struct nft_foreign *nft_foreign_close(struct nft_foreign *f);
int nft_foreign_fd(const struct nft_foreign *f);
bool nft_foreign_read(struct nft_foreign *f, struct nft_culprit *ret);
bool nft_foreign_others(struct nft_foreign *f);
struct nft_touched *nft_foreign_touched(struct nft_foreign *f);
/* Pure */
bool nft_foreign_take(struct nft_telling *t, const void *data, size_t size,
		      struct nft_culprit *ret);
