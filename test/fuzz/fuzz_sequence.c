// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_sequence.c - any history of a small cluster, through store, queue of changes, policy engine,
 * setting aside, table and a kernel that follows it.
 *
 * Input: a byte whose bits are the policies that the kernel refuses, then the history, drawn with
 * test/property's machinery: objects and attachments come, change and go; turns end; others meddle
 * with the kernel's table; the agent starts again.  Behind every turn the kernel holds what is
 * wanted, packets fare as the reference says, and what the kernel does not refuse is in force.
 * The same world told at once gives the same table, and when all is gone so is everything.
 */
#include <errno.h>
#include <stdio.h>

#include "agent/aside.h"
#include "agent/changes.h"
#include "datapath/nft/apply.h"
#include "lib/hash.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "test/property/aim.h"
#include "test/property/judge.h"
#include "test/property/meddle.h"
#include "test/property/show.h"
#include "test/property/subject.h"
#include "test/property/vary.h"

#define PACKETS	    6	 /* behind each turn */
#define HISTORY_MAX 1024 /* bytes: some 40 objects; what is behind them is not looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * struct run - one history under way
 * @refused: Policies q0, q1, ... that the kernel takes only without rules, a bit each
 * @chance:  For all that is no part of the history
 * @bare:    The table when nothing is known
 */
struct run {
	struct timeline t;
	struct subject subject;
	struct store *store;
	struct changes *changes;
	struct aside *aside;
	uint8_t refused;
	struct rng chance;
	char *bare;
	uint64_t turn;
};

static void fail(const struct run *run, const char *what)
{
	struct buf out = {0};

	show_world(&run->t.world, &out);
	(void)fprintf(stderr, "turn %llu: %s\n%s\n", (unsigned long long)run->turn, what,
		      out.data ?: "");
	abort();
}

static void must(const struct run *run, bool holds, const char *what)
{
	if (!holds)
		fail(run, what);
}

static char *rendered(const struct nft_table *t)
{
	struct buf out = {0};

	table_render(t, &out);
	return buf_take(&out);
}

/* In the place of lib/log.c: each policy that is set aside would be a line. */
void log_at(enum log_level level _unused_, const char *part _unused_, const char *msg _unused_,
	    const char *fmt _unused_, ...)
{
}

bool log_enabled(enum log_level level _unused_)
{
	return false;
}

/* --- a kernel that refuses ---------------------------------------------------------------------
 */

static bool is_guilty(const struct run *run, const struct netpol *p)
{
	return (run->refused >> (p->o.name[1] - '0') & 1) &&
	       p->n_rules[INGRESS] + p->n_rules[EGRESS] > 0;
}

/* struct judgement - of the policies that the engine has */
struct judgement {
	const struct run *run;
	bool guilty;
};

static void judge_policy(void *arg, const struct policy_info *info)
{
	struct judgement *j = arg;

	j->guilty |= is_guilty(j->run, info->policy);
}

/* This kernel does not say which operation it refuses. */
static int apply(void *arg, const struct nft_op **ret_op, struct err *reterr)
{
	struct run *run = arg;
	struct judgement j = {.run = run};
	int r;

	*ret_op = NULL;
	datapath_settle(run->subject.datapath);
	policy_each(run->subject.datapath->policy, judge_policy, &j);
	if (j.guilty) {
		(void)err_set(reterr, -EINVAL, "refused by chance");
		return NFT_REFUSED;
	}
	r = subject_settle(&run->subject, &run->chance, reterr);
	must(run, r == 0, reterr->msg); /* whatever else the engine wants, the kernel takes */
	return 0;
}

static void told(void *arg, const struct object *policy, const char *problem)
{
	const struct run *run = arg;

	must(run, problem && is_guilty(run, as_netpol(policy)), "an innocent policy is set aside");
}

/*
 * The world as it is in force: guilty policies have no rules.  Borrows everything; @fences has room
 * for all objects.
 */
