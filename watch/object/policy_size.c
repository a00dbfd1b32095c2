// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy_size.c - count what a policy asks for before it is compiled.  Pure.
 */
#include "watch/object/policy_size.h"

#include <errno.h>

#include "watch/object/spans.h"

#define GROUPS_A_PEER 64 /* so many rules over one piece cost about as much as a peer */

/* struct counting - @rules: of one direction */
struct counting {
	const struct policy_rule *rules;
	uint64_t size;
};

/* No peers mean everyone: that is something, too. */
static uint64_t count_peers(const struct policy_rule *r)
{
	uint64_t n = r->n_peers ? 0 : 1;

	for (uint32_t i = 0; i < r->n_peers; i++)
		n += MAX(r->peers[i].n_except, 1);
	return n;
}

static bool count_piece(void *arg, const struct piece *p)
{
	struct counting *c = arg;

	c->size += 1 + p->n / GROUPS_A_PEER;
	for (size_t i = 0; i < p->n && p->is_new; i++)
		c->size += count_peers(&c->rules[p->groups[i]]);
	return c->size <= POLICY_SIZE_MAX;
}

/* A name of an egress rule goes with each of the rule's peers; one of ingress is one port. */
static uint64_t add_ports(struct spans *s, const struct policy_rule *r, uint32_t rule,
			  enum direction d)
{
	uint64_t named = 0;

	for (uint32_t i = 0; i < r->n_ports; i++) {
		const struct policy_port *p = &r->ports[i];
		struct span span = {p->protocol, p->port, p->end_port, rule};

		if (p->kind == PORT_NAME) {
			named += d == EGRESS ? count_peers(r) : 1;
			continue;
		}
		if (p->kind == PORT_ALL)
			span.last = UINT16_MAX;
		vec_push(&s->s, span);
	}
	return named;
}

static int check_direction(const struct netpol *p, enum direction d, struct err *reterr)
{
	const char *field = d == INGRESS ? "ingress" : "egress";
	struct counting c = {.rules = p->rules[d]};
	uint64_t peers = 0, ports = 0;
	struct spans spans = {0};

	for (uint32_t i = 0; i < p->n_rules[d]; i++) {
		peers += count_peers(&p->rules[d][i]);
		ports += p->rules[d][i].n_ports;
	}
	if (peers > POLICY_SIZE_MAX)
		return err_set(reterr, -EINVAL,
			       "spec.%s: more than %d peers and exceptions in its rules together",
			       field, POLICY_SIZE_MAX);
	if (ports > POLICY_SIZE_MAX)
		return err_set(reterr, -EINVAL, "spec.%s: more than %d ports in its rules together",
			       field, POLICY_SIZE_MAX);
	for (uint32_t i = 0; i < p->n_rules[d]; i++)
		c.size += add_ports(&spans, &p->rules[d][i], i, d);
	if (c.size <= POLICY_SIZE_MAX)
		spans_cut(&spans, count_piece, &c);
	vec_done(&spans.s);
	if (c.size <= POLICY_SIZE_MAX)
		return 0;
	return err_set(
		reterr, -EINVAL,
		"spec.%s: too large: the rules' ports overlap in so many ways that the peers "
		"of all combinations are more than %d; let fewer port ranges overlap",
		field, POLICY_SIZE_MAX);
}

/**
 * policy_check_size() - Is a policy within its bounds?
 * @p:      Policy, decoded
 * @reterr: Which field, and which bound
 *
 * Time: O(ports log ports), plus what it counts; both bounded.
 *
 * Return: 0; -EINVAL
 */
int policy_check_size(const struct netpol *p, struct err *reterr)
{
	int r = check_direction(p, INGRESS, reterr);

	return r < 0 ? r : check_direction(p, EGRESS, reterr);
}
