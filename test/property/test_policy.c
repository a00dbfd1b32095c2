// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_policy.c - random worlds: the compiled program against the reference.
 *
 * A world changes step by step.  After each step the kernel that follows the table holds exactly
 * what is wanted, and sampled packets fare as the reference says.  At its end the same world told
 * at once and in another order gives the same text; a restart over what the kernel holds sends
 * nothing; one over what an older world or a stranger left there repairs it; and when all is gone,
 * so is every set, chain, element and string.
 *
 *	test_policy [--seed N] [--worlds N] [--steps N] [--packets N]
 *
 * Each world runs in a process of its own, so that a crash still has its seed; --worlds 1 runs in
 * this one, for a debugger.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "aim.h"
#include "datapath/nft/simulate.h"
#include "datapath/policy/judge.h"
#include "judge.h"
#include "lib/intern.h"
#include "meddle.h"
#include "show.h"
#include "subject.h"
#include "vary.h"
#include "watch/folder/manifests.h"

/* struct options - @packets: sampled after each step */
struct options {
	uint64_t seed;
	uint32_t worlds, steps, packets;
};

/*
 * struct run - one world under way; @chance: for everything but the world itself
 * @allowed:  Packets through the node that passed when they were sampled last
 * @attached: A pod was attached since
 */
struct run {
	const struct options *options;
	uint64_t seed;
	uint32_t step;
	struct timeline t;
	struct subject subject;
	struct rng chance;
	VEC(struct packet) allowed;
	bool attached;
	char *bare; /* the table when nothing is known */
};

/* --- failures ----------------------------------------------------------------------------------
 */

static void print_replay(const struct options *o, uint64_t seed)
{
	(void)printf("# replay: build/asan/property/test_policy --seed %" PRIu64
		     " --worlds 1 --steps %u --packets %u\n",
		     seed, o->steps, o->packets);
}

static void fail_world(const struct run *run, const char *what)
{
	struct buf out = {0};

	show_world(&run->t.world, &out);
	(void)printf("# seed %" PRIu64 ", step %u: %s\n", run->seed, run->step, what);
	print_replay(run->options, run->seed);
	(void)printf("%s\n", out.data ?: "");
	(void)fflush(stdout);
	buf_done(&out);
	_exit(1);
}

static void fail_difference(const struct run *run, const char *what, const char *a, const char *b)
{
	size_t same = 0;

	while (a[same] && a[same] == b[same])
		same++;
	while (same > 0 && a[same - 1] != '\n')
		same--;
	(void)printf("# the first difference, one:\n%.600s\n# the other:\n%.600s\n", a + same,
		     b + same);
	fail_world(run, what);
}

static char *rendered(const struct nft_table *t)
{
	struct buf out = {0};

	table_render(t, &out);
	return buf_take(&out);
}

static void fail_packet(struct run *run, const struct packet *p, bool passes)
{
	bool plain = judge_differs(&run->t, p);
	struct buf out = {0};

	show_packet(p, &out);
	buf_printf(&out, ": the table %s it, the reference %s it; %s", passes ? "passes" : "drops",
		   passes ? "drops" : "passes",
		   plain ? "the world below, told at once, shows it too"
			 : "only by these steps: the same world told at once is right");
	if (plain)
		judge_shrink(&run->t, p);
	fail_world(run, out.data);
}

/* --- one world ---------------------------------------------------------------------------------
 */

static void settle(struct run *run)
{
	struct err e = {0};

	if (subject_settle(&run->subject, &run->chance, &e) < 0)
		fail_world(run, e.msg);
	timeline_reap(&run->t);
}

