// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_hostports.c - who has a host port; and that the answer does not cost the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "ipam/hostports.h"
#include "test/unit/sample_attachment.h"
#include "watch/object/object.h"

static struct attachment *pod(unsigned int n, uint8_t protocol, uint16_t port, const char *ip)
{
	struct attachment *a = sample_attachment(n);

	free(a->ports);
	a->n_ports = 1;
	a->ports = xcalloc(1, sizeof(*a->ports));
	a->ports[0] = (struct host_port){
		.protocol = protocol, .host_port = port, .container_port = 80, .has_ip = ip};
	if (ip)
		assert_int_equal(addr_parse(ip, &a->ports[0].host_ip), 0);
	return a;
}

static void every_protocol_has_its_own(void **state _unused_)
{
	struct attachment *tcp = pod(1, PROTO_TCP, 53, NULL);
	struct attachment *udp = pod(2, PROTO_UDP, 53, NULL), *sctp = pod(3, PROTO_SCTP, 53, NULL);
	struct hostports x = {0};

	hostports_add(&x, tcp);
	assert_ptr_equal(hostports_owner(&x, &tcp->ports[0]), tcp);
	assert_null(hostports_owner(&x, &udp->ports[0]));
	hostports_add(&x, udp);
	assert_null(hostports_owner(&x, &sctp->ports[0]));
	assert_ptr_equal(hostports_owner(&x, &udp->ports[0]), udp);
	hostports_remove(&x, tcp);
	assert_null(hostports_owner(&x, &tcp->ports[0]));
	assert_ptr_equal(hostports_owner(&x, &udp->ports[0]), udp);
	hostports_remove(&x, udp);
	hostports_remove(&x, udp); /* gone already */
	(void)attachment_free(tcp);
	(void)attachment_free(udp);
	(void)attachment_free(sctp);
}

static void every_address_has_its_own(void **state _unused_)
{
	struct attachment *a = pod(1, PROTO_TCP, 80, "192.0.2.1");
	struct attachment *b = pod(2, PROTO_TCP, 80, "192.0.2.2");
	struct attachment *all = pod(3, PROTO_TCP, 80, NULL);
	struct attachment *other = pod(4, PROTO_TCP, 81, NULL);
	struct hostports x = {0};

	hostports_add(&x, a);
	assert_null(hostports_owner(&x, &b->ports[0]));
	assert_ptr_equal(hostports_owner(&x, &all->ports[0]), a);
	hostports_add(&x, b);
	hostports_remove(&x, a);
	assert_ptr_equal(hostports_owner(&x, &all->ports[0]), b);
	assert_null(hostports_owner(&x, &a->ports[0]));
	hostports_remove(&x, b);
	hostports_add(&x, all);
	assert_ptr_equal(hostports_owner(&x, &a->ports[0]), all);
	assert_null(hostports_owner(&x, &other->ports[0]));
	hostports_remove(&x, all);
	(void)attachment_free(a);
	(void)attachment_free(b);
	(void)attachment_free(all);
	(void)attachment_free(other);
}

static double lookup_ns(unsigned int pods)
{
	struct attachment **all = xcalloc(pods, sizeof(*all));
	struct hostports x = {0};
	struct timespec from, to;
	size_t found = 0;

	for (unsigned int i = 0; i < pods; i++)
		hostports_add(&x, all[i] = pod(i, PROTO_TCP, (uint16_t)(1024 + i), NULL));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (unsigned int i = 0; i < 200000; i++)
		found += hostports_owner(&x, &all[i % pods]->ports[0]) != NULL;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_int_equal(found, 200000);
	for (unsigned int i = 0; i < pods; i++) {
		hostports_remove(&x, all[i]);
		(void)attachment_free(all[i]);
	}
	free(all);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       200000;
}

/* A walk over all pods would take 200 times as long with 20,000 as with 100; caches take some. */
static void many_pods_cost_nothing(void **state _unused_)
{
	double few = lookup_ns(100), many = lookup_ns(20000);

	print_message("%.0f ns a look-up with 100 pods, %.0f ns with 20,000\n", few, many);
	assert_true(many < 40 * few + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_has_its_own),
		cmocka_unit_test(every_address_has_its_own),
		cmocka_unit_test(many_pods_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
