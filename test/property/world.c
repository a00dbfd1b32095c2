// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * world.c - a random world for the laboratory of test/net, as JSON on standard output.
 *
 *	world [--seed N] [--steps N] [--packets N]
 *
 * One node's cluster grows and changes by chance.  What is printed are rounds: changes in their
 * order (manifests, pods plugged in and out), then packets and what the reference says of each.
 * test/net/lab/worlds.py makes it real.
 *
 * Only what can be real is drawn.  The node has ranges of both families, so every pod gets both
 * addresses.  Nothing is set aside.  A packet has ports, unicast addresses and a local pod at one
 * end at least; it does not go to an address of the node's range that no pod has, nor from a pod to
 * itself, which never leaves the pod.  The first address of the place of nodes is this node's.
 */
#include <getopt.h>
#include <stdio.h>
#include <sys/socket.h>

#include "aim.h"
#include "judge.h"
#include "lib/intern.h"
#include "lib/jsonw.h"
#include "show.h"
#include "vary.h"
#include "watch/object/namespace.h"

#define LOCAL_ADDRS   254 /* of the node's range, the supply of random.h at its beginning */
#define ATTEMPTS      40  /* for each packet: many that are drawn cannot be real */
#define SPOOF_PERCENT 6
#define PODS_LEAST    4 /* to begin with */

struct options {
	uint64_t seed;
	uint32_t steps, packets;
};

/* struct run - @chance: for everything but the world itself */
struct run {
	const struct options *options;
	struct timeline t;
	struct rng chance;
	struct jsonw json;
};

/*
 * struct sent - a packet that can be sent
 * @from:    Who sends it; NULL: the node, or who is not of this node
 * @spoofed: @p.src is not an address of @from
 */
struct sent {
	struct packet p;
	const struct attachment *from;
	bool spoofed;
};

/* --- addresses ---------------------------------------------------------------------------------
 */

static struct prefix range_of(enum place place, bool six)
{
	return (struct prefix){place_addr(place, six, 0), six ? 64 : 24};
}

static struct addr node_addr(bool six)
{
	return place_addr(PLACE_NODES, six, 1);
}

static bool is_node(const struct addr *a)
{
	const struct addr node = node_addr(a->family == AF_INET6);

	return addr_eq(a, &node);
}

static bool in_local_range(const struct addr *a)
{
	const struct prefix range = range_of(PLACE_LOCAL, a->family == AF_INET6);

	return prefix_contains(&range, a);
}

static const struct attachment *attached(const struct timeline *t, const struct addr *a)
{
	vec_foreach (at, &t->attachments)
		for (uint32_t i = 0; i < (*at)->n_addrs; i++)
			if (addr_eq(&(*at)->addrs[i], a))
				return *at;
	return NULL;
}

/* Can it stand in a packet between hosts?  RFC 6890; RFC 4291, section 2.4. */
static bool is_unicast(const struct addr *a)
{
	if (a->family == AF_INET6)
		return a->b[0] != 0 && a->b[0] < 0xfe;
	return a->b[0] != 0 && a->b[0] != 127 && a->b[0] < 224 &&
	       !(a->b[0] == 169 && a->b[1] == 254);
}

/* --- changes -----------------------------------------------------------------------------------
 */

/* The drawn attachment may have one family only: give the last one the other, too. */
static void complete_last(struct run *run)
{
	struct timeline *t = &run->t;
	struct attachment *a = t->attachments.v[t->attachments.n - 1];
	struct reference_endpoint *e = &t->world.endpoints.v[t->world.endpoints.n - 1];
	bool six = a->addrs[0].family == AF_INET;
	struct addr other;

	if (a->n_addrs == 2)
		return;
	do
		other = place_addr(PLACE_LOCAL, six, 1 + below(&run->chance, LOCAL_ADDRS));
	while (attached(t, &other));
	if (!six)
		a->addrs[1] = a->addrs[0];
	a->addrs[six] = other;
	a->n_addrs = e->n_addrs = 2;
	memcpy(e->addrs, a->addrs, sizeof(e->addrs));
}

static struct change draw_change(struct run *run)
{
	uint32_t what = below(&run->chance, 100);

	if (what < 45)
		return vary_object(&run->t);
	if (what < 52)
		return vary_attach_again(&run->t);
	return timeline_step(&run->t);
}

static void put_object(struct run *run, const struct change *c)
{
	static const char *const kinds[] = {"node", "namespace", "pod", "networkpolicy"};
	const struct object *o = c->new ?: c->old;
	_cleanup_(freep) char *file =
		xasprintf("%s-%s%s%s", kinds[o->kind], o->ns ?: "", o->ns ? "-" : "", o->name);
	_cleanup_(buf_done) struct buf text = {0};

	jsonw_str(&run->json, "file", file);
	if (c->new)
		show_object(c->new, &text);
	if (c->new)
		jsonw_str(&run->json, "manifest", text.data);
	else
		jsonw_null(&run->json, "manifest");
}

