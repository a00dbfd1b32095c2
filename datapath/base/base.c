// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * base.c - the fixed program.  Pure.
 *
 *   prerouting, raw:   a pod sends from its own addresses and MAC, and nobody else does, or the
 *                      packet is dropped
 *   prerouting, dstnat and output: host ports
 *                      neighbour discovery between a node and its pod is none of policy's business
 *   forward:           established first, then the source's egress, then the destination's ingress
 *   forward, input, output: replies of connections that were cut (cuts.h)
 *   input:             the egress of pods towards their own node
 *   postrouting:       masquerade
 *
 * What the node itself sends to its pods passes no chain of ours: probes always arrive
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
		{"ingress4", "ingress6"},
		{"egress4", "egress6"},
		{"hostports4", "hostports6"},
		{"hostports_at4", "hostports_at6"},
		{"pod_ranges4", "pod_ranges6"},
		{"cluster4", "cluster6"},
		{"local_pods4", "local_pods6"},
		{"ingress_open4", "ingress_open6"},
		{"egress_open4", "egress_open6"},
		{"cut4", "cut6"},
		{"node_addresses4", "node_addresses6"},
	};

	b->sources[six] = want_set(
		t, names[0][six], "what local pods may send from",
		(struct nft_set_def){.key = {NFT_TYPE_IFNAME, NFT_TYPE_ETHER, ip}, .urgent = true});
	b->self[six] = want_set(t, names[1][six], "local pods, to themselves",
				(struct nft_set_def){.key = {ip, ip}, .urgent = true});
	for (int d = 0; d < 2; d++)
		b->verdicts[d][six] =
			want_set(t, names[2 + d][six],
				 d ? "local pods isolated for egress, to their program"
				   : "local pods isolated for ingress, to their program",
				 (struct nft_set_def){.key = {ip},
						      .data = {NFT_TYPE_VERDICT},
						      .elem_comments = true,
						      .urgent = true});
	for (int d = 0; d < 2; d++)
		b->open[d][six] = want_set(
			t, names[9 + d][six],
			d ? "local pods that no policy isolates for egress, a record for restarts"
			  : "local pods that no policy isolates for ingress, a record for restarts",
			(struct nft_set_def){.key = {ip}, .urgent = true});
	b->hostports[six] = want_set(
		t, names[4][six], "host ports on every address of the node",
		(struct nft_set_def){.key = {proto, port}, .data = {ip, port}, .urgent = true});
	b->hostports_at[six] = want_set(
		t, names[5][six], "host ports on one address",
		(struct nft_set_def){.key = {ip, proto, port}, .data = {ip, port}, .urgent = true});
	b->node_addresses[six] = want_set(t, names[12][six], "where host ports are reached",
					  (struct nft_set_def){.key = {ip}});
	b->pod_ranges[six] = want_set(t, names[6][six], "addresses of this node's pods",
				      (struct nft_set_def){.key = {ip}, .interval = true});
	b->cluster[six] = want_set(t, names[7][six], "destinations that see a pod's own address",
				   (struct nft_set_def){.key = {ip}, .interval = true});
	b->local[six] = want_set(t, names[8][six], "what no interface but a local pod's sends from",
				 (struct nft_set_def){.key = {ip}, .interval = true});
	b->cut[six] = want_set(t, names[11][six], "replies of connections that were cut",
			       (struct nft_set_def){.key = {ip, ip, proto, port}});
}

static void want_base(struct nft_table *t, const char *name, enum nft_hook hook, bool nat,
		      int32_t priority, const char *comment, struct rules *rs)
{
	(void)table_want_chain(t, &(struct nft_chain_def){.name = name,
							  .hook = hook,
							  .nat = nat,
							  .owner = NFT_OWNER_BASE,
							  .priority = priority,
							  .comment = comment,
							  .n_rules = rs->r.n,
							  .rules = rs->r.v});
	rules_done(rs);
}

static void want_plain(struct nft_table *t, const char *name, const char *comment, struct rules *rs)
{
	want_base(t, name, NFT_HOOK_NONE, false, 0, comment, rs);
}

static void add_drop(struct rules *rs, const char *why)
{
	struct nft_rule *r = rules_add(rs);

	rule_counter(r);
	rule_verdict(r, NFT_V_DROP, NULL);
	rule_comment(r, why);
}

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
	want_plain(t, "neighbours", "neighbour discovery between this node and its pods", &rs);
}

