// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * base.c - the fixed program.  Pure.
 *
 *   pre_raw:           a pod sends from its own addresses and MAC, and nobody else does, or the
 *                      packet is dropped
 *   pre_nat, out_nat:  host ports
 *   input, forward:    what is established passes; the parts judge first packets
 *                      neighbour discovery between a node and its pod is none of policy's business
 *   forward, input, out_nat: replies of connections that were cut (cuts.h)
 *   post_nat:          masquerade
 *
 * What the node itself sends to its pods passes no filter of ours: probes always arrive
 * (NetworkPolicy: traffic from the node where a pod runs is always allowed).  All base chains have
 * the policy accept: the rest of the host's traffic is not ours to decide.
 */
#include "datapath/base/base.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include "datapath/nft/rules.h"
#include "ipam/attachment.h"

/* Priorities of nft(8): raw, dstnat, filter, srcnat. */
enum { PRIORITY_RAW = -300, PRIORITY_DSTNAT = -100, PRIORITY_FILTER = 0, PRIORITY_SRCNAT = 100 };

static struct nft_set *want_set(struct nft_table *t, const char *name, const char *comment,
				struct nft_set_def def)
{
	def.name = name;
	def.comment = comment;
	def.owner = NFT_OWNER_BASE;
	return table_want_set(t, &def);
}

static void want_sets(struct nft_table *t, struct base *b, int six)
{
	enum nft_type ip = six ? NFT_TYPE_IPV6 : NFT_TYPE_IPV4;
	enum nft_type proto = NFT_TYPE_PROTO, port = NFT_TYPE_SERVICE;
	static const char *const names[][2] = {
		{"sources4", "sources6"},
		{"self4", "self6"},
		{"hostports4", "hostports6"},
		{"hostports_at4", "hostports_at6"},
		{"pod_ranges4", "pod_ranges6"},
		{"cluster4", "cluster6"},
		{"local_pods4", "local_pods6"},
		{"cut4", "cut6"},
		{"node_addresses4", "node_addresses6"},
	};

	b->sources[six] = want_set(
		t, names[0][six], "what local pods may send from",
		(struct nft_set_def){.key = {NFT_TYPE_IFNAME, NFT_TYPE_ETHER, ip}, .urgent = true});
	b->self[six] = want_set(t, names[1][six], "local pods, to themselves",
				(struct nft_set_def){.key = {ip, ip}, .urgent = true});
	b->hostports[six] = want_set(
		t, names[2][six], "host ports on every address of the node",
		(struct nft_set_def){.key = {proto, port}, .data = {ip, port}, .urgent = true});
	b->hostports_at[six] = want_set(
		t, names[3][six], "host ports on one address",
		(struct nft_set_def){.key = {ip, proto, port}, .data = {ip, port}, .urgent = true});
	b->node_addresses[six] = want_set(t, names[8][six], "where host ports are reached",
					  (struct nft_set_def){.key = {ip}});
	b->pod_ranges[six] = want_set(t, names[4][six], "addresses of this node's pods",
				      (struct nft_set_def){.key = {ip}, .interval = true});
	b->cluster[six] = want_set(t, names[5][six], "destinations that see a pod's own address",
				   (struct nft_set_def){.key = {ip}, .interval = true});
	b->local[six] = want_set(t, names[6][six], "what no interface but a local pod's sends from",
				 (struct nft_set_def){.key = {ip}, .interval = true});
	b->cut[six] = want_set(t, names[7][six], "replies of connections that were cut",
			       (struct nft_set_def){.key = {ip, ip, proto, port}});
}

static void want_chain(struct nft_table *t, const char *name, const char *comment, struct rules *rs)
{
	(void)table_want_chain(t, &(struct nft_chain_def){.name = name,
							  .owner = NFT_OWNER_BASE,
							  .comment = comment,
							  .n_rules = rs->r.n,
							  .rules = rs->r.v});
	rules_done(rs);
}

/* --- chains that base chains jump to ------------------------------------------------------------
 */

/*
 * What keeps a pod reachable when its permanent neighbour entries are lost (RFC 4861, section 4).
 * Not what would make the pod a router or an authority on others: advertisements and redirects.
 */
