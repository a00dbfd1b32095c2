// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verdicts.c - the rows of one endpoint in the verdict maps and in the record of what is open.
 *
 * No row at all would be the same as "open" to a packet, and is what is left when somebody has
 * emptied a map: so what is open is written down, too, in sets that no rule looks at.  A process
 * that starts, and does not know the policies yet, can tell the two apart.  Pure.
 */
#include "datapath/policy/verdicts.h"

#include <sys/socket.h>

#include "datapath/base/podrows.h"
#include "lib/intern.h"

static void drop_row(struct nft_table *t, const struct base *b, struct endpoint *ep,
		     enum direction d, uint32_t i)
{
	struct verdict_row *row = &ep->row[d][i];
	int six = ep->at->addrs[i].family != AF_INET;
	struct nft_elem e;

	if (!row->wanted)
		return;
	addr_elem(&ep->at->addrs[i], &e);
	table_drop_elem(t, row->chain ? b->verdicts[d][six] : b->open[d][six], &e);
	intern_put(row->chain);
	*row = (struct verdict_row){0};
}

static void put_row(struct nft_table *t, const struct base *b, struct endpoint *ep,
		    enum direction d, uint32_t i, const char *chain)
{
	struct verdict_row *row = &ep->row[d][i];
	int six = ep->at->addrs[i].family != AF_INET;
	struct nft_elem e;

	if (row->wanted && !row->chain && !chain)
		return;
	if (row->wanted && !row->chain != !chain)
		drop_row(t, b, ep, d, i);
	addr_elem(&ep->at->addrs[i], &e);
	if (chain) {
		_cleanup_(freep) char *comment = xasprintf("%.60s/%.60s", ep->at->ns, ep->at->pod);

		chain = intern(chain);
		e.verdict = (struct nft_verdict){NFT_V_JUMP, chain};
		e.comment = intern(comment);
		table_want_elem(t, b->verdicts[d][six], &e);
		intern_put(e.comment);
	} else {
		table_want_elem(t, b->open[d][six], &e);
	}
	intern_put(row->chain);
	*row = (struct verdict_row){true, chain};
}

/**
 * verdicts_put() - Send all addresses of an endpoint to a chain
 * @t:     Table
 * @b:     Its fixed program
 * @ep:    Endpoint
 * @d:     Direction
 * @chain: Name; NULL: to none, the endpoint is open
 */
void verdicts_put(struct nft_table *t, const struct base *b, struct endpoint *ep, enum direction d,
		  const char *chain)
{
	for (uint32_t i = 0; i < ep->at->n_addrs; i++)
		put_row(t, b, ep, d, i, chain);
}

/**
 * verdicts_clear() - Want no row of an endpoint any longer
 * @t:  Table
 * @b:  Its fixed program
 * @ep: Endpoint
 */
void verdicts_clear(struct nft_table *t, const struct base *b, struct endpoint *ep)
{
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t i = 0; i < ep->at->n_addrs; i++)
			drop_row(t, b, ep, (enum direction)d, i);
}

/*
 * A table of a version that kept no record: what it has no verdict for was open, as long as the map
 * is there at all.
 */
static bool was_open(const struct nft_table *t, const struct nft_set *verdicts,
		     const struct nft_set *open, const uint8_t *key)
{
	struct nft_elem left;

	if (table_has_set(t, set_name(open)))
		return table_left_elem(open, key, &left);
	return table_has_set(t, set_name(verdicts)) && table_chain_is_ours(t, "forward");
}

static void keep_row(struct nft_table *t, const struct base *b, struct endpoint *ep,
		     enum direction d, uint32_t i)
{
	int six = ep->at->addrs[i].family != AF_INET;
	struct nft_elem e, left;

	addr_elem(&ep->at->addrs[i], &e);
	if (table_left_elem(b->verdicts[d][six], e.key, &left))
		put_row(t, b, ep, d, i,
			left.verdict.code == NFT_V_JUMP ? left.verdict.chain : BASE_UNKNOWN_POD);
	else
		put_row(t, b, ep, d, i,
			was_open(t, b->verdicts[d][six], b->open[d][six], e.key)
				? NULL
				: BASE_UNKNOWN_POD);
}

/**
 * verdicts_keep() - Want the rows of an endpoint that the kernel has; isolate what has none
 * @t:  Table, read from the kernel since verdicts_clear()
 * @b:  Its fixed program
 * @ep: Endpoint
 */
void verdicts_keep(struct nft_table *t, const struct base *b, struct endpoint *ep)
{
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t i = 0; i < ep->at->n_addrs; i++)
			keep_row(t, b, ep, (enum direction)d, i);
}
