// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nodes.c - nodes to routes and ranges.  Pure.
 */
#include "datapath/route/nodes.h"

#include <arpa/inet.h>
#include <uthash.h>

#include "datapath/route/coverset.h"
#include "lib/intern.h"
#include "lib/vec.h"

struct node_entry {
	const struct node *node; /* borrowed; its name is the key */
	const char *name;
	UT_hash_handle hh;
};

struct nodes {
	struct nft_table *table;
	struct base base;
	struct routes *routes;
	const char *own_name;
	struct node_entry *all;
	VEC(struct prefix) ranges;     /* configured */
	VEC(struct prefix) exclude;    /* configured */
	VEC(struct prefix) own;	       /* podCIDRs of this node, then configured */
	VEC(struct prefix) pods_only;  /* of @own, those without an address of this node */
	bool masquerade, masquerading; /* configured; as @pod_ranges has it */
	bool dirty;		       /* this node's own, or the configuration */
	struct coverset cluster[2], pod_ranges[2]; /* by family */
};

/**
 * nodes_new() - Create the module
 * @t:        Table
 * @b:        Sets of the fixed program; copied
 * @r:        Routes
 * @own_name: Name of this node
 *
 * Return: the module, to be freed
 */
struct nodes *nodes_new(struct nft_table *t, const struct base *b, struct routes *r,
			const char *own_name)
{
	struct nodes *n = xcalloc(1, sizeof(*n));

	n->table = t;
	n->base = *b;
	n->routes = r;
	n->own_name = intern(own_name);
	for (int six = 0; six < 2; six++) {
		coverset_init(&n->cluster[six], t, b->cluster[six]);
		coverset_init(&n->pod_ranges[six], t, b->pod_ranges[six]);
	}
	return n;
}

/**
 * nodes_free() - Free the module; what it wanted stays wanted
 * @n: Module or NULL
 *
 * Return: NULL
 */
struct nodes *nodes_free(struct nodes *n)
{
	struct node_entry *e, *next;

	if (!n)
		return NULL;
	HASH_ITER (hh, n->all, e, next) {
		HASH_DEL(n->all, e);
		intern_put(e->name);
		free(e);
	}
	for (int six = 0; six < 2; six++) {
		coverset_done(&n->cluster[six]);
		coverset_done(&n->pod_ranges[six]);
	}
	vec_done(&n->ranges);
	vec_done(&n->exclude);
	vec_done(&n->own);
	vec_done(&n->pods_only);
	intern_put(n->own_name);
	free(n);
	return NULL;
}

/**
 * nodes_configure() - Take the configuration, at start and at a reload
 * @n: Module
 * @c: Configuration; copied
 */
void nodes_configure(struct nodes *n, const struct nodes_config *c)
{
	n->ranges.n = 0;
	for (size_t i = 0; i < c->n_ranges; i++)
		vec_push(&n->ranges, c->ranges[i]);
	vec_foreach (p, &n->exclude)
		cover_remove(coverset_of(n->cluster, p), p);
	n->exclude.n = 0;
	for (size_t i = 0; i < c->n_exclude; i++) {
		vec_push(&n->exclude, c->exclude[i]);
		cover_add(coverset_of(n->cluster, &c->exclude[i]), &c->exclude[i]);
	}
	n->masquerade = c->masquerade;
	n->dirty = true;
}

static struct node_entry *find(const struct nodes *n, const char *name)
{
	struct node_entry *e;

	HASH_FIND_PTR(n->all, &name, e);
	return e;
}

/* The address of a node through which its pods of a family are reached. */
static const struct addr *gateway(const struct node *node, uint8_t family)
{
	for (uint32_t i = 0; i < node->n_internal_ips; i++)
		if (node->internal_ips[i].family == family)
			return &node->internal_ips[i];
	return NULL;
}

static bool is_own(const struct nodes *n, const struct prefix *p)
{
	vec_foreach (own, &n->own) {
		if (prefix_eq(own, p))
			return true;
	}
	return false;
}

static void drop_routes(struct nodes *n, const struct node *node)
{
	for (uint32_t i = 0; node && i < node->n_pod_cidrs; i++)
		if (gateway(node, node->pod_cidrs[i].addr.family))
			routes_drop(n->routes, &node->pod_cidrs[i]);
}

static void want_routes(struct nodes *n, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_pod_cidrs; i++) {
		const struct prefix *dst = &node->pod_cidrs[i];
		const struct addr *via = gateway(node, dst->addr.family);

		if (via && !is_own(n, dst))
			routes_want(n->routes,
				    &(struct route){.dst = *dst, .kind = ROUTE_VIA, .via = *via});
	}
}

/* Pods and addresses of a node see a pod's own address. */
static void change_cluster(struct nodes *n, const struct node *node, cover_change *change)
{
	for (uint32_t i = 0; node && i < node->n_pod_cidrs; i++)
		change(coverset_of(n->cluster, &node->pod_cidrs[i]), &node->pod_cidrs[i]);
	for (uint32_t i = 0; node && i < node->n_internal_ips; i++) {
		struct prefix host = prefix_host(&node->internal_ips[i]);

		change(coverset_of(n->cluster, &host), &host);
	}
}

