// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nodes.c - nodes to routes and ranges.  Pure.
 */
#include "datapath/route/nodes_internal.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/intern.h"

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

static void entry_free(struct nodes *n, struct node_entry *e, const struct node *old)
{
	node_rivals_forget(n, e, old);
	HASH_DEL(n->all, e);
	intern_put(e->name);
	free(e);
}

/**
 * nodes_free() - Free the module; what it wanted stays wanted
 * @n: Module or NULL
 *
 * Return: NULL
 */
struct nodes *nodes_free(struct nodes *n)
{
	struct node_pod *pod, *next_pod;
	struct node_entry *e, *next;

	if (!n)
		return NULL;
	HASH_ITER (hh, n->all, e, next)
		entry_free(n, e, NULL);
	HASH_ITER (hh, n->pods, pod, next_pod) {
		HASH_DEL(n->pods, pod);
		free(pod);
	}
	node_rivals_done(n);
	for (int six = 0; six < 2; six++) {
		coverset_done(&n->cluster[six]);
		coverset_done(&n->pod_ranges[six]);
	}
	vec_done(&n->ranges);
	vec_done(&n->exclude);
	vec_done(&n->own);
	vec_done(&n->retired);
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
		change(coverset_of(n->cluster, &node->pod_cidrs[i]), &node->pod_cidrs[i]);
	for (uint32_t i = 0; node && i < node->n_internal_ips; i++) {
		struct prefix host = prefix_host(&node->internal_ips[i]);

		change(coverset_of(n->cluster, &host), &host);
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

/**
 * nodes_object() - A node appeared, changed or went
 * @n:   Module
 * @old: Version before, still readable; NULL: none
 * @new: Version now, borrowed until it is given as @old; NULL: none
 */
void nodes_object(struct nodes *n, const struct node *old, const struct node *new)
{
	const char *name = new ? new->o.name : old->o.name;
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
 * @fn:  Called by nodes_settle(), and by nodes_object() for one that goes
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

static void change_block(struct nodes *n, const struct prefix *p, cover_change *change)
{
	change(coverset_of(n->cluster, p), p);
	if (n->masquerading)
		change(coverset_of(n->pod_ranges, p), p);
}

static void change_pod(struct nodes *n, const struct node_pod *pod, cover_change *change)
{
	for (uint32_t i = 0; i < pod->n_addrs; i++) {
		const struct prefix host = prefix_host(&pod->addrs[i]);

		change_block(n, &host, change);
	}
}

/* The blocks that the sets hold for this node, put in or taken out. */
static void change_own(struct nodes *n, cover_change *change)
{
	vec_foreach (p, &n->own)
		change_block(n, p, change);
	for (const struct node_pod *pod = n->pods; pod; pod = pod->hh.next)
		change_pod(n, pod, change);
}

/* A range is this node's no more: count the pods that still have addresses of it. */
static void retire(struct nodes *n, const struct prefix *p)
{
	struct retired_range r = {.prefix = *p};

	for (const struct node_pod *pod = n->pods; pod; pod = pod->hh.next)
		for (uint32_t i = 0; i < pod->n_addrs; i++)
			r.pods += prefix_contains(p, &pod->addrs[i]);
	vec_push(&n->retired, r);
}

static void count_retired(struct nodes *n, const struct node_pod *pod, bool leaves)
{
	vec_foreach (r, &n->retired)
		for (uint32_t i = 0; i < pod->n_addrs; i++)
			if (prefix_contains(&r->prefix, &pod->addrs[i]))
				r->pods += leaves ? UINT32_MAX : 1;
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

	change_own(n, cover_remove);
	vec_foreach (p, &n->own)
		vec_push(&old, *p);
	collect_own(n);
	n->masquerading = n->masquerade;
	change_own(n, cover_add);
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

/**
 * nodes_settle() - Bring what follows from the changes since the last call up to date
 * @n: Module
 *
 * Return: true if this node's own ranges changed, or which of them it has an address of
 */
bool nodes_settle(struct nodes *n)
{
	bool changed = n->dirty && settle_own(n);

	n->dirty = false;
	node_rivals_settle(n);
	return changed;
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

/**
 * nodes_pod() - A local pod has addresses, or has none any more
 * @n:       Module
 * @ifname:  Host's end of its interface
 * @n_addrs: Number of addresses; 0: it goes, nothing happens if it is not known
 * @addrs:   Addresses, at most one a family; of whatever range
 *
 * Time: O(log(blocks) + retired ranges).
 */
void nodes_pod(struct nodes *n, const char *ifname, uint32_t n_addrs, const struct addr *addrs)
{
	struct node_pod *pod;

	HASH_FIND_STR(n->pods, ifname, pod);
	if (pod) {
		change_pod(n, pod, cover_remove);
		count_retired(n, pod, true);
		HASH_DEL(n->pods, pod);
		free(pod);
	}
	if (n_addrs) {
		pod = xcalloc(1, sizeof(*pod));
		(void)snprintf(pod->ifname, sizeof(pod->ifname), "%s", ifname);
		pod->n_addrs = n_addrs;
		memcpy(pod->addrs, addrs, n_addrs * sizeof(*addrs));
		HASH_ADD_STR(n->pods, ifname, pod);
		change_pod(n, pod, cover_add);
		count_retired(n, pod, false);
	}
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
