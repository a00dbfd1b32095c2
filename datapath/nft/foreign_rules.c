// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * foreign_rules.c - read the tables that have a forward chain, and judge packets by them.
 *
 * Costs the rules of those tables; for a thread that may wait.  What changes while it is read gives
 * -EINTR: the change is told, and one looks again.
 */
#include "datapath/nft/foreign_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include "datapath/netlink/nlmsg.h"
#include "datapath/nft/foreign_rules_priv.h"
#include "datapath/nft/kernel.h"

/* struct base_chain - one of the forward hook */
struct base_chain {
	uint8_t family;
	char table[FIREWALL_NAME_MAX], name[FIREWALL_NAME_MAX];
	bool drops;
};

/* struct chain_name - any chain */
struct chain_name {
	uint8_t family;
	char *table, *name;
};

/* struct listing - all chains of the host */
struct listing {
	VEC(struct base_chain) base;
	VEC(struct chain_name) all;
};

/* struct table_reading - the chains of one table, sorted by name once they are complete */
struct table_reading {
	struct nft_firewall *f;
	uint8_t family;
	const char *table;
	VEC(struct firewall_chain) chains;
};

static void listing_done(struct listing *l)
{
	vec_foreach (c, &l->all) {
		free(c->table);
		free(c->name);
	}
	vec_done(&l->all);
	vec_done(&l->base);
}

static void reading_done(struct table_reading *t)
{
	vec_foreach (c, &t->chains) {
		vec_foreach (r, &c->rules)
			nftnl_rule_free(*r);
		vec_done(&c->rules);
	}
	vec_done(&t->chains);
}

/* --- chains --------------------------------------------------------------------------------------
 */

static bool is_forward(const struct nftnl_chain *c)
{
	uint32_t family = nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY);

	return nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) &&
	       nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM) == NF_INET_FORWARD &&
	       (family == NFPROTO_IPV4 || family == NFPROTO_IPV6 || family == NFPROTO_INET);
}

static void add_base(struct listing *l, const struct nftnl_chain *c)
{
	struct base_chain b = {.family = (uint8_t)nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY)};
	const char *table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
	const char *name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);

	if (strlen(table) >= sizeof(b.table) || strlen(name) >= sizeof(b.name))
		return;
	(void)snprintf(b.table, sizeof(b.table), "%s", table);
	(void)snprintf(b.name, sizeof(b.name), "%s", name);
	b.drops = nftnl_chain_is_set(c, NFTNL_CHAIN_POLICY) &&
		  nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP;
	vec_push(&l->base, b);
}

static int take_chain(void *arg, const struct nlmsghdr *h)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct listing *l = arg;

	if (!c)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(h, c) == 0 && nftnl_chain_is_set(c, NFTNL_CHAIN_TABLE) &&
	    nftnl_chain_is_set(c, NFTNL_CHAIN_NAME)) {
		vec_push(&l->all,
			 (struct chain_name){(uint8_t)nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY),
					     xstrdup(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)),
					     xstrdup(nftnl_chain_get_str(c, NFTNL_CHAIN_NAME))});
		if (is_forward(c))
			add_base(l, c);
	}
	nftnl_chain_free(c);
	return 0;
}

static int list_chains(struct nft_firewall *f, struct listing *ret)
{
	char room[NLMSG_ROOM];

	return nl_request(f->s,
			  nft_firewall_request(room, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC),
			  take_chain, ret);
}

/* --- rules ---------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct firewall_chain *)a)->name,
		      ((const struct firewall_chain *)b)->name);
}

static const struct firewall_chain *find_chain(void *arg, const char *name)
{
	const struct firewall_chain key = {.name = name};
	const struct table_reading *t = arg;

	return t->chains.n ? bsearch(&key, t->chains.v, t->chains.n, sizeof(key), by_name) : NULL;
}

static int take_rule(void *arg, const struct nlmsghdr *h)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct firewall_chain *c = NULL;
	const char *name;

	if (!r)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(h, r) == 0) {
		name = nftnl_rule_get_str(r, NFTNL_RULE_CHAIN);
		c = name ? (struct firewall_chain *)(uintptr_t)find_chain(arg, name) : NULL;
	}
	if (c)
		vec_push(&c->rules, r);
	else
		nftnl_rule_free(r);
	return 0;
}

static int read_rules(struct table_reading *t, const struct listing *l)
{
	char room[NLMSG_ROOM];
	struct nlmsghdr *h = nft_firewall_request(room, NFT_MSG_GETRULE, NLM_F_DUMP, t->family);

	vec_foreach (c, &l->all)
		if (c->family == t->family && streq(c->table, t->table))
			vec_push(&t->chains, (struct firewall_chain){.name = c->name});
	vec_sort(&t->chains, by_name);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, t->table);
	return nl_request(t->f->s, h, take_rule, t);
}

/* --- sets ----------------------------------------------------------------------------------------
 */

struct lookup {
	struct table_reading *table;
	struct firewall_found *found;
};