/* From its link-local address a pod asks for neighbours and answers; it does nothing else. */
static void check_neighbours(struct run *run, const struct attachment *a, struct sim_packet p)
{
	const struct mac *m = &a->mac;
	bool six = false;

	for (uint32_t i = 0; i < a->n_addrs; i++)
		six |= a->addrs[i].family == AF_INET6;
	p.src = p.dst = (struct addr){.family = AF_INET6,
				      .b = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, m->b[0] ^ 2, m->b[1],
					    m->b[2], 0xff, 0xfe, m->b[3], m->b[4], m->b[5]}};
	for (int type = 0; type < 256; type++) {
		bool asks = type == ND_ROUTER_SOLICIT || type == ND_NEIGHBOR_SOLICIT ||
			    type == ND_NEIGHBOR_ADVERT;

		p.protocol = IPPROTO_ICMPV6;
		p.icmp6 = (uint8_t)type;
		if (simulate_hook(run->subject.table, NFT_HOOK_PREROUTING, &p) != (six && asks))
			fail_world(run, "neighbour discovery is not as it should be");
		p.protocol = PROTO_UDP;
		if (simulate_hook(run->subject.table, NFT_HOOK_PREROUTING, &p))
			fail_world(run, "a link-local address does more than neighbour discovery");
	}
	p.protocol = IPPROTO_ICMPV6;
	p.icmp6 = ND_NEIGHBOR_ADVERT;
	if (six && !simulate_hook(run->subject.table, NFT_HOOK_INPUT, &p))
		fail_world(run, "a policy stands in the way of neighbour discovery");
	p.src.b[15] ^= 1;
	if (simulate_hook(run->subject.table, NFT_HOOK_PREROUTING, &p))
		fail_world(run, "a pod speaks with another's link-local address");
}

/*
 * What leaves a local pod's interface with another's address or MAC goes nowhere, nor what comes
 * with its address from elsewhere, be it an interface whose name begins as ours do.
 */
static void check_spoofed(struct run *run)
{
	const struct timeline *t = &run->t;
	const struct attachment *a;
	struct sim_packet p = {.oifname = "", .protocol = PROTO_UDP};

	if (!t->attachments.n)
		return;
	a = t->attachments.v[below(&run->chance, (uint32_t)t->attachments.n)];
	p.iifname = a->host_ifname;
	p.mac = a->mac;
	p.src = a->addrs[0];
	p.dst = random_addr(&run->chance, a->addrs[0].family == AF_INET6);
	if (!simulate_hook(run->subject.table, NFT_HOOK_PREROUTING, &p))
		fail_world(run, "a local pod cannot send from its own address");
	p.mac.b[MAC_LEN - 1] ^= 1;
	if (simulate_hook(run->subject.table, NFT_HOOK_PREROUTING, &p))
		fail_world(run, "a local pod can send from another MAC");
	p.mac = a->mac;
	p.iifname = chance(&run->chance, 50) ? "eth0" : "mxlan0";
	if (simulate_hook(run->subject.table, NFT_HOOK_PREROUTING, &p))
		fail_world(run, "a local pod's address is believed elsewhere");
	p.iifname = a->host_ifname;
	check_neighbours(run, a, p);
	(void)addr_next(&p.src);
	if (simulate_hook(run->subject.table, NFT_HOOK_PREROUTING, &p))
		fail_world(run, "a local pod can send from the address after its own");
}

/* --- connections -------------------------------------------------------------------------------
 */

static struct flow flow_of(const struct packet *p)
{
	return (struct flow){.src = p->src,
			     .dst = p->dst,
			     .back = p->src,
			     .protocol = p->protocol,
			     .port = p->dport};
}

static bool is_touched(const struct run *run, const struct addr *a)
{
	vec_foreach (t, &policy_touched(run->subject.datapath->policy, false)->v)
		if (addr_eq(&t->addr, a))
			return true;
	return false;
}

/* A connection that was allowed and is forbidden now has to be found by its addresses. */
static void check_touched(struct run *run)
{
	struct touched *touched = policy_touched(run->subject.datapath->policy, false);

	vec_foreach (p, &run->allowed) {
		struct flow f = flow_of(p);

		if (run->attached || is_touched(run, &p->src) || is_touched(run, &p->dst))
			continue;
		if (flow_judge(run->subject.table, &f) == FLOW_FORBIDDEN)
			fail_world(run, "a connection that is allowed no longer would stay");
	}
	vec_done(&run->allowed);
	vec_done(&touched->v);
	run->attached = false;
}

