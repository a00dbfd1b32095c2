// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kept.c - the pool of kept.h.  Pure.
 */
#include "datapath/bgp/kept.h"

#include "lib/hash.h"

#define HEAD  offsetof(struct bgp_kept, has) /* what is not part of the value comes before */
#define FIXED offsetof(struct bgp_kept, data)

static size_t data_len(const struct bgp_kept *k)
{
	size_t n = k->hop_len;

	for (int i = 0; i < _BGP_LIST_MAX; i++)
		n += k->len[i];
	return n;
}

static size_t size_of(const struct bgp_kept *k)
{
	return FIXED + data_len(k);
}

/* Written as it will be kept, so that a look and a copy are one comparison and one copy. */
static const struct bgp_kept *form(struct bgp_pool *pool, const struct bgp_attrs *a)
{
	struct bgp_kept head = {
		.has = a->has,
		.med = a->med,
		.local_pref = a->local_pref,
		.originator = a->originator,
		.aggregator_as = a->aggregator_as,
		.aggregator_id = a->aggregator_id,
		.path_length = bgp_path_length(&a->list[BGP_LIST_AS_PATH]),
		.first_as = bgp_path_first(&a->list[BGP_LIST_AS_PATH]),
		.origin = a->origin,
		.hop_len = (uint8_t)(addr_len(&a->next_hop) + (a->link_local.family ? 16 : 0)),
	};

	for (int i = 0; i < _BGP_LIST_MAX; i++)
		head.len[i] = a->list[i].n;
	buf_reset(&pool->scratch);
	buf_put(&pool->scratch, &head, FIXED);
	buf_put(&pool->scratch, a->next_hop.b, addr_len(&a->next_hop));
	buf_put(&pool->scratch, a->link_local.b, a->link_local.family ? 16 : 0);
	for (int i = 0; i < _BGP_LIST_MAX; i++)
		buf_put(&pool->scratch, a->list[i].p, a->list[i].n);
	return (const struct bgp_kept *)(const void *)pool->scratch.data;
}

static bool is_same(const void *item, const void *key)
{
	const struct bgp_kept *a = item, *b = key;

	return memcmp((const uint8_t *)a + HEAD, (const uint8_t *)b + HEAD, FIXED - HEAD) == 0 &&
	       memcmp(a->data, b->data, data_len(a)) == 0;
}

/**
 * bgp_keep() - Keep attributes
 * @pool: Pool
 * @a:    Attributes
 *
 * Return: them, to be given back by bgp_kept_put(); the same for all that are equal
 */
struct bgp_kept *bgp_keep(struct bgp_pool *pool, const struct bgp_attrs *a)
{
	const struct bgp_kept *key = form(pool, a);
	uint32_t hash = (uint32_t)hash_stable((const uint8_t *)key + HEAD, size_of(key) - HEAD);
	struct bgp_kept *k = ptr_table_get(&pool->table, hash, is_same, key);

	if (!k) {
		k = xmemdup(key, size_of(key));
		k->hash = hash;
		ptr_table_add(&pool->table, hash, k);
		pool->bytes += size_of(k);
	}
	k->refs++;
	return k;
}

/**
 * bgp_kept_put() - Give attributes back
 * @pool: Pool
 * @k:    From bgp_keep(); NULL: nothing happens
 */
void bgp_kept_put(struct bgp_pool *pool, struct bgp_kept *k)
{
	if (!k || --k->refs)
		return;
	ptr_table_remove(&pool->table, ptr_table_find(&pool->table, k->hash, is_same, k));
	pool->bytes -= size_of(k);
	free(k);
}

static struct addr address(const uint8_t *p, size_t len)
{
	struct addr a = {.family = len == 4 ? AF_INET : AF_INET6};

	memcpy(a.b, p, len);
	return a;
}

/**
 * bgp_kept_hop() - The next hop
 * @k: Attributes
 *
 * Return: its address
 */
struct addr bgp_kept_hop(const struct bgp_kept *k)
{
	return address(k->data, k->hop_len == 4 ? 4 : 16);
}

/**
 * bgp_kept_view() - Look at attributes
 * @k: Attributes
 *
 * Return: what they say, borrowed
 */
struct bgp_attrs bgp_kept_view(const struct bgp_kept *k)
{
	const uint8_t *p = k->data + k->hop_len;
	struct bgp_attrs a = {.has = k->has,
			      .origin = k->origin,
			      .next_hop = bgp_kept_hop(k),
			      .med = k->med,
			      .local_pref = k->local_pref,
			      .originator = k->originator,
			      .aggregator_as = k->aggregator_as,
			      .aggregator_id = k->aggregator_id};

	if (k->hop_len == 32)
		a.link_local = address(k->data + 16, 16);
	for (int i = 0; i < _BGP_LIST_MAX; p += k->len[i++])
		a.list[i] = (struct bgp_span){p, k->len[i]};
	return a;
}

/**
 * bgp_pool_done() - Free an empty pool
 * @pool: Pool; all was given back
 */
void bgp_pool_done(struct bgp_pool *pool)
{
	ptr_table_done(&pool->table);
	buf_done(&pool->scratch);
}