static void want_neighbours(struct nft_table *t)
{
	static const uint8_t types[] = {ND_ROUTER_SOLICIT, ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT};
	static const uint8_t icmp6 = IPPROTO_ICMPV6;
	struct rules rs = {0};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct nft_rule *r = rules_add(&rs);

		rule_match(r, NFT_L4PROTO, &icmp6, sizeof(icmp6));
		rule_match(r, NFT_ICMP6_TYPE, &types[i], sizeof(types[i]));
		rule_verdict(r, NFT_V_ACCEPT, NULL);
	}
	want_chain(t, "neighbours", "neighbour discovery between this node and its pods", &rs);
}

static void want_from_pod(struct nft_table *t, const struct base *b)
{
	struct rules rs = {0};
	struct nft_rule *r;

	for (int six = 0; six < 2; six++) {
		r = rules_add(&rs);
		rule_lookup(r, set_name(b->sources[six]), false, NFT_IIFNAME, NFT_ETHER_SADDR,
			    six ? NFT_IP6_SADDR : NFT_IP_SADDR, 0);
		rule_verdict(r, NFT_V_ACCEPT, NULL);
	}
	r = rules_add(&rs);
	rule_lookup(r, set_name(b->link_local), false, NFT_IIFNAME, NFT_ETHER_SADDR, NFT_IP6_SADDR,
		    0);
	rule_verdict(r, NFT_V_JUMP, "neighbours");
	r = rules_add(&rs);
	rule_counter(r);
	rule_verdict(r, NFT_V_DROP, NULL);
	rule_comment(r, "not the pod's own address");
	want_chain(t, "from_pod", "what comes out of a local pod", &rs);
}

static void want_cut(struct nft_table *t, const struct base *b)
{
	struct rules rs = {0};

	for (int six = 0; six < 2; six++) {
		struct nft_rule *r = rules_add(&rs);

		rule_lookup(r, set_name(b->cut[six]), false, six ? NFT_IP6_SADDR : NFT_IP_SADDR,
			    six ? NFT_IP6_DADDR : NFT_IP_DADDR, NFT_L4PROTO, NFT_TH_SPORT, 0);
		rule_counter(r);
		rule_verdict(r, NFT_V_DROP, NULL);
	}
	want_chain(t, "cut", "replies of connections that were cut", &rs);
}

static void want_hostports(struct nft_table *t, const struct base *b)
{
	struct rules rs = {0};
	struct nft_rule *r;

	for (int six = 0; six < 2; six++) {
		enum nft_field to = six ? NFT_IP6_DADDR : NFT_IP_DADDR;

		r = rules_add(&rs);
		rule_lookup(r, set_name(b->node_addresses[six]), false, to, 0);
		rule_dnat(r, set_name(b->hostports_at[six]), to, NFT_L4PROTO, NFT_TH_DPORT, 0);
		r = rules_add(&rs);
		rule_lookup(r, set_name(b->node_addresses[six]), false, to, 0);
		rule_dnat(r, set_name(b->hostports[six]), NFT_L4PROTO, NFT_TH_DPORT, 0);
	}
	want_chain(t, "hostports", "host ports of local pods", &rs);
}

/* --- what stands in the base chains before the parts, and behind them ---------------------------
 */

static void before_pre_raw(const struct base *b, struct rules *rs)
{
	/* A shortcut for what comes from elsewhere; which interfaces are pods' the set says. */
	static const char perhaps_a_pod[] = HOST_IFNAME_PREFIX "*", lo[] = "lo";
	struct nft_rule *r;

	r = rules_add(rs);
	rule_match(r, NFT_IIFNAME, perhaps_a_pod, sizeof(perhaps_a_pod) - 1);
	rule_lookup(r, set_name(b->links), false, NFT_IIFNAME, 0);
	rule_verdict(r, NFT_V_GOTO, "from_pod");
	/* What the node sends to itself: a transparent proxy speaks with its clients' addresses. */
	r = rules_add(rs);
	rule_match(r, NFT_IIFNAME, lo, sizeof(lo));
	rule_verdict(r, NFT_V_ACCEPT, NULL);
	for (int six = 0; six < 2; six++) {
		r = rules_add(rs);
		rule_lookup(r, set_name(b->local[six]), false, six ? NFT_IP6_SADDR : NFT_IP_SADDR,
			    0);
		rule_counter(r);
		rule_verdict(r, NFT_V_DROP, NULL);
		rule_comment(r, "a local pod's address, from elsewhere");
	}
}

