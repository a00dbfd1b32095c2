// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nodes.c - nodes to routes and ranges.  Pure.
 */
#include "datapath/route/nodes.h"

#include <arpa/inet.h>
#include <uthash.h>

#include "datapath/policy/blocksets.h"
#include "datapath/route/cover.h"
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
	bool masquerade, masquerading; /* configured; as @pod_ranges has it */
	bool dirty;		       /* this node's own, or the configuration */
	struct destinations {
		struct nft_table *table;
		struct nft_set *set;
		struct cover *cover;
	} cluster[2], pod_ranges[2]; /* by family */
};

static void on_block(void *arg, const struct prefix *p, bool holds)
{
	const struct addr_range r = {p->addr, prefix_last(p)};
	const struct destinations *d = arg;
	struct nft_elem e;

	range_elem(&r, &e);
	if (holds)
		table_want_elem(d->table, d->set, &e);
	else
		table_drop_elem(d->table, d->set, &e);
}

static void destinations_init(struct destinations *d, struct nft_table *t, struct nft_set *set)
{
	*d = (struct destinations){t, set, cover_new(on_block, d)};
}

static struct cover *family_of(const struct destinations d[2], const struct prefix *p)
{
	return d[p->addr.family != AF_INET].cover;
}

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
		destinations_init(&n->cluster[six], t, b->cluster[six]);
		destinations_init(&n->pod_ranges[six], t, b->pod_ranges[six]);
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
		(void)cover_free(n->cluster[six].cover);
		(void)cover_free(n->pod_ranges[six].cover);
	}
	vec_done(&n->ranges);
	vec_done(&n->exclude);
	vec_done(&n->own);
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
		cover_remove(family_of(n->cluster, p), p);
	n->exclude.n = 0;
	for (size_t i = 0; i < c->n_exclude; i++) {
		vec_push(&n->exclude, c->exclude[i]);
		cover_add(family_of(n->cluster, &c->exclude[i]), &c->exclude[i]);
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

typedef void cover_change(struct cover *c, const struct prefix *p);

/* Pods and addresses of a node see a pod's own address. */
static void change_cluster(struct nodes *n, const struct node *node, cover_change *change)
{
	for (uint32_t i = 0; node && i < node->n_pod_cidrs; i++)
		change(family_of(n->cluster, &node->pod_cidrs[i]), &node->pod_cidrs[i]);
	for (uint32_t i = 0; node && i < node->n_internal_ips; i++) {
		struct prefix host = prefix_host(&node->internal_ips[i]);

		change(family_of(n->cluster, &host), &host);
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

/* The blocks that the sets hold for this node, put in or taken out. */
static void change_own(struct nodes *n, cover_change *change)
{
	vec_foreach (p, &n->own) {
		change(family_of(n->cluster, p), p);
		if (n->masquerading)
			change(family_of(n->pod_ranges, p), p);
	}
}

/**
 * nodes_settle() - Bring what follows from this node's own ranges up to date
 * @n: Module
 *
 * Return: true if this node's own ranges changed
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
	changed = old.n != n->own.n ||
		  (old.n && memcmp(old.v, n->own.v, old.n * sizeof(*old.v)) != 0);
	if (changed) {
		vec_foreach (p, &old)
			routes_drop(n->routes, p);
		vec_foreach (p, &n->own)
			routes_want(n->routes,
				    &(struct route){.dst = *p, .kind = ROUTE_UNREACHABLE});
	}
	vec_done(&old);
	return changed;
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
