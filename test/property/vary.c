// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vary.c - small changes: one aspect of one object, or a second sandbox of a pod.  Pure.
 */
#include "vary.h"

#include <sys/socket.h>

#include "lib/intern.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

/* --- labels and selectors ----------------------------------------------------------------------
 */

static void change_value(struct rng *r, const char **value)
{
	static const char *const values[] = {"", "x", "y", "z"};

	intern_put(*value);
	*value = intern(values[below(r, ARRAY_SIZE(values))]);
}

/* The last label of a namespace is its name: it stays. */
static void vary_labels(struct rng *r, struct labels *l, uint32_t fixed)
{
	uint32_t i;

	if (l->n <= fixed)
		return;
	i = below(r, l->n - fixed);
	if (chance(r, 60)) {
		change_value(r, &l->v[i].value);
		return;
	}
	intern_put(l->v[i].key);
	intern_put(l->v[i].value);
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
}

static void drop_requirement(struct selector *s, uint32_t i)
{
	struct requirement *q = &s->v[i];

	intern_put(q->key);
	for (uint32_t j = 0; j < q->n_values; j++)
		intern_put(q->values[j]);
	free(q->values);
	s->n--;
	memmove(q, q + 1, (s->n - i) * sizeof(*s->v));
}

/* Exchange In with NotIn and Exists with DoesNotExist, or drop a term: the order stays. */
static void vary_selector(struct rng *r, struct selector *s)
{
	static const enum selector_op other[] = {
		[SELECTOR_IN] = SELECTOR_NOT_IN,
		[SELECTOR_NOT_IN] = SELECTOR_IN,
		[SELECTOR_EXISTS] = SELECTOR_NOT_EXISTS,
		[SELECTOR_NOT_EXISTS] = SELECTOR_EXISTS,
	};
	uint32_t i;

	if (!s->n)
		return;
	i = below(r, s->n);
	if (s->n == 1 && chance(r, 50))
		s->v[i].op = other[s->v[i].op];
	else
		drop_requirement(s, i);
}

/* --- pods --------------------------------------------------------------------------------------
 */

static void vary_ips(struct rng *r, struct pod *p)
{
	uint32_t i = below(r, 2);

	if (i < p->n_ips && chance(r, 60)) {
		p->ips[i].b[addr_len(&p->ips[i]) - 1] = (uint8_t)(1 + below(r, 20));
		return;
	}
	if (p->n_ips == 2)
		p->ips[0] = p->ips[1];
	if (p->n_ips)
		p->n_ips--;
	else
		p->ips[p->n_ips++] = place_addr(PLACE_REMOTE, chance(r, 50), 1 + below(r, 20));
}

static void vary_named_port(struct rng *r, struct pod *p)
{
	uint32_t i;

	if (!p->n_ports)
		return;
	i = below(r, p->n_ports);
	if (chance(r, 70)) {
		p->ports[i].port = (uint16_t)(80 + below(r, 3));
		return;
	}
	intern_put(p->ports[i].name);
	p->n_ports--;
	memmove(&p->ports[i], &p->ports[i + 1], (p->n_ports - i) * sizeof(*p->ports));
}

static void toggle_problem(struct object *o)
{
	free(o->problem);
	o->problem = o->problem ? NULL : xstrdup("metadata: set aside by chance");
}

static void vary_namespace(struct rng *r, struct namespace *n)
{
	if (chance(r, 20)) {
		n->isolated = !n->isolated;
	} else if (chance(r, 85)) {
		vary_labels(r, &n->labels, 1);
	} else {
		toggle_problem(&n->o);
		n->labels_known = !n->o.problem;
	}
}

static void vary_pod(struct rng *r, struct pod *p)
{
	switch (below(r, 7)) {
	case 0:
		p->finished = !p->finished;
		break;
	case 1:
		p->host_network = !p->host_network;
		break;
	case 2:
		vary_ips(r, p);
		break;
	case 3:
		vary_named_port(r, p);
		break;
	case 4:
		if (p->o.problem || chance(r, 30))
			toggle_problem(&p->o);
		break;
	default:
		vary_labels(r, &p->labels, 0);
	}
}

/* --- policies ----------------------------------------------------------------------------------
 */

static void drop_except(struct rng *r, struct policy_peer *p)
{
	if (!p->n_except)
		p->cidr.len = 0, memset(p->cidr.addr.b, 0, sizeof(p->cidr.addr.b));
	else
		p->except[below(r, p->n_except)] = p->except[p->n_except - 1], p->n_except--;
}

static void vary_peer(struct rng *r, struct policy_peer *p)
{
	if (p->kind == PEER_BLOCK)
		drop_except(r, p);
	else if (p->ns_given && chance(r, 50))
		vary_selector(r, &p->namespaces);
	else
		vary_selector(r, &p->pods);
}

static void vary_port(struct rng *r, struct policy_port *p)
{
	static const uint8_t protocols[] = {PROTO_TCP, PROTO_UDP, PROTO_SCTP};

	uint16_t last = (uint16_t)(80 + below(r, 3));

	if (p->kind == PORT_NUMBER && chance(r, 50))
		p->end_port = MAX(p->port, last);
	else
		p->protocol = protocols[below(r, ARRAY_SIZE(protocols))];
}

