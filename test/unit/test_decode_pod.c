// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_decode_pod.c - Pod, Node and Namespace: what is read, and that one wrong field takes nothing
 * away but itself: a pod must not leave its policies because of a bad annotation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "test/unit/decoding.h"
#include "watch/object/decode_internal.h"
#include "watch/object/namespace.h"
#include "watch/object/node.h"
#include "watch/object/pod.h"

#define POD(meta, rest)	 "{apiVersion: v1, kind: Pod, metadata: {name: x, " meta "}, " rest "}"
#define NODE(meta, rest) "{apiVersion: v1, kind: Node, metadata: {name: x, " meta "}, " rest "}"

static void expect_problem(const char *yaml, const char *problem)
{
	struct decoded d = decode_one(yaml);

	if (problem)
		assert_problem(d.o.v[0], problem);
	else
		assert_no_problem(d.o.v[0]);
	decoded_done(&d);
}

/* --- Pod -----------------------------------------------------------------------------------------
 */

static void a_pod_may_be_bare(void **state _unused_)
{
	struct decoded d = decode_one("{apiVersion: v1, kind: Pod, metadata: {name: x}}");
	const struct pod *p = as_pod(d.o.v[0]);

	assert_no_problem(&p->o);
	assert_string_equal(p->o.ns, "default");
	assert_null(p->o.uid);
	assert_null(p->mirror_of);
	assert_null(p->node);
	assert_false(p->host_network || p->finished);
	assert_int_equal(p->labels.n + p->n_ips + p->n_ports, 0);
	decoded_done(&d);
}

