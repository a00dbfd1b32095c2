// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * compile.c - policies to an allowance.  Pure.
 *
 * Every rule becomes a group of peers and, for each of its ports, a span that points at the group.
 * A sweep over the spans of each protocol cuts them into segments and unites the groups that
 * cover one.  Time: O(s log s) for s spans, plus the terms of the groups that overlap.
 */
#include "datapath/policy/compile.h"

/* struct span - a rule's ports before the cut */
struct span {
	uint8_t protocol;
	uint16_t first, last;
	uint32_t group;
};

struct compiler {
	struct allowance *out;
	const struct pod *pod;
	VEC(struct group) groups; /* one for each rule that has ports */
	VEC(struct span) spans;
};

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
static struct match peer_match(const struct policy *p, const struct policy_peer *peer)
{
	return (struct match){
		.ns = peer->ns_given ? NULL : p->o.ns,
		.namespaces = peer->ns_given ? &peer->namespaces : NULL,
		.pods = &peer->pods,
	};
}

static void group_add_rule(struct group *g, const struct policy *p, const struct policy_rule *r)
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

static void group_add_group(struct group *g, const struct group *from)
{
	g->everyone |= from->everyone;
	vec_foreach (t, &from->terms.t)
		term_copy(vec_add(&g->terms.t), t);
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
static void add_named_egress(struct compiler *c, const struct policy *p,
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

static void add_port(struct compiler *c, const struct policy *p, const struct policy_rule *r,
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
	vec_push(&c->spans, s);
}

/* Source: NetworkPolicyIngressRule: ports empty or missing matches all traffic. */
static void add_rule(struct compiler *c, const struct policy *p, const struct policy_rule *r)
{
	if (!r->n_ports) {
		group_add_rule(&c->out->any, p, r);
		return;
	}
	group_add_rule(vec_add(&c->groups), p, r);
	for (uint32_t i = 0; i < r->n_ports; i++)
		add_port(c, p, r, &r->ports[i]);
}

/* --- the sweep ---------------------------------------------------------------------------------
 */

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->protocol != y->protocol)
		return x->protocol - y->protocol;
	if (x->first != y->first)
		return x->first - y->first;
	return x->last - y->last;
}

static bool groups_equal(const struct group *a, const struct group *b)
{
	_cleanup_(buf_done) struct buf x = {0}, y = {0};

	if (a->everyone != b->everyone || a->terms.t.n != b->terms.t.n ||
	    a->blocks.r.n != b->blocks.r.n)
		return false;
	group_text(a, &x);
	group_text(b, &y);
	return x.len == y.len && (!x.len || memcmp(x.data, y.data, x.len) == 0);
}

/* Index of an equal group among the results, added if there is none; takes @g over. */
static uint32_t intern_group(struct allowance *a, struct group *g)
{
	for (size_t i = 0; i < a->groups.n; i++) {
		if (!groups_equal(&a->groups.v[i], g))
			continue;
		group_done(g);
		return (uint32_t)i;
	}
	vec_push(&a->groups, *g);
	return (uint32_t)a->groups.n - 1;
}

static void emit(struct compiler *c, const struct span *active, size_t n, uint16_t first,
		 uint16_t last)
{
	struct allowance *a = c->out;
	struct segment *before = a->segments.n ? &a->segments.v[a->segments.n - 1] : NULL;
	struct segment s = {active[0].protocol, first, last, 0};
	struct group g = {0};

	for (size_t i = 0; i < n; i++)
		group_add_group(&g, &c->groups.v[active[i].group]);
	group_normalise(&g);
	group_subtract(&g, &a->any);
	if (group_is_empty(&g)) {
		group_done(&g);
		return;
	}
	s.group = intern_group(a, &g);
	if (before && before->protocol == s.protocol && before->group == s.group &&
	    before->last + 1 == first)
		before->last = last;
	else
		vec_push(&a->segments, s);
}

/* Keep the spans that reach @from or beyond; tell the lowest end among them. */
static uint16_t expire(struct span *active, size_t *n, unsigned int from)
{
	uint16_t end = UINT16_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		if (active[i].last < from)
			continue;
		end = MIN(end, active[i].last);
		active[kept++] = active[i];
	}
	*n = kept;
	return end;
}

/* Cut the spans of one protocol, @n of them sorted by first port. */
static void sweep(struct compiler *c, const struct span *spans, size_t n)
{
	_cleanup_(freep) struct span *active = xcalloc(n, sizeof(*active));
	size_t n_active = 0, next = 0;
	unsigned int from = 0;

	while (from <= UINT16_MAX) {
		uint16_t last;

		(void)expire(active, &n_active, from);
		if (!n_active) {
			if (next == n)
				return;
			from = spans[next].first;
		}
		while (next < n && spans[next].first <= from)
			active[n_active++] = spans[next++];
		last = expire(active, &n_active, from);
		if (next < n && spans[next].first <= last)
			last = (uint16_t)(spans[next].first - 1);
		emit(c, active, n_active, (uint16_t)from, last);
		from = last + 1u;
	}
}

static void sweep_all(struct compiler *c)
{
	vec_sort(&c->spans, compare_spans);
	for (size_t i = 0, end; i < c->spans.n; i = end) {
		for (end = i; end < c->spans.n; end++)
			if (c->spans.v[end].protocol != c->spans.v[i].protocol)
				break;
		sweep(c, &c->spans.v[i], end - i);
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
 * Source: networking.k8s.io/v1 NetworkPolicySpec, NetworkPolicyIngressRule, NetworkPolicyPort.
 */
void allowance_compile(struct allowance *a, enum direction d, const struct policy *const *policies,
		       size_t n, const struct pod *pod)
{
	struct compiler c = {.out = a, .pod = pod};

	a->direction = d;
	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < policies[i]->n_rules[d]; j++)
			add_rule(&c, policies[i], &policies[i]->rules[d][j]);
	group_normalise(&a->any);
	terms_normalise(&a->named);
	if (!a->any.everyone)
		sweep_all(&c);
	vec_foreach (g, &c.groups)
		group_done(g);
	vec_done(&c.groups);
	vec_done(&c.spans);
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
	buf_printf(out, "%s any{", a->direction == INGRESS ? "ingress" : "egress");
	group_text(&a->any, out);
	buf_puts(out, "} named{");
	terms_text(&a->named, out);
	buf_putc(out, '}');
	vec_foreach (s, &a->segments) {
		buf_printf(out, " %s:%u-%u{", protocol_str(s->protocol), s->first, s->last);
		group_text(&a->groups.v[s->group], out);
		buf_putc(out, '}');
	}
}
