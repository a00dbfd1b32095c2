// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * object.c - life and comparison of typed objects, and label selectors.  Pure.
 */
#include "watch/object/object.h"

#include "lib/intern.h"

static const char *const kind_names[] = {
	[KIND_NODE] = "Node",
	[KIND_NAMESPACE] = "Namespace",
	[KIND_POD] = "Pod",
	[KIND_NETPOL] = "NetworkPolicy",
};
_Static_assert(ARRAY_SIZE(kind_names) == _KIND_MAX, "a name for every kind");

/**
 * kind_str() - Name of a kind as manifests spell it
 * @k: Kind
 *
 * Return: "Pod", "NetworkPolicy", ...
 */
const char *kind_str(enum kind k)
{
	return kind_names[k];
}

/**
 * object_title() - What an object is called, for people
 * @kind: Kind
 * @ns:   Namespace; NULL: the kind has none
 * @name: Name
 *
 * Return: "Pod default/web" or "Node a", to be freed
 */
char *object_title(enum kind kind, const char *ns, const char *name)
{
	return xasprintf("%s %s%s%s", kind_str(kind), ns ?: "", ns ? "/" : "", name);
}

/**
 * object_key_equal() - Compare keys
 * @a: Key
 * @b: Key
 *
 * Return: true if they are those of one object
 */
bool object_key_equal(const struct object_key *a, const struct object_key *b)
{
	return a->kind == b->kind && a->ns == b->ns && a->name == b->name;
}

/**
 * object_key_hash() - Hash a key for lib/table.h
 * @key: Key
 *
 * Its names are interned, so this is arithmetic on pointers.
 *
 * Return: the hash, in this process only
 */
uint32_t object_key_hash(const struct object_key *key)
{
	uint64_t h = ((uintptr_t)key->ns >> 4) * 0x9e3779b97f4a7c15 + ((uintptr_t)key->name >> 4);

	return (uint32_t)((h + key->kind) * 0xbf58476d1ce4e5b9 >> 32);
}

/**
 * object_key_ref() - Take one more use of a key's names
 * @key: Key
 */
void object_key_ref(const struct object_key *key)
{
	(void)intern_ref(key->ns);
	(void)intern_ref(key->name);
}

/**
 * object_key_put() - Give a use of a key's names back
 * @key: Key
 */
void object_key_put(const struct object_key *key)
{
	intern_put(key->ns);
	intern_put(key->name);
}

/**
 * protocol_str() - Name of a protocol as manifests spell it
 * @protocol: PROTO_x
 *
 * Return: "TCP", "UDP" or "SCTP"; "?" for any other number
 */
const char *protocol_str(uint8_t protocol)
{
	switch (protocol) {
	case PROTO_TCP:
		return "TCP";
	case PROTO_UDP:
		return "UDP";
	case PROTO_SCTP:
		return "SCTP";
	default:
		return "?";
	}
}

/* --- freeing -----------------------------------------------------------------------------------
 */

static void labels_done(struct labels *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		intern_put(l->v[i].key);
		intern_put(l->v[i].value);
	}
	free(l->v);
}

/**
 * selector_done() - Free what a selector owns
 * @s: Selector
 */
void selector_done(struct selector *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		for (uint32_t j = 0; j < s->v[i].n_values; j++)
			intern_put(s->v[i].values[j]);
		free(s->v[i].values);
		intern_put(s->v[i].key);
	}
	free(s->v);
	*s = (struct selector){0};
}

/**
 * selector_copy() - Copy a selector
 * @s: Selector
 *
 * Return: a copy, to be freed with selector_done()
 */
struct selector selector_copy(const struct selector *s)
{
	struct selector c = {.n = s->n, .v = xcalloc(s->n, sizeof(*c.v))};

	for (uint32_t i = 0; i < s->n; i++) {
		const struct requirement *r = &s->v[i];

		c.v[i] = *r;
		c.v[i].key = intern_ref(r->key);
		c.v[i].values = xmemdup(r->values, r->n_values * sizeof(*r->values));
		for (uint32_t j = 0; j < r->n_values; j++)
			(void)intern_ref(r->values[j]);
	}
	return c;
}

static void rule_done(struct policy_rule *r)
{
	for (uint32_t i = 0; i < r->n_ports; i++)
		intern_put(r->ports[i].name);
	for (uint32_t i = 0; i < r->n_peers; i++) {
		selector_done(&r->peers[i].namespaces);
		selector_done(&r->peers[i].pods);
		free(r->peers[i].except);
	}
	free(r->ports);
	free(r->peers);
}