static void put_attachment(struct run *run, const struct attachment *a, bool comes)
{
	_cleanup_(freep) char *file = xasprintf("pod-%s-%s", a->ns, a->pod);
	char text[ADDR_STR_MAX];

	jsonw_str(&run->json, "file", file);
	jsonw_str(&run->json, comes ? "attach" : "detach", a->id);
	if (!comes)
		return;
	jsonw_str(&run->json, "namespace", a->ns);
	jsonw_str(&run->json, "pod", a->pod);
	jsonw_str(&run->json, "uid", a->uid);
	jsonw_begin(&run->json, "addresses", '[');
	for (uint32_t i = 0; i < a->n_addrs; i++)
		jsonw_str(&run->json, NULL, addr_str(&a->addrs[i], text));
	jsonw_end(&run->json, ']');
}

/* What was set aside by chance is sound: for a policy that means that it has no rules; of a
 * namespace the labels are known. */
static void clear_problem(const struct object *o)
{
	struct object *sound = (struct object *)o;

	if (!o)
		return;
	free(sound->problem);
	sound->problem = NULL;
	if (o->kind == KIND_NAMESPACE)
		((struct namespace *)sound)->labels_known = true;
}

static bool change(struct run *run, struct change c)
{
	if (c.kind == CHANGE_NONE)
		return false;
	clear_problem(c.new);
	if (c.kind == CHANGE_ATTACH)
		complete_last(run);
	jsonw_begin(&run->json, NULL, '{');
	if (c.kind == CHANGE_OBJECT)
		put_object(run, &c);
	else
		put_attachment(run, c.attachment, c.kind == CHANGE_ATTACH);
	jsonw_end(&run->json, '}');
	timeline_reap(&run->t);
	return true;
}

/* --- packets -----------------------------------------------------------------------------------
 */

/* Its addresses say which way a real packet goes. */
static void choose_path(struct packet *p)
{
	bool six = p->src.family == AF_INET6;

	if (p->path == TO_NODE)
		p->dst = node_addr(six);
	if (p->path == FROM_NODE)
		p->src = node_addr(six);
	p->path = is_node(&p->dst) ? TO_NODE : is_node(&p->src) ? FROM_NODE : FORWARDED;
}

static bool is_real(const struct timeline *t, const struct packet *p)
{
	const struct attachment *from = attached(t, &p->src), *to = attached(t, &p->dst);

	if (p->protocol != PROTO_TCP && p->protocol != PROTO_UDP && p->protocol != PROTO_SCTP)
		return false;
	if (!p->dport || !is_unicast(&p->src) || !is_unicast(&p->dst) || addr_eq(&p->src, &p->dst))
		return false;
	if (!to && in_local_range(&p->dst))
		return false;
	return p->path == TO_NODE ? from != NULL : from || to;
}

/* Another's address, preferably one that would have been let through. */
static bool spoof(struct run *run, struct sent *s)
{
	bool six = s->p.src.family == AF_INET6;

	for (int attempt = 0; attempt < 12; attempt++) {
		struct packet p = s->p;

		p.src = random_addr(&run->chance, six);
		if (is_node(&p.src) || addr_eq(&p.src, &p.dst) ||
		    attached(&run->t, &p.src) == s->from)
			continue;
		if (attempt < 10 && !judge_expected(&run->t.world, &p))
			continue;
		s->p = p;
		s->spoofed = true;
		return true;
	}
	return false;
}

static bool draw(struct run *run, bool aimed, struct sent *s)
{
	*s = (struct sent){.p = random_packet(&run->chance, &run->t.world)};
	if (aimed && !aimed_packet(&run->chance, &run->t.world, &s->p))
		return false;
	choose_path(&s->p);
	if (!is_real(&run->t, &s->p))
		return false;
	s->from = attached(&run->t, &s->p.src);
	return !s->from || !chance(&run->chance, SPOOF_PERCENT) || spoof(run, s);
}

static const char *sender(const struct sent *s)
{
	return s->from ? s->from->id : s->p.path == FROM_NODE ? "node" : "world";
}

static const char *receiver(const struct run *run, const struct packet *p)
{
	const struct attachment *to = attached(&run->t, &p->dst);

	return p->path == TO_NODE ? "node" : to ? to->id : "world";
}

