/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_table.h - the attachments that a journal holds, by container and interface.  Pure.
 */
#pragma once

#include <uthash.h>

#include "ipam/hostports.h"
#include "ipam/journal_format.h"

struct journal_entry {
	char *key;
	struct attachment *at;
	size_t bytes; /* of its record */
	UT_hash_handle hh, hh_link;
};

/*
 * struct journal_table - starts zeroed
 * @entries: By container and interface, oldest first
 * @by_link: The same by the link's end in the host
 * @ports:   The same by host port
 * @live:    Bytes of the records that still count
 */
struct journal_table {
	struct journal_entry *entries, *by_link;
	struct hostports ports;
	size_t live;
};

void journal_table_done(struct journal_table *t);
struct journal_entry *journal_table_find(const struct journal_table *t, const char *id,
					 const char *ifname);
struct journal_entry *journal_table_find_link(const struct journal_table *t,
					      const char *host_ifname);
void journal_table_put(struct journal_table *t, struct attachment *at, size_t bytes);
void journal_table_drop(struct journal_table *t, struct journal_entry *e);
void journal_table_newest(struct journal_table *t);
uint64_t journal_table_encode(struct journal_table *t, const char *boot_id, uint64_t first,
			      struct buf *out);