/* A tracked connection is judged as its first packet. */
static void check_flow(struct run *run, const struct packet *p, bool passes)
{
	struct flow f = flow_of(p);

	if (p->path != FORWARDED)
		return;
	if ((flow_judge(run->subject.table, &f) == FLOW_ALLOWED) != passes)
		fail_packet(run, p, !passes);
	if (passes)
		vec_push(&run->allowed, *p);
}

static void check_packets(struct run *run)
{
	check_touched(run);
	for (uint32_t i = 0; i < run->options->packets; i++) {
		struct packet p = random_packet(&run->chance, &run->t.world);
		bool passes;

		if (i % 2)
			(void)aimed_packet(&run->chance, &run->t.world, &p);
		passes = subject_allows(&run->subject, &run->t, &p);
		if (passes != judge_expected(&run->t.world, &p))
			fail_packet(run, &p, passes);
		check_flow(run, &p, passes);
	}
	check_spoofed(run);
}

/* The printed world, read by the decoders, is the world: both are right, or this fails. */
static void check_manifests(const struct run *run)
{
	vec_foreach (o, &run->t.world.objects) {
		struct manifest m = {0};
		struct buf text = {0};
		struct err e = {0};

		if ((*o)->problem)
			continue;
		show_object(*o, &text);
		if (manifest_parse("random.yaml", text.data, text.len, &m, &e) < 0)
			fail_world(run, e.msg);
		if (m.entries.n != 1 || !object_equal(m.entries.v[0].o, *o)) {
			(void)printf("%s# %s\n", text.data,
				     m.entries.n && m.entries.v[0].o->problem
					     ? m.entries.v[0].o->problem
					     : "");
			fail_world(run, "this object is another one when read back");
		}
		buf_done(&text);
		manifest_done(&m);
	}
}

static void check_at_once(struct run *run)
{
	_cleanup_(freep) char *stepwise = rendered(run->subject.table), *at_once = NULL;
	struct subject s;
	struct err e = {0};

	subject_init(&s);
	subject_build(&s, &run->t, &run->chance);
	if (subject_settle(&s, &run->chance, &e) < 0)
		fail_world(run, e.msg);
	at_once = rendered(s.table);
	if (!streq(stepwise, at_once))
		fail_difference(run, "told at once, the table is another one", stepwise, at_once);
	subject_empty(&s, &run->t);
	subject_done(&s);
}

/* @kernel: What an agent finds when it starts and learns of this world. */
static void check_restart(struct run *run, struct shadow *kernel, bool quiet)
{
	struct subject s;
	struct err e = {0};

	subject_init(&s);
	s.kernel = TAKE(*kernel, (struct shadow){0});
	subject_build(&s, &run->t, &run->chance);
	datapath_settle(s.datapath);
	shadow_tell(&s.kernel, s.table);
	if (quiet && table_pending(s.table))
		fail_world(run, "a restart with nothing changed has something to do");
	if (subject_settle(&s, &run->chance, &e) < 0) {
		(void)err_prefix(&e, "after a restart: ");
		fail_world(run, e.msg);
	}
	*kernel = TAKE(s.kernel, (struct shadow){0});
	subject_empty(&s, &run->t);
	subject_done(&s);
}

static void check_restarts(struct run *run, struct shadow *older)
{
	check_restart(run, &run->subject.kernel, true);
	check_restart(run, older, false);
	for (int i = 0; i < 4; i++) {
		meddle(older, &run->chance);
		check_restart(run, older, false);
	}
	shadow_done(older);
}

/* What another kernel holds after the same operations, by telling it at once. */
static void copy_kernel(struct run *run, struct shadow *ret)
{
	struct subject s;
	struct err e = {0};

	subject_init(&s);
	subject_build(&s, &run->t, &run->chance);
	if (subject_settle(&s, &run->chance, &e) < 0)
		fail_world(run, e.msg);
	*ret = TAKE(s.kernel, (struct shadow){0});
	subject_empty(&s, &run->t);
	subject_done(&s);
}

