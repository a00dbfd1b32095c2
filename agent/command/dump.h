/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump.h - the nftables table that an agent would install for these objects and local pods.  Pure.
 *
 * This is how a policy is looked at without a kernel: `manx validate --dump-table`, golden tests.
 */
#pragma once

#include "agent/config/config.h"
#include "ipam/attachment.h"
#include "lib/vec.h"
#include "watch/object/store.h"

struct attachment_list {
	VEC(struct attachment *) at;
};

int dump_attachment_parse(const char *text, struct attachment_list *list, struct err *reterr);
void attachment_list_done(struct attachment_list *list);
void dump_table(const struct store *objects, const struct config *c,
		const struct attachment_list *list, struct buf *out);
