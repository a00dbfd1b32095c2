// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_passage.c - which settings of the host are in the way of packets of pods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/route/passage.h"

static void judge(const struct passage *p, struct buf *out)
{
	struct passage_findings found = {0};

	passage_judge(p, &found);
	vec_foreach (text, &found.v) {
		buf_printf(out, "%s\n", *text);
		free(*text);
	}
	vec_done(&found.v);
}

static bool says(const struct passage *p, const char *text)
{
	_cleanup_(buf_done) struct buf out = {0};

	judge(p, &out);
	return out.len && strstr(out.data, text);
}

static size_t count(const struct passage *p)
{
	struct passage_findings found = {0};
	size_t n;

	passage_judge(p, &found);
	n = found.v.n;
	vec_foreach (text, &found.v)
		free(*text);
	vec_done(&found.v);
	return n;
}

static void the_greater_value_holds(void **state _unused_)
{
	static const struct {
		unsigned int all, own;
		bool strict;
	} cases[] = {
		{0, 0, false}, {0, 1, true},  {1, 0, true},  {1, 1, true},
		{2, 1, false}, {1, 2, false}, {2, 0, false}, {0, 2, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct passage p = {.uplink = "eth0",
				    .way_back = "eth1",
				    .rp_filter = {cases[i].all, cases[i].own}};

		assert_int_equal(prefix_parse("10.201.2.0/24", &p.peer), 0);
		assert_int_equal(passage_strict(&p), cases[i].strict);
		assert_int_equal(count(&p), cases[i].strict);
		if (cases[i].strict) {
			assert_true(says(&p, "(10.201.2.0/24)"));
			assert_true(says(&p, "sysctl -w net/ipv4/conf/eth0/rp_filter=2"));
		}
	}
}

static void strict_is_right_where_the_way_back_is_the_same(void **state _unused_)
{
	struct passage p = {.uplink = "eth0", .rp_filter = {1, 1}};

	assert_int_equal(count(&p), 0);
	(void)snprintf(p.way_back, sizeof(p.way_back), "eth0");
	assert_int_equal(count(&p), 0);
}

static void a_bridge_matters_if_it_passes_packets_of_the_family(void **state _unused_)
{
	const struct passage both = {.uplink = "br0",
				     .bridge = "br0",
				     .ports = 2,
				     .nf_global = {true, true},
				     .pods = {true, true}};
	struct passage p = both;

	assert_int_equal(count(&p), 2);
	assert_true(says(&p, "sysctl -w net.bridge.bridge-nf-call-iptables=0\n"));
	assert_true(says(&p, "sysctl -w net.bridge.bridge-nf-call-ip6tables=0\n"));
	p.pods[1] = false;
	assert_int_equal(count(&p), 1);
	assert_false(says(&p, "ip6tables"));
	p = both;
	p.ports = 1;
	assert_int_equal(count(&p), 0);
	p = both;
	p.bridge[0] = '\0';
	assert_int_equal(count(&p), 0);
	p = both;
	p.nf_global[0] = p.nf_global[1] = false;
	assert_int_equal(count(&p), 0);
}

static void each_switch_that_is_on_is_named(void **state _unused_)
{
	struct passage p = {.uplink = "eth0",
			    .bridge = "br0",
			    .ports = 3,
			    .nf_own = {true, false},
			    .pods = {true, true}};

	assert_int_equal(count(&p), 1);
	assert_true(says(&p, ": ip link set br0 type bridge nf_call_iptables 0\n"));
	assert_false(says(&p, "sysctl"));
	p.nf_global[0] = true;
	assert_int_equal(count(&p), 1);
	assert_true(says(&p, "=0 && ip link set br0 type bridge nf_call_iptables 0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_greater_value_holds),
		cmocka_unit_test(strict_is_right_where_the_way_back_is_the_same),
		cmocka_unit_test(a_bridge_matters_if_it_passes_packets_of_the_family),
		cmocka_unit_test(each_switch_that_is_on_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