static void policy_done(struct netpol *p)
{
	selector_done(&p->selects);
	for (int d = 0; d < _DIRECTION_MAX; d++) {
		for (uint32_t i = 0; i < p->n_rules[d]; i++)
			rule_done(&p->rules[d][i]);
		free(p->rules[d]);
	}
}

static void pod_done(struct pod *p)
{
	labels_done(&p->labels);
	intern_put(p->mirror_of);
	intern_put(p->node);
	for (uint32_t i = 0; i < p->n_ports; i++)
		intern_put(p->ports[i].name);
	free(p->ports);
}

static void node_done(struct node *n)
{
	labels_done(&n->labels);
	free(n->pod_cidrs);
	free(n->internal_ips);
}

/**
 * object_free() - Free an object of any kind
 * @o: Object, perhaps half built; or NULL
 *
 * Return: NULL
 */
struct object *object_free(struct object *o)
{
	if (!o)
		return NULL;
	switch (o->kind) {
	case KIND_NODE:
		node_done((struct node *)o);
		break;
	case KIND_NAMESPACE:
		labels_done(&((struct namespace *)o)->labels);
		break;
	case KIND_POD:
		pod_done((struct pod *)o);
		break;
	case KIND_NETPOL:
		policy_done((struct netpol *)o);
		break;
	case _KIND_MAX:
		break;
	}
	intern_put(o->ns);
	intern_put(o->name);
	intern_put(o->uid);
	free(o->problem);
	free(o);
	return NULL;
}

/* --- comparing: interned strings are equal when their pointers are -------------------------------
 */

static bool labels_equal(const struct labels *a, const struct labels *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->v[i].key != b->v[i].key || a->v[i].value != b->v[i].value)
			return false;
	return true;
}

static bool requirement_equal(const struct requirement *a, const struct requirement *b)
{
	if (a->key != b->key || a->op != b->op || a->n_values != b->n_values)
		return false;
	for (uint32_t i = 0; i < a->n_values; i++)
		if (a->values[i] != b->values[i])
			return false;
	return true;
}

/**
 * selector_equal() - Compare selectors
 * @a: Selector
 * @b: Selector
 *
 * Return: true if both have the same terms
 */
bool selector_equal(const struct selector *a, const struct selector *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!requirement_equal(&a->v[i], &b->v[i]))
			return false;
	return true;
}

static bool port_equal(const struct policy_port *a, const struct policy_port *b)
{
	return a->protocol == b->protocol && a->kind == b->kind && a->port == b->port &&
	       a->end_port == b->end_port && a->name == b->name;
}

static bool peer_equal(const struct policy_peer *a, const struct policy_peer *b)
{
	if (a->kind != b->kind || a->ns_given != b->ns_given || a->n_except != b->n_except)
		return false;
	for (uint32_t i = 0; i < a->n_except; i++)
		if (!prefix_eq(&a->except[i], &b->except[i]))
			return false;
	if (a->kind == PEER_BLOCK)
		return prefix_eq(&a->cidr, &b->cidr);
	return selector_equal(&a->namespaces, &b->namespaces) && selector_equal(&a->pods, &b->pods);
}

static bool rule_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->n_ports != b->n_ports || a->n_peers != b->n_peers)
		return false;
	for (uint32_t i = 0; i < a->n_ports; i++)
		if (!port_equal(&a->ports[i], &b->ports[i]))
			return false;
	for (uint32_t i = 0; i < a->n_peers; i++)
		if (!peer_equal(&a->peers[i], &b->peers[i]))
			return false;
	return true;
}

static bool policy_equal(const struct netpol *a, const struct netpol *b)
{
	if (!selector_equal(&a->selects, &b->selects))
		return false;
	for (int d = 0; d < _DIRECTION_MAX; d++) {
		if (a->isolates[d] != b->isolates[d] || a->n_rules[d] != b->n_rules[d])
			return false;
		for (uint32_t i = 0; i < a->n_rules[d]; i++)
			if (!rule_equal(&a->rules[d][i], &b->rules[d][i]))
				return false;
	}
	return true;
}

static bool pod_equal(const struct pod *a, const struct pod *b)
{
	if (a->mirror_of != b->mirror_of || a->node != b->node ||
	    a->host_network != b->host_network || a->finished != b->finished ||
	    a->n_ips != b->n_ips || a->n_ports != b->n_ports ||
	    !labels_equal(&a->labels, &b->labels))
		return false;
	for (uint32_t i = 0; i < a->n_ips; i++)
		if (!addr_eq(&a->ips[i], &b->ips[i]))
			return false;
	for (uint32_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].name != b->ports[i].name || a->ports[i].port != b->ports[i].port ||
		    a->ports[i].protocol != b->ports[i].protocol)
			return false;
	return true;
}

