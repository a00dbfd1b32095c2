// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_fields.c - fields of kinds with open schemas that look like one that is read.  Those of
 * policies: test_decode_policy.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "watch/folder/manifests.h"

/* The warnings about a document, one a line. */
static void warns(const char *text, const char *expected)
{
	struct manifest m = {0};
	struct buf b = {0};
	struct err e = {0};

	buf_puts(&b, "");
	if (manifest_parse("a.yaml", text, strlen(text), &m, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(m.problems.n, 0);
	vec_foreach (w, &m.warnings)
		buf_printf(&b, "%s\n", *w);
	assert_string_equal(b.data, expected);
	buf_done(&b);
	manifest_done(&m);
}

#define MEANT(right) ": not a field that is read, did you mean '" right "'?\n"

static void slips_are_warned_of(void **state _unused_)
{
	warns("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  label: {a: b}\nspec:\n"
	      "  nodename: n\n  HostNetwork: true\n  containers:\n  - name: c\n    Ports: []\n"
	      "  - ports:\n    - {name: http, containerport: 80, protocl: TCP}\n"
	      "status:\n  phase: Running\n  podIps:\n  - {ip: 10.0.0.1}\n",
	      "a.yaml:5: metadata.label" MEANT("labels") "a.yaml:7: spec.nodename" MEANT("nodeName") "a.yaml:8: spec.HostNetwork" MEANT("hostNetwork") "a.yaml:11: spec.containers[0].Ports" MEANT(
		      "ports") "a.yaml:13: spec.containers[1].ports[0].containerport" MEANT("contai"
											    "nerPor"
											    "t") "a"
												 "."
												 "y"
												 "a"
												 "m"
												 "l"
												 ":"
												 "1"
												 "3"
												 ":"
												 " "
												 "s"
												 "p"
												 "e"
												 "c"
												 "."
												 "c"
												 "o"
												 "n"
												 "t"
												 "a"
												 "i"
												 "n"
												 "e"
												 "r"
												 "s"
												 "["
												 "1"
												 "]"
												 "."
												 "p"
												 "o"
												 "r"
												 "t"
												 "s"
												 "["
												 "0"
												 "]"
												 "."
												 "p"
												 "r"
												 "o"
												 "t"
												 "o"
												 "c"
												 "l" MEANT("protocol") "a.yaml:16: status.podIps" MEANT(
													 "podIPs"));
	warns("apiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec: {podCIDRS: []}\n"
	      "status: {addresses: [{type: InternalIP, adress: 10.0.0.1}]}\n",
	      "a.yaml:4: spec.podCIDRS" MEANT(
		      "podCIDRs") "a.yaml:5: status.addresses[0].adress" MEANT("address"));
	warns("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, Labels: {}}\n",
	      "a.yaml:3: metadata.Labels" MEANT("labels"));
	warns("apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n  Spec: {}\n",
	      "a.yaml:5: Spec" MEANT("spec"));
}

/* Fields that exist and are nobody's business here; two slips are no likeness. */
static void others_are_not(void **state _unused_)
{
	warns("apiVersion: v1\nkind: Pod\n"
	      "metadata: {name: a, generateName: b, uid: c, annotations: {Name: x, lables: y}, "
	      "ownerReferences: [{nam: x}], managedFields: [{fieldsV1: {'f:spec': {}}}]}\n"
	      "spec:\n  hostPID: true\n  hostIPC: true\n  nodeSelector: {nodename: x}\n"
	      "  ephemeralContainers: [{prots: []}]\n  containers:\n"
	      "  - {name: c, image: i, env: [{nam: x}], ports: [{hostPort: 1, hostIP: 0.0.0.0, "
	      "containerPort: 1}]}\n"
	      "status: {hostIP: 1.2.3.4, hostIPs: [{ip: 1.2.3.4}], podIP: 10.0.0.1, qosClass: x}\n",
	      "");
	warns("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeNames: {}, nodNam: x}\n",
	      "a.yaml:4: spec.nodeNames" MEANT("nodeName"));
	warns("apiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec: {providerID: x, taints: []}\n"
	      "status: {nodeInfo: {}, capacity: {}, images: []}\n",
	      "");
	warns("apiVersion: apps/v1\nkind: Deployment\nMetadata: {Name: a}\nspeck: {}\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_are_warned_of),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
