// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_podrows.c - what a pod has in the fixed program: every row in the set of its own family.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/base/podrows.h"
#include "test/unit/sample_attachment.h"
#include "watch/object/object.h"

/* The elements of a set as a listing has them, or "". */
static char *elements(const struct nft_table *t, const char *set)
{
	_cleanup_(buf_done) struct buf all = {0};
	_cleanup_(freep) char *head = xasprintf(" %s {", set);
	char *at, *end, *from;

	table_render(t, &all);
	at = strstr(all.data, head);
	assert_non_null(at);
	end = strstr(at, "\n\t}");
	from = strstr(at, "elements = { ");
	if (!from || from > end)
		return xstrdup("");
	from += strlen("elements = { ");
	return xstrndup(from, (size_t)(strstr(from, " }") - from));
}

static void expect(const struct nft_table *t, const char *set, const char *wanted)
{
	_cleanup_(freep) char *text = elements(t, set);

	assert_string_equal(text, wanted);
}

/* Of both families, with host ports on every address, on an IPv4 and on an IPv6 address. */
static struct attachment *dual_stack_pod(void)
{
	struct attachment *a = sample_attachment(1);

	assert_int_equal(a->n_addrs, 2);
	free(a->ports);
	a->n_ports = 3;
	a->ports = xcalloc(3, sizeof(*a->ports));
	for (uint32_t i = 0; i < 3; i++)
		a->ports[i] = (struct host_port){.protocol = PROTO_TCP,
						 .host_port = (uint16_t)(8080 + i),
						 .container_port = 80,
						 .has_ip = i};
	assert_int_equal(addr_parse("192.0.2.1", &a->ports[1].host_ip), 0);
	assert_int_equal(addr_parse("2001:db8::1", &a->ports[2].host_ip), 0);
	return a;
}

static void host_ports_keep_to_their_family(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = dual_stack_pod();
	_cleanup_(table_freep) struct nft_table *t = table_new("t");
	struct base b;

	base_want(t, NULL, 0, &b);
	podrows_want(t, &b, a);
	expect(t, "hostports4", "tcp . 8080 : 10.1.0.1 . 80");
	expect(t, "hostports6", "tcp . 8080 : fd00::1 . 80");
	expect(t, "hostports_at4", "192.0.2.1 . tcp . 8081 : 10.1.0.1 . 80");
	expect(t, "hostports_at6", "2001:db8::1 . tcp . 8082 : fd00::1 . 80");
	expect(t, "self4", "10.1.0.1 . 10.1.0.1");
	expect(t, "self6", "fd00::1 . fd00::1");
	podrows_drop(t, &b, a);
	expect(t, "hostports_at4", "");
	expect(t, "hostports_at6", "");
	expect(t, "hostports4", "");
	expect(t, "self6", "");
}

/* TCP and UDP of one number are two ports: one goes, the other stays. */
static void protocols_of_one_number(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *tcp = sample_attachment(0);
	_cleanup_(attachment_freep) struct attachment *udp = sample_attachment(2);
	_cleanup_(table_freep) struct nft_table *t = table_new("t");
	struct attachment *both[] = {tcp, udp};
	struct base b;

	for (int i = 0; i < 2; i++) {
		free(both[i]->ports);
		both[i]->n_ports = 1;
		both[i]->ports = xcalloc(1, sizeof(*both[i]->ports));
		both[i]->ports[0] = (struct host_port){.protocol = i ? PROTO_UDP : PROTO_TCP,
						       .host_port = 53,
						       .container_port = 53};
	}
	base_want(t, NULL, 0, &b);
	podrows_want(t, &b, tcp);
	podrows_want(t, &b, udp);
	expect(t, "hostports4", "tcp . 53 : 10.1.0.0 . 53,\n\t\t\t     udp . 53 : 10.1.0.2 . 53");
	podrows_drop(t, &b, tcp);
	expect(t, "hostports4", "udp . 53 : 10.1.0.2 . 53");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_ports_keep_to_their_family),
		cmocka_unit_test(protocols_of_one_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
