// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal_find.c - look into the table of a journal.
 */
#include "ipam/journal_internal.h"

/**
 * journal_find() - Look an attachment up
 * @j:      Journal
 * @id:     Container
 * @ifname: Interface
 *
 * Return: the attachment, borrowed until the next change; NULL if there is none
 */
const struct attachment *journal_find(const struct journal *j, const char *id, const char *ifname)
{
	const struct journal_entry *e = journal_table_find(&j->table, id, ifname);

	return e ? e->at : NULL;
}

/**
 * journal_find_link() - Look an attachment up by its link
 * @j:           Journal
 * @host_ifname: The link's end in the host
 *
 * Return: the attachment, borrowed until the next change; NULL if there is none
 */
const struct attachment *journal_find_link(const struct journal *j, const char *host_ifname)
{
	const struct journal_entry *e = journal_table_find_link(&j->table, host_ifname);

	return e ? e->at : NULL;
}

/**
 * journal_find_port() - Look an attachment up by a host port
 * @j: Journal
 * @p: Port
 *
 * Return: who has it, or one that overlaps it; NULL if it is free
 */
const struct attachment *journal_find_port(const struct journal *j, const struct host_port *p)
{
	return hostports_owner(&j->table.ports, p);
}

/**
 * journal_next() - Walk the attachments, oldest first
 * @j:    Journal
 * @prev: The one before; NULL to begin
 *
 * Return: the next one, borrowed; NULL at the end
 */
const struct attachment *journal_next(const struct journal *j, const struct attachment *prev)
{
	const struct journal_entry *e = j->table.entries;

	if (prev) {
		e = journal_table_find(&j->table, prev->id, prev->ifname);
		e = e ? e->hh.next : NULL;
	}
	return e ? e->at : NULL;
}

/**
 * journal_count() - Number of attachments
 * @j: Journal
 *
 * Return: the number
 */
size_t journal_count(const struct journal *j)
{
	return HASH_COUNT(j->table.entries);
}
