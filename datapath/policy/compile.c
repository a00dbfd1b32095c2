// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * compile.c - policies to an allowance.  Pure.
 *
 * Every rule becomes a group of peers and, for each of its ports, a span that points at the group.
 * The spans are cut into segments and the groups that cover one united; the same groups are united
 * once.  Time: O(s log s) for s spans, plus the spans over each segment, plus the terms and ranges
 * of what is united; all of that is bounded.
 */
#include "datapath/policy/compile.h"

#include <uthash.h>

#include "watch/object/spans.h"

#define SPANS_A_TERM 64 /* so many rules over a piece cost about as much as a term */

/* struct known - one of the results, by its text */
struct known {
	char *text;
	uint32_t group;
	UT_hash_handle hh;
};

/*
 * struct compiler
 * @groups: One for each rule that has ports; @spans: these ports; @uses: into how many united
 *          groups it is still to go
 * @united: By set of groups: index into struct allowance.groups; NOTHING: it is empty
 * @size:   As ALLOWANCE_SIZE_MAX counts
 */
struct compiler {
	struct allowance *out;
	const struct pod *pod;
	VEC(struct group) groups;
	VEC(uint32_t) uses;
	struct spans spans;
	VEC(uint32_t) united;
	struct known *known;
	size_t size;
};

#define NOTHING UINT32_MAX

/* --- groups ------------------------------------------------------------------------------------
 */

static void group_done(struct group *g)
{
	vec_foreach (t, &g->terms.t)
		term_done(t);
	vec_done(&g->terms.t);
	ranges_done(&g->blocks);
}

static void add_term(struct terms *ts, const struct match *m, uint8_t protocol, const char *port)
{
	term_init(vec_add(&ts->t), m, protocol, port);
}

/* An absent namespaceSelector means the policy's own namespace (NetworkPolicyPeer). */
static struct match peer_match(const struct netpol *p, const struct policy_peer *peer)
{
	return (struct match){
		.ns = peer->ns_given ? NULL : p->o.ns,
		.namespaces = peer->ns_given ? &peer->namespaces : NULL,
		.pods = &peer->pods,
	};
}

static void group_add_rule(struct group *g, const struct netpol *p, const struct policy_rule *r)
{
	g->everyone |= !r->n_peers;
	for (uint32_t i = 0; i < r->n_peers; i++) {
		const struct policy_peer *peer = &r->peers[i];
		const struct match m = peer_match(p, peer);

		if (peer->kind == PEER_PODS)
			add_term(&g->terms, &m, 0, NULL);
		else
			ranges_add(&g->blocks, &peer->cidr, peer->except, peer->n_except);
	}
}

/* @last: nobody needs @from any more. */
static void group_add_group(struct group *g, struct group *from, bool last)
{
	g->everyone |= from->everyone;
	vec_foreach (t, &from->terms.t) {
		if (last)
			vec_push(&g->terms.t, *t);
		else
			term_copy(vec_add(&g->terms.t), t);
	}
	if (last)
		from->terms.t.n = 0;
	vec_foreach (r, &from->blocks.r)
		vec_push(&g->blocks.r, *r);
}

static void terms_normalise(struct terms *ts)
{
	size_t n = 0;

	vec_sort(&ts->t, term_compare);
	vec_foreach (t, &ts->t) {
		if (n && term_compare(&ts->t.v[n - 1], t) == 0)
			term_done(t);
		else
			ts->t.v[n++] = *t;
	}
	ts->t.n = n;
}

/* Who is everyone needs no further names. */
static void group_normalise(struct group *g)
{
	if (g->everyone) {
		group_done(g);
		*g = (struct group){.everyone = true};
		return;
	}
	terms_normalise(&g->terms);
	ranges_normalise(&g->blocks);
}

/* Take out of @g the terms that @any allows on every port already. */
static void group_subtract(struct group *g, const struct group *any)
{
	size_t n = 0, a = 0;

	vec_foreach (t, &g->terms.t) {
		while (a < any->terms.t.n && term_compare(&any->terms.t.v[a], t) < 0)
			a++;
		if (a < any->terms.t.n && term_compare(&any->terms.t.v[a], t) == 0)
			term_done(t);
		else
			g->terms.t.v[n++] = *t;
	}
	g->terms.t.n = n;
}

