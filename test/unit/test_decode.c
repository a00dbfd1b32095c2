// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_decode.c - objects from YAML: what is read, what is filled in, what is refused and how.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/intern.h"
#include "lib/vec.h"
#include "watch/document/yaml.h"
#include "watch/object/decode.h"
#include "watch/object/decode_internal.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/node.h"
#include "watch/object/pod.h"

struct result {
	VEC(struct object *) o;
	size_t unknown;
	struct err e;
	int r;
};

static void take(void *arg, enum decode_outcome outcome, struct object *o,
		 const struct value *at _unused_)
{
	struct result *t = arg;

	if (outcome == DECODE_UNKNOWN_KIND)
		t->unknown++;
	else if (outcome == DECODE_STAND_IN)
		(void)object_free(o);
	else
		vec_push(&t->o, o);
}

static int on_document(void *arg, const struct value_doc *doc)
{
	struct result *t = arg;
	struct err e = {0};

	if (decode_document(value_root(doc), take, t, &e) < 0 && t->r == 0) {
		t->r = -1;
		t->e = e;
	}
	return 0;
}

static struct result decode(const char *yaml)
{
	struct result t = {0};
	struct err e = {0};

	if (yaml_parse(yaml, strlen(yaml), on_document, &t, &e) < 0)
		fail_msg("%s", e.msg);
	return t;
}

static void done(struct result *t)
{
	vec_foreach (o, &t->o)
		(void)object_free(*o);
	vec_done(&t->o);
	assert_int_equal(intern_count(), 0);
}

/* A policy of namespace "ns" with this spec, in flow style. */
static struct result policy(const char *spec)
{
	_cleanup_(freep) char *yaml = xasprintf("apiVersion: networking.k8s.io/v1\n"
						"kind: NetworkPolicy\n"
						"metadata: {name: p, namespace: ns}\n"
						"spec: %s\n",
						spec);
	struct result t = decode(yaml);

	assert_int_equal(t.o.n, 1);
	assert_int_equal(t.r, 0);
	return t;
}

static void expect_problem(const char *spec, const char *problem)
{
	struct result t = policy(spec);
	const struct netpol *p = as_netpol(t.o.v[0]);

	if (!p->o.problem)
		fail_msg("accepted: %s", spec);
	assert_string_equal(p->o.problem, problem);
	assert_int_equal(p->n_rules[INGRESS] + p->n_rules[EGRESS], 0);
	done(&t);
}

