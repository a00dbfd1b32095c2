// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * object_copy.c - deep copies of typed objects, for the source that has to remember what it gave
 * away.  Strings are interned and only counted once more.  Pure.
 */
#include "watch/object/object_copy.h"

#include "lib/intern.h"

/* Copy of an array; NULL for none. */
static void *copy_array(const void *v, uint32_t n, size_t size)
{
	return n ? xmemdup(v, n * size) : NULL;
}

static void copy_labels(struct labels *l)
{
	l->v = copy_array(l->v, l->n, sizeof(*l->v));
	for (uint32_t i = 0; i < l->n; i++) {
		(void)intern_ref(l->v[i].key);
		(void)intern_ref(l->v[i].value);
	}
}

static void copy_selector(struct selector *s)
{
	s->v = copy_array(s->v, s->n, sizeof(*s->v));
	for (uint32_t i = 0; i < s->n; i++) {
		struct requirement *r = &s->v[i];

		(void)intern_ref(r->key);
		r->values = copy_array(r->values, r->n_values, sizeof(*r->values));
		for (uint32_t j = 0; j < r->n_values; j++)
			(void)intern_ref(r->values[j]);
	}
}

static void copy_rule(struct policy_rule *r)
{
	r->ports = copy_array(r->ports, r->n_ports, sizeof(*r->ports));
	for (uint32_t i = 0; i < r->n_ports; i++)
		(void)intern_ref(r->ports[i].name);
	r->peers = copy_array(r->peers, r->n_peers, sizeof(*r->peers));
	for (uint32_t i = 0; i < r->n_peers; i++) {
		struct policy_peer *p = &r->peers[i];

		copy_selector(&p->namespaces);
		copy_selector(&p->pods);
		p->except = copy_array(p->except, p->n_except, sizeof(*p->except));
	}
}

/* Each of these gets a shallow copy and gives it content of its own. */

static struct object *copy_policy(struct netpol *p)
{
	copy_selector(&p->selects);
	for (int d = 0; d < _DIRECTION_MAX; d++) {
		p->rules[d] = copy_array(p->rules[d], p->n_rules[d], sizeof(*p->rules[d]));
		for (uint32_t i = 0; i < p->n_rules[d]; i++)
			copy_rule(&p->rules[d][i]);
	}
	return &p->o;
}

static struct object *copy_pod(struct pod *p)
{
	copy_labels(&p->labels);
	(void)intern_ref(p->mirror_of);
	(void)intern_ref(p->node);
	p->ports = copy_array(p->ports, p->n_ports, sizeof(*p->ports));
	for (uint32_t i = 0; i < p->n_ports; i++)
		(void)intern_ref(p->ports[i].name);
	return &p->o;
}

static struct object *copy_node(struct node *n)
{
	copy_labels(&n->labels);
	n->pod_cidrs = copy_array(n->pod_cidrs, n->n_pod_cidrs, sizeof(*n->pod_cidrs));
	n->internal_ips = copy_array(n->internal_ips, n->n_internal_ips, sizeof(*n->internal_ips));
	return &n->o;
}

static struct object *copy_namespace(struct namespace *n)
{
	copy_labels(&n->labels);
	return &n->o;
}

static struct object *copy_body(const struct object *o)
{
	switch (o->kind) {
	case KIND_NODE:
		return copy_node(xmemdup(o, sizeof(struct node)));
	case KIND_NAMESPACE:
		return copy_namespace(xmemdup(o, sizeof(struct namespace)));
	case KIND_POD:
		return copy_pod(xmemdup(o, sizeof(struct pod)));
	case KIND_NETPOL:
		return copy_policy(xmemdup(o, sizeof(struct netpol)));
	case _KIND_MAX:
		break;
	}
	abort();
}

/**
 * object_copy() - Make a second object with the same content
 * @o: Object
 *
 * Return: the copy, equal by object_equal(); free with object_free()
 */
struct object *object_copy(const struct object *o)
{
	struct object *copy = copy_body(o);

	(void)intern_ref(copy->ns);
	(void)intern_ref(copy->name);
	(void)intern_ref(copy->uid);
	if (copy->problem)
		copy->problem = xstrdup(copy->problem);
	return copy;
}
