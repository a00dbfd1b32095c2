// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ranges.c - the set of ranges.h.  Pure.
 */
#include "datapath/bgp/ranges.h"

#include <sys/socket.h>

#include "lib/hash.h"

/* struct range - a prefix that was added @times times */
struct range {
	struct prefix p;
	uint32_t times;
};

/**
 * bgp_prefix_hash() - Hash of a prefix, for a table
 * @p: Prefix
 *
 * Return: the hash
 */
uint32_t bgp_prefix_hash(const struct prefix *p)
{
	uint8_t key[17] = {p->len};
	size_t n = addr_len(&p->addr);

	memcpy(key + 1, p->addr.b, n);
	return (uint32_t)hash_stable(key, 1 + n);
}

static bool is_same(const void *item, const void *key)
{
	return prefix_eq(&((const struct range *)item)->p, key);
}

static uint32_t *count_of(struct bgp_ranges *r, const struct prefix *p)
{
	return &r->n[p->len + (p->addr.family == AF_INET ? 0 : 33)];
}

/**
 * bgp_ranges_add() - Add a prefix
 * @r: Set
 * @p: Prefix; as often as it is added it has to be removed
 */
void bgp_ranges_add(struct bgp_ranges *r, const struct prefix *p)
{
	uint32_t hash = bgp_prefix_hash(p);
	struct range *g = ptr_table_get(&r->table, hash, is_same, p);

	if (!g) {
		g = xcalloc(1, sizeof(*g));
		g->p = *p;
		ptr_table_add(&r->table, hash, g);
		(*count_of(r, p))++;
	}
	g->times++;
}

/**
 * bgp_ranges_remove() - Remove a prefix
 * @r: Set
 * @p: Prefix that was added
 */
void bgp_ranges_remove(struct bgp_ranges *r, const struct prefix *p)
{
	void **slot = ptr_table_find(&r->table, bgp_prefix_hash(p), is_same, p);
	struct range *g = slot ? *slot : NULL;

	if (!g || --g->times)
		return;
	ptr_table_remove(&r->table, slot);
	(*count_of(r, p))--;
	free(g);
}

/**
 * bgp_ranges_cover() - Does a prefix lie inside one of the set?
 * @r: Set
 * @p: Prefix
 *
 * Return: true if it does, or is one itself
 */
bool bgp_ranges_cover(const struct bgp_ranges *r, const struct prefix *p)
{
	const uint32_t *n = r->n + (p->addr.family == AF_INET ? 0 : 33);

	for (unsigned int len = 0; len <= p->len; len++) {
		struct prefix outer;

		if (!n[len])
			continue;
		outer = prefix_around(&p->addr, (uint8_t)len);
		if (ptr_table_get(&r->table, bgp_prefix_hash(&outer), is_same, &outer))
			return true;
	}
	return false;
}

/**
 * bgp_ranges_done() - Free a set
 * @r: Set; empty and usable again afterwards
 */
void bgp_ranges_done(struct bgp_ranges *r)
{
	ptr_table_foreach(g, &r->table) free(*g);
	ptr_table_done(&r->table);
	*r = (struct bgp_ranges){0};
}
