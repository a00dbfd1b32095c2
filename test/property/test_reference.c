// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_reference.c - the reference itself, by cases written by hand.
 *
 * Where a case is the documentation's own, its manifest is taken over in meaning and the sentence
 * that explains it is the expectation.  Source:
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "cluster.h"
#include "lib/intern.h"

/*
 * Namespaces default, myproject (project: myproject), other.  Local: db, web and frontend in
 * default, client in myproject, alice in other.  Elsewhere: far in default, 10.2.0.7.
 */
static const char base[] =
	"{apiVersion: v1, kind: Namespace, metadata: {name: default}}\n---\n"
	"{apiVersion: v1, kind: Namespace,"
	" metadata: {name: myproject, labels: {project: myproject, user: alice}}}\n---\n"
	"{apiVersion: v1, kind: Namespace, metadata: {name: other, labels: {user: bob}}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: default, labels: {role: db}},"
	" spec: {containers: [{name: c, ports: [{name: sql, containerPort: 6379}]}]}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: default,"
	" labels: {role: web}}, spec: {containers: [{name: c, ports:"
	" [{name: sql, containerPort: 1000}, {name: dns, protocol: UDP, containerPort: 53}]}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: frontend, namespace: default,"
	" labels: {role: frontend}}, spec: {}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: myproject,"
	" labels: {role: client}}, spec: {}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: alice, namespace: other,"
	" labels: {role: client}}, spec: {}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: far, namespace: default,"
	" labels: {role: frontend}}, spec: {containers: [{name: c, ports:"
	" [{name: sql, containerPort: 2000}]}]}, status: {podIPs: [{ip: 10.2.0.7}]}}\n";

#define DB	 "10.1.0.1"
#define WEB	 "10.1.0.2"
#define FRONTEND "10.1.0.3"
#define CLIENT	 "10.1.0.4"
#define ALICE	 "10.1.0.5"
#define FAR	 "10.2.0.7"

static void add(struct cluster *c, const char *yaml)
{
	struct err e = {0};

	if (cluster_add(c, "case.yaml", yaml, &e) < 0)
		fail_msg("%s", e.msg);
}

static void attach(struct cluster *c, const char *text)
{
	struct err e = {0};

	if (cluster_attach(c, text, &e) < 0)
		fail_msg("%s", e.msg);
}

static struct cluster cluster_with(const char *yaml)
{
	struct cluster c = {0};

	add(&c, base);
	attach(&c, "default/db=" DB ",fd00::1");
	attach(&c, "default/web=" WEB);
	attach(&c, "default/frontend=" FRONTEND);
	attach(&c, "myproject/client=" CLIENT);
	attach(&c, "other/alice=" ALICE);
	if (yaml)
		add(&c, yaml);
	return c;
}

static struct cluster cluster_with_policy(const char *spec)
{
	_cleanup_(freep) char *yaml =
		xasprintf("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
			  "metadata: {name: p, namespace: default}\nspec: {%s}\n",
			  spec);

	return cluster_with(yaml);
}

static void finish(struct cluster *c)
{
	cluster_done(c);
	assert_int_equal(intern_count(), 0);
}

static bool passes(const struct cluster *c, const char *src, const char *dst, const char *port,
		   enum packet_path path)
{
	struct packet p = {.path = path};
	struct wire_port wp;

	assert_int_equal(addr_parse(src, &p.src), 0);
	assert_int_equal(addr_parse(dst, &p.dst), 0);
	assert_int_equal(wire_port_parse(port, &wp, NULL), 0);
	p.protocol = wp.protocol;
	p.dport = wp.port;
	return reference_allows(&c->world, &p);
}

static void yes(const struct cluster *c, const char *src, const char *dst, const char *port)
{
	if (!passes(c, src, dst, port, FORWARDED))
		fail_msg("%s -> %s %s does not pass", src, dst, port);
}

static void no(const struct cluster *c, const char *src, const char *dst, const char *port)
{
	if (passes(c, src, dst, port, FORWARDED))
		fail_msg("%s -> %s %s passes", src, dst, port);
}

/* --- the documentation's examples --------------------------------------------------------------
 */

/* "By default, a pod is non-isolated [...]; all connections are allowed." */
static void no_policy_no_isolation(void **state _unused_)
{
	struct cluster c = cluster_with(NULL);

	yes(&c, WEB, DB, "tcp/6379");
	yes(&c, "203.0.113.9", DB, "icmp");
	yes(&c, DB, "203.0.113.9", "udp/53");
	finish(&c);
}