static struct change next_change(struct run *run)
{
	uint32_t what = below(&run->chance, 100);

	if (what < 50)
		return vary_object(&run->t);
	if (what < 54)
		return vary_attach_again(&run->t);
	return timeline_step(&run->t);
}

/* Enough to meet; in one turn, as at the start of an agent. */
static void fill_world(struct run *run)
{
	for (uint32_t n = below(&run->chance, 160); n > 0; n--) {
		struct change c = timeline_step(&run->t);

		subject_change(&run->subject, &c);
		if (run->t.left)
			settle(run);
	}
	settle(run);
	check_packets(run);
}

static void step(struct run *run)
{
	struct change c = next_change(run);

	run->step++;
	run->attached |= c.kind == CHANGE_ATTACH;
	subject_change(&run->subject, &c);
	/* Several changes in one turn; what a step removed is reaped one at a time. */
	if (!run->t.left && chance(&run->chance, 25))
		return;
	settle(run);
	check_packets(run);
}

static void remove_everything(struct run *run)
{
	_cleanup_(freep) char *left = NULL;
	struct change c;

	while ((c = timeline_remove_any(&run->t)).kind != CHANGE_NONE) {
		run->step++;
		subject_change(&run->subject, &c);
		settle(run);
		if (chance(&run->chance, 20))
			check_packets(run);
	}
	left = rendered(run->subject.table);
	if (!streq(left, run->bare))
		fail_difference(run, "something stays when all is gone", run->bare, left);
}

static void run_world(const struct options *o, uint64_t seed)
{
	struct run run = {.options = o, .seed = seed, .chance = {.state = seed + 1}};
	struct shadow older = {0};

	timeline_init(&run.t, seed);
	subject_init(&run.subject);
	run.bare = rendered(run.subject.table);
	settle(&run);
	fill_world(&run);
	for (uint32_t i = 0; i < o->steps; i++) {
		step(&run);
		if (i == o->steps / 2)
			copy_kernel(&run, &older);
	}
	settle(&run);
	check_manifests(&run);
	check_at_once(&run);
	check_restarts(&run, &older);
	remove_everything(&run);
	vec_done(&run.allowed);
	subject_done(&run.subject);
	timeline_done(&run.t);
	free(run.bare);
	if (intern_count() != 0)
		fail_world(&run, "strings are left when all is freed");
}

/* --- all worlds --------------------------------------------------------------------------------
 */

static bool run_forked(const struct options *o, uint64_t seed)
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	if (child < 0)
		return false;
	if (child == 0) {
		run_world(o, seed);
		exit(0);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		(void)printf("# seed %" PRIu64 " failed (wait status %d)\n", seed, status);
		print_replay(o, seed);
		return false;
	}
	return true;
}

static void test_random_worlds(void **state)
{
	const struct options *o = *state;

	if (o->worlds == 1) {
		run_world(o, o->seed);
		return;
	}
	for (uint32_t i = 0; i < o->worlds; i++)
		assert_true(run_forked(o, o->seed + i));
}

static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {{"seed", required_argument, NULL, 's'},
					      {"worlds", required_argument, NULL, 'w'},
					      {"steps", required_argument, NULL, 'n'},
					      {"packets", required_argument, NULL, 'p'},
					      {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		char *end = NULL;
		uint64_t v = optarg ? strtoull(optarg, &end, 0) : 0;

		if (c == '?' || !end || *end || !*optarg)
			return false;
		if (c == 's')
			o->seed = v;
		else
			*(c == 'w' ? &o->worlds : c == 'n' ? &o->steps : &o->packets) = (uint32_t)v;
	}
	return optind == argc && o->worlds > 0;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .worlds = 60, .steps = 60, .packets = 24};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_random_worlds, &options),
	};

	if (!parse_options(argc, argv, &options)) {
		(void)fprintf(stderr,
			      "usage: %s [--seed N] [--worlds N] [--steps N] [--packets N]\n",
			      argv[0]);
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
