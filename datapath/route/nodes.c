// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nodes.c - nodes to routes and ranges.  Pure.
 */
#include "datapath/route/nodes_internal.h"

#include "lib/intern.h"

/**
 * nodes_of() - The module behind a part
 * @p: Part, made by nodes_part
 *
 * Return: the module
 */
struct nodes *nodes_of(struct part *p)
{
	return container_of(p, struct nodes, part);
}

static struct part *make(const struct part_place *where)
{
	struct nodes *n = xcalloc(1, sizeof(*n));

	n->local = where->pods;
	n->masquerade = where->masquerade;
	n->routes = where->routes;
	n->own_name = intern(where->node);
	return &n->part;
}

static void entry_free(struct nodes *n, struct node_entry *e, const struct node *old)
{
	node_rivals_forget(n, e, old);
	HASH_DEL(n->all, e);
	intern_put(e->name);
	free(e);
}

static void free_nodes(struct part *p)
{
	struct nodes *n = nodes_of(p);
	struct node_entry *e, *next;

	HASH_ITER (hh, n->all, e, next)
		entry_free(n, e, NULL);
	node_rivals_done(n);
	vec_done(&n->ranges);
	vec_done(&n->own);
	vec_done(&n->retired);
	vec_done(&n->pods_only);
	intern_put(n->own_name);
	free(n);
}

static void configure(struct part *p, const struct part_config *c)
{
	struct nodes *n = nodes_of(p);

	n->ranges.n = 0;
	for (size_t i = 0; i < c->n_ranges; i++)
		vec_push(&n->ranges, c->ranges[i]);
	n->dirty = true;
}

/**
 * nodes_find() - Look a Node up
 * @n:    Module
 * @name: Name, interned
 *
 * Return: its entry; NULL if it is not known
 */
struct node_entry *nodes_find(const struct nodes *n, const char *name)
{
	struct node_entry *e;

	HASH_FIND_PTR(n->all, &name, e);
	return e;
}

static bool is_own(const struct nodes *n, const struct prefix *p)
{
	vec_foreach (own, &n->own) {
		if (prefix_eq(own, p))
			return true;
	}
	return false;
}

/* Pods and addresses of a node see a pod's own address. */
static void change_cluster(struct nodes *n, const struct node *node, cover_change *change)
{
	for (uint32_t i = 0; node && i < node->n_pod_cidrs; i++)
		masquerade_cluster(n->masquerade, &node->pod_cidrs[i], change);
	for (uint32_t i = 0; node && i < node->n_internal_ips; i++) {
		struct prefix host = prefix_host(&node->internal_ips[i]);

		masquerade_cluster(n->masquerade, &host, change);
	}
}

/* Do two versions of a node mean the same to us? */
static bool same_network(const struct node *a, const struct node *b)
{
	if (a->n_pod_cidrs != b->n_pod_cidrs || a->n_internal_ips != b->n_internal_ips ||
	    a->created != b->created)
		return false;
	for (uint32_t i = 0; i < a->n_pod_cidrs; i++)
		if (!prefix_eq(&a->pod_cidrs[i], &b->pod_cidrs[i]))
			return false;
	for (uint32_t i = 0; i < a->n_internal_ips; i++)
		if (!addr_eq(&a->internal_ips[i], &b->internal_ips[i]))
			return false;
	return true;
}

static void object(struct part *p, const struct object *before, const struct object *now)
{
	const struct node *old = as_node(before), *new = as_node(now);
	const char *name = now ? now->name : before->name;
	struct nodes *n = nodes_of(p);
	struct node_entry *e = nodes_find(n, name);
	bool changed = !old || !new || !same_network(old, new);

	if (!e && new) {
		e = xcalloc(1, sizeof(*e));
		e->name = intern_ref(name);
		HASH_ADD_PTR(n->all, name, e);
	}
	if (e && !new)
		entry_free(n, e, old);
	else if (e)
		e->node = new;
	if (!changed)
		return;
	change_cluster(n, new, cover_add);
	change_cluster(n, old, cover_remove);
	node_rivals_change(n, old, new);
	if (name == n->own_name)
		n->dirty = true;
}

/**
 * nodes_on_problem() - Have it told which Nodes do not get all that they claim
 * @n:   Module
 * @fn:  Called while settling, and when a Node goes
 * @arg: Its first argument
 */
void nodes_on_problem(struct nodes *n, node_problem_fn *fn, void *arg)
{
	n->on_problem = fn;
	n->arg = arg;
}

/* --- this node's ranges ------------------------------------------------------------------------
 */

static bool same_prefixes(const struct prefix *a, size_t n_a, const struct prefix *b, size_t n_b)
{
	return n_a == n_b && (!n_a || memcmp(a, b, n_a * sizeof(*a)) == 0);
}

static void collect_own(struct nodes *n)
{
	const struct node_entry *e = nodes_find(n, n->own_name);

	n->own.n = 0;
	for (uint32_t i = 0; e && i < e->node->n_pod_cidrs; i++)
		vec_push(&n->own, e->node->pod_cidrs[i]);
	vec_foreach (r, &n->ranges) {
		if (!is_own(n, r))
			vec_push(&n->own, *r);
	}
}

