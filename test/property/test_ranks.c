// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_ranks.c - random tables in which elements point at elements, and programs look both up.
 *
 * Services point at endpoints, as a proxy's rules would: the program of a generation looks its
 * service map up, the hook's verdict map leads to the program.  Whatever changes, and however the
 * difference is cut into transactions, a packet in flight never finds a service whose endpoint is
 * not there (inflight.h), and at the end the kernel holds what is wanted.
 *
 *	test_ranks [SEED]
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "datapath/nft/rules.h"
#include "inflight.h"
#include "lib/intern.h"
#include "random.h"

enum { KEYS = 12, WORLDS = 300, STEPS = 25 };

/*
 * struct proxy
 * @endpoint: That each service points at; 0: there is no such service
 * @spare:    Endpoints that no service points at
 * @moves:    The program changes
 */
struct proxy {
	struct rng r;
	struct nft_table *t;
	struct shadow kernel;
	struct nft_set *services, *endpoints, *verdicts;
	struct nft_chain *program;
	const char *program_name;
	unsigned int generation;
	uint8_t endpoint[KEYS];
	bool spare[KEYS + 1];
	bool moves;
};

static uint64_t seed;

static struct nft_elem element(uint8_t key, uint8_t data)
{
	const uint8_t k[4] = {10, 0, 0, key}, d[4] = {10, 0, 1, data};
	struct nft_elem e = {0};
	size_t len = 0, data_len = 0;

	nft_key_put(e.key, &len, NFT_TYPE_IPV4, k, sizeof(k));
	nft_key_put(e.data, &data_len, NFT_TYPE_IPV4, d, sizeof(d));
	return e;
}

static struct nft_elem endpoint(uint8_t n)
{
	struct nft_elem service = element(0, n), e = {0};

	memcpy(e.key, service.data, 4);
	return e;
}

static struct nft_elem verdict(const char *chain)
{
	struct nft_elem e = element(1, 0);

	e.verdict = (struct nft_verdict){NFT_V_JUMP, chain};
	return e;
}

static void set_service(struct proxy *w, uint8_t key, uint8_t to)
{
	struct nft_elem now = element(key, to), e = endpoint(to);
	uint8_t before = w->endpoint[key];

	if (to)
		table_want_elem(w->t, w->endpoints, &e);
	if (to)
		table_want_elem(w->t, w->services, &now);
	else
		table_drop_elem(w->t, w->services, &now);
	e = endpoint(before);
	if (before)
		table_drop_elem(w->t, w->endpoints, &e);
	w->endpoint[key] = to;
}

static void toggle_spare(struct proxy *w, uint8_t n)
{
	struct nft_elem e = endpoint(n);

	(w->spare[n] ? table_drop_elem : table_want_elem)(w->t, w->endpoints, &e);
	w->spare[n] = !w->spare[n];
}

static void want_program(struct proxy *w)
{
	char map[32], chain[32];
	struct rules rs = {0};
	struct nft_elem e;

	(void)snprintf(map, sizeof(map), "services_%u", w->generation);
	(void)snprintf(chain, sizeof(chain), "program_%u", w->generation++);
	w->services = table_want_set(w->t, &(struct nft_set_def){.name = map,
								 .key = {NFT_TYPE_IPV4},
								 .data = {NFT_TYPE_IPV4},
								 .owner = NFT_OWNER_BASE,
								 .rank = NFT_RANK_TO_LEAF,
								 .comment = "endpoints"});
	rule_lookup(rules_add(&rs), map, false, NFT_IP_DADDR, 0);
	w->program = table_want_chain(
		w->t, &(struct nft_chain_def){.name = chain, .n_rules = rs.r.n, .rules = rs.r.v});
	rules_done(&rs);
	w->program_name = intern(chain);
	w->moves = true;
	e = verdict(w->program_name);
	table_want_elem(w->t, w->verdicts, &e);
}

/* Another program, with a service map of its own, takes the place of the present one. */
static void next_generation(struct proxy *w)
{
	struct nft_set *services = w->services;
	struct nft_chain *program = w->program;

	intern_put(w->program_name);
	want_program(w);
	for (uint8_t key = 0; key < KEYS; key++) {
		struct nft_elem e = element(key, w->endpoint[key]);

		if (w->endpoint[key])
			table_want_elem(w->t, w->services, &e);
	}
	table_drop_chain(w->t, program);
	table_drop_set(w->t, services);
}