static void policies_that_are_wrong(void **state _unused_)
{
	static const char *const cases[][2] = {
		{"{podSelector: {}, ingress: [{ports: [{port: 80}, {port: 9, endPort: 70000}]}]}",
		 "spec.ingress[0].ports[1].endPort: 70000 is above 65535 (line 4)"},
		{"{podSelector: {}, ingress: [{ports: [{port: 90, endPort: 80}]}]}",
		 "spec.ingress[0].ports[0].endPort: 80 is below port 90"},
		{"{podSelector: {}, ingress: [{ports: [{port: http, endPort: 80}]}]}",
		 "spec.ingress[0].ports[0].endPort: needs a numeric port"},
		{"{podSelector: {}, ingress: [{ports: [{endPort: 80}]}]}",
		 "spec.ingress[0].ports[0].endPort: needs a numeric port"},
		{"{podSelector: {}, ingress: [{ports: [{port: 0}]}]}",
		 "spec.ingress[0].ports[0].port: 0 is below 1 (line 4)"},
		{"{podSelector: {}, ingress: [{ports: [{port: Not_A_Name}]}]}",
		 "spec.ingress[0].ports[0].port: neither a number from 1 to 65535 nor a port name"},
		{"{podSelector: {}, ingress: [{ports: [{protocol: ICMP}]}]}",
		 "spec.ingress[0].ports[0].protocol: 'ICMP' is not TCP, UDP or SCTP"},
		{"{podSelector: {}, ingress: [{from: [{}]}]}",
		 "spec.ingress[0].from[0]: podSelector, namespaceSelector or ipBlock is required"},
		{"{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: "
		 "{}}]}]}",
		 "spec.ingress[0].from[0]: ipBlock excludes podSelector and namespaceSelector"},
		{"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}",
		 "spec.egress[0].to[0].ipBlock.cidr: '10.0.0.0/33' is not a CIDR"},
		{"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: "
		 "[11.0.0.0/16]}}]}]}",
		 "spec.egress[0].to[0].ipBlock.except[0]: '11.0.0.0/16' is not strictly inside "
		 "cidr 10.0.0.0/8"},
		{"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: "
		 "[10.0.0.0/8]}}]}]}",
		 "spec.egress[0].to[0].ipBlock.except[0]: '10.0.0.0/8' is not strictly inside cidr "
		 "10.0.0.0/8"},
		{"{podSelector: {}, policyTypes: [Both]}",
		 "spec.policyTypes[0]: neither Ingress nor Egress"},
		{"{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
		 "spec.podSelector.matchExpressions[0].values: required for In and NotIn"},
		{"{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
		 "spec.podSelector.matchExpressions[0].values: forbidden for Exists and "
		 "DoesNotExist"},
		{"{podSelector: {matchExpressions: [{key: a, operator: Like}]}}",
		 "spec.podSelector.matchExpressions[0].operator: 'Like' is not In, NotIn, Exists "
		 "or "
		 "DoesNotExist"},
		{"{podSelector: {matchLabels: {a: 1}}}",
		 "spec.podSelector.matchLabels.a: expected a string, found an integer (line 4)"},
		{"{podSelector: {matchLabels: {'-x': b}}}",
		 "spec.podSelector.matchLabels: '-x' is not a label key"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_problem(cases[i][0], cases[i][1]);
}

/* A wrong policy isolates what it selects, as far as that can be read, and allows nothing. */
static void wrong_policies_fail_closed(void **state _unused_)
{
	struct result t = policy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], "
				 "ingress: [{}], egress: [{ports: [{port: 0}]}]}");
	const struct netpol *p = as_netpol(t.o.v[0]);

	assert_int_equal(p->selects.n, 1);
	assert_false(p->isolates[INGRESS]);
	assert_true(p->isolates[EGRESS]);
	done(&t);

	t = policy("{podSelector: {matchLabels: {app: '!'}}, policyTypes: [Egress]}");
	p = as_netpol(t.o.v[0]);
	assert_non_null(p->o.problem);
	assert_int_equal(p->selects.n, 0); /* the whole namespace */
	assert_false(p->isolates[INGRESS]);
	assert_true(p->isolates[EGRESS]);
	done(&t);

	t = policy("{podSelector: {}, policyTypes: [Ingress, None]}");
	p = as_netpol(t.o.v[0]);
	assert_true(p->isolates[INGRESS] && p->isolates[EGRESS]);
	done(&t);

	t = policy("[]");
	p = as_netpol(t.o.v[0]);
	assert_non_null(p->o.problem);
	assert_true(p->isolates[INGRESS] && p->isolates[EGRESS]);
	done(&t);
}