/*
 * A range that the node itself has an address of is shared with others: its network may be one of
 * the configured ranges, and must not be cut off while its Node is not known.
 */
static bool is_pods_only(const struct node *own, const struct prefix *range)
{
	for (uint32_t i = 0; own && i < own->n_internal_ips; i++)
		if (prefix_contains(range, &own->internal_ips[i]))
			return false;
	return own;
}

/* True if they changed. */
static bool collect_pods_only(struct nodes *n)
{
	const struct node_entry *e = nodes_find(n, n->own_name);
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

/* A range is this node's no more: pods may still have addresses of it. */
static void retire(struct nodes *n, const struct prefix *p)
{
	vec_push(&n->retired, (struct retired_range){*p, localpods_in(n->local, p)});
}

static void count_retired(struct nodes *n, const struct attachment *pod, bool leaves)
{
	vec_foreach (r, &n->retired)
		for (uint32_t i = 0; pod && i < pod->n_addrs; i++)
			if (prefix_contains(&r->prefix, &pod->addrs[i]))
				r->pods += leaves ? SIZE_MAX : 1;
}

static void range_route(struct nodes *n, enum route_rank rank, const struct prefix *p, bool wanted)
{
	const struct claimant owner = {.rank = rank, .name = n->own_name};
	const struct route r = {.dst = *p, .kind = ROUTE_UNREACHABLE};

	if (wanted)
		routes_want(n->routes, &owner, &r);
	else
		routes_drop(n->routes, &owner, p);
	node_rivals_of(n, p);
}

/* Ranges stay unreachable where no pod is, as long as there is one. */
static void settle_retired(struct nodes *n)
{
	size_t kept = 0;

	vec_foreach (r, &n->retired) {
		bool stays = r->pods && !is_own(n, &r->prefix);

		range_route(n, ROUTE_OF_RETIRED, &r->prefix, stays);
		if (stays)
			n->retired.v[kept++] = *r;
	}
	n->retired.n = kept;
}

static bool settle_own(struct nodes *n)
{
	VEC(struct prefix) old = {0};
	bool changed;

	vec_foreach (p, &n->own)
		vec_push(&old, *p);
	collect_own(n);
	vec_foreach (p, &n->own)
		masquerade_own(n->masquerade, p, cover_add);
	vec_foreach (p, &old)
		masquerade_own(n->masquerade, p, cover_remove);
	changed = !same_prefixes(old.v, old.n, n->own.v, n->own.n);
	if (changed) {
		vec_foreach (p, &old) {
			range_route(n, ROUTE_OF_RANGE, p, false);
			if (!is_own(n, p))
				retire(n, p);
		}
		vec_foreach (p, &n->own)
			range_route(n, ROUTE_OF_RANGE, p, true);
		settle_retired(n);
	}
	vec_done(&old);
	return collect_pods_only(n) || changed;
}

static bool settle(struct part *p, size_t steps _unused_)
{
	struct nodes *n = nodes_of(p);

	if (n->dirty && settle_own(n)) {
		localpods_ranges(n->local, n->pods_only.v, n->pods_only.n);
		n->moved = true;
	}
	n->dirty = false;
	node_rivals_settle(n);
	return false;
}

/**
 * nodes_take_changed() - Did this node's own ranges change, or which of them it has an address of?
 * @n: Module, settled
 *
 * Return: true if so, since the last call
 */
bool nodes_take_changed(struct nodes *n)
{
	return TAKE(n->moved, false);
}

/**
 * nodes_had_range() - A range was this node's before the agent started
 * @n: Module
 * @p: Range that the kernel holds as unreachable
 *
 * It is retired if it is not this node's now, and stays while pods have addresses of it.
 */
void nodes_had_range(struct nodes *n, const struct prefix *p)
{
	vec_foreach (r, &n->retired)
		if (prefix_eq(&r->prefix, p))
			return;
	retire(n, p);
	settle_retired(n);
}

static void attached(struct part *p, const struct attachment *old, const struct attachment *now)
{
	struct nodes *n = nodes_of(p);

	count_retired(n, old, true);
	count_retired(n, now, false);
	if (n->retired.n)
		settle_retired(n);
}

/**
 * nodes_pods_only() - Of this node's ranges, the ones in which it has no address itself
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
 * nodes_own_addresses() - The InternalIPs of this node
 * @n:   Module
 * @ret: Addresses, borrowed until its Node changes
 *
 * Return: their number; 0 while its Node object is not known
 */
size_t nodes_own_addresses(const struct nodes *n, const struct addr **ret)
{
	const struct node_entry *e = nodes_find(n, n->own_name);

	*ret = e ? e->node->internal_ips : NULL;
	return e ? e->node->n_internal_ips : 0;
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
	const struct node_entry *e = nodes_find(n, n->own_name);

	if (!e || !e->node->n_internal_ips)
		return false;
	*ret = e->node->internal_ips[0];
	return true;
}

const struct part_ops nodes_part = {
	.kinds = 1u << KIND_NODE,
	.make = make,
	.free = free_nodes,
	.configure = configure,
	.object = object,
	.attached = attached,
	.settle = settle,
};
