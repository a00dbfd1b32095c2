// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * firewall.c - the rules of others, one packet in mind.  Pure.
 *
 * Registers hold what expressions loaded, byte by byte known or not.  A match is true, false, or
 * not known; a rule that may match is passed over if it would drop, and makes the answer unsure if
 * it would do anything else.
 */
#include "datapath/nft/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <net/ethernet.h>
#include <stdio.h>

#include "datapath/nft/kernel.h"
#include "lib/util.h"

#define DEPTH_MAX      16 /* NFT_JUMP_STACK_SIZE of the kernel */
#define REGISTER_BYTES 64
#define STATE_NEW      NF_CT_STATE_BIT(IP_CT_NEW)

/* struct walk - one rule under way */
struct walk {
	const struct firewall_table *table;
	const struct firewall_packet *packet;
	const struct firewall_chain *where;
	uint8_t b[REGISTER_BYTES];
	bool known[REGISTER_BYTES];
};

static size_t register_at(uint32_t number)
{
	return number >= NFT_REG32_00 ? (number - NFT_REG32_00) * 4 : (number - NFT_REG_1) * 16;
}

static bool fits(uint32_t number, size_t len)
{
	return number >= NFT_REG_1 && number <= NFT_REG32_15 &&
	       (number <= NFT_REG_4 || number >= NFT_REG32_00) &&
	       register_at(number) + len <= REGISTER_BYTES;
}

static void forget(struct walk *w, uint32_t number, size_t len)
{
	for (size_t i = 0; fits(number, 1) && i < len && register_at(number) + i < REGISTER_BYTES;
	     i++)
		w->known[register_at(number) + i] = false;
}

static void load(struct walk *w, uint32_t number, const void *data, size_t len)
{
	if (!fits(number, len))
		return;
	memcpy(&w->b[register_at(number)], data, len);
	memset(&w->known[register_at(number)], true, len);
}

static bool is_known(const struct walk *w, uint32_t number, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!fits(number, len) || !w->known[register_at(number) + i])
			return false;
	return len > 0;
}

/* --- what is loaded ------------------------------------------------------------------------------
 */

static void load_u32(struct walk *w, uint32_t number, uint32_t value)
{
	load(w, number, &value, sizeof(value));
}

static void load_name(struct walk *w, uint32_t number, const char *name)
{
	char padded[16] = {0};

	(void)snprintf(padded, sizeof(padded), "%s", name);
	load(w, number, padded, sizeof(padded));
}

static void load_meta(struct walk *w, const struct nftnl_expr *e)
{
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG);
	const struct firewall_packet *p = w->packet;
	bool six = p->src.family == AF_INET6;
	const uint16_t protocol = htons(six ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	const uint8_t nfproto = six ? NFPROTO_IPV6 : NFPROTO_IPV4, tcp = IPPROTO_TCP;

	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY)) {
	case NFT_META_IIFNAME:
		load_name(w, to, p->iif);
		break;
	case NFT_META_OIFNAME:
		load_name(w, to, p->oif);
		break;
	case NFT_META_IIF:
		load_u32(w, to, p->iif_index);
		break;
	case NFT_META_OIF:
		load_u32(w, to, p->oif_index);
		break;
	case NFT_META_MARK:
		load_u32(w, to, 0);
		break;
	case NFT_META_NFPROTO:
		load(w, to, &nfproto, sizeof(nfproto));
		break;
	case NFT_META_L4PROTO:
		load(w, to, &tcp, sizeof(tcp));
		break;
	case NFT_META_PROTOCOL:
		load(w, to, &protocol, sizeof(protocol));
		break;
	default:
		forget(w, to, 16);
	}
}

static void load_ct(struct walk *w, const struct nftnl_expr *e)
{
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG);

	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY)) {
	case NFT_KERNEL_CT_STATE:
		load_u32(w, to, STATE_NEW);
		break;
	case NFT_KERNEL_CT_STATUS:
	case NFT_CT_MARK:
		load_u32(w, to, 0);
		break;
	default:
		forget(w, to, 16);
	}
}

/* Protocol and addresses of the header; the rest of it is not known. */
static void load_payload(struct walk *w, const struct nftnl_expr *e)
{
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_DREG);
	uint32_t at = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET);
	uint32_t len = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
	const struct firewall_packet *p = w->packet;
	bool six = p->src.family == AF_INET6;
	uint32_t source = six ? 8 : 12, protocol = six ? 6 : 9, bytes = (uint32_t)addr_len(&p->src);
	uint8_t header[40] = {0};

	header[protocol] = IPPROTO_TCP;
	memcpy(&header[source], p->src.b, bytes);
	memcpy(&header[source + bytes], p->dst.b, bytes);
	if (nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE) == NFT_PAYLOAD_NETWORK_HEADER &&
	    len <= sizeof(header) &&
	    ((at >= source && at + len <= source + 2 * bytes) || (at == protocol && len == 1)))
		load(w, to, &header[at], len);
	else
		forget(w, to, MIN(len, REGISTER_BYTES));
}

