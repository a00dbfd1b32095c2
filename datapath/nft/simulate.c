// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * simulate.c - send a packet through the table that is wanted.  Pure.
 *
 * The agent judges tracked connections with it, the property tests every program: what both rest on
 * is one reading of the rules, compared with a plain evaluator of the API's words.
 */
#include "datapath/nft/simulate.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>

#include "datapath/nft/stmt.h"

#define DEPTH_MAX 16 /* NFT_JUMP_STACK_SIZE of the kernel */

/* struct value - one field of the packet; @len is 0 when the packet has none */
struct value {
	uint8_t b[16];
	size_t len;
	enum nft_type type;
};

static struct value value_of(const void *data, size_t len, enum nft_type type)
{
	struct value v = {.len = len, .type = type};

	memcpy(v.b, data, len);
	return v;
}

static struct value address(const struct addr *a, int family, enum nft_type type)
{
	if (a->family != family)
		return (struct value){.type = type};
	return value_of(a->b, addr_len(a), type);
}

static struct value interface(const char *name)
{
	struct value v = {.len = 16, .type = NFT_TYPE_IFNAME};

	assert(strlen(name) < sizeof(v.b));
	memcpy(v.b, name, strlen(name));
	return v;
}

static struct value read_field(const struct sim_packet *p, enum nft_field f)
{
	const uint32_t state = NFT_CT_STATE_NEW, status = 0;
	const uint16_t sport = htons(p->sport), dport = htons(p->dport);
	const uint8_t nfproto = p->src.family == AF_INET ? 2 : 10;

	switch (f) {
	case NFT_IP_SADDR:
		return address(&p->src, AF_INET, NFT_TYPE_IPV4);
	case NFT_IP_DADDR:
		return address(&p->dst, AF_INET, NFT_TYPE_IPV4);
	case NFT_IP6_SADDR:
		return address(&p->src, AF_INET6, NFT_TYPE_IPV6);
	case NFT_IP6_DADDR:
		return address(&p->dst, AF_INET6, NFT_TYPE_IPV6);
	case NFT_ETHER_SADDR:
		return value_of(p->mac.b, MAC_LEN, NFT_TYPE_ETHER);
	case NFT_L4PROTO:
		return value_of(&p->protocol, 1, NFT_TYPE_PROTO);
	case NFT_TH_SPORT:
		return value_of(&sport, 2, NFT_TYPE_SERVICE);
	case NFT_TCP_FLAGS:
		return value_of(&p->tcp_flags, 1, NFT_TYPE_NONE);
	case NFT_TH_DPORT:
		return value_of(&dport, 2, NFT_TYPE_SERVICE);
	case NFT_ICMP6_TYPE:
		return value_of(&p->icmp6, 1, NFT_TYPE_NONE);
	case NFT_IIFNAME:
		return interface(p->iifname);
	case NFT_OIFNAME:
		return interface(p->oifname);
	case NFT_NFPROTO:
		return value_of(&nfproto, 1, NFT_TYPE_NONE);
	case NFT_CT_STATE:
		return value_of(&state, 4, NFT_TYPE_NONE);
	case NFT_CT_STATUS:
		return value_of(&status, 4, NFT_TYPE_NONE);
	case NFT_FIELD_NONE:
	case _NFT_FIELD_MAX:
		break;
	}
	assert(!"a field that the simulator does not know");
	abort();
}

static bool any_bit(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] & b[i])
			return true;
	return false;
}

/**
 * sim_match() - Compare a field of the packet with a value
 * @x: Packet
 * @s: Statement with one field and a value
 *
 * Return: true if the statement says so
 */
bool sim_match(const struct sim *x, const struct nft_stmt *s)
{
	struct value v = read_field(x->p, s->field[0]);
	bool bits = field_info(s->field[0])->bitmask;
	size_t len = s->value_len;
	bool equal;

	assert(s->field[1] == NFT_FIELD_NONE && len > 0 && len <= sizeof(v.b));
	if (!v.len)
		return false;
	if (v.type == NFT_TYPE_IFNAME && s->value[len - 1] == '*') {
		equal = memcmp(v.b, s->value, len - 1) == 0;
	} else if (bits) {
		assert(len == v.len);
		equal = any_bit(v.b, s->value, len);
	} else {
		assert(len == v.len || v.type == NFT_TYPE_IFNAME);
		equal = memcmp(v.b, s->value, len) == 0 && (len == v.len || !v.b[len]);
	}
	return equal != s->negate;
}