static bool group_is_empty(const struct group *g)
{
	return !g->everyone && !g->terms.t.n && !g->blocks.r.n;
}

/* --- rules -------------------------------------------------------------------------------------
 */

/*
 * Towards others a port name means whatever number it has in each destination pod, so it goes
 * with the peers; addresses outside pods (and ipBlock) have no port names.
 */
static void add_named_egress(struct compiler *c, const struct netpol *p,
			     const struct policy_rule *r, const struct policy_port *port)
{
	static const struct selector every_pod;

	if (!r->n_peers)
		add_term(&c->out->named, &(struct match){.pods = &every_pod}, port->protocol,
			 port->name);
	for (uint32_t i = 0; i < r->n_peers; i++) {
		const struct match m = peer_match(p, &r->peers[i]);

		if (r->peers[i].kind == PEER_PODS)
			add_term(&c->out->named, &m, port->protocol, port->name);
	}
}

static void add_port(struct compiler *c, const struct netpol *p, const struct policy_rule *r,
		     const struct policy_port *port)
{
	struct span s = {port->protocol, port->port, port->end_port, (uint32_t)c->groups.n - 1};

	if (port->kind == PORT_ALL) {
		s.first = 0;
		s.last = UINT16_MAX;
	}
	if (port->kind == PORT_NAME) {
		if (c->out->direction == EGRESS) {
			add_named_egress(c, p, r, port);
			return;
		}
		s.first = s.last = pod_named_port(c->pod, port->protocol, port->name);
		if (!s.first)
			return;
	}
	vec_push(&c->spans.s, s);
}

/* Source: NetworkPolicyIngressRule: ports empty or missing matches all traffic. */
static void add_rule(struct compiler *c, const struct netpol *p, const struct policy_rule *r)
{
	if (!r->n_ports) {
		group_add_rule(&c->out->any, p, r);
		return;
	}
	group_add_rule(vec_add(&c->groups), p, r);
	vec_push(&c->uses, 0);
	for (uint32_t i = 0; i < r->n_ports; i++)
		add_port(c, p, r, &r->ports[i]);
}

/* --- the pieces ---------------------------------------------------------------------------------
 */

/* Index of an equal group among the results, added if there is none; takes @g over. */
static uint32_t intern_group(struct compiler *c, struct group *g)
{
	struct buf b = {0};
	struct known *k;

	group_text(g, &b);
	HASH_FIND(hh, c->known, b.data, b.len, k);
	if (k) {
		group_done(g);
		buf_done(&b);
		return k->group;
	}
	k = xcalloc(1, sizeof(*k));
	k->group = (uint32_t)c->out->groups.n;
	HASH_ADD_KEYPTR(hh, c->known, b.data, b.len, k);
	k->text = buf_take(&b);
	vec_push(&c->out->groups, *g);
	return k->group;
}

/* What some groups are together. */
static uint32_t unite(struct compiler *c, const uint32_t *groups, size_t n)
{
	struct group g = {0};

	for (size_t i = 0; i < n; i++)
		group_add_group(&g, &c->groups.v[groups[i]], !--c->uses.v[groups[i]]);
	group_normalise(&g);
	group_subtract(&g, &c->out->any);
	if (!group_is_empty(&g))
		return intern_group(c, &g);
	group_done(&g);
	return NOTHING;
}

static bool add_piece(void *compiler, const struct piece *p)
{
	struct compiler *c = compiler;
	struct allowance *a = c->out;
	struct segment *before = a->segments.n ? &a->segments.v[a->segments.n - 1] : NULL;
	struct segment s = {p->protocol, p->first, p->last, NOTHING};

	if (p->is_new)
		vec_push(&c->united, unite(c, p->groups, p->n));
	s.group = c->united.v[p->set];
	if (s.group == NOTHING)
		return true;
	if (before && before->protocol == s.protocol && before->group == s.group &&
	    before->last + 1 == s.first)
		before->last = s.last;
	else
		vec_push(&a->segments, s);
	return true;
}

static size_t group_size(const struct group *g)
{
	return 1 + g->terms.t.n + g->blocks.r.n;
}