static void load_bitwise(struct walk *w, const struct nftnl_expr *e)
{
	uint32_t from = nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_SREG);
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_DREG);
	uint32_t len = nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_LEN), mask_len = 0, xor_len = 0;
	const uint8_t *mask = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &mask_len);
	const uint8_t * xor = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_len);
	uint8_t result[REGISTER_BYTES];

	if (len > sizeof(result) || mask_len < len || xor_len < len || !mask || !xor ||
	    !is_known(w, from, len)) {
		forget(w, to, MIN(len, REGISTER_BYTES));
		return;
	}
	for (uint32_t i = 0; i < len; i++)
		result[i] = (uint8_t)((w->b[register_at(from) + i] & mask[i]) ^ xor[i]);
	load(w, to, result, len);
}

/* --- matches -------------------------------------------------------------------------------------
 */

static enum firewall_truth truth_of(bool b)
{
	return b ? FIREWALL_YES : FIREWALL_NO;
}

static enum firewall_truth match_cmp(const struct walk *w, const struct nftnl_expr *e)
{
	uint32_t from = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_SREG), len = 0;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);
	int order;

	if (!data || !is_known(w, from, len))
		return FIREWALL_MAYBE;
	order = memcmp(&w->b[register_at(from)], data, len);
	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP)) {
	case NFT_CMP_EQ:
		return truth_of(order == 0);
	case NFT_CMP_NEQ:
		return truth_of(order != 0);
	case NFT_CMP_LT:
		return truth_of(order < 0);
	case NFT_CMP_LTE:
		return truth_of(order <= 0);
	case NFT_CMP_GT:
		return truth_of(order > 0);
	case NFT_CMP_GTE:
		return truth_of(order >= 0);
	default:
		return FIREWALL_MAYBE;
	}
}

static enum firewall_truth match_xtables(const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME);
	uint32_t len = 0;
	const void *info = nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len);

	return name && info ? firewall_match(name, info, len) : FIREWALL_MAYBE;
}

/* --- rules ---------------------------------------------------------------------------------------
 */

static enum firewall_verdict run_chain(struct walk *w, const struct firewall_chain *c, int depth);

/* NF_x or NFT_x; @ret_stop: the chain that the rule is in ends with it */
static enum firewall_verdict obey(struct walk *w, int32_t verdict, const char *chain, int depth,
				  bool *ret_stop)
{
	const struct firewall_chain *to;
	enum firewall_verdict v;

	*ret_stop = true;
	switch (verdict) {
	case NF_ACCEPT:
		return FIREWALL_ACCEPT;
	case NF_DROP:
		return FIREWALL_DROP;
	case NFT_RETURN:
		return FIREWALL_NEXT;
	case NFT_CONTINUE:
	case NFT_BREAK:
		*ret_stop = false;
		return FIREWALL_NEXT;
	case NFT_JUMP:
	case NFT_GOTO:
		to = chain ? w->table->chain(w->table->arg, chain) : NULL;
		if (!to || depth >= DEPTH_MAX)
			return FIREWALL_UNSURE;
		v = run_chain(w, to, depth + 1);
		*ret_stop = verdict == NFT_GOTO || v != FIREWALL_NEXT;
		return v;
	default: /* a queue to a program */
		return FIREWALL_UNSURE;
	}
}

/* struct effect - what a rule does if it matches */
struct effect {
	bool any;
	int32_t verdict;
	const char *chain;
};

static enum firewall_truth run_lookup(struct walk *w, const struct nftnl_expr *e, uint32_t key_len,
				      struct effect *ret)
{
	uint32_t from = nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_SREG);
	bool inverted = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_FLAGS) &&
			(nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV);
	struct firewall_found found = {0};
	int there;

	if (nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG)) /* a map; of verdicts, perhaps */
		*ret = (struct effect){true, NF_QUEUE, NULL};
	if (!is_known(w, from, key_len))
		return FIREWALL_MAYBE;
	there = w->table->find(w->table->arg, nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET),
			       &w->b[register_at(from)], key_len, &found);
	if (there < 0)
		return FIREWALL_MAYBE;
	if (there && found.is_verdict)
		*ret = (struct effect){true, found.verdict, found.chain};
	else
		*ret = (struct effect){0};
	return truth_of(there != inverted);
}

static void take_verdict(struct walk *w, const struct nftnl_expr *e, struct effect *ret)
{
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_DREG), len = 0;
	const void *data;

	if (to == NFT_REG_VERDICT) {
		*ret = (struct effect){true, (int32_t)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT),
				       nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN)};
		return;
	}
	data = nftnl_expr_get(e, NFTNL_EXPR_IMM_DATA, &len);
	if (data)
		load(w, to, data, len);
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(name, names[i]))
			return true;
	return false;
}

