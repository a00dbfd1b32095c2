// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * program_build.c - chains, port maps and lookups of one allowance, a piece at a time.  Pure.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <utlist.h>

#include "datapath/nft/rules.h"
#include "datapath/policy/program_internal.h"
#include "lib/intern.h"

/* --- rules -------------------------------------------------------------------------------------
 */

static enum nft_verdict_code allow(enum direction d)
{
	return d == INGRESS ? NFT_V_ACCEPT : NFT_V_RETURN;
}

static enum nft_field remote_field(enum direction d, uint8_t family)
{
	if (family == AF_INET)
		return d == INGRESS ? NFT_IP_SADDR : NFT_IP_DADDR;
	return d == INGRESS ? NFT_IP6_SADDR : NFT_IP6_DADDR;
}

static void add_peers(struct programs *p, struct program *g, struct rules *rs,
		      const struct terms *ts, bool named)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct peer_set *s;

	if (!ts->t.n)
		return;
	s = peers_set_get(p->peers, ts->t.v, ts->t.n);
	vec_push(&g->peer_sets, s);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		enum nft_field remote = remote_field(g->direction, families[i]);
		struct nft_rule *r = rules_add(rs);

		if (named)
			rule_lookup(r, peer_set_name(s, families[i]), false, remote, NFT_L4PROTO,
				    NFT_TH_DPORT, 0);
		else
			rule_lookup(r, peer_set_name(s, families[i]), false, remote, 0);
		rule_verdict(r, allow(g->direction), NULL);
	}
}

static void add_blocks(struct programs *p, struct program *g, struct rules *rs,
		       const struct ranges *blocks)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct blockset *s = blockset_get(p->blocksets, blocks, families[i]);
		struct nft_rule *r;

		if (!s)
			continue;
		vec_push(&g->blocksets, s);
		r = rules_add(rs);
		rule_lookup(r, blockset_name(s), false, remote_field(g->direction, families[i]), 0);
		rule_verdict(r, allow(g->direction), NULL);
	}
}

static void add_group(struct programs *p, struct program *g, struct rules *rs,
		      const struct group *group)
{
	if (group->everyone) {
		rule_verdict(rules_add(rs), allow(g->direction), NULL);
		return;
	}
	add_peers(p, g, rs, &group->terms, false);
	add_blocks(p, g, rs, &group->blocks);
}

static void add_drop(struct rules *rs)
{
	struct nft_rule *r = rules_add(rs);

	rule_counter(r);
	rule_verdict(r, NFT_V_DROP, NULL);
	rule_comment(r, "no policy allows it");
}

/**
 * program_is_name() - Is it the name of a chain of a program?
 * @name: Name of a chain
 *
 * Return: true if so, of this process or another
 */
bool program_is_name(const char *name)
{
	return strncmp(name, "in_", 3) == 0 || strncmp(name, "out_", 4) == 0;
}

/**
 * program_is_whole() - Is a chain in the kernel such that it lets nothing pass by mistake?
 * @digest: Of its rules, in order; 0: not ours
 * @n:      Their number
 *
 * All chains of programs say what is allowed and end with the rule that drops the rest, so one that
 * lost other rules forbids more.
 *
 * Return: true if all rules are ours and the last one drops
 */
bool program_is_whole(const uint64_t *digest, size_t n)
{
	struct rules rs = {0};
	uint64_t drop;

	add_drop(&rs);
	drop = nft_rule_digest(&rs.r.v[0]);
	rules_done(&rs);
	for (size_t i = 0; i < n; i++)
		if (!digest[i])
			return false;
	return n && digest[n - 1] == drop;
}

/**
 * program_want_closed() - Want a chain that allows nothing, in the place of one that is not whole
 * @t:    Table
 * @name: Name of the chain, not wanted yet
 *
 * Return: the chain, to be dropped
 */
struct nft_chain *program_want_closed(struct nft_table *t, const char *name)
{
	struct nft_chain *c;
	struct rules rs = {0};

	add_drop(&rs);
	c = table_want_chain(t, &(struct nft_chain_def){.name = name,
							.owner = NFT_OWNER_POLICY,
							.n_rules = rs.r.n,
							.rules = rs.r.v});
	rules_done(&rs);
	return c;
}

static void want_chain(struct programs *p, struct program *g, const char *name, struct rules *rs)
{
	const struct nft_chain_def def = {.name = name,
					  .owner = NFT_OWNER_POLICY,
					  .comment = g->comment,
					  .n_rules = rs->r.n,
					  .rules = rs->r.v};

	vec_push(&g->chains, table_want_chain(p->table, &def));
	rules_done(rs);
}

