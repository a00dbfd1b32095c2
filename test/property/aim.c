// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * aim.c - packets that go where a rule speaks of.  Pure.
 *
 * Only aims: what a packet deserves is the reference's to say.
 */
#include "aim.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

#include <sys/socket.h>

/* One pod, local or not, with an address of @family; false if chance does not find one. */
static bool any_pod(struct rng *r, const struct world *w, int family, const struct pod **ret_pod,
		    struct addr *ret)
{
	for (int attempt = 0; attempt < 12; attempt++) {
		uint32_t i = below(r, (uint32_t)(w->objects.n + w->endpoints.n));
		const struct addr *addrs;
		uint32_t n;

		if (i < w->endpoints.n) {
			*ret_pod = w->endpoints.v[i].object;
			addrs = w->endpoints.v[i].addrs;
			n = w->endpoints.v[i].n_addrs;
		} else {
			const struct object *o = w->objects.v[i - w->endpoints.n];

			if (o->kind != KIND_POD)
				continue;
			*ret_pod = as_pod(o);
			addrs = as_pod(o)->ips;
			n = as_pod(o)->n_ips;
		}
		for (uint32_t j = 0; *ret_pod && j < n; j++) {
			*ret = addrs[j];
			if (addrs[j].family == family)
				return true;
		}
	}
	return false;
}

/* A number that the name has in either pod, or beside it. */
static uint16_t number_of(struct rng *r, const char *name, const struct pod *a, const struct pod *b)
{
	const struct pod *p = b && chance(r, 50) ? b : a;

	for (uint32_t i = 0; p && i < p->n_ports; i++)
		if (streq(p->ports[i].name, name) && chance(r, 70))
			return p->ports[i].port;
	return (uint16_t)(80 + below(r, 3));
}

static void aim_port(struct rng *r, const struct policy_rule *rule, const struct pod *subject,
		     const struct pod *other, struct packet *p)
{
	const struct policy_port *port;

	if (!rule->n_ports)
		return;
	port = &rule->ports[below(r, rule->n_ports)];
	p->protocol = port->protocol;
	if (port->kind == PORT_NAME)
		p->dport = number_of(r, port->name, subject, other);
	else if (port->kind == PORT_NUMBER)
		p->dport = (uint16_t)(chance(r, 50) ? port->port - below(r, 2)
						    : port->end_port + below(r, 2));
}

/* An address that a block decides about: an edge of it or of an exception. */
static bool aim_block(struct rng *r, const struct policy_rule *rule, struct addr *ret)
{
	const struct policy_peer *peer = &rule->peers[below(r, rule->n_peers)];
	const struct prefix *block = &peer->cidr;
	struct addr a;

	if (peer->kind != PEER_BLOCK)
		return false;
	if (peer->n_except && chance(r, 60))
		block = &peer->except[below(r, peer->n_except)];
	a = chance(r, 50) ? block->addr : prefix_last(block);
	if (chance(r, 40))
		(void)(chance(r, 50) ? addr_next(&a) : addr_prev(&a));
	if (a.family != ret->family)
		return false;
	*ret = a;
	return true;
}

/* A policy of the namespace with rules in a direction. */
static const struct netpol *any_policy(struct rng *r, const struct world *w, const char *ns,
				       enum direction d)
{
	uint32_t skip = w->objects.n ? below(r, (uint32_t)w->objects.n) : 0;

	for (size_t i = 0; i < w->objects.n; i++) {
		const struct object *o = w->objects.v[(i + skip) % w->objects.n];

		if (o->kind == KIND_NETPOL && streq(o->ns, ns) && as_netpol(o)->n_rules[d])
			return as_netpol(o);
	}
	return NULL;
}

/**
 * aimed_packet() - A packet at a rule
 * @r:   Generator
 * @w:   World
 * @ret: Packet
 *
 * Return: false if the world has no rule, or no local pod, or chance found none
 */
bool aimed_packet(struct rng *r, const struct world *w, struct packet *ret)
{
	enum direction d = below(r, _DIRECTION_MAX);
	const struct reference_endpoint *e;
	const struct netpol *policy;
	const struct policy_rule *rule;
	const struct pod *other = NULL;
	struct addr subject, peer;

	if (!w->endpoints.n)
		return false;
	e = &w->endpoints.v[below(r, (uint32_t)w->endpoints.n)];
	policy = any_policy(r, w, e->ns, d);
	if (!policy)
		return false;
	rule = &policy->rules[d][below(r, policy->n_rules[d])];
	peer = subject = e->addrs[below(r, e->n_addrs)];
	if (!(rule->n_peers && aim_block(r, rule, &peer)) &&
	    !any_pod(r, w, subject.family, &other, &peer))
		return false;
	*ret = (struct packet){.src = d == INGRESS ? peer : subject,
			       .dst = d == INGRESS ? subject : peer,
			       .protocol = chance(r, 90) ? PROTO_TCP : 1,
			       .dport = 80};
	aim_port(r, rule, e->object, other, ret);
	if (d == EGRESS && !other && chance(r, 20))
		ret->path = TO_NODE;
	return true;
}
