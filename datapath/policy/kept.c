// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kept.c - see kept.h.
 */
#include "datapath/policy/kept.h"

#include "datapath/policy/program.h"

static void drop_closed(struct kept *k, struct nft_table *t)
{
	vec_foreach (c, &k->closed)
		table_drop_chain(t, *c);
	vec_done(&k->closed);
}

/**
 * kept_begin() - Want no verdict, so that the table can be read for what the kernel has
 * @k: State
 * @v: Verdicts
 * @s: Endpoints
 *
 * Time: O(endpoints)
 */
void kept_begin(struct kept *k, const struct verdicts *v, struct endpoints *s)
{
	k->on = true;
	drop_closed(k, v->table);
	for (struct endpoint *ep = s->all; ep; ep = ep->hh.next)
		verdicts_clear(v, ep);
}

struct closing {
	struct kept *kept;
	struct nft_table *table;
};

static void close_damaged(void *arg, const char *name, const uint64_t *digest, size_t n)
{
	const struct closing *c = arg;

	if (program_is_name(name) && !program_is_whole(digest, n))
		vec_push(&c->kept->closed, program_want_closed(c->table, name));
}

/**
 * kept_take() - Want the verdicts that the kernel has; isolate what has none
 * @k: State, after kept_begin()
 * @v: Verdicts; the table was read from the kernel since
 * @s: Endpoints
 *
 * Time: O(endpoints, and chains in the kernel)
 */
void kept_take(struct kept *k, const struct verdicts *v, struct endpoints *s)
{
	struct closing c = {k, v->table};

	for (struct endpoint *ep = s->all; ep; ep = ep->hh.next)
		verdicts_keep(v, ep);
	table_each_left_chain(v->table, close_damaged, &c);
}

/**
 * kept_isolate() - Isolate all, since what the kernel has cannot be kept
 * @v: Verdicts
 * @s: Endpoints
 */
void kept_isolate(const struct verdicts *v, struct endpoints *s)
{
	for (struct endpoint *ep = s->all; ep; ep = ep->hh.next)
		for (int d = 0; d < _DIRECTION_MAX; d++)
			verdicts_put(v, ep, (enum direction)d, UNKNOWN_POD);
}

/**
 * kept_end() - The policies are known: all endpoints are to be settled
 * @k: State
 * @v: Verdicts
 * @s: Endpoints
 */
void kept_end(struct kept *k, const struct verdicts *v, struct endpoints *s)
{
	k->on = false;
	drop_closed(k, v->table);
	for (struct endpoint *ep = s->all; ep; ep = ep->hh.next)
		endpoint_mark(s, ep);
}
