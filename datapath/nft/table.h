/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - the nftables table that Manx wants, what of it the kernel has, and the difference.
 *
 * Every part that programs packets (policy, anti-spoofing, host ports, masquerade, later services)
 * asks for sets, chains and elements here.  Each of them knows whether it is wanted and whether it
 * is installed; the ones where the two differ wait in a list.  A turn takes the list as operations
 * (table_ops()), sends them as one transaction and reports back (table_committed()).  Start,
 * restart and repair are the same path: table_installed_*() tells what the kernel holds, and the
 * list becomes the difference.  Cost of everything: in proportion to what differs.
 *
 * Pure: no system calls; apply.h is the shell.
 */
#pragma once

#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/util.h"
#include "lib/vec.h"

#define NFT_FIELDS_MAX	4 /* fields in one concatenated key */
#define NFT_KEY_MAX	48 /* bytes of one key, each field padded to 4 as in the kernel's registers */
#define NFT_DATA_MAX	24  /* bytes of one datum: address . port */
#define NFT_NAME_MAX	64  /* bytes of a name of ours, with NUL */
#define NFT_COMMENT_MAX 128 /* bytes of a comment, with NUL: what nft 1.0.6 accepts */

/* enum nft_type - types of key and data fields, by the names that nft prints */
enum nft_type {
	NFT_TYPE_NONE,
	NFT_TYPE_IPV4,	  /* ipv4_addr, 4 bytes */
	NFT_TYPE_IPV6,	  /* ipv6_addr, 16 */
	NFT_TYPE_ETHER,	  /* ether_addr, 6 (8 in a concatenation) */
	NFT_TYPE_IFNAME,  /* ifname, 16, NUL-padded */
	NFT_TYPE_PROTO,	  /* inet_proto, 1 (4) */
	NFT_TYPE_SERVICE, /* inet_service, 2 (4), network byte order */
	NFT_TYPE_MARK,	  /* mark, 4, host byte order */
	NFT_TYPE_VERDICT, /* data only */
	_NFT_TYPE_MAX
};

/*
 * enum nft_field - what a statement can read from a packet.  Digests in the kernel hold the
 * numbers: new ones go to the end.
 */
enum nft_field {
	NFT_FIELD_NONE,
	NFT_IP_SADDR,
	NFT_IP_DADDR,
	NFT_IP6_SADDR,
	NFT_IP6_DADDR,
	NFT_ETHER_SADDR,
	NFT_L4PROTO,  /* meta l4proto */
	NFT_TH_DPORT, /* th dport */
	NFT_IIFNAME,
	NFT_OIFNAME,
	NFT_NFPROTO,	/* meta nfproto */
	NFT_CT_STATE,	/* bit mask of NFT_CT_STATE_x; == means "any of these bits" */
	NFT_CT_STATUS,	/* bit mask; == means "any of these bits" */
	NFT_TH_SPORT,	/* th sport */
	NFT_TCP_FLAGS,	/* bit mask of NFT_TCP_x, as above; behind a match of l4proto */
	NFT_ICMP6_TYPE, /* icmpv6 type; behind a match of meta l4proto */
	_NFT_FIELD_MAX
};

/* Bits of NFT_CT_STATE and NFT_CT_STATUS, as in the kernel (nf_conntrack_common.h) */
enum nft_ct_state {
	NFT_CT_STATE_INVALID = 1,
	NFT_CT_STATE_ESTABLISHED = 2,
	NFT_CT_STATE_RELATED = 4,
	NFT_CT_STATE_NEW = 8,
	NFT_CT_STATE_UNTRACKED = 64,
};
enum nft_ct_status {
	NFT_CT_STATUS_SNAT = 16,
	NFT_CT_STATUS_DNAT = 32,
};

/* Bits of NFT_TCP_FLAGS (RFC 9293, 3.1) */
enum nft_tcp_flag {
	NFT_TCP_FIN = 1,
	NFT_TCP_SYN = 2,
	NFT_TCP_RST = 4,
	NFT_TCP_ACK = 16,
};

enum nft_verdict_code {
	NFT_V_ACCEPT,
	NFT_V_DROP,
	NFT_V_RETURN,
	NFT_V_JUMP,
	NFT_V_GOTO,
	_NFT_V_MAX
};

