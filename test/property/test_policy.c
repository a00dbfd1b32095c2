// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_policy.c - random worlds: the compiled table against the plain reference.
 *
 * After every step sampled packets get the same verdict from the reference and from the simulated
 * table, and nothing is pending once the difference was committed.  At the end of a world the same
 * objects told all at once, in another order, give the same table; and when everything is removed
 * the bare program is left and no string.
 *
 * Replay: build/asan/property/test_policy --seed N --worlds 1 --steps N
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/policy/policy.h"
#include "lib/intern.h"
#include "simulate.h"
#include "timeline.h"

#define PACKETS 40 /* sampled after each step */

static uint64_t first_seed = 1;
static unsigned long n_worlds = 250, n_steps = 60;

struct run {
	uint64_t seed;
	unsigned long step;
	struct timeline timeline;
	struct nft_table *table;
	struct policy_engine *engine;
};

static void tell(struct policy_engine *e, const struct change *c)
{
	switch (c->kind) {
	case CHANGE_OBJECT:
		policy_object(e, c->old, c->new);
		break;
	case CHANGE_ATTACH:
		policy_attach(e, c->attachment);
		break;
	case CHANGE_DETACH:
		policy_detach(e, c->attachment->id, c->attachment->ifname);
		break;
	case CHANGE_NONE:
		break;
	}
}

/* Settle, and commit the difference in parts of at most @max operations. */
static void settle(struct nft_table *t, struct policy_engine *e, size_t max)
{
	bool all = false;

	policy_settle(e);
	while (!all) {
		struct nft_ops ops = {0};

		all = table_ops(t, max, &ops);
		table_committed(t, &ops);
		nft_ops_done(&ops);
	}
	assert_int_equal(table_pending(t), 0);
}

static bool simulated(const struct run *r, const struct packet *p)
{
	const struct sim_packet s = {.src = p->src,
				     .dst = p->dst,
				     .protocol = p->protocol,
				     .dport = p->dport,
				     .iifname = p->path == FROM_NODE ? "" : "eth0",
				     .oifname = "eth1",
				     .local = p->path == TO_NODE};

	switch (p->path) {
	case FORWARDED:
		return simulate_hook(r->table, NFT_HOOK_FORWARD, &s);
	case TO_NODE:
		return simulate_hook(r->table, NFT_HOOK_INPUT, &s);
	case FROM_NODE:
		break;
	}
	return simulate_hook(r->table, NFT_HOOK_OUTPUT, &s);
}

static void disagree(const struct run *r, const struct packet *p, bool wanted)
{
	_cleanup_(buf_done) struct buf table = {0};
	char src[ADDR_STR_MAX], dst[ADDR_STR_MAX];

	table_render(r->table, &table);
	print_message("%s\n", table.data);
	fail_msg(
		"seed %llu, step %lu: %s -> %s protocol %u port %u path %d: the reference says %s, "
		"the table %s; replay with --seed %llu --worlds 1 --steps %lu",
		(unsigned long long)r->seed, r->step, addr_str(&p->src, src),
		addr_str(&p->dst, dst), p->protocol, p->dport, p->path, wanted ? "allow" : "deny",
		wanted ? "denies" : "allows", (unsigned long long)r->seed, r->step + 1);
}

static void check_packets(struct run *r)
{
	for (int i = 0; i < PACKETS; i++) {
		struct packet p = random_packet(&r->timeline.rng, &r->timeline.world);
		bool wanted = reference_allows(&r->timeline.world, &p);

		if (simulated(r, &p) != wanted)
			disagree(r, &p, wanted);
	}
}

static char *rendered(const struct nft_table *t)
{
	struct buf b = {0};

	table_render(t, &b);
	return buf_take(&b);
}

/* An endpoint whose own object has gone has a memory that a newcomer cannot have. */
static bool remembers(const struct timeline *t)
{
	vec_foreach (e, &t->world.endpoints) {
		bool found = !e->object;

		vec_foreach (o, &t->world.objects)
			found |= e->object && *o == &e->object->o;
		if (!found)
			return true;
	}
	return false;
}

/* The same world told backwards and at once gives the same table, to the letter. */
static void check_order(const struct run *r)
{
	_cleanup_(table_freep) struct nft_table *t = table_new(table_name(r->table));
	struct policy_engine *e = policy_new(t);
	const struct timeline *tl = &r->timeline;
	_cleanup_(freep) char *a = NULL, *b = NULL;

	for (size_t i = tl->attachments.n; i-- > 0;)
		policy_attach(e, tl->attachments.v[i]);
	for (size_t i = tl->world.objects.n; i-- > 0;)
		policy_object(e, NULL, tl->world.objects.v[i]);
	settle(t, e, 0);
	a = rendered(r->table);
	b = rendered(t);
	if (!remembers(tl))
		assert_string_equal(a, b);
	vec_foreach (o, &tl->world.objects)
		policy_object(e, *o, NULL);
	vec_foreach (at, &tl->attachments)
		policy_detach(e, (*at)->id, (*at)->ifname);
	settle(t, e, 7);
	(void)policy_free(e);
}

static void check_bare(const struct run *r)
{
	_cleanup_(table_freep) struct nft_table *t = table_new(table_name(r->table));
	struct policy_engine *e = policy_new(t);
	_cleanup_(freep) char *a = rendered(r->table), *b = rendered(t);

	assert_string_equal(a, b);
	(void)policy_free(e);
}

static void run_world(uint64_t seed)
{
	struct run r = {.seed = seed, .table = table_new("manx")};
	struct change c;

	r.engine = policy_new(r.table);
	timeline_init(&r.timeline, seed);
	settle(r.table, r.engine, 0);
	for (r.step = 0; r.step < n_steps; r.step++) {
		c = timeline_step(&r.timeline);
		tell(r.engine, &c);
		settle(r.table, r.engine, seed % 3 ? 0 : 5);
		timeline_reap(&r.timeline);
		check_packets(&r);
	}
	check_order(&r);
	while ((c = timeline_remove_any(&r.timeline)).kind != CHANGE_NONE) {
		tell(r.engine, &c);
		settle(r.table, r.engine, 0);
		timeline_reap(&r.timeline);
	}
	check_bare(&r);
	(void)policy_free(r.engine);
	timeline_done(&r.timeline);
	(void)table_free(r.table);
	assert_int_equal(intern_count(), 0);
}

static void random_worlds(void **state _unused_)
{
	for (unsigned long i = 0; i < n_worlds; i++)
		run_world(first_seed + i);
}

static void read_options(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		unsigned long long v = strtoull(argv[i + 1], NULL, 10);

		if (streq(argv[i], "--seed"))
			first_seed = v;
		else if (streq(argv[i], "--worlds"))
			n_worlds = (unsigned long)v;
		else if (streq(argv[i], "--steps"))
			n_steps = (unsigned long)v;
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_worlds)};

	read_options(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