static bool measure_piece(void *compiler, const struct piece *p)
{
	struct compiler *c = compiler;

	c->size += 1 + p->n / SPANS_A_TERM;
	for (size_t i = 0; i < p->n && p->is_new; i++) {
		c->size += group_size(&c->groups.v[p->groups[i]]);
		c->uses.v[p->groups[i]]++;
	}
	return c->size <= ALLOWANCE_SIZE_MAX;
}

static void compiler_done(struct compiler *c)
{
	struct known *k, *next;

	vec_foreach (g, &c->groups)
		group_done(g);
	vec_done(&c->groups);
	vec_done(&c->uses);
	vec_done(&c->spans.s);
	vec_done(&c->united);
	HASH_ITER (hh, c->known, k, next) {
		HASH_DEL(c->known, k);
		free(k->text);
		free(k);
	}
}

/**
 * allowance_compile() - Compile policies
 * @a:        Result, zeroed; to be freed with allowance_done()
 * @d:        Direction
 * @policies: Policies that select the pod and isolate it in @d, in any order
 * @n:        Number of policies
 * @pod:      The pod, for port names of ingress rules; NULL resolves none
 *
 * When it becomes too large (ALLOWANCE_SIZE_MAX), @a->too_large is set and nothing is allowed.
 *
 * Source: networking.k8s.io/v1 NetworkPolicySpec, NetworkPolicyIngressRule, NetworkPolicyPort.
 */
void allowance_compile(struct allowance *a, enum direction d, const struct netpol *const *policies,
		       size_t n, const struct pod *pod)
{
	struct compiler c = {.out = a, .pod = pod};

	a->direction = d;
	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < policies[i]->n_rules[d]; j++)
			add_rule(&c, policies[i], &policies[i]->rules[d][j]);
	group_normalise(&a->any);
	terms_normalise(&a->named);
	if (!a->any.everyone) {
		c.size = group_size(&a->any) + a->named.t.n;
		spans_cut(&c.spans, measure_piece, &c);
		if (c.size <= ALLOWANCE_SIZE_MAX)
			spans_cut(&c.spans, add_piece, &c);
	}
	compiler_done(&c);
	if (c.size <= ALLOWANCE_SIZE_MAX)
		return;
	allowance_done(a);
	*a = (struct allowance){.direction = d, .too_large = true};
}

/**
 * allowance_done() - Free what allowance_compile() made
 * @a: Allowance
 */
void allowance_done(struct allowance *a)
{
	group_done(&a->any);
	vec_foreach (t, &a->named.t)
		term_done(t);
	vec_done(&a->named.t);
	vec_foreach (g, &a->groups)
		group_done(g);
	vec_done(&a->groups);
	vec_done(&a->segments);
}

/* --- canonical text ----------------------------------------------------------------------------
 */

static void terms_text(const struct terms *ts, struct buf *out)
{
	vec_foreach (t, &ts->t)
		buf_printf(out, "%s; ", t->text);
}

/**
 * group_text() - Canonical text of a group
 * @g:   Normalised group
 * @out: Appended to
 */
void group_text(const struct group *g, struct buf *out)
{
	char first[ADDR_STR_MAX], last[ADDR_STR_MAX];

	if (g->everyone)
		buf_puts(out, "everyone");
	terms_text(&g->terms, out);
	vec_foreach (r, &g->blocks.r)
		buf_printf(out, "%s-%s; ", addr_str(&r->first, first), addr_str(&r->last, last));
}

/**
 * allowance_text() - Canonical text: equal text, equal program
 * @a:   Allowance
 * @out: Appended to
 */
void allowance_text(const struct allowance *a, struct buf *out)
{
	uint32_t met = 0;

	buf_printf(out, "%s%s any{", a->direction == INGRESS ? "ingress" : "egress",
		   a->too_large ? " too large" : "");
	group_text(&a->any, out);
	buf_puts(out, "} named{");
	terms_text(&a->named, out);
	buf_putc(out, '}');
	vec_foreach (s, &a->segments) {
		buf_printf(out, " %s:%u-%u{", protocol_str(s->protocol), s->first, s->last);
		/* Groups stand in the order in which they are first used. */
		if (s->group == met)
			group_text(&a->groups.v[met++], out);
		else
			buf_printf(out, "as %u", s->group);
		buf_putc(out, '}');
	}
}