/* Statements that let the packet go on to the next rule, and those that do not. */
static enum firewall_truth run_statement(const struct nftnl_expr *e, const char *name,
					 struct effect *ret)
{
	static const char *const harmless[] = {"counter", "log",    "notrack", "objref",
					       "last",	  "dynset", "dup"};

	if (streq(name, "reject")) {
		*ret = (struct effect){true, NF_DROP, NULL};
		return FIREWALL_YES;
	}
	if (streq(name, "target")) {
		enum firewall_verdict v =
			firewall_target(nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME));

		if (v != FIREWALL_NEXT)
			*ret = (struct effect){true, v == FIREWALL_DROP ? NF_DROP : NF_QUEUE, NULL};
		return FIREWALL_YES;
	}
	return is_one_of(name, harmless, ARRAY_SIZE(harmless)) ? FIREWALL_YES : FIREWALL_MAYBE;
}

/* How many bytes the next look-up compares: what was loaded before it. */
static uint32_t loaded(const struct nftnl_expr *e, const char *name)
{
	if (streq(name, "payload"))
		return nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
	if (streq(name, "ct"))
		return 4;
	if (!streq(name, "meta"))
		return 0;
	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY)) {
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		return 16;
	case NFT_META_NFPROTO:
	case NFT_META_L4PROTO:
		return 1;
	case NFT_META_PROTOCOL:
		return 2;
	default:
		return 4;
	}
}

/* struct rule_run - the expressions of a rule, one after another */
struct rule_run {
	enum firewall_truth matches;
	uint32_t key_len;
	size_t loads; /* since the last look-up: more than one make a concatenation */
	struct effect effect;
};

static enum firewall_truth run_expr(struct walk *w, const struct nftnl_expr *e, struct rule_run *r)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	uint32_t len = loaded(e, name);

	if (len) {
		r->loads++;
		r->key_len = len;
	}
	if (streq(name, "meta") && nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		load_meta(w, e);
	else if (streq(name, "ct") && nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		load_ct(w, e);
	else if (streq(name, "payload") && nftnl_expr_is_set(e, NFTNL_EXPR_PAYLOAD_DREG))
		load_payload(w, e);
	else if (streq(name, "bitwise"))
		load_bitwise(w, e);
	else if (streq(name, "immediate"))
		take_verdict(w, e, &r->effect);
	else if (streq(name, "cmp")) {
		r->loads = 0;
		return match_cmp(w, e);
	} else if (streq(name, "match"))
		return match_xtables(e);
	else if (streq(name, "lookup"))
		return run_lookup(w, e, TAKE(r->loads, 0) == 1 ? r->key_len : 0, &r->effect);
	else if (!len)
		return run_statement(e, name, &r->effect);
	return FIREWALL_YES;
}

static enum firewall_verdict run_rule(struct walk *w, struct nftnl_rule *rule, int depth,
				      bool *ret_stop)
{
	struct nftnl_expr_iter *i = nftnl_expr_iter_create(rule);
	struct rule_run r = {.matches = FIREWALL_YES};
	enum firewall_verdict v;
	struct nftnl_expr *e;

	*ret_stop = false;
	memset(w->known, false, sizeof(w->known));
	while (i && r.matches != FIREWALL_NO && (e = nftnl_expr_iter_next(i))) {
		enum firewall_truth one = run_expr(w, e, &r);

		r.matches = MIN(r.matches, one);
	}
	if (i)
		nftnl_expr_iter_destroy(i);
	if (r.matches == FIREWALL_NO || !r.effect.any)
		return FIREWALL_NEXT;
	v = obey(w, r.effect.verdict, r.effect.chain, depth, ret_stop);
	if (r.matches == FIREWALL_YES)
		return v;
	*ret_stop = v == FIREWALL_ACCEPT || v == FIREWALL_UNSURE ||
		    (v == FIREWALL_NEXT && *ret_stop);
	return *ret_stop ? FIREWALL_UNSURE : FIREWALL_NEXT;
}

static enum firewall_verdict run_chain(struct walk *w, const struct firewall_chain *c, int depth)
{
	vec_foreach (rule, &c->rules) {
		bool stop;
		enum firewall_verdict v = run_rule(w, *rule, depth, &stop);

		if (!stop)
			continue;
		if (v == FIREWALL_DROP && !w->where)
			w->where = c;
		return v;
	}
	return FIREWALL_NEXT;
}

/**
 * firewall_judge() - Send a packet through a chain of somebody else
 * @t:         Its table
 * @c:         Chain
 * @p:         Packet
 * @ret_where: For FIREWALL_DROP, the chain whose rule it is
 *
 * Return: FIREWALL_NEXT: the chain's policy decides
 */
enum firewall_verdict firewall_judge(const struct firewall_table *t, const struct firewall_chain *c,
				     const struct firewall_packet *p,
				     const struct firewall_chain **ret_where)
{
	struct walk w = {.table = t, .packet = p};
	enum firewall_verdict v = run_chain(&w, c, 0);

	if (v == FIREWALL_DROP)
		*ret_where = w.where;
	return v;
}
