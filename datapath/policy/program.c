// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * program.c - which programs there are, by their allowances.  Pure.
 */
#include "datapath/policy/program_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <utlist.h>

#include "lib/hash.h"

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

	*p = (struct programs){
		.table = t, .peers = peers, .blocksets = blocksets_new(t, NFT_OWNER_POLICY)};
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

/* --- programs ----------------------------------------------------------------------------------
 */

/* By another definition of one hash, or as what is left of an earlier process (kept.h). */
static bool name_is_taken(const struct programs *p, const struct program *g, size_t groups)
{
	const struct program *other;
	char chain[NFT_NAME_MAX];

	DL_FOREACH (p->building, other)
		if (streq(other->name, g->name))
			return true;
	for (uint32_t i = 0; i < groups; i++) {
		program_group_name(g, i, chain);
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

static void make_comment(struct program *g, const char *policies)
{
	const char *what = g->direction == INGRESS ? "ingress" : "egress";

	g->comment = xcalloc(1, NFT_COMMENT_MAX);
	if (snprintf(g->comment, NFT_COMMENT_MAX, "%s under %s", what, policies) >= NFT_COMMENT_MAX)
		memcpy(g->comment + NFT_COMMENT_MAX - 4, "...", 4);
}

/**
 * program_get() - Use the program of an allowance, made if nobody uses it yet
 * @p:        Module
 * @a:        Allowance; taken over, and empty afterwards
 * @policies: The policies behind it, "ns/name, ns/name": part of what makes a program, because
 *            its comments and its counter of drops speak of them
 *
 * A new one is complete when programs_build() and peers_fill() have done their work.
 *
 * Return: the program; give it back with program_put()
 */
struct program *program_get(struct programs *p, struct allowance *a, const char *policies)
{
	struct buf text = {0};
	struct program *g;

	buf_printf(&text, "%s | ", policies);
	allowance_text(a, &text);
	HASH_FIND(hh, p->all, text.data, text.len, g);
	if (g) {
		buf_done(&text);
		allowance_done(a);
		g->uses++;
		return g;
	}
	g = xcalloc(1, sizeof(*g));
	g->uses = 1;
	g->direction = a->direction;
	g->text = buf_take(&text);
	g->source = *a;
	*a = (struct allowance){0};
	make_comment(g, policies);
	choose_name(p, g, g->source.groups.n, g->source.too_large);
	HASH_ADD_KEYPTR(hh, p->all, g->text, strlen(g->text), g);
	g->building = true;
	DL_APPEND(p->building, g);
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
	if (g->building)
		program_built(p, g);
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

/* Its chains and its port map have names that begin with its own. */
static bool is_part(const struct program *g, const char *name)
{
	size_t len = strlen(g->name);

	return strncmp(name, g->name, len) == 0 && (!name[len] || name[len] == '_');
}

/**
 * program_has() - Does a program consist of a chain, or look a set up?
 * @g:    Program or NULL
 * @name: Name of the chain or set
 *
 * Return: true if so.  Time: O(sets of the program)
 */
bool program_has(const struct program *g, const char *name)
{
	if (!g)
		return false;
	if (is_part(g, name))
		return true;
	vec_foreach (s, &g->blocksets)
		if (streq(blockset_name(*s), name))
			return true;
	vec_foreach (s, &g->peer_sets)
		if (streq(peer_set_name(*s, AF_INET), name) ||
		    streq(peer_set_name(*s, AF_INET6), name))
			return true;
	return false;
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

/**
 * program_is_complete() - Does a program let everybody through whom it should?
 * @g: Program or NULL
 *
 * One that does not must not be put in force.
 *
 * Return: true if so; it stays so
 */
bool program_is_complete(struct program *g)
{
	if (!g)
		return true;
	while (!g->building && g->complete < g->peer_sets.n &&
	       peers_set_complete(g->peer_sets.v[g->complete]))
		g->complete++;
	return !g->building && g->complete == g->peer_sets.n;
}