/* --- ports -------------------------------------------------------------------------------------
 */

static void port_key(uint8_t *key, const struct segment *s, uint16_t port)
{
	uint16_t wire = htons(port);
	size_t len = 0;

	nft_key_put(key, &len, NFT_TYPE_PROTO, &s->protocol, 1);
	nft_key_put(key, &len, NFT_TYPE_SERVICE, &wire, sizeof(wire));
}

static bool has_ranges(const struct allowance *a)
{
	vec_foreach (s, &a->segments) {
		if (s->first != s->last)
			return true;
	}
	return false;
}

/**
 * program_group_name() - Name of a group's chain
 * @g:     Program
 * @group: Its number
 * @ret:   Name
 */
void program_group_name(const struct program *g, uint32_t group, char ret[static NFT_NAME_MAX])
{
	(void)snprintf(ret, NFT_NAME_MAX, "%s_%u", g->name, group);
}

/* Only a map with ranges pays for interval look-ups; single ports are a plain hash. */
static void fill_ports(struct programs *p, struct program *g, const struct allowance *a)
{
	vec_foreach (s, &a->segments) {
		bool everyone = a->groups.v[s->group].everyone;
		char chain[NFT_NAME_MAX];
		struct nft_elem e = {0};

		port_key(e.key, s, s->first);
		port_key(e.end, s, s->last);
		program_group_name(g, s->group, chain);
		e.verdict.code = everyone ? allow(a->direction) : NFT_V_GOTO;
		e.verdict.chain = everyone ? NULL : intern(chain);
		table_want_elem(p->table, g->ports, &e);
		intern_put(e.verdict.chain);
	}
}

static void want_ports(struct programs *p, struct program *g, const struct allowance *a)
{
	char name[NFT_NAME_MAX];
	const struct nft_set_def def = {
		.name = name,
		.key = {NFT_TYPE_PROTO, NFT_TYPE_SERVICE},
		.data = {NFT_TYPE_VERDICT},
		.interval = has_ranges(a),
		.owner = NFT_OWNER_POLICY,
		.comment = g->comment,
	};

	(void)snprintf(name, sizeof(name), "%s_ports", g->name);
	g->ports = table_want_set(p->table, &def);
}

/* --- programs ----------------------------------------------------------------------------------
 */

static void build_entry(struct programs *p, struct program *g)
{
	const struct allowance *a = &g->source;
	struct rules rs = {0};

	add_group(p, g, &rs, &a->any);
	add_peers(p, g, &rs, &a->named, true);
	if (a->segments.n) {
		want_ports(p, g, a);
		rule_vmap(rules_add(&rs), set_name(g->ports), NFT_L4PROTO, NFT_TH_DPORT, 0);
	}
	add_drop(&rs);
	want_chain(p, g, g->name, &rs);
}

static void build_group(struct programs *p, struct program *g, uint32_t i)
{
	const struct group *group = &g->source.groups.v[i];
	char name[NFT_NAME_MAX];
	struct rules rs = {0};

	if (group->everyone)
		return;
	add_group(p, g, &rs, group);
	add_drop(&rs);
	program_group_name(g, i, name);
	want_chain(p, g, name, &rs);
}

/**
 * program_built() - There is nothing more to build
 * @p: Module
 * @g: Program that is being built
 */
void program_built(struct programs *p, struct program *g)
{
	DL_DELETE(p->building, g);
	g->building = false;
	allowance_done(&g->source);
	g->source = (struct allowance){0};
	free(TAKE(g->comment, NULL));
}

static size_t terms_and_blocks(const struct group *group)
{
	return 1 + group->terms.t.n + group->blocks.r.n;
}

/* A piece; gives what it took: terms, blocks, ports. */
static size_t build(struct programs *p, struct program *g)
{
	const struct allowance *a = &g->source;

	if (!g->chains.n) {
		build_entry(p, g);
		return terms_and_blocks(&a->any) + a->named.t.n;
	}
	if (g->built < a->groups.n) {
		build_group(p, g, g->built);
		return terms_and_blocks(&a->groups.v[g->built++]);
	}
	if (g->ports)
		fill_ports(p, g, a);
	program_built(p, g);
	return 1 + a->segments.n;
}

/**
 * programs_build() - Go on with building new programs, the oldest first
 * @p:    Module
 * @size: How much to do: a term, a block or a port is one
 *
 * Return: true if there is more to do
 */
bool programs_build(struct programs *p, size_t size)
{
	while (size && p->building) {
		size_t took = build(p, p->building);

		size -= MIN(size, took);
	}
	return p->building;
}
