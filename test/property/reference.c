// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reference.c - NetworkPolicy as its API document says it.  Pure.
 */
#include "reference.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

/* --- labels ------------------------------------------------------------------------------------
 */

static const char *label(const struct labels *l, const char *key)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i].key, key))
			return l->v[i].value;
	return NULL;
}

static bool is_among(const struct requirement *r, const char *value)
{
	for (uint32_t i = 0; i < r->n_values; i++)
		if (streq(r->values[i], value))
			return true;
	return false;
}

/* meta/v1 LabelSelectorRequirement: NotIn holds for what does not have the key. */
static bool requirement_holds(const struct requirement *r, const struct labels *l)
{
	const char *value = label(l, r->key);

	switch (r->op) {
	case SELECTOR_IN:
		return value && is_among(r, value);
	case SELECTOR_NOT_IN:
		return !value || !is_among(r, value);
	case SELECTOR_EXISTS:
		return value;
	case SELECTOR_NOT_EXISTS:
		return !value;
	case _SELECTOR_MAX:
		break;
	}
	abort();
}

/* "The requirements are ANDed.  An empty label selector matches all objects." */
static bool selects(const struct selector *s, const struct labels *l)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (!requirement_holds(&s->v[i], l))
			return false;
	return true;
}

/* --- who has an address ------------------------------------------------------------------------
 */

static bool has_addr(const struct addr *addrs, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_eq(&addrs[i], a))
			return true;
	return false;
}

/*
 * As a peer.  "hostNetwork pods [...] traffic is treated as the node's".  A pod attached here has
 * the addresses of all its sandboxes; of others the addresses of finished ones may belong to
 * someone else already.
 */
static bool pod_has(const struct world *w, const struct pod *pod, const struct addr *a)
{
	bool attached = false, has = false;

	if (pod->host_network)
		return false;
	vec_foreach (e, &w->endpoints) {
		if (e->object != pod)
			continue;
		attached = true;
		has = has || has_addr(e->addrs, e->n_addrs, a);
	}
	if (attached)
		return has;
	return !pod->finished && has_addr(pod->ips, pod->n_ips, a);
}

struct pods {
	VEC(const struct pod *) pod;
};

static void pods_add(struct pods *to, const struct pod *pod)
{
	vec_foreach (known, &to->pod)
		if (*known == pod)
			return;
	vec_push(&to->pod, pod);
}

/*
 * The pods with an address: those that are attached here, also when their object went; without one,
 * the pod whose object claims it, if no other one does: of two nobody knows which it is.
 */
static struct pods pods_with(const struct world *w, const struct addr *a)
{
	struct pods found = {0};

	vec_foreach (e, &w->endpoints)
		if (e->object && has_addr(e->addrs, e->n_addrs, a) && pod_has(w, e->object, a))
			pods_add(&found, e->object);
	if (found.pod.n)
		return found;
	vec_foreach (o, &w->objects)
		if ((*o)->kind == KIND_POD && pod_has(w, as_pod(*o), a))
			pods_add(&found, as_pod(*o));
	if (found.pod.n > 1)
		found.pod.n = 0;
	return found;
}

static const struct reference_endpoint *local_with(const struct world *w, const struct addr *a)
{
	vec_foreach (e, &w->endpoints)
		if (has_addr(e->addrs, e->n_addrs, a))
			return e;
	return NULL;
}

/* --- peers -------------------------------------------------------------------------------------
 */

static const struct namespace *namespace_of(const struct world *w, const struct pod *pod)
{
	vec_foreach (o, &w->objects)
		if ((*o)->kind == KIND_NAMESPACE && streq((*o)->name, pod->o.ns))
			return as_namespace(*o);
	return NULL;
}

static bool peer_selects(const struct world *w, const struct netpol *policy,
			 const struct policy_peer *peer, const struct pod *pod)
{
	const struct namespace *ns = namespace_of(w, pod);

	if (peer->ns_given && !(ns && ns->labels_known && selects(&peer->namespaces, &ns->labels)))
		return false;
	if (!peer->ns_given && !streq(pod->o.ns, policy->o.ns))
		return false;
	return selects(&peer->pods, &pod->labels);
}

static bool block_contains(const struct policy_peer *peer, const struct addr *a)
{
	for (uint32_t i = 0; i < peer->n_except; i++)
		if (prefix_contains(&peer->except[i], a))
			return false;
	return prefix_contains(&peer->cidr, a);
}

/* --- ports -------------------------------------------------------------------------------------
 */

static bool named_port_is(const struct pod *target, const struct policy_port *port, uint16_t number)
{
	for (uint32_t i = 0; target && i < target->n_ports; i++)
		if (streq(target->ports[i].name, port->name) &&
		    target->ports[i].protocol == port->protocol && target->ports[i].port == number)
			return true;
	return false;
}