static void vary_rules(struct rng *r, struct netpol *p)
{
	enum direction d = below(r, _DIRECTION_MAX);
	struct policy_rule *rule;

	if (!p->n_rules[d])
		return;
	rule = &p->rules[d][below(r, p->n_rules[d])];
	if (rule->n_peers && chance(r, 60))
		vary_peer(r, &rule->peers[below(r, rule->n_peers)]);
	else if (rule->n_ports)
		vary_port(r, &rule->ports[below(r, rule->n_ports)]);
}

/* As agent/aside.c fences a policy: the same selector and directions, no rule. */
static struct object *fenced(const struct netpol *p)
{
	struct netpol *f = xcalloc(1, sizeof(*f));

	f->o = (struct object){
		.kind = KIND_NETPOL, .ns = intern_ref(p->o.ns), .name = intern_ref(p->o.name)};
	f->selects = selector_copy(&p->selects);
	memcpy(f->isolates, p->isolates, sizeof(f->isolates));
	return &f->o;
}

static void vary_policy(struct rng *r, struct netpol *p)
{
	switch (below(r, 4)) {
	case 0:
		vary_selector(r, &p->selects);
		break;
	case 1:
		/* A direction that is not isolated has no rules. */
		for (int d = 0; d < _DIRECTION_MAX; d++)
			if (!p->isolates[d])
				p->isolates[d] = true;
		break;
	default:
		vary_rules(r, p);
	}
}

/* --- steps -------------------------------------------------------------------------------------
 */

static struct object *varied(struct rng *r, const struct object *o)
{
	struct object *new;

	if (o->kind == KIND_NETPOL && chance(r, 10))
		return fenced(as_netpol(o));
	new = object_copy(o);
	if (chance(r, 5))
		return new;
	if (new->kind == KIND_POD)
		vary_pod(r, (struct pod *)new);
	else if (new->kind == KIND_NETPOL)
		vary_policy(r, (struct netpol *)new);
	else
		vary_namespace(r, (struct namespace *)new);
	return new;
}

/**
 * vary_object() - One aspect of one object changes; now and then none
 * @t: Timeline
 *
 * Return: what; CHANGE_NONE when there is no object
 */
struct change vary_object(struct timeline *t)
{
	struct world *w = &t->world;
	const struct object *old;
	struct object *new;
	uint32_t i;

	if (!w->objects.n)
		return (struct change){0};
	i = below(&t->rng, (uint32_t)w->objects.n);
	old = w->objects.v[i];
	new = varied(&t->rng, old);
	w->objects.v[i] = new;
	vec_push(&t->gone, (struct object *)old);
	vec_foreach (e, &w->endpoints)
		if (e->object && &e->object->o == old)
			e->object = as_pod(new);
	return (struct change){.kind = CHANGE_OBJECT, .old = old, .new = new};
}

static bool is_attached(const struct world *w, const struct addr *a)
{
	vec_foreach (e, &w->endpoints)
		for (uint32_t i = 0; i < e->n_addrs; i++)
			if (addr_eq(&e->addrs[i], a))
				return true;
	return false;
}

/* What an older endpoint remembers, a new one has never seen. */
static bool is_present(const struct world *w, const struct pod *pod)
{
	vec_foreach (o, &w->objects)
		if (pod && *o == &pod->o)
			return true;
	return false;
}

/**
 * vary_attach_again() - A new sandbox of an attached pod, while the old one is not yet detached
 * @t: Timeline
 *
 * Return: what; CHANGE_NONE when no pod is attached or the address drawn is taken
 */
struct change vary_attach_again(struct timeline *t)
{
	struct world *w = &t->world;
	struct reference_endpoint e;
	struct attachment *a;
	char host_ifname[IFNAME_MAX + 1];
	struct addr addr;
	uint32_t i;

	if (!w->endpoints.n)
		return (struct change){0};
	i = below(&t->rng, (uint32_t)w->endpoints.n);
	addr = place_addr(PLACE_LOCAL, w->endpoints.v[i].addrs[0].family == AF_INET6,
			  1 + below(&t->rng, PLACE_SIZE));
	if (is_attached(w, &addr))
		return (struct change){0};
	a = attachment_copy(t->attachments.v[i]);
	free(a->id);
	a->id = xasprintf("container-%u", ++t->containers);
	attachment_host_ifname(DEFAULT_NETWORK, a->id, a->ifname, host_ifname);
	free(a->host_ifname);
	a->host_ifname = xstrdup(host_ifname);
	a->mac.b[3] = 1;
	a->n_addrs = 1;
	a->addrs[0] = addr;
	e = w->endpoints.v[i];
	(void)intern_ref(e.ns);
	(void)intern_ref(e.name);
	e.uid = e.uid ? intern_ref(e.uid) : NULL;
	e.n_addrs = 1;
	e.addrs[0] = addr;
	if (!is_present(w, e.object))
		e.object = NULL;
	vec_push(&w->endpoints, e);
	vec_push(&t->attachments, a);
	return (struct change){.kind = CHANGE_ATTACH, .attachment = a};
}