/* struct nft_verdict - @chain for NFT_V_JUMP and NFT_V_GOTO, interned; else NULL */
struct nft_verdict {
	enum nft_verdict_code code;
	const char *chain;
};

/* enum nft_stmt_kind - the statements that programs are made of; nft(8) names in comments */
enum nft_stmt_kind {
	NFT_MATCH,	/* field[0] (==|!=) value; an ifname value ending in '*' matches a prefix */
	NFT_LOOKUP,	/* field[0] . field[1] ... (in|!=) @set */
	NFT_VMAP,	/* field... vmap @set */
	NFT_DNAT,	/* dnat ip|ip6 to field... map @set, data is address . port */
	NFT_MASQUERADE, /* masquerade fully-random (kernel: random-fully) */
	NFT_COUNTER,
	NFT_VERDICT,
	_NFT_STMT_MAX
};

struct nft_stmt {
	enum nft_stmt_kind kind;
	enum nft_field field[NFT_FIELDS_MAX]; /* NFT_FIELD_NONE ends the list */
	bool negate;			      /* != */
	uint8_t value_len;
	uint8_t value[16];	    /* NFT_MATCH, in the field's byte order */
	const char *set;	    /* LOOKUP, VMAP, DNAT: name, interned */
	struct nft_verdict verdict; /* NFT_VERDICT */
};

#define NFT_STMTS_MAX 6

struct nft_rule {
	uint8_t n;
	struct nft_stmt stmt[NFT_STMTS_MAX];
	const char *comment; /* interned or NULL */
};

/* enum nft_owner - the part that a set or chain belongs to: refusals, counts and repairs name it */
enum nft_owner { NFT_OWNER_NONE, NFT_OWNER_BASE, NFT_OWNER_POLICY, _NFT_OWNER_MAX };

/*
 * enum nft_rank - what the elements of a set point at, which decides when they come and go (ops.c)
 * @NFT_RANK_LEAF:     Nothing: it is looked up last
 * @NFT_RANK_TO_LEAF:  Elements of sets of rank NFT_RANK_LEAF of the same owner
 * @NFT_RANK_TO_CHAIN: Chains; all verdict maps have this rank, and no other set
 */
enum nft_rank { NFT_RANK_LEAF, NFT_RANK_TO_LEAF, NFT_RANK_TO_CHAIN, _NFT_RANK_MAX };

enum nft_hook {
	NFT_HOOK_NONE,
	NFT_HOOK_PREROUTING,
	NFT_HOOK_INPUT,
	NFT_HOOK_FORWARD,
	NFT_HOOK_OUTPUT,
	NFT_HOOK_POSTROUTING,
	_NFT_HOOK_MAX
};

/*
 * struct nft_chain_def - a chain with its rules, complete
 * @name:     At most NFT_NAME_MAX
 * @hook:     NFT_HOOK_NONE for a chain that is jumped to
 * @nat:      Base chain of type nat instead of filter
 * @priority: Base chain: as in nft(8); policy is always accept: the rest of the host is not ours
 * @owner:    enum nft_owner
 * @comment:  Or NULL
 * @rules:    In order
 */
struct nft_chain_def {
	const char *name;
	enum nft_hook hook;
	bool nat;
	uint8_t owner;
	int32_t priority;
	const char *comment;
	size_t n_rules;
	const struct nft_rule *rules;
};

/*
 * struct nft_set_def - a set, or a map when @data is given
 * @key, @data:      Fields, ended by NFT_TYPE_NONE; data NFT_TYPE_VERDICT makes a verdict map
 * @interval:        Elements may be ranges; one field lists as interval set, several as pipapo
 * @elem_comments:   Elements carry comments
 * @dynamic:         The kernel fills it, by statements that update it, and lets elements time out:
 *                   they are not read, and what is not wanted of them is never removed
 * @urgent:          What an ADD waits for: its elements go before those of all other sets; not of
 *                   one whose elements point at those of others
 * @owner:           enum nft_owner
 * @rank:            enum nft_rank; NFT_RANK_LEAF is made NFT_RANK_TO_CHAIN for a verdict map
 * @comment:         Or NULL
 */
