/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table_priv.h - the inside of struct nft_table, for the files that make it up:
 *
 *   table.c      what is wanted              installed.c  what was read from the kernel
 *   pending.c    what differs, and the count ops.c        the difference as operations, in order
 *   committed.c  what the kernel took        lookup.c     reading what is wanted
 *   refused.c    what the kernel refuses
 */
#pragma once

#include <uthash.h>

#include "datapath/nft/elems.h"
#include "datapath/nft/table.h"

/*
 * struct nft_set - a set that is wanted or installed
 * @held:      The table's
 * @fresh:     Was not installed when it was wanted: no installed program uses it yet
 * @differs:   The set itself (not its elements) differs; counted in n_objects
 * @queued:    Stands in the table's list of sets to look at
 * @pointed:   Elements that are to change may point at its own, which stay until then (ops.c)
 * @early:     New sets have elements that may point at its own, which are made before
 * @n_wanted:  Elements wanted
 * @n_differ:  Elements that differ
 * @n_refused: Elements that the kernel refuses
 * @elems:     All elements that are wanted or installed; unused when the shape is unknown
 * @list:      Keys that may differ, each once (ELEM_LISTED), ident_len bytes each.  The ones that
 *             do not differ any more are taken out by those who walk it.
 * @sorted:    Interval sets: idents of what is wanted, sorted, for look-ups; NULL after a change
 */
struct nft_set {
	struct nft_set_def def; /* strings interned */
	const bool *held;
	bool wanted, installed, fresh, differs, queued, pointed, early;
	size_t n_wanted, n_differ, n_refused;
	struct elems elems;
	uint8_t *list;
	size_t n_list, list_cap;
	uint8_t *sorted;
	struct nft_set *prev, *next;
	UT_hash_handle hh;
};

/*
 * struct nft_chain - a chain that is wanted or installed
 * @rules, @digest: What is wanted; def.rules points to @rules
 * @had:            Digests of the rules that the kernel has
 */
struct nft_chain {
	struct nft_chain_def def; /* strings interned */
	bool wanted, installed, differs, queued;
	struct nft_rule *rules;
	uint64_t *digest;
	VEC(uint64_t) had;
	struct nft_chain *prev, *next;
	UT_hash_handle hh;
};

/* struct refusal - of one element, which has ELEM_REFUSED; @problem: what the kernel said */
struct refusal {
	struct nft_set *set;
	uint8_t ident[2 * NFT_KEY_MAX];
	char *problem;
};

/*
 * struct nft_table
 * @held:                          Nothing is removed, see table_hold()
 * @pending_sets, @pending_chains: Those to look at, doubly linked
 * @ghost_sets, @ghost_chains:     Installed objects whose name is wanted for another shape
 * @refused:                       Elements that are left out until table_retry()
 * @n_objects:                     Sets and chains that differ
 * @n_elems, @n_fill:              Elements that differ; those of them that point at no chain
 */
struct nft_table {
	const char *name;
	bool installed, held;
	struct nft_set *sets, *pending_sets, *ghost_sets;
	struct nft_chain *chains, *pending_chains, *ghost_chains;
	VEC(struct refusal) refused;
	size_t n_objects, n_elems, n_fill;
};

/* table.c */
struct nft_set *set_new(struct nft_table *t, const struct nft_set_def *def);
void set_free(struct nft_set *s);
struct nft_chain *chain_new(const struct nft_chain_def *def);
void chain_free(struct nft_chain *c);
struct nft_chain *table_find_chain(const struct nft_table *t, const char *name);
bool set_same_shape(const struct nft_set_def *a, const struct nft_set_def *b);
bool chain_same_shape(const struct nft_chain_def *a, const struct nft_chain_def *b);
bool set_points(const struct nft_set *s, enum nft_rank rank);
bool set_is_plain(const struct nft_set *s);
const char *comment_intern(const char *comment);

/* rulecopy.c */
struct nft_rule *rules_copy(const struct nft_table *t, const struct nft_rule *rules, size_t n);
void rules_free(struct nft_rule *rules, size_t n);
bool rule_dnat_is_ip6(const struct nft_rule *r, const struct nft_stmt *dnat);

/* refused.c */
void refusal_forget(struct nft_table *t, struct nft_set *s, uint8_t *entry);
void refusals_forget(struct nft_table *t, struct nft_set *s);

/* pending.c */
bool elem_differs(const struct nft_set *s, const uint8_t *entry);
void elem_update(struct nft_table *t, struct nft_set *s, uint8_t *entry, bool differed);
void elem_unlist(struct nft_set *s, size_t i);
void set_recount(struct nft_table *t, struct nft_set *s);
void set_update(struct nft_table *t, struct nft_set *s);
bool chain_rules_differ(const struct nft_chain *c);
void chain_update(struct nft_table *t, struct nft_chain *c);
void pending_sweep(struct nft_table *t);