static struct timeline in_force(const struct run *run, struct netpol *fences)
{
	struct timeline view = run->t;

	view.world.objects.v = NULL;
	view.world.objects.n = view.world.objects.cap = 0;
	vec_foreach (o, &run->t.world.objects) {
		const struct object *use = *o;

		if (use->kind == KIND_NETPOL && is_guilty(run, as_netpol(use))) {
			*fences = *as_netpol(use);
			memset(fences->n_rules, 0, sizeof(fences->n_rules));
			use = &fences++->o;
		}
		vec_push(&view.world.objects, use);
	}
	return view;
}

/* --- checks ------------------------------------------------------------------------------------
 */

static void check_packets(struct run *run, const struct timeline *view)
{
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct packet p = random_packet(&run->chance, &view->world);

		if (i % 2)
			(void)aimed_packet(&run->chance, &view->world, &p);
		if (subject_allows(&run->subject, view, &p) != judge_expected(&view->world, &p)) {
			_cleanup_(buf_done) struct buf out = {0};

			show_packet(&p, &out);
			buf_puts(&out, ": table and reference disagree");
			fail(run, out.data);
		}
	}
}

static void check_at_once(struct run *run, const struct timeline *view)
{
	_cleanup_(freep) char *stepwise = rendered(run->subject.table), *at_once = NULL;
	struct subject s;
	struct err e = {0};

	subject_init(&s);
	s.kernel = TAKE(run->subject.kernel, (struct shadow){0}); /* an agent that starts again */
	subject_build(&s, view, &run->chance);
	datapath_settle(s.datapath);
	shadow_tell(&s.kernel, s.table);
	must(run, table_pending(s.table) == 0, "a start with nothing changed has something to do");
	must(run, subject_settle(&s, &run->chance, &e) == 0, e.msg);
	at_once = rendered(s.table);
	must(run, streq(stepwise, at_once), "told at once, the table is another one");
	run->subject.kernel = TAKE(s.kernel, (struct shadow){0});
	subject_empty(&s, view);
	subject_done(&s);
}

static void check(struct run *run, bool at_once)
{
	_cleanup_(freep) struct netpol *fences =
		xcalloc(run->t.world.objects.n + 1, sizeof(*fences));
	struct timeline view = in_force(run, fences);

	check_packets(run, &view);
	if (at_once)
		check_at_once(run, &view);
	vec_done(&view.world.objects);
}

/* --- turns -------------------------------------------------------------------------------------
 */

static void on_change(void *arg, const struct object *old, const struct object *new)
{
	aside_object(((struct run *)arg)->aside, old, new);
}

/* As agent/turn.c.  So much time goes by that those set aside are tried again. */
static void turn(struct run *run)
{
	const struct nft_op *op = NULL;
	struct err e = {0};

	run->turn++;
	aside_begin(run->aside, true, run->turn * 20 * USEC_PER_SEC);
	(void)changes_drain(run->changes, run->store, on_change, run);
	(void)aside_retry(run->aside);
	datapath_settle(run->subject.datapath);
	changes_drained(run->changes);
	if (apply(run, &op, &e) == NFT_REFUSED)
		must(run, aside_guilty(run->aside, op, &e), "the guilty policy is not found");
	aside_settled(run->aside);
	aside_each(run->aside, told, run);
}

static void end_turn(struct run *run, bool at_once)
{
	turn(run);
	check(run, at_once);
}

/* Others change what the kernel holds; the agent hears of it, reads and mends. */
static void meddle_and_mend(struct run *run)
{
	end_turn(run, false);
	meddle(&run->subject.kernel, &run->t.rng);
	shadow_tell(&run->subject.kernel, run->subject.table);
	end_turn(run, false);
}

/* --- events ------------------------------------------------------------------------------------
 */