static bool port_matches(const struct policy_port *port, const struct packet *p,
			 const struct pod *target)
{
	if (port->protocol != p->protocol)
		return false;
	switch (port->kind) {
	case PORT_ALL:
		return true;
	case PORT_NUMBER:
		return port->port <= p->dport && p->dport <= port->end_port;
	case PORT_NAME:
		return named_port_is(target, port, p->dport);
	}
	abort();
}

/* "If this field is empty or missing, this rule matches all ports" and every protocol. */
static bool ports_match(const struct policy_rule *r, const struct packet *p,
			const struct pod *target)
{
	for (uint32_t i = 0; i < r->n_ports; i++)
		if (port_matches(&r->ports[i], p, target))
			return true;
	return !r->n_ports;
}

/* --- rules -------------------------------------------------------------------------------------
 */

struct question {
	const struct world *w;
	const struct netpol *policy;
	const struct packet *packet;
	enum direction direction;
	const struct pod *subject; /* the local pod */
	struct pods others;	   /* pods with the address of the other end */
};

/*
 * With one peer, or NULL for the rule without peers.  A named port is looked up in the pod that
 * receives: for egress in each pod at the destination that this peer means.
 */
static bool rule_allows_peer(const struct question *q, const struct policy_rule *r,
			     const struct policy_peer *peer)
{
	const struct addr *other = q->direction == INGRESS ? &q->packet->src : &q->packet->dst;
	const struct pod *receiver = q->direction == INGRESS ? q->subject : NULL;

	if (peer && peer->kind == PEER_BLOCK)
		return block_contains(peer, other) && ports_match(r, q->packet, receiver);
	if (!peer && ports_match(r, q->packet, receiver))
		return true;
	vec_foreach (pod, &q->others.pod) {
		if (peer && !peer_selects(q->w, q->policy, peer, *pod))
			continue;
		if (ports_match(r, q->packet, q->direction == INGRESS ? q->subject : *pod))
			return true;
	}
	return false;
}

static bool rule_allows(const struct question *q, const struct policy_rule *r)
{
	for (uint32_t i = 0; i < r->n_peers; i++)
		if (rule_allows_peer(q, r, &r->peers[i]))
			return true;
	return !r->n_peers && rule_allows_peer(q, r, NULL);
}

/* "All traffic to pods in that namespace (even from other pods in the same namespace) will be
 * blocked.  NetworkPolicy objects can then [...] specify what traffic should be allowed." */
static bool is_annotated(const struct world *w, const struct pod *pod)
{
	const struct namespace *ns = namespace_of(w, pod);

	return ns && ns->isolated;
}

static bool policy_isolates(const struct netpol *policy, const struct pod *pod, enum direction d)
{
	return policy->isolates[d] && streq(policy->o.ns, pod->o.ns) &&
	       selects(&policy->selects, &pod->labels);
}

static bool policy_allows(const struct question *q)
{
	if (q->policy->o.problem)
		return false;
	for (uint32_t i = 0; i < q->policy->n_rules[q->direction]; i++)
		if (rule_allows(q, &q->policy->rules[q->direction][i]))
			return true;
	return false;
}

/* "Policies do not conflict; they are additive." */
static bool endpoint_allows(const struct world *w, const struct packet *p,
			    const struct reference_endpoint *e, enum direction d)
{
	struct question q = {w, NULL, p, d, e->object, {{0}}};
	bool isolated = false, allowed = false;

	if (!e->object)
		return false;
	if (e->object->host_network)
		return true;
	isolated = d == INGRESS && is_annotated(w, e->object);
	q.others = pods_with(w, d == INGRESS ? &p->src : &p->dst);
	vec_foreach (o, &w->objects) {
		if ((*o)->kind != KIND_NETPOL || !policy_isolates(as_netpol(*o), e->object, d))
			continue;
		isolated = true;
		q.policy = as_netpol(*o);
		allowed = allowed || policy_allows(&q);
	}
	vec_done(&q.others.pod);
	return !isolated || allowed;
}

/**
 * reference_allows() - Judge a packet
 * @w: World
 * @p: First packet of a connection
 *
 * "For a connection from a source pod to a destination pod to be allowed, both the egress policy on
 * the source pod and the ingress policy on the destination pod need to allow the connection."
 * "Traffic to and from the node where a pod is running is always allowed" holds for what the node
 * sends; a pod's egress rules hold towards its node.  "A pod cannot block access to itself."
 *
 * Time: O(objects * objects)
 *
 * Return: true if it may pass
 */
bool reference_allows(const struct world *w, const struct packet *p)
{
	const struct reference_endpoint *from = local_with(w, &p->src), *to;

	if (p->path == FROM_NODE)
		return true;
	to = p->path == FORWARDED ? local_with(w, &p->dst) : NULL;
	if (from && from == to && addr_eq(&p->src, &p->dst))
		return true;
	return (!from || endpoint_allows(w, p, from, EGRESS)) &&
	       (!to || endpoint_allows(w, p, to, INGRESS));
}