static void a_wrong_field_takes_only_itself_away(void **state _unused_)
{
	static const struct {
		const char *yaml, *problem;
		uint32_t labels, ips, ports;
		bool node, host, finished, mirror;
	} cases[] = {
#define META  "labels: {a: b, c: d}, uid: u, annotations: {kubernetes.io/config.hash: h}"
#define PORTS "containers: [{ports: [{name: p1, containerPort: 1}, {name: p2, containerPort: 2}]}]"
#define SPEC  "nodeName: n1, hostNetwork: true, " PORTS
#define STAT  "status: {phase: Failed, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}"
		{POD(META, "spec: {" SPEC "}, " STAT), NULL, 2, 2, 2, true, true, true, true},
		{POD("labels: {a: b, 'w!': w, c: d}, annotations: {kubernetes.io/config.hash: h}",
		     "spec: {" SPEC "}, " STAT),
		 "metadata.labels: 'w!' is not a label key", 2, 2, 2, true, true, true, true},
		{POD("labels: {a: b, b: 1.5, c: d}, annotations: {kubernetes.io/config.hash: h}",
		     "spec: {" SPEC "}, " STAT),
		 "metadata.labels.b: expected a string, found a number (line 1)", 2, 2, 2, true,
		 true, true, true},
		{POD("labels: [], annotations: {kubernetes.io/config.hash: h}",
		     "spec: {" SPEC "}, " STAT),
		 "metadata.labels: expected a map, found a list (line 1)", 0, 2, 2, true, true,
		 true, true},
		{POD("labels: {a: b}, annotations: 5", "spec: {" SPEC "}, " STAT),
		 "metadata.annotations: expected a map, found an integer (line 1)", 1, 2, 2, true,
		 true, true, false},
		{POD("uid: 5, labels: {a: b}", "spec: {" SPEC "}, " STAT),
		 "metadata.uid: expected a string, found an integer (line 1)", 1, 2, 2, true, true,
		 true, false},
		{POD(META, "spec: {nodeName: 1, hostNetwork: true, " PORTS "}, " STAT),
		 "spec.nodeName: expected a string, found an integer (line 1)", 2, 2, 2, false,
		 true, true, true},
		{POD(META, "spec: {nodeName: n1, hostNetwork: 1, " PORTS "}, " STAT),
		 "spec.hostNetwork: expected a boolean, found an integer (line 1)", 2, 2, 2, true,
		 false, true, true},
		{POD(META, "spec: text, " STAT), "spec: expected a map, found a string (line 1)", 2,
		 2, 0, false, false, true, true},
		{POD(META, "spec: {" SPEC "}, status: []"),
		 "status: expected a map, found a list (line 1)", 2, 0, 2, true, true, false, true},
		{POD(META, "spec: {" SPEC "}, status: {phase: 1, podIP: 10.0.0.1}"),
		 "status.phase: expected a string, found an integer (line 1)", 2, 1, 2, true, true,
		 false, true},
		{POD(META, "spec: {" SPEC
			   "}, status: {phase: Succeeded, podIPs: [{ip: a}, {ip: 10.0.0.1}]}"),
		 "status.podIPs[0].ip: 'a' is not an address", 2, 1, 2, true, true, true, true},
		/* Of several, the first is told. */
		{POD("uid: 5, labels: {a: '!'}", "spec: {nodeName: 1}, status: 3"),
		 "metadata.labels.a: '!' is not a label value", 0, 0, 0, false, false, false,
		 false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = decode_one(cases[i].yaml);
		const struct pod *p = as_pod(d.o.v[0]);

		if (cases[i].problem)
			assert_problem(&p->o, cases[i].problem);
		else
			assert_no_problem(&p->o);
		if (p->labels.n != cases[i].labels || p->n_ips != cases[i].ips ||
		    p->n_ports != cases[i].ports || !p->node == cases[i].node ||
		    p->host_network != cases[i].host || p->finished != cases[i].finished ||
		    !p->mirror_of == cases[i].mirror)
			fail_msg("%s", cases[i].yaml);
		decoded_done(&d);
	}
}

static void labels_are_sorted(void **state _unused_)
{
	struct decoded d = decode_one(POD("labels: {b: '1', B: '2', a.b/c: '3', a: , _: '4'}", ""));
	const struct labels *l = &as_pod(d.o.v[0])->labels;

	assert_problem(d.o.v[0], "metadata.labels: '_' is not a label key");
	assert_int_equal(l->n, 4);
	assert_string_equal(l->v[0].key, "B");
	assert_string_equal(l->v[1].key, "a");
	assert_string_equal(l->v[1].value, ""); /* null, as in "node-role.kubernetes.io/worker:" */
	assert_string_equal(l->v[2].key, "a.b/c");
	assert_string_equal(l->v[3].key, "b");
	decoded_done(&d);
}

static void addresses(void **state _unused_)
{
	static const struct {
		const char *status, *problem;
		uint32_t n;
	} cases[] = {
		{"podIP: 10.0.0.1", NULL, 1},
		{"podIP: ''", NULL, 0},
		{"podIP: null, podIPs: null", NULL, 0},
		{"podIPs: [], podIP: 'fd00::1'", NULL, 1},
		{"podIPs: [{ip: 10.0.0.1}], podIP: nonsense", NULL, 1}, /* podIPs is what counts */
		{"podIPs: [{ip: 'fd00::1'}, {ip: 10.0.0.1}]", NULL, 2},
		{"podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]", NULL, 2},
		{"podIPs: [{ip: 10.0.0.1}, {ip: 10.0.0.1}]", NULL, 1},
		{"podIPs: [{ip: 10.0.0.1}, {ip: 10.0.0.2}]",
		 "status.podIPs[1].ip: a second address of one family", 1},
		{"podIPs: [{ip: 'fd00::1'}, {ip: 10.0.0.1}, {ip: 'fd00::2'}]",
		 "status.podIPs[2].ip: a second address of one family", 2},
		{"podIPs: [{ip: 10.0.0.0/8}]",
		 "status.podIPs[0].ip: '10.0.0.0/8' is not an address", 0},
		{"podIPs: [{}]", "status.podIPs[0].ip: '' is not an address", 0},
		{"podIPs: [10.0.0.1]", "status.podIPs[0]: expected a map, found a string (line 1)",
		 0},
		{"podIPs: 10.0.0.1", "status.podIPs: expected a list, found a string (line 1)", 0},
		{"podIP: 10.0.0.256", "status.podIP: '10.0.0.256' is not an address", 0},
		{"podIP: 1", "status.podIP: expected a string, found an integer (line 1)", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *yaml =
			xasprintf(POD("uid: u", "status: {%s}"), cases[i].status);
		struct decoded d = decode_one(yaml);
		const struct pod *p = as_pod(d.o.v[0]);

		if (cases[i].problem)
			assert_problem(&p->o, cases[i].problem);
		else
			assert_no_problem(&p->o);
		assert_int_equal(p->n_ips, cases[i].n);
		if (p->n_ips == 2) {
			assert_int_equal(p->ips[0].family, AF_INET);
			assert_int_equal(p->ips[1].family, AF_INET6);
		}
		decoded_done(&d);
	}
}

static void phases(void **state _unused_)
{
	static const struct {
		const char *phase;
		bool finished;
	} cases[] = {{"Pending", false}, {"Running", false}, {"Succeeded", true},
		     {"Failed", true},	 {"Unknown", false}, {"failed", false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *yaml =
			xasprintf(POD("uid: u", "status: {phase: %s}"), cases[i].phase);
		struct decoded d = decode_one(yaml);

		assert_no_problem(d.o.v[0]);
		assert_int_equal(as_pod(d.o.v[0])->finished, cases[i].finished);
		decoded_done(&d);
	}
}

#define CONTAINER(ports) POD("uid: u", "spec: {containers: [{ports: [" ports "]}]}")
#define PORT_AT		 "spec.containers[0].ports[0]"

static void container_ports_that_are_wrong(void **state _unused_)
{
	static const char *const cases[][2] = {
		{CONTAINER("{name: web, containerPort: 65535}"), NULL},
		{CONTAINER("{containerPort: 70000}"), NULL}, /* nobody can refer to it */
		{CONTAINER("{name: '', containerPort: 80}"), NULL},
		{CONTAINER("null"), NULL},
		{CONTAINER("{name: web}"), PORT_AT ".containerPort: required"},
		{CONTAINER("{name: web, containerPort: 0}"),
		 PORT_AT ".containerPort: 0 is below 1 (line 1)"},
		{CONTAINER("{name: web, containerPort: 65536}"),
		 PORT_AT ".containerPort: 65536 is above 65535 (line 1)"},
		{CONTAINER("{name: web, containerPort: '80'}"),
		 PORT_AT ".containerPort: expected an integer, found a string (line 1)"},
		{CONTAINER("{name: WEB, containerPort: 80}"),
		 PORT_AT ".name: 'WEB' is not a port name"},
		{CONTAINER("{name: 80, containerPort: 80}"),
		 PORT_AT ".name: expected a string, found an integer (line 1)"},
		{CONTAINER("{name: web, containerPort: 80, protocol: QUIC}"),
		 PORT_AT ".protocol: 'QUIC' is not TCP, UDP or SCTP"},
		{CONTAINER("80"), PORT_AT ": expected a map, found an integer (line 1)"},
		{POD("uid: u", "spec: {containers: [{}, 5]}"),
		 "spec.containers[1]: expected a map, found an integer (line 1)"},
		{POD("uid: u", "spec: {containers: {}}"),
		 "spec.containers: expected a list, found a map (line 1)"},
		{POD("uid: u", "spec: {initContainers: [{ports: [{name: a}]}]}"),
		 "spec.initContainers[0].ports[0].containerPort: required"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_problem(cases[i][0], cases[i][1]);
}

/* Containers before init containers, in order; a wrong port does not hide the ones behind it. */
static void the_first_port_of_a_name_wins(void **state _unused_)
{
	struct decoded d = decode_one(POD(
		"uid: u",
		"spec: {initContainers: [{ports: [{name: web, containerPort: 1}, {name: side, "
		"containerPort: 2}]}], containers: [{ports: [{name: web, containerPort: 0}, {name: "
		"web, containerPort: 3}, {name: web, containerPort: 4}, {name: web, protocol: "
		"SCTP, "
		"containerPort: 5}, {name: web, protocol: UDP, containerPort: 6}]}], "
		"ephemeralContainers: [{ports: [{name: no, containerPort: 9}]}]}"));
	const struct pod *p = as_pod(d.o.v[0]);

	assert_problem(&p->o, PORT_AT ".containerPort: 0 is below 1 (line 1)");
	assert_int_equal(p->n_ports, 4);
	assert_string_equal(p->ports[0].name, "side");
	assert_int_equal(p->ports[0].port, 2);
	assert_int_equal(p->ports[1].protocol, PROTO_TCP);
	assert_int_equal(p->ports[1].port, 3);
	assert_int_equal(p->ports[2].protocol, PROTO_UDP);
	assert_int_equal(p->ports[2].port, 6);
	assert_int_equal(p->ports[3].protocol, PROTO_SCTP);
	decoded_done(&d);
}

static void too_many_named_ports(void **state _unused_)
{
	_cleanup_(freep) char *list = xstrdup("");
	_cleanup_(freep) char *yaml = NULL;
	struct decoded d;

	for (int i = 1; i <= 1001; i++) {
		char *longer = xasprintf("%s{name: p%d, containerPort: %d},", list, i, i);

		free(list);
		list = longer;
	}
	yaml = xasprintf(CONTAINER("%s"), list);
	d = decode_one(yaml);
	assert_problem(d.o.v[0], "spec.containers: 1001 named ports, at most 1000 are supported");
	assert_int_equal(as_pod(d.o.v[0])->n_ports, 1000);
	decoded_done(&d);
}

/* --- Node ----------------------------------------------------------------------------------------
 */

static void nodes(void **state _unused_)
{
	static const struct {
		const char *yaml, *problem;
		uint32_t labels, cidrs, ips;
	} cases[] = {
		{NODE("labels: {a: b}", "spec: {podCIDR: 10.0.0.0/24}"), NULL, 1, 1, 0},
		{NODE("", "spec: {podCIDR: ''}"), NULL, 0, 0, 0},
		{NODE("", "spec: {podCIDRs: [], podCIDR: 10.0.0.0/24}"), NULL, 0, 1, 0},
		{NODE("", "spec: {podCIDR: x, podCIDRs: [10.0.0.0/24, 'fd00::/64']}"), NULL, 0, 2,
		 0},
		{NODE("", "spec: null, status: null"), NULL, 0, 0, 0},
		{NODE("", "status: {addresses: [{type: Hostname, address: h}, {type: InternalIP, "
			  "address: 192.0.2.1}, {type: ExternalIP, address: 192.0.2.2}, {type: "
			  "InternalIP, address: 'fd00::1'}]}"),
		 NULL, 0, 0, 2},
		/* What is wrong takes only itself away. */
		{NODE("labels: {'w!': w, a: b}", "spec: {podCIDR: 10.0.0.0/24}, status: "
						 "{addresses: [{type: InternalIP, address: "
						 "192.0.2.1}]}"),
		 "metadata.labels: 'w!' is not a label key", 1, 1, 1},
		{NODE("", "spec: {podCIDRs: [x, 10.0.0.0/24, 5, 'fd00::/64']}, status: {addresses: "
			  "[{type: InternalIP, address: 192.0.2.1}]}"),
		 "spec.podCIDRs[0]: 'x' is not a CIDR", 0, 2, 1},
		{NODE("", "spec: {podCIDRs: [5]}"),
		 "spec.podCIDRs[0]: expected a string, found an integer (line 1)", 0, 0, 0},
		{NODE("", "spec: {podCIDRs: 10.0.0.0/24}"),
		 "spec.podCIDRs: expected a list, found a string (line 1)", 0, 0, 0},
		{NODE("", "spec: {podCIDR: 10.0.0.1}"), "spec.podCIDR: '10.0.0.1' is not a CIDR", 0,
		 0, 0},
		{NODE("", "spec: {podCIDR: 10}"),
		 "spec.podCIDR: expected a string, found an integer (line 1)", 0, 0, 0},
		{NODE("", "spec: 5, status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}"),
		 "spec: expected a map, found an integer (line 1)", 0, 0, 1},
		{NODE("",
		      "status: {addresses: [{type: InternalIP, address: h}, 5, {type: InternalIP, "
		      "address: 192.0.2.1}]}"),
		 "status.addresses[0].address: 'h' is not an address", 0, 0, 1},
		{NODE("", "status: {addresses: [5]}"),
		 "status.addresses[0]: expected a map, found an integer (line 1)", 0, 0, 0},
		{NODE("", "status: {addresses: [{type: 5}]}"),
		 "status.addresses[0].type: expected a string, found an integer (line 1)", 0, 0, 0},
		{NODE("", "status: {addresses: [{type: InternalIP}]}"),
		 "status.addresses[0].address: '' is not an address", 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = decode_one(cases[i].yaml);
		const struct node *n = as_node(d.o.v[0]);

		if (cases[i].problem)
			assert_problem(&n->o, cases[i].problem);
		else
			assert_no_problem(&n->o);
		if (n->labels.n != cases[i].labels || n->n_pod_cidrs != cases[i].cidrs ||
		    n->n_internal_ips != cases[i].ips)
			fail_msg("%s: %u, %u, %u", cases[i].yaml, n->labels.n, n->n_pod_cidrs,
				 n->n_internal_ips);
		decoded_done(&d);
	}
}

static void too_many_node_addresses(void **state _unused_)
{
	_cleanup_(freep) char *cidrs = xstrdup(""), *ips = xstrdup("");
	_cleanup_(freep) char *yaml = NULL;
	struct decoded d;

	for (int i = 0; i <= DECODE_ADDRESSES_MAX; i++) {
		char *cidr = xasprintf("%s10.0.%d.0/24,", cidrs, i);
		char *ip = xasprintf("%s{type: InternalIP, address: 192.0.2.%d},", ips, i);

		free(cidrs);
		free(ips);
		cidrs = cidr;
		ips = ip;
	}
	yaml = xasprintf(
		NODE("", "spec: {podCIDRs: [%s]}") "\n---\n" NODE("", "status: {addresses: [%s]}"),
		cidrs, ips);
	d = decode(yaml);
	assert_int_equal(d.o.n, 2);
	assert_problem(d.o.v[0], "spec.podCIDRs: 65 entries, at most 64 are supported");
	assert_problem(d.o.v[1],
		       "status.addresses: more than 64 of type InternalIP are not supported");
	assert_int_equal(as_node(d.o.v[1])->n_internal_ips, DECODE_ADDRESSES_MAX);
	decoded_done(&d);
}

/* --- Namespace -----------------------------------------------------------------------------------
 */

/* The API server writes the label over whatever was given: nobody takes another one's name. */
static void the_name_label_of_a_namespace_is_its_name(void **state _unused_)
{
	static const char *const labels[] = {
		"",
		"labels: null",
		"labels: {a: b, z: z}",
		"labels: {kubernetes.io/metadata.name: kube-system}",
		"labels: {a: b, kubernetes.io/metadata.name: kube-system, z: z}",
		"labels: {kubernetes.io/metadata.name: web}",
		"labels: [5]",
		"labels: {'w!': w}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		_cleanup_(freep) char *yaml = xasprintf(
			"{apiVersion: v1, kind: Namespace, metadata: {name: web, %s}}", labels[i]);
		struct decoded d = decode_one(yaml);
		const struct labels *l = &as_namespace(d.o.v[0])->labels;

		assert_string_equal(labels_get(l, "kubernetes.io/metadata.name"), "web");
		for (uint32_t j = 1; j < l->n; j++)
			assert_true(strcmp(l->v[j - 1].key, l->v[j].key) < 0);
		assert_null(d.o.v[0]->ns);
		decoded_done(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_may_be_bare),
		cmocka_unit_test(a_wrong_field_takes_only_itself_away),
		cmocka_unit_test(labels_are_sorted),
		cmocka_unit_test(addresses),
		cmocka_unit_test(phases),
		cmocka_unit_test(container_ports_that_are_wrong),
		cmocka_unit_test(the_first_port_of_a_name_wins),
		cmocka_unit_test(too_many_named_ports),
		cmocka_unit_test(nodes),
		cmocka_unit_test(too_many_node_addresses),
		cmocka_unit_test(the_name_label_of_a_namespace_is_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