/* Do two versions of a node mean the same to us? */
static bool same_network(const struct node *a, const struct node *b)
{
	if (a->n_pod_cidrs != b->n_pod_cidrs || a->n_internal_ips != b->n_internal_ips)
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
 * nodes_object() - A node appeared, changed or went
 * @n:   Module
 * @old: Version before, still readable; NULL: none
 * @new: Version now, borrowed until it is given as @old; NULL: none
 */
void nodes_object(struct nodes *n, const struct node *old, const struct node *new)
{
	const char *name = new ? new->o.name : old->o.name;
	struct node_entry *e = find(n, name);
	bool changed = !old || !new || !same_network(old, new);

	if (!e && new) {
		e = xcalloc(1, sizeof(*e));
		e->name = intern_ref(name);
		HASH_ADD_PTR(n->all, name, e);
	}
	if (e && !new) {
		HASH_DEL(n->all, e);
		intern_put(e->name);
		free(e);
	} else if (e) {
		e->node = new;
	}
	if (!changed)
		return;
	change_cluster(n, new, cover_add);
	change_cluster(n, old, cover_remove);
	if (name == n->own_name) {
		n->dirty = true;
		return;
	}
	drop_routes(n, old);
	if (new)
		want_routes(n, new);
}

/* --- this node's ranges ------------------------------------------------------------------------
 */

static bool same_prefixes(const struct prefix *a, size_t n_a, const struct prefix *b, size_t n_b)
{
	return n_a == n_b && (!n_a || memcmp(a, b, n_a * sizeof(*a)) == 0);
}

static void collect_own(struct nodes *n)
{
	const struct node_entry *e = find(n, n->own_name);

	n->own.n = 0;
	for (uint32_t i = 0; e && i < e->node->n_pod_cidrs; i++)
		vec_push(&n->own, e->node->pod_cidrs[i]);
	vec_foreach (r, &n->ranges) {
		if (!is_own(n, r))
			vec_push(&n->own, *r);
	}
}

/* A range that the node itself has an address of is shared with others. */
static bool is_pods_only(const struct node *own, const struct prefix *range)
{
	for (uint32_t i = 0; own && i < own->n_internal_ips; i++)
		if (prefix_contains(range, &own->internal_ips[i]))
			return false;
	return true;
}

/* True if they changed. */
static bool collect_pods_only(struct nodes *n)
{
	const struct node_entry *e = find(n, n->own_name);
	VEC(struct prefix) old = {0};
	bool changed;

	vec_foreach (p, &n->pods_only)
		vec_push(&old, *p);
	n->pods_only.n = 0;
	vec_foreach (p, &n->own)
		if (is_pods_only(e ? e->node : NULL, p))
			vec_push(&n->pods_only, *p);
	changed = !same_prefixes(old.v, old.n, n->pods_only.v, n->pods_only.n);
	vec_done(&old);
	return changed;
}

/* The blocks that the sets hold for this node, put in or taken out. */
static void change_own(struct nodes *n, cover_change *change)
{
	vec_foreach (p, &n->own) {
		change(coverset_of(n->cluster, p), p);
		if (n->masquerading)
			change(coverset_of(n->pod_ranges, p), p);
	}
}

/**
 * nodes_settle() - Bring what follows from this node's own ranges up to date
 * @n: Module
 *
 * Return: true if this node's own ranges changed, or which of them it has an address of
 */
bool nodes_settle(struct nodes *n)
{
	VEC(struct prefix) old = {0};
	bool changed;

	if (!n->dirty)
		return false;
	n->dirty = false;
	change_own(n, cover_remove);
	vec_foreach (p, &n->own)
		vec_push(&old, *p);
	collect_own(n);
	n->masquerading = n->masquerade;
	change_own(n, cover_add);
	changed = !same_prefixes(old.v, old.n, n->own.v, n->own.n);
	if (changed) {
		vec_foreach (p, &old)
			routes_drop(n->routes, p);
		vec_foreach (p, &n->own)
			routes_want(n->routes,
				    &(struct route){.dst = *p, .kind = ROUTE_UNREACHABLE});
	}
	vec_done(&old);
	return collect_pods_only(n) || changed;
}

/**
 * nodes_pods_only() - Of those ranges, the ones in which the node itself has no address
 * @n:   Module
 * @ret: Ranges; borrowed until the next change
 *
 * Return: their number
 */
size_t nodes_pods_only(const struct nodes *n, const struct prefix **ret)
{
	*ret = n->pods_only.v;
	return n->pods_only.n;
}

/**
 * nodes_own_ranges() - The ranges that this node's pods get addresses from
 * @n:   Module
 * @ret: spec.podCIDRs, then the configured ranges; borrowed until the next change
 *
 * Return: their number
 */
size_t nodes_own_ranges(const struct nodes *n, const struct prefix **ret)
{
	*ret = n->own.v;
	return n->own.n;
}

/**
 * nodes_own_address() - The first InternalIP of this node
 * @n:   Module
 * @ret: Address; untouched on failure
 *
 * Return: true if its Node object is known and has one
 */
bool nodes_own_address(const struct nodes *n, struct addr *ret)
{
	const struct node_entry *e = find(n, n->own_name);

	if (!e || !e->node->n_internal_ips)
		return false;
	*ret = e->node->internal_ips[0];
	return true;
}