static void setup(struct proxy *w, uint64_t state)
{
	struct rules rs = {0};

	*w = (struct proxy){.r = {.state = state}, .t = table_new("t")};
	w->endpoints = table_want_set(w->t, &(struct nft_set_def){.name = "endpoints",
								  .key = {NFT_TYPE_IPV4},
								  .owner = NFT_OWNER_BASE,
								  .urgent = true});
	w->verdicts = table_want_set(w->t, &(struct nft_set_def){.name = "verdicts",
								 .key = {NFT_TYPE_IPV4},
								 .data = {NFT_TYPE_VERDICT},
								 .urgent = true});
	rule_vmap(rules_add(&rs), "verdicts", NFT_IP_SADDR, 0);
	(void)table_want_chain(w->t, &(struct nft_chain_def){.name = "hook",
							     .hook = NFT_HOOK_FORWARD,
							     .n_rules = rs.r.n,
							     .rules = rs.r.v});
	rules_done(&rs);
	want_program(w);
}

static void change(struct proxy *w)
{
	for (uint32_t n = 1 + below(&w->r, 8); n; n--) {
		if (chance(&w->r, 10))
			next_generation(w);
		else if (chance(&w->r, 20))
			toggle_spare(w, (uint8_t)(1 + below(&w->r, KEYS)));
		else
			set_service(w, (uint8_t)below(&w->r, KEYS),
				    chance(&w->r, 30) ? 0 : (uint8_t)(1 + below(&w->r, KEYS)));
	}
}

static void take(struct proxy *w, const struct nft_ops *ops)
{
	struct inflight f = {0};
	struct err e = {0};

	inflight_begin(&f, &w->kernel);
	if (shadow_apply(&w->kernel, ops, &e) < 0 || inflight_check(&f, &w->kernel, &e) < 0)
		fail_msg("seed %" PRIu64 ": %s", seed, e.msg);
	inflight_done(&f);
	table_committed(w->t, ops);
}

/* The kernel refuses a service in use, by chance: where it pointed before stays. */
static bool refuse(struct proxy *w, const struct nft_ops *ops)
{
	const struct nft_op *op = ops->op.n ? &ops->op.v[below(&w->r, (uint32_t)ops->op.n)] : NULL;

	return op && !w->moves && op->set && op->set->rank == NFT_RANK_TO_LEAF &&
	       chance(&w->r, 20) && table_refuse(w->t, op, "refused");
}

static bool transact(struct proxy *w, size_t max)
{
	struct nft_ops ops = {0};
	bool all = table_ops(w->t, max, &ops);

	assert_true(all || ops.op.n);
	if (refuse(w, &ops))
		all = false;
	else
		take(w, &ops);
	nft_ops_done(&ops);
	return all;
}

static void settle(struct proxy *w)
{
	size_t max = chance(&w->r, 60) ? 1 + below(&w->r, 10) : SIZE_MAX;
	struct buf wanted = {0}, installed = {0};

	for (bool all = false; !all;) {
		all = transact(w, max);
		if (!all && chance(&w->r, 10)) /* it changes again, half way */
			change(w);
		if (all && table_refused(w->t)) {
			table_retry(w->t);
			all = false;
		}
	}
	w->moves = false;
	assert_int_equal(table_pending(w->t), 0);
	table_render(w->t, &wanted);
	shadow_render(&w->kernel, "t", &installed);
	assert_string_equal(wanted.data, installed.data);
	buf_done(&wanted);
	buf_done(&installed);
}

static void no_packet_finds_a_service_without_its_endpoint(void **state _unused_)
{
	for (unsigned int i = 0; i < WORLDS; i++) {
		struct proxy w;

		setup(&w, seed + i);
		settle(&w);
		for (int step = 0; step < STEPS; step++) {
			change(&w);
			settle(&w);
		}
		intern_put(w.program_name);
		(void)table_free(w.t);
		shadow_done(&w.kernel);
		assert_int_equal(intern_count(), 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_packet_finds_a_service_without_its_endpoint),
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	printf("seed %" PRIu64 "\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