static void add_established(struct rules *rs)
{
	const uint32_t state = NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
	struct nft_rule *r = rules_add(rs);

	rule_match(r, NFT_CT_STATE, &state, sizeof(state));
	rule_verdict(r, NFT_V_ACCEPT, NULL);
}

/*
 * Replies of a connection that was cut must not begin it again the other way round.  Of TCP a reply
 * never is a SYN alone, so new connections between the same two are not held up.
 */
static void add_cut(struct rules *rs)
{
	const uint8_t tcp = IPPROTO_TCP, reply = NFT_TCP_FIN | NFT_TCP_RST | NFT_TCP_ACK;
	struct nft_rule *r = rules_add(rs);

	rule_match(r, NFT_L4PROTO, &tcp, sizeof(tcp));
	rule_match(r, NFT_TCP_FLAGS, &reply, sizeof(reply));
	rule_verdict(r, NFT_V_JUMP, "cut");
	r = rules_add(rs);
	rule_match(r, NFT_L4PROTO, &tcp, sizeof(tcp));
	r->stmt[0].negate = true;
	rule_verdict(r, NFT_V_JUMP, "cut");
}

static void before_out_nat(const struct base *b _unused_, struct rules *rs)
{
	add_cut(rs);
}

static void behind_nat(const struct base *b _unused_, struct rules *rs)
{
	rule_verdict(rules_add(rs), NFT_V_JUMP, "hostports");
}

static void before_input(const struct base *b _unused_, struct rules *rs)
{
	static const uint8_t icmp6 = IPPROTO_ICMPV6;
	struct nft_rule *r;

	add_established(rs);
	r = rules_add(rs); /* which connection tracking leaves alone */
	rule_match(r, NFT_L4PROTO, &icmp6, sizeof(icmp6));
	rule_verdict(r, NFT_V_JUMP, "neighbours");
	add_cut(rs);
}

static struct nft_rule *add_self(const struct base *b, int six, struct rules *rs)
{
	struct nft_rule *r = rules_add(rs);

	rule_lookup(r, set_name(b->self[six]), false, six ? NFT_IP6_SADDR : NFT_IP_SADDR,
		    six ? NFT_IP6_DADDR : NFT_IP_DADDR, 0);
	return r;
}

static void before_forward(const struct base *b, struct rules *rs)
{
	add_established(rs);
	add_cut(rs);
	for (int six = 0; six < 2; six++)
		rule_verdict(add_self(b, six, rs), NFT_V_ACCEPT, NULL);
}

static void before_post_nat(const struct base *b, struct rules *rs)
{
	for (int six = 0; six < 2; six++) {
		struct nft_rule *r = add_self(b, six, rs);

		rule_masquerade(r);
		rule_comment(r, "a pod that reaches itself through NAT");
	}
}

static void behind_post_nat(const struct base *b, struct rules *rs)
{
	for (int six = 0; six < 2; six++) {
		struct nft_rule *r = rules_add(rs);

		rule_lookup(r, set_name(b->pod_ranges[six]), false,
			    six ? NFT_IP6_SADDR : NFT_IP_SADDR, 0);
		rule_lookup(r, set_name(b->cluster[six]), true, six ? NFT_IP6_DADDR : NFT_IP_DADDR,
			    0);
		rule_masquerade(r);
		rule_comment(r, "leaves the cluster");
	}
}

/* --- base chains --------------------------------------------------------------------------------
 */

/* struct base_chain_row - @before, @behind: what stands before the jumps to the parts, and behind
 */
struct base_chain_row {
	const char *name, *comment;
	enum nft_hook hook;
	bool nat;
	int32_t priority;
	void (*before)(const struct base *b, struct rules *rs);
	void (*behind)(const struct base *b, struct rules *rs);
};