static int take_element(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *list =
		nl_find(h, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *elem = nl_find_nested(list, NFTA_LIST_ELEM);
	const struct nlattr *verdict =
		nl_find_nested(nl_find_nested(elem, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT);
	const struct nlattr *code = nl_find_nested(verdict, NFTA_VERDICT_CODE);
	const char *chain = nl_string(nl_find_nested(verdict, NFTA_VERDICT_CHAIN));
	struct lookup *l = arg;

	if (!code)
		return 0;
	l->found->is_verdict = true;
	l->found->verdict = (int32_t)nl_be32(code);
	if (chain && find_chain(l->table, chain))
		l->found->chain = find_chain(l->table, chain)->name;
	return 0;
}

static int find_in_set(void *arg, const char *set, const void *key, uint32_t len,
		       struct firewall_found *ret)
{
	struct table_reading *t = arg;
	char room[NLMSG_ROOM];
	struct nlmsghdr *h = nft_firewall_request(room, NFT_MSG_GETSETELEM, NLM_F_ACK, t->family);
	struct lookup l = {t, ret};
	struct nlattr *list, *elem, *at;
	int r;

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, t->table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	at = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(h, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(h, at);
	mnl_attr_nest_end(h, elem);
	mnl_attr_nest_end(h, list);
	r = nl_request(t->f->s, h, take_element, &l);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

/* --- judging -------------------------------------------------------------------------------------
 */

static void judge_chain(struct table_reading *t, const struct base_chain *b,
			const struct firewall_packet *packets, size_t n, struct nft_hindrances *ret)
{
	const struct firewall_table table = {find_chain, find_in_set, t};
	const struct firewall_chain *c = find_chain(t, b->name), *where = NULL;

	for (size_t i = 0; c && i < n; i++) {
		struct nft_hindrance h = {.family = b->family, .packet = i};
		uint8_t family = packets[i].src.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
		enum firewall_verdict v;

		if (b->family != NFPROTO_INET && b->family != family)
			continue;
		v = firewall_judge(&table, c, &packets[i], &where);
		if (v != FIREWALL_DROP && !(v == FIREWALL_NEXT && b->drops))
			continue;
		(void)snprintf(h.table, sizeof(h.table), "%s", b->table);
		(void)snprintf(h.chain, sizeof(h.chain), "%s", b->name);
		if (v == FIREWALL_DROP && where)
			(void)snprintf(h.where, sizeof(h.where), "%s", where->name);
		vec_push(&ret->v, h);
	}
}

/**
 * nft_firewall_look() - Which forward chains of others drop one of these packets?
 * @f:       Handle
 * @own:     Our table, family inet: not looked at
 * @packets: Packets
 * @n:       Their number
 * @ret:     What drops them, appended
 * @reterr:  What failed
 *
 * A chain without a rule that matches passes what its policy passes.  Tables of iptables-nft are
 * among them, those of iptables-legacy are not.
 *
 * Return: 0; -EINTR: they change just now; -errno
 */
int nft_firewall_look(struct nft_firewall *f, const char *own,
		      const struct firewall_packet *packets, size_t n, struct nft_hindrances *ret,
		      struct err *reterr)
{
	_cleanup_(listing_done) struct listing l = {0};
	int r = list_chains(f, &l);

	for (size_t i = 0; i < l.base.n && r == 0; i++) {
		const struct base_chain *b = &l.base.v[i];
		_cleanup_(reading_done) struct table_reading t = {
			.f = f, .family = b->family, .table = b->table};

		if (b->family == NFPROTO_INET && streq(b->table, own))
			continue;
		r = read_rules(&t, &l);
		if (r == 0)
			judge_chain(&t, b, packets, n, ret);
	}
	return r < 0 ? err_set(reterr, r, "reading the tables of others: %s", strerror(-r)) : 0;
}

/* --- our rules in them ---------------------------------------------------------------------------
 */

static bool is_ours(const struct nftnl_rule *r)
{
	uint32_t len = 0;
	const uint8_t *u = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);
	static const char comment[] = NFT_FORWARD_COMMENT;

	return u && len >= sizeof(comment) + 2 && u[0] == NFTNL_UDATA_RULE_COMMENT &&
	       u[1] == sizeof(comment) && memcmp(u + 2, comment, sizeof(comment)) == 0;
}

static int forget_in(struct table_reading *t, const struct base_chain *b, size_t *removed)
{
	const struct firewall_chain *c = find_chain(t, b->name);
	int r = 0;

	for (size_t i = 0; c && i < c->rules.n && r == 0; i++) {
		if (!is_ours(c->rules.v[i]))
			continue;
		r = nft_firewall_delete(t->f, b->family, b->table, b->name,
					nftnl_rule_get_u64(c->rules.v[i], NFTNL_RULE_HANDLE));
		*removed += r == 0;
		r = r == -ENOENT ? 0 : r;
	}
	return r;
}

/**
 * nft_firewall_forget() - Delete our rules from the forward chains of others
 * @f:           Handle
 * @ret_removed: Grows by their number
 * @reterr:      What failed
 *
 * Ours is what carries NFT_FORWARD_COMMENT.
 *
 * Return: 0, -errno
 */
int nft_firewall_forget(struct nft_firewall *f, size_t *ret_removed, struct err *reterr)
{
	_cleanup_(listing_done) struct listing l = {0};
	int r = list_chains(f, &l);

	for (size_t i = 0; i < l.base.n && r == 0; i++) {
		const struct base_chain *b = &l.base.v[i];
		_cleanup_(reading_done) struct table_reading t = {
			.f = f, .family = b->family, .table = b->table};

		r = read_rules(&t, &l);
		if (r == 0)
			r = forget_in(&t, b, ret_removed);
	}
	return r < 0 ? err_set(reterr, r, "rules in the tables of others: %s", strerror(-r)) : 0;
}