static bool node_equal(const struct node *a, const struct node *b)
{
	if (a->n_pod_cidrs != b->n_pod_cidrs || a->n_internal_ips != b->n_internal_ips ||
	    a->created != b->created || !labels_equal(&a->labels, &b->labels))
		return false;
	for (uint32_t i = 0; i < a->n_pod_cidrs; i++)
		if (!prefix_eq(&a->pod_cidrs[i], &b->pod_cidrs[i]))
			return false;
	for (uint32_t i = 0; i < a->n_internal_ips; i++)
		if (!addr_eq(&a->internal_ips[i], &b->internal_ips[i]))
			return false;
	return true;
}

/**
 * object_equal() - Do two versions mean the same to us?
 * @a: Object
 * @b: Object
 *
 * Return: true if kind, name and every field kept are the same, the problem too
 */
bool object_equal(const struct object *a, const struct object *b)
{
	if (a->kind != b->kind || a->ns != b->ns || a->name != b->name || a->uid != b->uid ||
	    !streq(a->problem, b->problem))
		return false;
	switch (a->kind) {
	case KIND_NODE:
		return node_equal(as_node(a), as_node(b));
	case KIND_NAMESPACE:
		return labels_equal(&as_namespace(a)->labels, &as_namespace(b)->labels);
	case KIND_POD:
		return pod_equal(as_pod(a), as_pod(b));
	case KIND_NETPOL:
		return policy_equal(as_netpol(a), as_netpol(b));
	case _KIND_MAX:
		break;
	}
	return false;
}

/* --- selectors ---------------------------------------------------------------------------------
 */

#define LINEAR_MAX 16 /* labels up to which comparing pointers beats a binary search */

static int compare_key(const void *key, const void *label)
{
	return strcmp(key, ((const struct label *)label)->key);
}

/**
 * labels_get() - Look a label up
 * @l:   Labels
 * @key: Key; need not be interned
 *
 * Time: O(log labels).
 *
 * Return: the value, borrowed; NULL if there is none
 */
const char *labels_get(const struct labels *l, const char *key)
{
	const struct label *found = NULL;

	if (l->n)
		found = bsearch(key, l->v, l->n, sizeof(*l->v), compare_key);
	return found ? found->value : NULL;
}

/* As labels_get() for an interned key: pointers suffice. */
static const char *value_of(const struct labels *l, const char *interned)
{
	if (l->n > LINEAR_MAX)
		return labels_get(l, interned);
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].key == interned)
			return l->v[i].value;
	return NULL;
}

static bool has_value(const struct requirement *r, const char *value)
{
	for (uint32_t i = 0; i < r->n_values; i++)
		if (r->values[i] == value)
			return true;
	return false;
}

static bool requirement_holds(const struct requirement *r, const struct labels *l)
{
	const char *value = value_of(l, r->key);

	switch (r->op) {
	case SELECTOR_IN:
		return value && has_value(r, value);
	case SELECTOR_NOT_IN:
		return !value || !has_value(r, value);
	case SELECTOR_EXISTS:
		return value;
	case SELECTOR_NOT_EXISTS:
		return !value;
	case _SELECTOR_MAX:
		break;
	}
	return false;
}

/**
 * selector_matches() - Decide a label selector
 * @s: Selector
 * @l: Labels
 *
 * Time: O(terms * log labels + values).
 * Source: apimachinery labels.Requirement.Matches: NotIn holds also when the key is absent.
 *
 * Return: true if every term holds
 */
bool selector_matches(const struct selector *s, const struct labels *l)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (!requirement_holds(&s->v[i], l))
			return false;
	return true;
}

/**
 * pod_named_port() - The number that a port name has in a pod
 * @p:        Pod, or NULL
 * @protocol: PROTO_x
 * @name:     Name, interned
 *
 * Return: the number; 0 if the pod has no port of that name and protocol
 */
uint16_t pod_named_port(const struct pod *p, uint8_t protocol, const char *name)
{
	for (uint32_t i = 0; p && i < p->n_ports; i++)
		if (p->ports[i].name == name && p->ports[i].protocol == protocol)
			return p->ports[i].port;
	return 0;
}
