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
#include "datapath/nft/rules.h"
#include "lib/intern.h"

const struct base_entry policy_entries[] = {
	{BASE_INPUT, "pol_input", "egress of local pods towards this node"},
	{BASE_FORWARD, "pol_forward", "NetworkPolicy of local pods"},
};

static void want_sets(struct verdicts *v, enum direction d, int six)
{
	static const char *const maps[][2] = {{"ingress4", "ingress6"}, {"egress4", "egress6"}};
	static const char *const open[][2] = {{"ingress_open4", "ingress_open6"},
					      {"egress_open4", "egress_open6"}};
	enum nft_type ip = six ? NFT_TYPE_IPV6 : NFT_TYPE_IPV4;

	v->map[d][six] = table_want_set(
		v->table,
		&(struct nft_set_def){
			.name = maps[d][six],
			.key = {ip},
			.data = {NFT_TYPE_VERDICT},
			.elem_comments = true,
			.urgent = true,
			.owner = NFT_OWNER_POLICY,
			.comment = d == EGRESS
					   ? "local pods isolated for egress, to their program"
					   : "local pods isolated for ingress, to their program",
		});
	v->open[d][six] = table_want_set(
		v->table,
		&(struct nft_set_def){
			.name = open[d][six],
			.key = {ip},
			.urgent = true,
			.owner = NFT_OWNER_POLICY,
			.comment = d == EGRESS ? "local pods that no policy isolates for egress, a "
						 "record for restarts"
					       : "local pods that no policy isolates for ingress, "
						 "a record for restarts",
		});
}

static void add_maps(const struct verdicts *v, enum direction d, struct rules *rs)
{
	rule_vmap(rules_add(rs), set_name(v->map[d][0]), d == EGRESS ? NFT_IP_SADDR : NFT_IP_DADDR,
		  0);
	rule_vmap(rules_add(rs), set_name(v->map[d][1]),
		  d == EGRESS ? NFT_IP6_SADDR : NFT_IP6_DADDR, 0);
}

static void want_chain(const struct verdicts *v, const char *name, const char *comment,
		       struct rules *rs)
{
	(void)table_want_chain(v->table, &(struct nft_chain_def){.name = name,
								 .owner = NFT_OWNER_POLICY,
								 .comment = comment,
								 .n_rules = rs->r.n,
								 .rules = rs->r.v});
	rules_done(rs);
}

/* The egress program returns what it allows, the ingress program accepts. */
static void want_chains(const struct verdicts *v)
{
	struct rules rs = {0};
	struct nft_rule *r = rules_add(&rs);

	rule_counter(r);
	rule_verdict(r, NFT_V_DROP, NULL);
	rule_comment(r, "the pod's object is not known yet");
	want_chain(v, UNKNOWN_POD, "pods whose object is not known", &rs);
	for (size_t i = 0; i < ARRAY_SIZE(policy_entries); i++) {
		const struct base_entry *e = &policy_entries[i];

		add_maps(v, EGRESS, &rs);
		if (e->from == BASE_FORWARD)
			add_maps(v, INGRESS, &rs);
		want_chain(v, e->name, e->comment, &rs);
	}
}

/**
 * verdicts_init() - Want the maps and the chains that look at them
 * @v: Filled in
 * @t: Table
 */
void verdicts_init(struct verdicts *v, struct nft_table *t)
{
	v->table = t;
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (int six = 0; six < 2; six++)
			want_sets(v, (enum direction)d, six);
	want_chains(v);
}

static void drop_row(const struct verdicts *v, struct endpoint *ep, enum direction d, uint32_t i)
{
	struct verdict_row *row = &ep->row[d][i];
	int six = ep->at->addrs[i].family != AF_INET;
	struct nft_elem e;

	if (!row->wanted)
		return;
	addr_elem(&ep->at->addrs[i], &e);
	table_drop_elem(v->table, row->chain ? v->map[d][six] : v->open[d][six], &e);
	intern_put(row->chain);
	*row = (struct verdict_row){0};
}