static const struct base_chain_row rows[] = {
	[BASE_PRE_RAW] = {.name = "pre_raw",
			  .comment =
				  "pods send from their own addresses only, and nobody else does",
			  .hook = NFT_HOOK_PREROUTING,
			  .priority = PRIORITY_RAW,
			  .before = before_pre_raw},
	[BASE_PRE_NAT] = {.name = "pre_nat",
			  .comment = "destinations, from outside and from pods",
			  .hook = NFT_HOOK_PREROUTING,
			  .nat = true,
			  .priority = PRIORITY_DSTNAT,
			  .behind = behind_nat},
	[BASE_OUT_NAT] = {.name = "out_nat",
			  .comment = "destinations, from the node itself",
			  .hook = NFT_HOOK_OUTPUT,
			  .nat = true,
			  .priority = PRIORITY_DSTNAT,
			  .before = before_out_nat,
			  .behind = behind_nat},
	[BASE_INPUT] = {.name = "input",
			.comment = "what is for this node",
			.hook = NFT_HOOK_INPUT,
			.priority = PRIORITY_FILTER,
			.before = before_input},
	[BASE_FORWARD] = {.name = "forward",
			  .comment = "what is forwarded",
			  .hook = NFT_HOOK_FORWARD,
			  .priority = PRIORITY_FILTER,
			  .before = before_forward},
	[BASE_POST_NAT] = {.name = "post_nat",
			   .comment = "source address of what leaves the cluster",
			   .hook = NFT_HOOK_POSTROUTING,
			   .nat = true,
			   .priority = PRIORITY_SRCNAT,
			   .before = before_post_nat,
			   .behind = behind_post_nat},
};
_Static_assert(ARRAY_SIZE(rows) == _BASE_CHAIN_MAX, "a base chain has no row");

/**
 * base_chain_name() - Name of a base chain
 * @c: Chain
 *
 * Return: the name
 */
const char *base_chain_name(enum base_chain c)
{
	return rows[c].name;
}

static void want_base_chain(struct nft_table *t, const struct base *b, enum base_chain c,
			    const struct base_entry *entries, size_t n)
{
	struct rules rs = {0};

	if (rows[c].before)
		rows[c].before(b, &rs);
	for (size_t i = 0; i < n; i++)
		if (entries[i].from == c)
			rule_verdict(rules_add(&rs), NFT_V_JUMP, entries[i].name);
	if (rows[c].behind)
		rows[c].behind(b, &rs);
	(void)table_want_chain(t, &(struct nft_chain_def){.name = rows[c].name,
							  .hook = rows[c].hook,
							  .nat = rows[c].nat,
							  .owner = NFT_OWNER_BASE,
							  .priority = rows[c].priority,
							  .comment = rows[c].comment,
							  .n_rules = rs.r.n,
							  .rules = rs.r.v});
	rules_done(&rs);
}

/**
 * base_want() - Want the fixed program
 * @t:       Table
 * @entries: Where parts enter, in their order; the chains are wanted empty, for the parts to fill
 * @n:       Number of them
 * @ret:     Its sets
 */
void base_want(struct nft_table *t, const struct base_entry *entries, size_t n, struct base *ret)
{
	*ret = (struct base){0};
	ret->links = want_set(t, "pod_links", "interfaces of local pods",
			      (struct nft_set_def){.key = {NFT_TYPE_IFNAME}, .urgent = true});
	ret->link_local = want_set(
		t, "link_local6",
		"link-local addresses of local pods, for neighbour discovery only",
		(struct nft_set_def){.key = {NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV6},
				     .urgent = true});
	want_sets(t, ret, 0);
	want_sets(t, ret, 1);
	want_neighbours(t);
	want_from_pod(t, ret);
	want_cut(t, ret);
	want_hostports(t, ret);
	for (size_t i = 0; i < n; i++)
		(void)table_want_chain(t, &(struct nft_chain_def){.name = entries[i].name,
								  .owner = NFT_OWNER_BASE,
								  .comment = entries[i].comment});
	for (int c = 0; c < _BASE_CHAIN_MAX; c++)
		want_base_chain(t, ret, (enum base_chain)c, entries, n);
}