static void default_deny_ingress(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, policyTypes: [Ingress]");

	no(&c, CLIENT, DB, "tcp/6379");
	no(&c, WEB, DB, "icmp");
	no(&c, "fd00::99", "fd00::1", "tcp/1");
	yes(&c, DB, CLIENT, "tcp/80");
	finish(&c);
}

/* "An empty ingress rule allows all", and "no policy [...] can cause [...] to be denied". */
static void allow_all_ingress(void **state _unused_)
{
	struct cluster c =
		cluster_with_policy("podSelector: {}, ingress: [{}], policyTypes: [Ingress]");

	add(&c, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
		"metadata: {name: deny, namespace: default}\n"
		"spec: {podSelector: {}, policyTypes: [Ingress]}\n");
	yes(&c, CLIENT, DB, "tcp/6379");
	yes(&c, "203.0.113.9", DB, "icmp");
	finish(&c);
}

static void default_deny_egress(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, policyTypes: [Egress]");

	no(&c, DB, CLIENT, "tcp/80");
	no(&c, DB, WEB, "tcp/80");
	no(&c, DB, "203.0.113.9", "icmp");
	yes(&c, CLIENT, DB, "tcp/80");
	finish(&c);
}

static void default_deny_all(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, policyTypes: [Ingress, Egress]");

	no(&c, DB, CLIENT, "tcp/80");
	no(&c, CLIENT, DB, "tcp/80");
	yes(&c, CLIENT, ALICE, "tcp/80");
	finish(&c);
}

/* The page's first manifest, "test-network-policy". */
static void the_network_policy_resource(void **state _unused_)
{
	struct cluster c = cluster_with_policy(
		"podSelector: {matchLabels: {role: db}}, policyTypes: [Ingress, Egress],"
		"ingress: [{from: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}},"
		" {namespaceSelector: {matchLabels: {project: myproject}}},"
		" {podSelector: {matchLabels: {role: frontend}}}],"
		" ports: [{protocol: TCP, port: 6379}]}],"
		"egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}],"
		" ports: [{protocol: TCP, port: 5978}]}]");

	yes(&c, FRONTEND, DB, "tcp/6379");
	yes(&c, FAR, DB, "tcp/6379");
	yes(&c, CLIENT, DB, "tcp/6379");
	no(&c, WEB, DB, "tcp/6379");
	no(&c, ALICE, DB, "tcp/6379");
	no(&c, FRONTEND, DB, "tcp/6380");
	no(&c, FRONTEND, DB, "udp/6379");
	no(&c, FRONTEND, DB, "icmp");
	yes(&c, "172.17.0.0", DB, "tcp/6379");
	yes(&c, "172.17.0.255", DB, "tcp/6379");
	no(&c, "172.17.1.0", DB, "tcp/6379");
	no(&c, "172.17.1.255", DB, "tcp/6379");
	yes(&c, "172.17.2.0", DB, "tcp/6379");
	no(&c, "172.18.0.0", DB, "tcp/6379");
	yes(&c, DB, "10.0.0.255", "tcp/5978");
	no(&c, DB, "10.0.1.0", "tcp/5978");
	no(&c, DB, "10.0.0.1", "tcp/5979");
	yes(&c, WEB, FRONTEND, "tcp/1");
	finish(&c);
}

/* "a single from element allowing connections from Pods with the label role=client in namespaces
 * with the label user=alice" */