struct nft_set_def {
	const char *name;
	enum nft_type key[NFT_FIELDS_MAX];
	enum nft_type data[NFT_FIELDS_MAX];
	bool interval;
	bool elem_comments;
	bool dynamic, urgent;
	uint8_t owner, rank;
	const char *comment;
};

/*
 * struct nft_elem - one element, as given to and taken from the table
 * @key:     Fields one after another, each padded with zeros to 4 bytes, network byte order
 * @end:     Interval sets: last key, the same length; ignored elsewhere
 * @data:    Data maps: as @key
 * @verdict: Verdict maps
 * @comment: NULL unless the set has elem_comments; interned
 */
struct nft_elem {
	uint8_t key[NFT_KEY_MAX];
	uint8_t end[NFT_KEY_MAX];
	uint8_t data[NFT_DATA_MAX];
	struct nft_verdict verdict;
	const char *comment;
};

struct nft_table;
struct nft_set;
struct nft_chain;

struct nft_table *table_new(const char *name);
struct nft_table *table_free(struct nft_table *t);
static inline void table_freep(struct nft_table **t)
{
	(void)table_free(*t);
}
const char *table_name(const struct nft_table *t);

/* Bytes of a type in a concatenated key; 0 for NFT_TYPE_VERDICT and NFT_TYPE_NONE. */
size_t nft_type_len(enum nft_type t);
size_t nft_key_len(const enum nft_type types[NFT_FIELDS_MAX]);
const char *nft_type_name(enum nft_type t);
/* Append one field to a key under construction; *len grows by the padded length. */
void nft_key_put(uint8_t *key, size_t *len, enum nft_type t, const void *value, size_t value_len);

/* --- what is wanted -------------------------------------------------------------------------- */

/*
 * The names are the keys.  A set or chain wanted again with the same definition is the same
 * object; with another definition it is replaced (the chain's rules are rewritten in place, a set
 * must have been dropped before: a name stands for one shape for the life of the process).
 * Dropping a set drops its elements.
 */
struct nft_set *table_want_set(struct nft_table *t, const struct nft_set_def *def);
void table_drop_set(struct nft_table *t, struct nft_set *s);
struct nft_set *table_find_set(const struct nft_table *t, const char *name);
const char *set_name(const struct nft_set *s);
size_t set_count(const struct nft_set *s); /* elements wanted */

struct nft_chain *table_want_chain(struct nft_table *t, const struct nft_chain_def *def);
void table_drop_chain(struct nft_table *t, struct nft_chain *c);

/*
 * Elements of plain sets are counted: two pods that share an address for a moment want the same
 * element twice, and it goes with the second drop.  In maps (data or verdict) a second want of the
 * same key replaces the data, and one drop removes it.  All O(1).
 */
void table_want_elem(struct nft_table *t, struct nft_set *s, const struct nft_elem *e);
void table_drop_elem(struct nft_table *t, struct nft_set *s, const struct nft_elem *e);

/* --- what is installed ----------------------------------------------------------------------- */

/*
 * Tell what a dump of the kernel found, between table_installed_begin() and _end(): everything not
 * told is not installed; what is told and not wanted becomes a removal.  A set whose shape differs
 * is removed and added; a rule is compared by the digest that encode.c stores beside its comment.
 */
void table_installed_begin(struct nft_table *t);
void table_installed_table(struct nft_table *t);
void table_installed_set(struct nft_table *t, const struct nft_set_def *def);
void table_installed_elem(struct nft_table *t, const char *set, const struct nft_elem *e);
void table_installed_chain(struct nft_table *t, const struct nft_chain_def *def_without_rules);
/* @digest: 0 when the rule carries none: it is not ours and the chain is rewritten. */
void table_installed_rule(struct nft_table *t, const char *chain, uint64_t digest);
void table_installed_end(struct nft_table *t);

/*
 * Or of one object, by its name: forgotten, told by the same functions if it is still there, and
 * judged.  An element of a set without ranges is looked up by itself.
 */
void table_reread_set_begin(struct nft_table *t, const char *name);
void table_reread_set_end(struct nft_table *t, const char *name);
void table_reread_chain_begin(struct nft_table *t, const char *name);
void table_reread_chain_end(struct nft_table *t, const char *name);
bool table_reread_elem(struct nft_table *t, const char *set, const struct nft_elem *key,
		       const struct nft_elem *found);