static void put_packet(struct run *run, const struct sent *s)
{
	const struct packet *p = &s->p;
	/* An address of the node's range comes from its pod's interface only. */
	bool believed = !s->spoofed && (s->from || !in_local_range(&p->src));
	bool passes = believed && judge_expected(&run->t.world, p);
	char src[ADDR_STR_MAX], dst[ADDR_STR_MAX];
	struct jsonw *json = &run->json;

	jsonw_begin(json, NULL, '{');
	jsonw_str(json, "from", sender(s));
	jsonw_str(json, "to", receiver(run, p));
	jsonw_str(json, "source", addr_str(&p->src, src));
	jsonw_str(json, "destination", addr_str(&p->dst, dst));
	jsonw_str(json, "protocol", protocol_str(p->protocol));
	jsonw_uint(json, "port", p->dport);
	jsonw_bool(json, "spoofed", s->spoofed);
	jsonw_bool(json, "passes", passes);
	jsonw_bool(json, "answered", passes && p->protocol == PROTO_TCP);
	jsonw_end(json, '}');
}

/* Every second packet is aimed at a rule, if there is one. */
static void put_packets(struct run *run)
{
	uint32_t wanted = run->options->packets, n = 0;

	jsonw_begin(&run->json, "packets", '[');
	for (uint32_t i = 0; n < wanted && i < wanted * ATTEMPTS; i++) {
		bool aimed = n % 2 && i < wanted * ATTEMPTS / 2;
		struct sent s;

		if (!draw(run, aimed, &s))
			continue;
		put_packet(run, &s);
		n++;
	}
	jsonw_end(&run->json, ']');
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static void begin_round(struct run *run)
{
	jsonw_begin(&run->json, NULL, '{');
	jsonw_begin(&run->json, "changes", '[');
}

/* @world is for people: what there was when the packets were sent. */
static void end_round(struct run *run)
{
	_cleanup_(buf_done) struct buf world = {0};

	jsonw_end(&run->json, ']');
	put_packets(run);
	show_world(&run->t.world, &world);
	jsonw_str(&run->json, "world", world.data ?: "");
	jsonw_end(&run->json, '}');
}

/* The first round fills the world, each of the others changes a little. */
static void put_rounds(struct run *run)
{
	uint32_t fill = 60 + below(&run->chance, 100), left = run->options->steps;

	begin_round(run);
	for (uint32_t n = 0; n < fill || run->t.world.endpoints.n < PODS_LEAST; n++)
		(void)change(run, timeline_step(&run->t));
	end_round(run);
	while (left > 0) {
		uint32_t steps = 1 + below(&run->chance, 4);

		steps = MIN(left, steps);
		left -= steps;
		begin_round(run);
		while (steps > 0)
			steps -= change(run, draw_change(run));
		end_round(run);
	}
}

static void put_ranges(struct jsonw *json, const char *key, enum place place)
{
	jsonw_begin(json, key, '[');
	for (int six = 0; six < 2; six++) {
		const struct prefix range = range_of(place, six);
		char text[PREFIX_STR_MAX];

		jsonw_str(json, NULL, prefix_str(&range, text));
	}
	jsonw_end(json, ']');
}

static void put_node(struct jsonw *json)
{
	jsonw_begin(json, "node", '[');
	for (int six = 0; six < 2; six++) {
		const struct addr node = node_addr(six);
		char text[ADDR_STR_MAX];

		jsonw_str(json, NULL, addr_str(&node, text));
	}
	jsonw_end(json, ']');
}

static void put_all(struct run *run)
{
	struct jsonw *json = &run->json;

	jsonw_begin(json, NULL, '{');
	jsonw_uint(json, "seed", run->options->seed);
	put_node(json);
	put_ranges(json, "local", PLACE_LOCAL);
	put_ranges(json, "remote", PLACE_REMOTE);
	jsonw_begin(json, "rounds", '[');
	put_rounds(run);
	jsonw_end(json, ']');
	jsonw_end(json, '}');
}

static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {{"seed", required_argument, NULL, 's'},
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
			*(c == 'n' ? &o->steps : &o->packets) = (uint32_t)v;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .steps = 24, .packets = 400};
	struct buf out = {0};
	struct run run = {.options = &options, .json.out = &out};
	int r;

	if (!parse_options(argc, argv, &options)) {
		(void)fprintf(stderr, "usage: %s [--seed N] [--steps N] [--packets N]\n", argv[0]);
		return 2;
	}
	run.chance.state = options.seed + 1;
	timeline_init(&run.t, options.seed);
	put_all(&run);
	timeline_done(&run.t);
	r = puts(out.data) < 0 || fflush(stdout) != 0;
	buf_done(&out);
	return r;
}