static void selectors_of_one_peer_are_anded(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, ingress: [{from: "
					       "[{namespaceSelector: {matchLabels: {user: alice}},"
					       " podSelector: {matchLabels: {role: client}}}]}]");

	yes(&c, CLIENT, DB, "tcp/80");
	no(&c, ALICE, DB, "tcp/80");
	no(&c, FRONTEND, DB, "tcp/80");
	finish(&c);
}

/* "[...] two elements in the from array, and allows connections from Pods in the local Namespace
 * with the label role=client, or from any Pod in any namespace with the label user=alice." */
static void peers_are_ored(void **state _unused_)
{
	struct cluster c =
		cluster_with_policy("podSelector: {}, ingress: [{from: [{namespaceSelector: "
				    "{matchLabels: {user: alice}}},"
				    " {podSelector: {matchLabels: {role: frontend}}}]}]");

	yes(&c, CLIENT, DB, "tcp/80");
	yes(&c, FRONTEND, DB, "tcp/80");
	no(&c, ALICE, DB, "tcp/80");
	no(&c, WEB, DB, "tcp/80");
	finish(&c);
}

/* "Targeting a range of ports": 32000 to 32768, both included. */
static void end_port(void **state _unused_)
{
	struct cluster c =
		cluster_with_policy("podSelector: {matchLabels: {role: db}}, policyTypes: [Egress],"
				    "egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}],"
				    " ports: [{protocol: TCP, port: 32000, endPort: 32768}]}]");

	no(&c, DB, "10.0.0.1", "tcp/31999");
	yes(&c, DB, "10.0.0.1", "tcp/32000");
	yes(&c, DB, "10.0.0.1", "tcp/32768");
	no(&c, DB, "10.0.0.1", "tcp/32769");
	no(&c, DB, "10.0.0.1", "udp/32000");
	finish(&c);
}

/* "Targeting multiple namespaces by label", and "a Namespace by its name". */
static void namespaces_by_expression_and_name(void **state _unused_)
{
	struct cluster c = cluster_with_policy(
		"podSelector: {}, policyTypes: [Egress], egress: ["
		"{to: [{namespaceSelector: {matchExpressions:"
		" [{key: user, operator: In, values: [alice, carol]}]}}]},"
		"{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}],"
		" ports: [{port: 443}]}]");

	yes(&c, DB, CLIENT, "tcp/80");
	yes(&c, DB, ALICE, "tcp/443");
	no(&c, DB, ALICE, "tcp/80");
	no(&c, DB, WEB, "tcp/443");
	finish(&c);
}

/* --- what the API reference says of single fields ----------------------------------------------
 */

static void four_operators(void **state _unused_)
{
	static const struct {
		const char *expression;
		bool web, plain; /* role: web; no label at all */
	} cases[] = {
		{"{key: role, operator: In, values: [web, db]}", true, false},
		{"{key: role, operator: NotIn, values: [db]}", true, true},
		{"{key: role, operator: NotIn, values: [web]}", false, true},
		{"{key: role, operator: Exists}", true, false},
		{"{key: role, operator: DoesNotExist}", false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *spec = xasprintf(
			"podSelector: {matchLabels: {role: db}}, ingress: [{from: [{podSelector:"
			" {matchExpressions: [%s]}}]}]",
			cases[i].expression);
		struct cluster c = cluster_with_policy(spec);

		add(&c, "{apiVersion: v1, kind: Pod, metadata: {name: plain, namespace: default},"
			" spec: {}, status: {podIPs: [{ip: 10.2.0.9}]}}");
		assert_int_equal(passes(&c, WEB, DB, "tcp/1", FORWARDED), cases[i].web);
		assert_int_equal(passes(&c, "10.2.0.9", DB, "tcp/1", FORWARDED), cases[i].plain);
		finish(&c);
	}
}

/* "If this field is empty or missing, this rule matches all [...]"; an entry of ports without a
 * port "matches all ports" of its protocol, which is TCP by default. */
static void empty_and_missing(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, ingress: [{from: [], ports: []}]");

	yes(&c, "203.0.113.9", DB, "icmp");
	finish(&c);
	c = cluster_with_policy("podSelector: {}, ingress: [{from: [{podSelector: {}}]}]");
	yes(&c, WEB, DB, "icmp");
	no(&c, CLIENT, DB, "icmp");
	no(&c, "203.0.113.9", DB, "tcp/1");
	finish(&c);
	c = cluster_with_policy("podSelector: {}, ingress: [{ports: [{}]}]");
	yes(&c, "203.0.113.9", DB, "tcp/65535");
	no(&c, "203.0.113.9", DB, "udp/53");
	no(&c, "203.0.113.9", DB, "icmp");
	finish(&c);
	c = cluster_with_policy("podSelector: {}, ingress: []");
	no(&c, WEB, DB, "tcp/1");
	finish(&c);
}

/* policyTypes: "If no policyTypes are specified [...] Ingress will always be set and Egress will be
 * set if the NetworkPolicy has any egress rules." */
static void policy_types_by_default(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}");

	no(&c, CLIENT, DB, "tcp/1");
	yes(&c, DB, CLIENT, "tcp/1");
	finish(&c);
	c = cluster_with_policy("podSelector: {}, egress: [{ports: [{port: 53, protocol: UDP}]}]");
	no(&c, CLIENT, DB, "tcp/1");
	no(&c, DB, CLIENT, "tcp/1");
	yes(&c, DB, CLIENT, "udp/53");
	finish(&c);
}

/* An ingress name is the local pod's; name and protocol count. */
static void named_port_for_ingress(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, ingress: [{ports: [{port: sql},"
					       " {port: dns, protocol: UDP}]}]");

	yes(&c, CLIENT, DB, "tcp/6379");
	no(&c, CLIENT, DB, "tcp/1000");
	yes(&c, CLIENT, WEB, "tcp/1000");
	no(&c, CLIENT, WEB, "tcp/6379");
	no(&c, CLIENT, WEB, "udp/1000");
	yes(&c, CLIENT, WEB, "udp/53");
	no(&c, CLIENT, WEB, "tcp/53");
	no(&c, CLIENT, FRONTEND, "tcp/6379");
	finish(&c);
}

/* An egress name is that of each destination pod; no address outside pods has one. */
static void named_port_for_egress(void **state _unused_)
{
	struct cluster c = cluster_with_policy(
		"podSelector: {matchLabels: {role: frontend}}, policyTypes: [Egress],"
		" egress: [{ports: [{port: sql}]}]");

	yes(&c, FRONTEND, DB, "tcp/6379");
	yes(&c, FRONTEND, WEB, "tcp/1000");
	yes(&c, FRONTEND, FAR, "tcp/2000");
	no(&c, FRONTEND, FAR, "tcp/6379");
	no(&c, FRONTEND, "203.0.113.9", "tcp/6379");
	finish(&c);
	c = cluster_with_policy(
		"podSelector: {matchLabels: {role: frontend}}, policyTypes: [Egress], egress:"
		" [{ports: [{port: sql}], to: [{podSelector: {matchLabels: {role: db}}},"
		" {ipBlock: {cidr: 10.0.0.0/8}}]}]");
	yes(&c, FRONTEND, DB, "tcp/6379");
	no(&c, FRONTEND, WEB, "tcp/1000");
	no(&c, FRONTEND, FAR, "tcp/2000");
	finish(&c);
}

/* Pod addresses inside a block count, and an exception takes only its own peer's block away. */
static void blocks_contain_pods(void **state _unused_)
{
	struct cluster c =
		cluster_with_policy("podSelector: {matchLabels: {role: db}}, ingress: [{from: ["
				    "{ipBlock: {cidr: 10.1.0.0/24, except: [10.1.0.2/31]}},"
				    "{ipBlock: {cidr: 10.1.0.3/32}}]}]");

	no(&c, WEB, DB, "tcp/1");
	yes(&c, FRONTEND, DB, "tcp/1");
	yes(&c, CLIENT, DB, "tcp/1");
	no(&c, FAR, DB, "tcp/1");
	no(&c, "fd00::2", "fd00::1", "tcp/1");
	finish(&c);
}

/* --- who is a pod, and who is local ------------------------------------------------------------
 */

/* "both the egress policy on the source pod and the ingress policy on the destination pod need to
 * allow the connection" */
static void both_ends_must_allow(void **state _unused_)
{
	struct cluster c = cluster_with_policy(
		"podSelector: {matchLabels: {role: web}}, policyTypes: [Egress],"
		" egress: [{to: [{podSelector: {matchLabels: {role: db}}}]}]");

	yes(&c, WEB, DB, "tcp/1");
	add(&c, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
		"metadata: {name: db, namespace: default}\n"
		"spec: {podSelector: {matchLabels: {role: db}}, ingress: [{from: [{podSelector:"
		" {matchLabels: {role: frontend}}}]}]}\n");
	no(&c, WEB, DB, "tcp/1");
	yes(&c, FRONTEND, DB, "tcp/1");
	finish(&c);
}

/* "Traffic to and from the node [...] is always allowed" to the pod, "a Pod cannot block access to
 * itself"; egress rules hold towards the node. */
static void node_and_self(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, policyTypes: [Ingress, Egress]");

	assert_true(passes(&c, "192.168.0.1", DB, "tcp/1", FROM_NODE));
	assert_false(passes(&c, DB, "192.168.0.1", "tcp/1", TO_NODE));
	assert_true(passes(&c, CLIENT, "192.168.0.1", "tcp/1", TO_NODE));
	yes(&c, DB, DB, "tcp/1");
	no(&c, "192.168.0.2", DB, "tcp/1");
	finish(&c);
}

static void unknown_pod_is_isolated(void **state _unused_)
{
	struct cluster c = cluster_with(NULL);

	attach(&c, "default/new=10.1.0.9");
	no(&c, "10.1.0.9", CLIENT, "tcp/1");
	no(&c, CLIENT, "10.1.0.9", "tcp/1");
	assert_false(passes(&c, "10.1.0.9", "192.168.0.1", "tcp/1", TO_NODE));
	assert_true(passes(&c, "192.168.0.1", "10.1.0.9", "tcp/1", FROM_NODE));
	yes(&c, "10.1.0.9", "10.1.0.9", "tcp/1");
	add(&c, "{apiVersion: v1, kind: Pod, metadata: {name: new, namespace: default}, spec: {}}");
	yes(&c, CLIENT, "10.1.0.9", "tcp/1");
	finish(&c);
}

static void who_is_nobodys_peer(void **state _unused_)
{
	struct cluster c = cluster_with_policy(
		"podSelector: {matchLabels: {role: db}}, ingress: [{from: [{podSelector: {}},"
		" {namespaceSelector: {}}]}]");

	add(&c, "{apiVersion: v1, kind: Pod, metadata: {name: host, namespace: default},"
		" spec: {hostNetwork: true}, status: {podIPs: [{ip: 192.168.0.5}]}}\n---\n"
		"{apiVersion: v1, kind: Pod, metadata: {name: done, namespace: default}, spec: {},"
		" status: {phase: Succeeded, podIPs: [{ip: 10.2.0.10}]}}\n---\n"
		"{apiVersion: v1, kind: Pod, metadata: {name: lost, namespace: nowhere}, spec: {},"
		" status: {podIPs: [{ip: 10.2.0.11}]}}");
	no(&c, "192.168.0.5", DB, "tcp/1");
	no(&c, "10.2.0.10", DB, "tcp/1");
	no(&c, "10.2.0.11", DB, "tcp/1");
	yes(&c, FAR, DB, "tcp/1");
	attach(&c, "default/done=10.1.0.10");
	yes(&c, "10.1.0.10", DB, "tcp/1");
	no(&c, "10.2.0.10", DB, "tcp/1");
	finish(&c);
}

static void host_network_pods_are_not_isolated(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {}, policyTypes: [Ingress, Egress]");

	add(&c, "{apiVersion: v1, kind: Pod, metadata: {name: host, namespace: default},"
		" spec: {hostNetwork: true}}");
	attach(&c, "default/host=10.1.0.11");
	yes(&c, CLIENT, "10.1.0.11", "tcp/1");
	yes(&c, "10.1.0.11", CLIENT, "tcp/1");
	finish(&c);
}

/* Fails closed: isolated in its directions, and nothing is allowed. */
static void policy_that_was_set_aside(void **state _unused_)
{
	struct cluster c = cluster_with_policy("podSelector: {matchLabels: {role: db}},"
					       " ingress: [{ports: [{port: 1, endPort: 70000}]}]");

	no(&c, CLIENT, DB, "tcp/1");
	yes(&c, DB, CLIENT, "tcp/1");
	yes(&c, CLIENT, WEB, "tcp/1");
	finish(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_policy_no_isolation),
		cmocka_unit_test(default_deny_ingress),
		cmocka_unit_test(allow_all_ingress),
		cmocka_unit_test(default_deny_egress),
		cmocka_unit_test(default_deny_all),
		cmocka_unit_test(the_network_policy_resource),
		cmocka_unit_test(selectors_of_one_peer_are_anded),
		cmocka_unit_test(peers_are_ored),
		cmocka_unit_test(end_port),
		cmocka_unit_test(namespaces_by_expression_and_name),
		cmocka_unit_test(four_operators),
		cmocka_unit_test(empty_and_missing),
		cmocka_unit_test(policy_types_by_default),
		cmocka_unit_test(named_port_for_ingress),
		cmocka_unit_test(named_port_for_egress),
		cmocka_unit_test(blocks_contain_pods),
		cmocka_unit_test(both_ends_must_allow),
		cmocka_unit_test(node_and_self),
		cmocka_unit_test(unknown_pod_is_isolated),
		cmocka_unit_test(who_is_nobodys_peer),
		cmocka_unit_test(host_network_pods_are_not_isolated),
		cmocka_unit_test(policy_that_was_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