static bool has_endpoint(const struct world *w, const char *ns, const char *name)
{
	vec_foreach (e, &w->endpoints)
		if (streq(e->ns, ns) && streq(e->name, name))
			return true;
	return false;
}

/*
 * An endpoint remembers which objects it has met, and versions that are merged in the queue are met
 * by nobody: such changes go out in turns of their own.
 */
static bool would_merge(const struct run *run, const struct change *c)
{
	const struct object *o = c->new ?: c->old;

	if (!changes_length(run->changes))
		return false;
	if (c->kind != CHANGE_OBJECT)
		return true;
	return o->kind == KIND_POD && has_endpoint(&run->t.world, o->ns, o->name);
}

static void tell(struct run *run, const struct change *c)
{
	const struct object *o = c->new ?: c->old;
	const struct object_key key = o ? key_of(o) : (struct object_key){0};

	/* As agent/cni/calls.c: what was told before an ADD is in force when it begins. */
	if (c->kind == CHANGE_ATTACH && changes_length(run->changes))
		turn(run);
	if (c->kind == CHANGE_ATTACH)
		datapath_attach(run->subject.datapath, c->attachment);
	else if (c->kind == CHANGE_DETACH)
		datapath_detach(run->subject.datapath, c->attachment->id, c->attachment->ifname);
	else if (c->new)
		(void)store_put(run->store, object_copy(c->new));
	else
		(void)store_remove(run->store, &key);
}

static void happen(struct run *run, struct change c)
{
	if (c.kind == CHANGE_NONE)
		return;
	tell(run, &c);
	if (would_merge(run, &c))
		end_turn(run, false);
	timeline_reap(&run->t);
}

static void step(struct run *run)
{
	uint32_t what = below(&run->t.rng, 32);

	if (what < 10)
		happen(run, vary_object(&run->t));
	else if (what < 11)
		happen(run, vary_attach_again(&run->t));
	else if (what < 26)
		happen(run, timeline_step(&run->t));
	else if (what < 30)
		end_turn(run, false);
	else if (what < 31)
		meddle_and_mend(run);
	else
		end_turn(run, true);
}

static void remove_everything(struct run *run)
{
	_cleanup_(freep) char *left = NULL;
	struct change c;

	while ((c = timeline_remove_any(&run->t)).kind != CHANGE_NONE)
		happen(run, c);
	end_turn(run, false);
	left = rendered(run->subject.table);
	must(run, streq(left, run->bare), "something stays when all is gone");
}

/* --- one history -------------------------------------------------------------------------------
 */

static void on_changed(void *arg, const struct object_key *key, struct object *old)
{
	struct run *run = arg;

	changes_add(run->changes, key, old, run->turn);
}

static void begin(struct run *run, const uint8_t *data, size_t size)
{
	*run = (struct run){.chance = {.state = hash_stable(data, size)}, .refused = data[0]};
	timeline_init(&run->t, 1);
	run->t.rng = (struct rng){.bytes = data + 1, .left = size - 1};
	run->t.n_namespaces = 3;
	run->t.pods_a_namespace = 3;
	run->changes = changes_new();
	run->store = store_new(on_changed, run);
	subject_init(&run->subject);
	run->aside = aside_new(run->subject.datapath, apply, told, run);
	run->bare = rendered(run->subject.table);
}

static void end(struct run *run)
{
	(void)aside_free(run->aside);
	subject_done(&run->subject);
	(void)changes_free(run->changes);
	(void)store_free(run->store);
	timeline_done(&run->t);
	free(run->bare);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run;

	if (size < 2)
		return 0;
	begin(&run, data, MIN(size, HISTORY_MAX));
	end_turn(&run, false);
	while (run.t.rng.left)
		step(&run);
	end_turn(&run, true);
	run.t.rng.bytes = NULL; /* from here on by chance */
	remove_everything(&run);
	end(&run);
	must(&run, intern_count() == 0, "strings are left when all is freed");
	return 0;
}