/* False when the packet does not have one of the fields: the rule does not match then. */
static bool make_key(const struct sim *x, const struct nft_stmt *s, uint8_t key[static NFT_KEY_MAX])
{
	const struct nft_set_def *def = table_set_def(x->t, s->set);
	size_t len = 0;

	assert(def && s->field[0] != NFT_FIELD_NONE);
	for (int i = 0; i < NFT_FIELDS_MAX; i++) {
		struct value v;

		if (s->field[i] == NFT_FIELD_NONE) {
			assert(def->key[i] == NFT_TYPE_NONE);
			break;
		}
		v = read_field(x->p, s->field[i]);
		assert(v.type == def->key[i]);
		if (!v.len)
			return false;
		nft_key_put(key, &len, v.type, v.b, v.len);
	}
	assert(len == nft_key_len(def->key));
	return true;
}

/**
 * sim_lookup() - Look fields of the packet up in a set
 * @x:   Packet
 * @s:   Statement with fields and a set
 * @ret: Element found
 *
 * Return: true if it is there, or if it is not and the statement says so
 */
bool sim_lookup(const struct sim *x, const struct nft_stmt *s, struct nft_elem *ret)
{
	uint8_t key[NFT_KEY_MAX] = {0};

	if (!make_key(x, s, key))
		return false;
	return table_lookup(x->t, s->set, key, ret) != s->negate;
}

static enum outcome run_rule(const struct sim *x, const struct nft_rule *r)
{
	enum outcome o = OUTCOME_NEXT;

	for (int i = 0; i < r->n && o == OUTCOME_NEXT; i++)
		if (!stmt_row(r->stmt[i].kind)->run(x, &r->stmt[i], &o))
			break;
	return o;
}

/* The end of a chain is a return. */
static enum outcome run_chain(const struct sim *x, const struct nft_chain_def *c)
{
	assert(x->depth < DEPTH_MAX);
	for (size_t i = 0; i < c->n_rules; i++) {
		enum outcome o = run_rule(x, &c->rules[i]);

		if (o != OUTCOME_NEXT)
			return o;
	}
	return OUTCOME_RETURN;
}

/**
 * sim_obey() - What a verdict makes of the packet
 * @x: Packet
 * @v: Verdict; its chain is wanted
 *
 * Return: OUTCOME_NEXT after a jump that came back
 */
enum outcome sim_obey(const struct sim *x, const struct nft_verdict *v)
{
	const struct sim deeper = {x->t, x->p, x->depth + 1};
	const struct nft_chain_def *to;
	enum outcome o;

	switch (v->code) {
	case NFT_V_ACCEPT:
		return OUTCOME_ACCEPT;
	case NFT_V_DROP:
		return OUTCOME_DROP;
	case NFT_V_RETURN:
		return OUTCOME_RETURN;
	case NFT_V_JUMP:
	case NFT_V_GOTO:
		to = table_chain_def(x->t, v->chain);
		assert(to && to->hook == NFT_HOOK_NONE);
		o = run_chain(&deeper, to);
		return o == OUTCOME_RETURN && v->code == NFT_V_JUMP ? OUTCOME_NEXT : o;
	case _NFT_V_MAX:
		break;
	}
	assert(!"a verdict that the simulator does not know");
	abort();
}

/**
 * simulate_chain() - Send a packet through one base chain
 * @t:    Table; what it wants counts
 * @name: Name of the chain, which is wanted
 * @p:    Packet
 *
 * Return: true if it passes
 */
bool simulate_chain(const struct nft_table *t, const char *name, const struct sim_packet *p)
{
	return run_chain(&(struct sim){t, p, 0}, table_chain_def(t, name)) != OUTCOME_DROP;
}

struct base_chains {
	enum nft_hook hook;
	VEC(const struct nft_chain_def *) c;
};

static void collect(void *arg, const struct nft_chain_def *def)
{
	struct base_chains *b = arg;

	if (def->hook == b->hook)
		vec_push(&b->c, def);
}

static int by_priority(const void *a, const void *b)
{
	const struct nft_chain_def *const *x = a, *const *y = b;

	return ((*x)->priority > (*y)->priority) - ((*x)->priority < (*y)->priority);
}

/**
 * simulate_hook() - Send a packet through the base chains of a hook
 * @t:    Table; what it wants counts
 * @hook: Where the packet is
 * @p:    Packet
 *
 * An accept ends its base chain only, a drop is final (nft(8), VERDICT STATEMENTS).
 *
 * Return: true if it passes
 */
bool simulate_hook(const struct nft_table *t, enum nft_hook hook, const struct sim_packet *p)
{
	struct base_chains b = {.hook = hook};
	const struct sim x = {t, p, 0};
	bool passes = true;

	assert(p->src.family == p->dst.family);
	table_each_chain(t, collect, &b);
	vec_sort(&b.c, by_priority);
	for (size_t i = 0; i < b.c.n && passes; i++)
		passes = run_chain(&x, b.c.v[i]) != OUTCOME_DROP;
	vec_done(&b.c);
	return passes;
}
