// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_program.c - names and uses of programs.  (Their chains: test/golden; their verdicts:
 * test/property.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/policy/program.h"
#include "test/unit/peer_world.h"

/* Pods with a label may use port 80. */
static struct allowance port_80(const char *label)
{
	struct allowance a = {.direction = INGRESS};
	struct group g = {0};
	struct term t;

	term_of(&SHOP(label), &t);
	vec_push(&g.terms.t, t);
	vec_push(&a.groups, g);
	vec_push(&a.segments, (struct segment){.protocol = 6, .first = 80, .last = 80});
	return a;
}

static struct program *get(struct programs *p, const char *label)
{
	struct allowance a = port_80(label);

	return program_get(p, &a, "shop/db");
}

static void one_definition_is_one_program(void **state _unused_)
{
	struct world w;
	struct programs *p;
	struct program *a, *b;

	setup(&w);
	p = programs_new(w.t, w.p);
	a = get(p, "a");
	b = get(p, "b");
	assert_ptr_equal(get(p, "a"), a);
	assert_ptr_not_equal(a, b);
	assert_string_not_equal(program_chain(a), program_chain(b));
	assert_int_equal(programs_count(p), 2);
	program_put(p, b); /* before anything of it is built */
	assert_false(programs_build(p, SIZE_MAX));
	assert_int_equal(programs_count(p), 1);
	program_put(p, a);
	assert_non_null(table_chain_def(w.t, program_chain(a)));
	program_put(p, a);
	assert_int_equal(programs_count(p), 0);
	assert_null(programs_free(p));
	teardown(&w);
}

/* The chain of a program that another one left, or of one of its groups, is not written over. */
static void names_that_are_taken(void **state _unused_)
{
	static const char *const of[] = {"", "_0"};

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		char free_name[NFT_NAME_MAX], taken[NFT_NAME_MAX + 8];
		struct nft_chain *left;
		struct programs *p;
		struct program *g;
		struct world w;

		setup(&w);
		p = programs_new(w.t, w.p);
		g = get(p, "a");
		(void)snprintf(free_name, sizeof(free_name), "%s", program_chain(g));
		program_put(p, g);
		g = get(p, "a");
		assert_string_equal(program_chain(g), free_name);
		program_put(p, g);

		(void)snprintf(taken, sizeof(taken), "%s%s", free_name, of[i]);
		left = program_want_closed(w.t, taken);
		g = get(p, "a");
		assert_string_not_equal(program_chain(g), free_name);
		program_put(p, g);
		table_drop_chain(w.t, left);
		assert_null(programs_free(p));
		teardown(&w);
	}
}

/* Chains, sets of peers and sets of blocks: what is refused leads to the program by its name. */
static void what_a_program_has(void **state _unused_)
{
	const struct prefix block = {{AF_INET, {192, 0, 2}}, 24};
	struct allowance a = port_80("a");
	struct nft_ops ops = {0};
	struct programs *p;
	struct program *g;
	struct world w;
	size_t n = 0;

	setup(&w);
	ranges_add(&a.groups.v[0].blocks, &block, NULL, 0);
	p = programs_new(w.t, w.p);
	g = program_get(p, &a, "shop/db");
	assert_false(programs_build(p, SIZE_MAX));
	assert_true(table_ops(w.t, 0, &ops));
	vec_foreach (op, &ops.op) {
		const char *name = op->what == NFT_OP_SET     ? op->set->name
				   : op->what == NFT_OP_CHAIN ? op->chain->name
							      : NULL;

		if (name && !program_has(g, name))
			fail_msg("%s is not the program's", name);
		n += name != NULL;
	}
	assert_true(n >= 6); /* two chains, the ports, pods of two families, blocks */
	assert_false(program_has(g, "another"));
	assert_false(program_has(NULL, program_chain(g)));
	nft_ops_done(&ops);
	program_put(p, g);
	assert_null(programs_free(p));
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_definition_is_one_program),
		cmocka_unit_test(names_that_are_taken),
		cmocka_unit_test(what_a_program_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