/* --- what is left of a process of before ------------------------------------------------------ */

/**
 * typedef table_left_fn - Takes a chain that is installed and not wanted
 * @arg:    Context
 * @name:   Name, borrowed
 * @digest: Of its rules, in order; 0: not ours
 * @n:      Their number
 */
typedef void table_left_fn(void *arg, const char *name, const uint64_t *digest, size_t n);

void table_hold(struct nft_table *t, bool held);
bool table_has_set(const struct nft_table *t, const char *name);
bool table_chain_is_ours(const struct nft_table *t, const char *name);
bool table_left_elem(const struct nft_set *s, const uint8_t *key, struct nft_elem *ret);
void table_each_left_chain(const struct nft_table *t, table_left_fn *fn, void *arg);

/* --- what the kernel refuses ------------------------------------------------------------------ */

/* enum nft_settled - is what is wanted of an element so in the kernel? */
enum nft_settled { NFT_IN_FORCE, NFT_IN_PROGRESS, NFT_KEY_REFUSED };

/**
 * typedef table_refused_fn - Takes an element that the kernel refuses
 * @arg:     Context
 * @set:     Its set
 * @problem: What the kernel said, borrowed
 */
typedef void table_refused_fn(void *arg, const struct nft_set_def *set, const char *problem);

struct nft_op;
bool table_refuse(struct nft_table *t, const struct nft_op *op, const char *problem);
void table_retry(struct nft_table *t);
size_t table_refused(const struct nft_table *t);
void table_each_refused(const struct nft_table *t, table_refused_fn *fn, void *arg);
enum nft_settled table_settled(const struct nft_table *t, const struct nft_set *s,
			       const struct nft_elem *e, const char **ret_problem);

/* --- the difference -------------------------------------------------------------------------- */

enum nft_verb { NFT_ADD, NFT_DEL };
enum nft_what { NFT_OP_TABLE, NFT_OP_SET, NFT_OP_CHAIN, NFT_OP_RULES, NFT_OP_ELEM, _NFT_OP_MAX };

/*
 * struct nft_op - one operation; which pointers are set follows from @what
 * NFT_OP_RULES/NFT_ADD appends all rules of @chain; NFT_OP_RULES/NFT_DEL flushes them.
 * NFT_DEL operations of objects that are not wanted name them by @set_name or @chain_name of the
 * definitions pointed to, which stay valid until table_committed() or the next table_ops().
 */
struct nft_op {
	enum nft_verb verb;
	enum nft_what what;
	const struct nft_set_def *set;
	const struct nft_chain_def *chain;
	struct nft_elem elem;
};

struct nft_ops {
	VEC(struct nft_op) op;
};

void nft_ops_done(struct nft_ops *ops);

/* The pending difference, in an order the kernel accepts in one batch; in parts and steps if there
 * is a limit, each correct by itself. */
bool table_ops(struct nft_table *t, size_t max, struct nft_ops *ret);
void table_committed(struct nft_table *t, const struct nft_ops *ops);
size_t table_pending(const struct nft_table *t);

uint64_t nft_rule_digest(const struct nft_rule *r);
/* The wanted table in the syntax of `nft list table`, sorted by name: golden tests, `--dump`. */
void table_render(const struct nft_table *t, struct buf *out);
void nft_rule_render(const struct nft_rule *r, struct buf *out);

/* Walk what is wanted: for the packet simulator and for status. */
const struct nft_chain_def *table_chain_def(const struct nft_table *t, const char *name);
const struct nft_set_def *table_set_def(const struct nft_table *t, const char *name);
/* Find the element that matches @key (in interval sets: that contains it, field by field). */
bool table_lookup(const struct nft_table *t, const char *set, const uint8_t *key,
		  struct nft_elem *ret);
void table_each_unwanted(const struct nft_set *s, void (*fn)(void *arg, const struct nft_elem *e),
			 void *arg);
void table_each_chain(const struct nft_table *t,
		      void (*fn)(void *arg, const struct nft_chain_def *def), void *arg);
