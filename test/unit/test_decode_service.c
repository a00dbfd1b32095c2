// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_decode_service.c - Service: what is read, and what is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "test/unit/decoding.h"
#include "watch/object/service.h"

#define SERVICE(rest) "{apiVersion: v1, kind: Service, metadata: {name: web}, " rest "}"

static void addresses_and_ports(void **state _unused_)
{
	struct decoded d = decode_one(SERVICE(
		"spec: {clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7, \"fd00:96::7\"], "
		"ports: [{port: 80, targetPort: http}, {name: dns, protocol: UDP, port: 53}]}"));
	const struct service *s = as_service(d.o.v[0]);

	assert_no_problem(&s->o);
	assert_int_equal(s->o.kind, KIND_SERVICE);
	assert_string_equal(s->o.ns, "default");
	assert_int_equal(s->n_ips, 2);
	assert_int_equal(s->ips[0].family, AF_INET);
	assert_int_equal(s->ips[1].family, AF_INET6);
	assert_int_equal(s->n_ports, 2);
	assert_null(s->ports[0].name);
	assert_int_equal(s->ports[0].port, 80);
	assert_int_equal(s->ports[0].protocol, PROTO_TCP);
	assert_string_equal(s->ports[1].name, "dns");
	assert_int_equal(s->ports[1].protocol, PROTO_UDP);
	decoded_done(&d);
}

/* Headless ones have no address, nor has one of type ExternalName, or one from before the second
 * field. */
static void addresses_that_are_none(void **state _unused_)
{
	static const char *const specs[] = {
		SERVICE("spec: {clusterIP: None, clusterIPs: [None], ports: [{port: 80}]}"),
		SERVICE("spec: {type: ExternalName, externalName: example.org}"),
		SERVICE("spec: {clusterIP: \"\", ports: []}"),
		SERVICE("spec: {clusterIP: 10.96.0.7}"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct decoded d = decode_one(specs[i]);

		assert_no_problem(d.o.v[0]);
		assert_int_equal(as_service(d.o.v[0])->n_ips, i == 3);
		decoded_done(&d);
	}
}

static void what_is_wrong(void **state _unused_)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{SERVICE("x: 1"), "spec: required"},
		{SERVICE("spec: {clusterIPs: [10.96.0]}"),
		 "spec.clusterIPs[0]: '10.96.0' is not an address"},
		{SERVICE("spec: {clusterIPs: [7]}"),
		 "spec.clusterIPs[0]: expected a string, found an integer (line 1)"},
		{SERVICE("spec: {clusterIPs: [10.96.0.7, 10.96.0.8]}"),
		 "spec.clusterIPs[1]: a second address of one family"},
		{SERVICE("spec: {clusterIP: x}"), "spec.clusterIP: 'x' is not an address"},
		{SERVICE("spec: {ports: [{name: a}]}"), "spec.ports[0].port: required"},
		{SERVICE("spec: {ports: [{port: 80}, 7]}"),
		 "spec.ports[1]: expected a map, found an integer (line 1)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = decode_one(cases[i].text);

		assert_problem(d.o.v[0], cases[i].problem);
		decoded_done(&d);
	}
}

/* Others have a kind of that name, which is nothing of ours; a version is. */
static void a_service_of_somebody_else(void **state _unused_)
{
	struct decoded d = decode(
		"{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web}}");

	assert_int_equal(d.r, 0);
	assert_int_equal(d.unknown, 1);
	decoded_done(&d);
	d = decode("{apiVersion: v2, kind: Service, metadata: {name: web}}");
	assert_int_not_equal(d.r, 0);
	decoded_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_ports),
		cmocka_unit_test(addresses_that_are_none),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(a_service_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