static void put_row(const struct verdicts *v, struct endpoint *ep, enum direction d, uint32_t i,
		    const char *chain)
{
	struct verdict_row *row = &ep->row[d][i];
	int six = ep->at->addrs[i].family != AF_INET;
	struct nft_elem e;

	if (row->wanted && !row->chain && !chain)
		return;
	if (row->wanted && !row->chain != !chain)
		drop_row(v, ep, d, i);
	addr_elem(&ep->at->addrs[i], &e);
	if (chain) {
		_cleanup_(freep) char *comment = xasprintf("%.60s/%.60s", ep->at->ns, ep->at->pod);

		chain = intern(chain);
		e.verdict = (struct nft_verdict){NFT_V_JUMP, chain};
		e.comment = intern(comment);
		table_want_elem(v->table, v->map[d][six], &e);
		intern_put(e.comment);
	} else {
		table_want_elem(v->table, v->open[d][six], &e);
	}
	intern_put(row->chain);
	*row = (struct verdict_row){true, chain};
}

/**
 * verdicts_put() - Send all addresses of an endpoint to a chain
 * @v:     Verdicts
 * @ep:    Endpoint
 * @d:     Direction
 * @chain: Name; NULL: to none, the endpoint is open
 */
void verdicts_put(const struct verdicts *v, struct endpoint *ep, enum direction d,
		  const char *chain)
{
	for (uint32_t i = 0; i < ep->at->n_addrs; i++)
		put_row(v, ep, d, i, chain);
}

/**
 * verdicts_settled() - Are the rows of an endpoint in force?
 * @v:           Verdicts
 * @ep:          Endpoint
 * @ret_problem: As of table_settled()
 *
 * Return: of all rows the worst
 */
enum nft_settled verdicts_settled(const struct verdicts *v, const struct endpoint *ep,
				  const char **ret_problem)
{
	enum nft_settled state = NFT_IN_FORCE;

	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t i = 0; i < ep->at->n_addrs; i++) {
			const struct verdict_row *row = &ep->row[d][i];
			int six = ep->at->addrs[i].family != AF_INET;
			struct nft_elem e;

			addr_elem(&ep->at->addrs[i], &e);
			state = MAX(state,
				    table_settled(v->table,
						  row->chain ? v->map[d][six] : v->open[d][six], &e,
						  ret_problem));
		}
	return state;
}

/**
 * verdicts_clear() - Want no row of an endpoint any longer
 * @v:  Verdicts
 * @ep: Endpoint
 */
void verdicts_clear(const struct verdicts *v, struct endpoint *ep)
{
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t i = 0; i < ep->at->n_addrs; i++)
			drop_row(v, ep, (enum direction)d, i);
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
	return table_has_set(t, set_name(verdicts)) &&
	       table_chain_is_ours(t, base_chain_name(BASE_FORWARD));
}

static void keep_row(const struct verdicts *v, struct endpoint *ep, enum direction d, uint32_t i)
{
	int six = ep->at->addrs[i].family != AF_INET;
	struct nft_elem e, left;

	addr_elem(&ep->at->addrs[i], &e);
	if (table_left_elem(v->map[d][six], e.key, &left))
		put_row(v, ep, d, i,
			left.verdict.code == NFT_V_JUMP ? left.verdict.chain : UNKNOWN_POD);
	else
		put_row(v, ep, d, i,
			was_open(v->table, v->map[d][six], v->open[d][six], e.key) ? NULL
										   : UNKNOWN_POD);
}

/**
 * verdicts_keep() - Want the rows of an endpoint that the kernel has; isolate what has none
 * @v:  Verdicts; the table was read from the kernel since verdicts_clear()
 * @ep: Endpoint
 */
void verdicts_keep(const struct verdicts *v, struct endpoint *ep)
{
	for (int d = 0; d < _DIRECTION_MAX; d++)
		for (uint32_t i = 0; i < ep->at->n_addrs; i++)
			keep_row(v, ep, (enum direction)d, i);
}