static void want_antispoof(struct nft_table *t, const struct base *b)
{
	/* A shortcut for what comes from elsewhere; which interfaces are pods' the set says. */
	static const char perhaps_a_pod[] = HOST_IFNAME_PREFIX "*", lo[] = "lo";
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
	add_drop(&rs, "not the pod's own address");
	want_plain(t, "from_pod", "what comes out of a local pod", &rs);

	r = rules_add(&rs);
	rule_match(r, NFT_IIFNAME, perhaps_a_pod, sizeof(perhaps_a_pod) - 1);
	rule_lookup(r, set_name(b->links), false, NFT_IIFNAME, 0);
	rule_verdict(r, NFT_V_GOTO, "from_pod");
	/* What the node sends to itself: a transparent proxy speaks with its clients' addresses. */
	r = rules_add(&rs);
	rule_match(r, NFT_IIFNAME, lo, sizeof(lo));
	rule_verdict(r, NFT_V_ACCEPT, NULL);
	for (int six = 0; six < 2; six++) {
		r = rules_add(&rs);
		rule_lookup(r, set_name(b->local[six]), false, six ? NFT_IP6_SADDR : NFT_IP_SADDR,
			    0);
		rule_counter(r);
		rule_verdict(r, NFT_V_DROP, NULL);
		rule_comment(r, "a local pod's address, from elsewhere");
	}
	want_base(t, "antispoof", NFT_HOOK_PREROUTING, false, PRIORITY_RAW,
		  "pods send from their own addresses only, and nobody else does", &rs);
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
	want_plain(t, "cut", "replies of connections that were cut", &rs);
}

/* The egress program returns what it allows, the ingress program accepts. */
static void want_filter(struct nft_table *t, const struct base *b)
{
	static const uint8_t icmp6 = IPPROTO_ICMPV6;
	struct rules rs = {0};
	struct nft_rule *r;

	add_drop(&rs, "the pod's object is not known yet");
	want_plain(t, BASE_UNKNOWN_POD, "pods whose object is not known", &rs);

	add_established(&rs);
	r = rules_add(&rs); /* which connection tracking leaves alone */
	rule_match(r, NFT_L4PROTO, &icmp6, sizeof(icmp6));
	rule_verdict(r, NFT_V_JUMP, "neighbours");
	add_cut(&rs);
	rule_vmap(rules_add(&rs), set_name(b->verdicts[1][0]), NFT_IP_SADDR, 0);
	rule_vmap(rules_add(&rs), set_name(b->verdicts[1][1]), NFT_IP6_SADDR, 0);
	want_base(t, "input", NFT_HOOK_INPUT, false, PRIORITY_FILTER,
		  "egress of local pods towards this node", &rs);

	add_established(&rs);
	add_cut(&rs);
	for (int six = 0; six < 2; six++) {
		r = rules_add(&rs);
		if (six)
			rule_lookup(r, set_name(b->self[1]), false, NFT_IP6_SADDR, NFT_IP6_DADDR,
				    0);
		else
			rule_lookup(r, set_name(b->self[0]), false, NFT_IP_SADDR, NFT_IP_DADDR, 0);
		rule_verdict(r, NFT_V_ACCEPT, NULL);
	}
	rule_vmap(rules_add(&rs), set_name(b->verdicts[1][0]), NFT_IP_SADDR, 0);
	rule_vmap(rules_add(&rs), set_name(b->verdicts[1][1]), NFT_IP6_SADDR, 0);
	rule_vmap(rules_add(&rs), set_name(b->verdicts[0][0]), NFT_IP_DADDR, 0);
	rule_vmap(rules_add(&rs), set_name(b->verdicts[0][1]), NFT_IP6_DADDR, 0);
	want_base(t, BASE_FORWARD, NFT_HOOK_FORWARD, false, PRIORITY_FILTER,
		  "NetworkPolicy of local pods", &rs);
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
	want_plain(t, "hostports", "host ports of local pods", &rs);
	rule_verdict(rules_add(&rs), NFT_V_JUMP, "hostports");
	want_base(t, "hostports_in", NFT_HOOK_PREROUTING, true, PRIORITY_DSTNAT,
		  "host ports, from outside and from pods", &rs);
	/* A chain of type nat sees the first packet of a connection only. */
	add_cut(&rs);
	rule_verdict(rules_add(&rs), NFT_V_JUMP, "hostports");
	want_base(t, "hostports_out", NFT_HOOK_OUTPUT, true, PRIORITY_DSTNAT,
		  "host ports, from the node itself", &rs);
}

static void want_masquerade(struct nft_table *t, const struct base *b)
{
	struct rules rs = {0};

	for (int six = 0; six < 2; six++) {
		enum nft_field from = six ? NFT_IP6_SADDR : NFT_IP_SADDR;
		enum nft_field to = six ? NFT_IP6_DADDR : NFT_IP_DADDR;
		struct nft_rule *r = rules_add(&rs);

		rule_lookup(r, set_name(b->self[six]), false, from, to, 0);
		rule_masquerade(r);
		rule_comment(r, "a pod that reaches itself through NAT");
		r = rules_add(&rs);
		rule_lookup(r, set_name(b->pod_ranges[six]), false, from, 0);
		rule_lookup(r, set_name(b->cluster[six]), true, to, 0);
		rule_masquerade(r);
		rule_comment(r, "leaves the cluster");
	}
	want_base(t, "outbound", NFT_HOOK_POSTROUTING, true, PRIORITY_SRCNAT,
		  "source address of what leaves the cluster", &rs);
}

/**
 * base_want() - Want the fixed program
 * @t:   Table
 * @ret: Its sets
 */
void base_want(struct nft_table *t, struct base *ret)
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
	want_antispoof(t, ret);
	want_cut(t, ret);
	want_filter(t, ret);
	want_hostports(t, ret);
	want_masquerade(t, ret);
}