static void policy_types_default(void **state _unused_)
{
	static const struct {
		const char *spec;
		bool in, out;
	} cases[] = {
		{"{podSelector: {}}", true, false},
		{"{podSelector: {}, ingress: []}", true, false},
		{"{podSelector: {}, egress: []}", true, false},
		{"{podSelector: {}, egress: [{}]}", true, true},
		{"{podSelector: {}, policyTypes: [Egress]}", false, true},
		{"{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", true, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct result t = policy(cases[i].spec);
		const struct netpol *p = as_netpol(t.o.v[0]);

		assert_null(p->o.problem);
		assert_int_equal(p->isolates[INGRESS], cases[i].in);
		assert_int_equal(p->isolates[EGRESS], cases[i].out);
		done(&t);
	}
}

static void a_whole_policy(void **state _unused_)
{
	struct result t =
		policy("{podSelector: {matchLabels: {b: x, a: z}}, ingress: ["
		       "{from: [{namespaceSelector: {}}, {podSelector: {matchExpressions: "
		       "[{key: t, operator: In, values: [c, b, c]}]}}], ports: [{port: 80}, "
		       "{protocol: UDP, port: dns}, {protocol: SCTP}, {port: 1, endPort: 9}]}]}");
	const struct netpol *p = as_netpol(t.o.v[0]);
	const struct policy_rule *r = &p->rules[INGRESS][0];

	assert_null(p->o.problem);
	assert_string_equal(p->selects.v[0].key, "a");
	assert_int_equal(r->n_peers, 2);
	assert_true(r->peers[0].ns_given);
	assert_false(r->peers[1].ns_given);
	assert_int_equal(r->peers[1].pods.v[0].n_values, 2);
	assert_string_equal(r->peers[1].pods.v[0].values[0], "b");
	assert_int_equal(r->n_ports, 4);
	assert_int_equal(r->ports[0].protocol, PROTO_TCP);
	assert_int_equal(r->ports[0].end_port, 80);
	assert_int_equal(r->ports[1].kind, PORT_NAME);
	assert_int_equal(r->ports[2].kind, PORT_ALL);
	assert_int_equal(r->ports[3].end_port, 9);
	done(&t);
}

static void pods(void **state _unused_)
{
	struct result t =
		decode("apiVersion: v1\nkind: Pod\n"
		       "metadata: {name: a, uid: u-1, labels: {k: v}, annotations: "
		       "{kubernetes.io/config.hash: h}}\n"
		       "spec:\n  nodeName: n1\n  containers:\n"
		       "  - ports: [{name: http, containerPort: 80}, {containerPort: 81}]\n"
		       "  - ports: [{name: http, containerPort: 90}, {name: http, protocol: UDP, "
		       "containerPort: 91}]\n"
		       "  initContainers:\n  - ports: [{name: side, containerPort: 7}]\n"
		       "status: {phase: Running, podIPs: [{ip: 'fd00::1'}, {ip: 10.0.0.1}]}\n");
	const struct pod *p = as_pod(t.o.v[0]);

	assert_null(p->o.problem);
	assert_string_equal(p->o.ns, "default");
	assert_string_equal(p->mirror_of, "h");
	assert_int_equal(p->n_ips, 2);
	assert_int_equal(p->ips[0].family, 2); /* IPv4 first */
	assert_int_equal(p->n_ports, 3);
	assert_int_equal(p->ports[0].port, 80); /* the first http of TCP */
	assert_int_equal(p->ports[1].port, 91);
	assert_string_equal(p->ports[2].name, "side");
	done(&t);

	t = decode("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true}\n"
		   "status: {phase: Failed, podIP: 10.0.0.300}\n");
	p = as_pod(t.o.v[0]);
	assert_string_equal(p->o.problem, "status.podIP: '10.0.0.300' is not an address");
	assert_true(p->host_network && p->finished);
	done(&t);
}

static void nodes_and_namespaces(void **state _unused_)
{
	struct result t = decode(
		"{apiVersion: v1, kind: Node, metadata: {name: n.example}, spec: {podCIDR: "
		"10.9.0.0/24, "
		"podCIDRs: [10.1.0.0/24, 'fd00::/64']}, status: {addresses: ["
		"{type: Hostname, address: node-1}, {type: InternalIP, address: "
		"192.0.2.1}]}}\n---\n"
		"{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {team: x}}}\n---\n"
		"{apiVersion: v1, kind: Node, metadata: {name: m}, spec: {podCIDR: nonsense}}\n");
	const struct node *n = as_node(t.o.v[0]);

	assert_int_equal(t.o.n, 3);
	assert_int_equal(n->n_pod_cidrs, 2);
	assert_int_equal(n->n_internal_ips, 1);
	assert_string_equal(
		labels_get(&as_namespace(t.o.v[1])->labels, "kubernetes.io/metadata.name"), "web");
	assert_string_equal(t.o.v[2]->problem, "spec.podCIDR: 'nonsense' is not a CIDR");
	done(&t);
}

/* Which Node is older: as the API server writes it, or not known. */
static void creation_of_a_node(void **state _unused_)
{
	static const struct {
		const char *text;
		uint64_t created;
	} cases[] = {
		{"'2026-11-30T12:00:00Z'", 20261130120000},
		{"2026-11-30T12:00:00Z", 20261130120000},
		{"'1969-01-01T00:00:01Z'", 19690101000001},
		{"'2026-11-30T12:00:00+'", 0},
		{"'2026-11-30T12:0x:00Z'", 0},
		{"'2026-11-30T12:00:00Z '", 0},
		{"'2026-11-30'", 0},
		{"null", 0},
		{"7", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *text =
			xasprintf("{apiVersion: v1, kind: Node, metadata: {name: one, "
				  "creationTimestamp: %s}}",
				  cases[i].text);
		struct result t = decode(text);

		assert_int_equal(t.o.n, 1);
		assert_null(t.o.v[0]->problem);
		assert_int_equal(as_node(t.o.v[0])->created, cases[i].created);
		done(&t);
	}
}

static void lists_and_strangers(void **state _unused_)
{
	struct result t =
		decode("apiVersion: v1\nkind: PodList\nitems:\n"
		       "- metadata: {name: a}\n"
		       "- metadata: {namespace: x}\n"
		       "- metadata: {name: b}\n---\n"
		       "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, "
		       "metadata: {name: s}}, {apiVersion: extensions/v1beta1, kind: "
		       "NetworkPolicy, metadata: {name: old}}]}\n");

	assert_int_equal(t.o.n, 3);
	assert_int_equal(t.unknown, 1);
	assert_string_equal(t.e.msg, "items[1].metadata.name: required");
	done(&t);

	t = decode("just: a map\n---\n[a, list]\n---\n"
		   "{apiVersion: v1, kind: Pod, metadata: {name: '../x'}}\n");
	assert_int_equal(t.r, -1);
	assert_int_equal(t.o.n, 0);
	done(&t);
}

/* Whoever wants no message gives no room for one. */
static int unasked(void *arg, const struct value_doc *doc)
{
	struct result *t = arg;

	t->r = decode_document(value_root(doc), take, t, NULL);
	return 0;
}

static void messages_that_nobody_wants(void **state _unused_)
{
	static const char *const wrong[] = {"[a, list]", "{apiVersion: v1, kind: Pod}",
					    "{apiVersion: v1, kind: PodList, items: [1]}"};
	static const char right[] = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}";
	struct result t = {0};
	struct err e = {0};

	assert_int_equal(yaml_parse(right, strlen(right), unasked, &t, &e), 0);
	assert_int_equal(t.r, 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(yaml_parse(wrong[i], strlen(wrong[i]), unasked, &t, &e), 0);
		assert_int_equal(t.r, -EINVAL);
	}
	assert_int_equal(t.o.n, 1);
	done(&t);
}

static void paths(void **state _unused_)
{
	char parent[400] = {0}, expected[400];
	struct decode_path map, path;

	assert_int_equal(decode_path(&map, "spec", "podSelector"), strlen("spec.podSelector"));
	assert_string_equal(map.s, "spec.podSelector");
	decode_path_item(&path, map.s, "values", 0);
	assert_string_equal(path.s, "spec.podSelector.values[0]");
	decode_path_item(&path, "spec", "containers", 10);
	assert_string_equal(path.s, "spec.containers[10]");
	decode_path_item(&path, "", "items", UINT32_MAX);
	assert_string_equal(path.s, ".items[4294967295]");

	memset(parent, 'p', sizeof(parent) - 1);
	decode_path_item(&path, parent, "key", 1234);
	(void)snprintf(expected, sizeof(expected), "%.200s.key[1234]", parent);
	assert_string_equal(path.s, expected);
	/* Nothing is written behind its end. */
	decode_path_item(&path, parent, parent, 1234);
	assert_int_equal(strlen(path.s), sizeof(path.s) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_that_are_wrong),
		cmocka_unit_test(wrong_policies_fail_closed),
		cmocka_unit_test(policy_types_default),
		cmocka_unit_test(a_whole_policy),
		cmocka_unit_test(pods),
		cmocka_unit_test(nodes_and_namespaces),
		cmocka_unit_test(creation_of_a_node),
		cmocka_unit_test(lists_and_strangers),
		cmocka_unit_test(messages_that_nobody_wants),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
