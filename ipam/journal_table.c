// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal_table.c - the table behind a journal: what its records add up to.  Pure.
 */
#include "ipam/journal_table.h"

/**
 * journal_table_done() - Free what a table holds
 * @t: Table; empty afterwards
 */
void journal_table_done(struct journal_table *t)
{
	struct journal_entry *e, *next;

	HASH_ITER (hh, t->entries, e, next)
		journal_table_drop(t, e);
}

/* Neither an identifier nor an interface name has a '/': attachment_decode(), cni_request.c */
static char *make_key(const char *id, const char *ifname)
{
	return xasprintf("%s/%s", id, ifname);
}

/**
 * journal_table_find() - Look an entry up
 * @t:      Table
 * @id:     Container
 * @ifname: Interface
 *
 * Return: the entry; NULL if there is none
 */
struct journal_entry *journal_table_find(const struct journal_table *t, const char *id,
					 const char *ifname)
{
	_cleanup_(freep) char *key = make_key(id, ifname);
	struct journal_entry *e;

	HASH_FIND_STR(t->entries, key, e);
	return e;
}

/**
 * journal_table_find_link() - Look an entry up by its link
 * @t:           Table
 * @host_ifname: The link's end in the host
 *
 * Return: the entry; NULL if there is none
 */
struct journal_entry *journal_table_find_link(const struct journal_table *t,
					      const char *host_ifname)
{
	struct journal_entry *e;

	HASH_FIND(hh_link, t->by_link, host_ifname, strlen(host_ifname), e);
	return e;
}

/**
 * journal_table_put() - Add an entry, or replace that of the same interface
 * @t:     Table
 * @at:    Attachment, owned by the table from now on
 * @bytes: Length of its record
 */
void journal_table_put(struct journal_table *t, struct attachment *at, size_t bytes)
{
	struct journal_entry *e = journal_table_find(t, at->id, at->ifname);

	if (e)
		journal_table_drop(t, e);
	e = xcalloc(1, sizeof(*e));
	e->key = make_key(at->id, at->ifname);
	e->at = at;
	e->bytes = bytes;
	t->live += bytes;
	HASH_ADD_KEYPTR(hh, t->entries, e->key, strlen(e->key), e);
	HASH_ADD_KEYPTR(hh_link, t->by_link, at->host_ifname, strlen(at->host_ifname), e);
	hostports_add(&t->ports, at);
}

/**
 * journal_table_drop() - Remove an entry
 * @t: Table
 * @e: Entry of it; freed
 */
void journal_table_drop(struct journal_table *t, struct journal_entry *e)
{
	HASH_DEL(t->entries, e);
	HASH_DELETE(hh_link, t->by_link, e);
	hostports_remove(&t->ports, e->at);
	t->live -= e->bytes;
	(void)attachment_free(e->at);
	free(e->key);
	free(e);
}

/* struct holder - who has an address */
struct holder {
	struct addr addr;
	struct journal_entry *entry;
	UT_hash_handle hh;
};

/* Give the address to @e; return who has it so far. */
static struct journal_entry *hold(struct holder **all, const struct addr *a,
				  struct journal_entry *e)
{
	struct journal_entry *before;
	struct holder *h;

	HASH_FIND(hh, *all, a, sizeof(*a), h);
	if (!h) {
		h = xcalloc(1, sizeof(*h));
		h->addr = *a;
		HASH_ADD(hh, *all, addr, sizeof(h->addr), h);
	}
	before = h->entry;
	h->entry = e;
	return before;
}

static void lose_all(struct holder *all, const struct journal_entry *e)
{
	for (struct holder *h = all; h; h = h->hh.next)
		if (h->entry == e)
			h->entry = NULL;
}

/**
 * journal_table_newest() - Drop the entries whose address a later one has
 * @t: Table of a file of which records were lost
 *
 * An address is given once it was freed, so the record that freed it is among the lost ones.
 * Time: O(entries), beside those dropped times entries.
 */
void journal_table_newest(struct journal_table *t)
{
	struct holder *all = NULL, *h, *next_holder;
	struct journal_entry *e, *next;

	HASH_ITER (hh, t->entries, e, next) {
		for (uint32_t i = 0; i < e->at->n_addrs; i++) {
			struct journal_entry *before = hold(&all, &e->at->addrs[i], e);

			if (!before || before == e)
				continue;
			lose_all(all, before);
			journal_table_drop(t, before);
		}
	}
	HASH_ITER (hh, all, h, next_holder) {
		HASH_DEL(all, h);
		free(h);
	}
}

/**
 * journal_table_encode() - Write a whole file with a record for each entry, oldest first
 * @t:       Table; learns how long the records are now
 * @boot_id: Of this boot
 * @first:   Number of the first record
 * @out:     Empty
 *
 * Return: number of the record to come
 */
uint64_t journal_table_encode(struct journal_table *t, const char *boot_id, uint64_t first,
			      struct buf *out)
{
	uint64_t number = first;

	journal_encode_head(boot_id, first, out);
	t->live = 0;
	for (struct journal_entry *e = t->entries; e; e = e->hh.next) {
		struct journal_record r = {.type = JOURNAL_PUT, .number = number, .at = e->at};
		size_t before = out->len;

		journal_encode(&r, out);
		number++;
		e->bytes = out->len - before;
		t->live += e->bytes;
	}
	return number;
}
