// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * program.c - chains, port maps and lookups of one allowance.  Pure.
 */
#include "datapath/policy/program.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <uthash.h>

#include "datapath/nft/rules.h"
#include "lib/hash.h"
#include "lib/intern.h"

/* struct program - owns one use of each set its rules look up */
struct program {
	char *text;
	uint32_t uses;
	enum direction direction;
	char name[NFT_NAME_MAX - 12];
	VEC(struct nft_chain *) chains; /* the first is the entry */
	struct nft_set *ports;
	VEC(struct peer_set *) peer_sets;
	VEC(struct blockset *) blocksets;
	UT_hash_handle hh;
};

struct programs {
	struct nft_table *table;
	struct peers *peers;
	struct blocksets *blocksets;
	struct program *all;
};

/**
 * programs_new() - Create the module
 * @t:     Table in which chains and maps are wanted
 * @peers: Peer sets
 *
 * Return: the module, to be freed
 */
struct programs *programs_new(struct nft_table *t, struct peers *peers)
{
	struct programs *p = xcalloc(1, sizeof(*p));

	*p = (struct programs){.table = t, .peers = peers, .blocksets = blocksets_new(t)};
	return p;
}

/**
 * programs_free() - Free the module; every program must have been given back
 * @p: Module or NULL
 *
 * Return: NULL
 */
struct programs *programs_free(struct programs *p)
{
	if (!p)
		return NULL;
	assert(!p->all);
	(void)blocksets_free(p->blocksets);
	free(p);
	return NULL;
}

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

static void want_chain(struct programs *p, struct program *g, const char *name, const char *comment,
		       struct rules *rs)
{
	const struct nft_chain_def def = {.name = name,
					  .owner = NFT_OWNER_POLICY,
					  .comment = comment,
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

static void group_chain_name(const struct program *g, uint32_t group, char ret[static NFT_NAME_MAX])
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
		group_chain_name(g, s->group, chain);
		e.verdict.code = everyone ? allow(a->direction) : NFT_V_GOTO;
		e.verdict.chain = everyone ? NULL : intern(chain);
		table_want_elem(p->table, g->ports, &e);
		intern_put(e.verdict.chain);
	}
}

static void want_ports(struct programs *p, struct program *g, const struct allowance *a,
		       const char *comment)
{
	char name[NFT_NAME_MAX];
	const struct nft_set_def def = {
		.name = name,
		.key = {NFT_TYPE_PROTO, NFT_TYPE_SERVICE},
		.data = {NFT_TYPE_VERDICT},
		.interval = has_ranges(a),
		.owner = NFT_OWNER_POLICY,
		.comment = comment,
	};

	(void)snprintf(name, sizeof(name), "%s_ports", g->name);
	g->ports = table_want_set(p->table, &def);
}

/* --- programs ----------------------------------------------------------------------------------
 */

static void build_entry(struct programs *p, struct program *g, const struct allowance *a,
			const char *comment)
{
	struct rules rs = {0};

	add_group(p, g, &rs, &a->any);
	add_peers(p, g, &rs, &a->named, true);
	if (a->segments.n) {
		want_ports(p, g, a, comment);
		rule_vmap(rules_add(&rs), set_name(g->ports), NFT_L4PROTO, NFT_TH_DPORT, 0);
	}
	add_drop(&rs);
	want_chain(p, g, g->name, comment, &rs);
}

static void build_groups(struct programs *p, struct program *g, const struct allowance *a,
			 const char *comment)
{
	for (uint32_t i = 0; i < a->groups.n; i++) {
		char name[NFT_NAME_MAX];
		struct rules rs = {0};

		if (a->groups.v[i].everyone)
			continue;
		add_group(p, g, &rs, &a->groups.v[i]);
		add_drop(&rs);
		group_chain_name(g, i, name);
		want_chain(p, g, name, comment, &rs);
	}
}

static void build(struct programs *p, struct program *g, const struct allowance *a,
		  const char *policies)
{
	const char *what = a->direction == INGRESS ? "ingress" : "egress";
	char comment[NFT_COMMENT_MAX];

	if (snprintf(comment, sizeof(comment), "%s under %s", what, policies) >=
	    (int)sizeof(comment))
		memcpy(comment + sizeof(comment) - 4, "...", 4);
	build_entry(p, g, a, comment);
	build_groups(p, g, a, comment);
	if (g->ports)
		fill_ports(p, g, a);
}

/* By another definition of one hash, or as what is left of an earlier process (kept.h). */
static bool name_is_taken(const struct programs *p, const struct program *g, size_t groups)
{
	char chain[NFT_NAME_MAX];

	for (uint32_t i = 0; i < groups; i++) {
		group_chain_name(g, i, chain);
		if (table_chain_def(p->table, chain))
			return true;
	}
	return table_chain_def(p->table, g->name);
}

/* @too_large: status shows the name, and says by it why nothing passes. */
static void choose_name(const struct programs *p, struct program *g, size_t groups, bool too_large)
{
	uint64_t h = hash_stable(g->text, strlen(g->text));

	do
		(void)snprintf(g->name, sizeof(g->name), "%s_%s%016" PRIx64,
			       g->direction == INGRESS ? "in" : "out",
			       too_large ? "too_large_" : "", h++);
	while (name_is_taken(p, g, groups));
}

/**
 * program_get() - Use the program of an allowance, made if nobody uses it yet
 * @p:        Module
 * @a:        Allowance
 * @policies: The policies behind it, "ns/name, ns/name": part of what makes a program, because
 *            its comments and its counter of drops speak of them
 *
 * Return: the program; give it back with program_put()
 */
struct program *program_get(struct programs *p, const struct allowance *a, const char *policies)
{
	struct buf text = {0};
	struct program *g;

	buf_printf(&text, "%s | ", policies);
	allowance_text(a, &text);
	HASH_FIND(hh, p->all, text.data, text.len, g);
	if (g) {
		buf_done(&text);
		g->uses++;
		return g;
	}
	g = xcalloc(1, sizeof(*g));
	g->uses = 1;
	g->direction = a->direction;
	g->text = buf_take(&text);
	choose_name(p, g, a->groups.n, a->too_large);
	HASH_ADD_KEYPTR(hh, p->all, g->text, strlen(g->text), g);
	build(p, g, a, policies);
	return g;
}

/**
 * program_use() - Count one more use
 * @g: Program or NULL
 *
 * Return: @g
 */
struct program *program_use(struct program *g)
{
	if (g)
		g->uses++;
	return g;
}

/**
 * program_put() - Give one use back; the last one drops chains and sets
 * @p: Module
 * @g: Program or NULL
 */
void program_put(struct programs *p, struct program *g)
{
	if (!g || --g->uses)
		return;
	HASH_DEL(p->all, g);
	vec_foreach (c, &g->chains)
		table_drop_chain(p->table, *c);
	if (g->ports)
		table_drop_set(p->table, g->ports);
	vec_foreach (s, &g->peer_sets)
		peers_set_put(p->peers, *s);
	vec_foreach (s, &g->blocksets)
		blockset_put(p->blocksets, *s);
	vec_done(&g->chains);
	vec_done(&g->peer_sets);
	vec_done(&g->blocksets);
	free(g->text);
	free(g);
}

/**
 * program_chain() - Name of the chain to jump to
 * @g: Program
 *
 * Return: the name, borrowed
 */
const char *program_chain(const struct program *g)
{
	return g->name;
}

/**
 * programs_count() - Number of programs in use
 * @p: Module
 *
 * Return: the number
 */
size_t programs_count(const struct programs *p)
{
	return HASH_COUNT(p->all);
}
