// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * node_rivals.c - routes to the pods of other nodes, and Nodes that claim the same.  Pure.
 *
 * Two Nodes may have one block or one address: a node that came back under another name while its
 * old Node is still there, or a list made again of which the new Nodes are known before the old
 * ones go.  A block is routed to the oldest of them; the others have a problem that names it.  A
 * change costs the blocks and addresses of its Node; where who has one changes, also the Nodes that
 * claim it.
 */
#include <sys/socket.h>

#include "datapath/route/nodes_internal.h"
#include "lib/intern.h"

/* The address of a node through which its pods of a family are reached. */
static const struct addr *gateway(const struct node *node, uint8_t family)
{
	for (uint32_t i = 0; i < node->n_internal_ips; i++)
		if (node->internal_ips[i].family == family)
			return &node->internal_ips[i];
	return NULL;
}

static struct claimant owner_of(const struct node *node)
{
	return (struct claimant){
		.rank = ROUTE_OF_NODE, .since = node->created, .name = node->o.name};
}

static void mark(struct nodes *n, bool routes, const struct claim *c)
{
	for (; c; c = c->next) {
		if (c->by.rank != ROUTE_OF_NODE)
			continue;
		vec_push(&n->rivals, intern(c->by.name));
		if (routes)
			vec_push(&n->changed, intern(c->by.name));
	}
}

/* Who has it; two are compared by their addresses alone, since names are interned. */
static const char *first_of(const struct claim *c)
{
	return c ? c->by.name : NULL;
}

/**
 * node_rivals_of() - Who has a block has changed
 * @n:   Module
 * @dst: Block
 */
void node_rivals_of(struct nodes *n, const struct prefix *dst)
{
	mark(n, false, routes_claims(n->routes, dst));
}

/* --- addresses ---------------------------------------------------------------------------------
 */

static struct node_address *find_address(const struct nodes *n, const struct addr *a)
{
	struct node_address *na;

	HASH_FIND(hh, n->addresses, a, sizeof(*a), na);
	return na;
}

static void claim_address(struct nodes *n, const struct node *node, const struct addr *a)
{
	struct node_address *na = find_address(n, a);
	const char *first = na ? first_of(na->claims) : NULL;
	struct claim *c = xcalloc(1, sizeof(*c));

	if (!na) {
		na = xcalloc(1, sizeof(*na));
		na->addr = *a;
		HASH_ADD(hh, n->addresses, addr, sizeof(na->addr), na);
	}
	c->by = owner_of(node);
	claims_add(&na->claims, c);
	if (first_of(na->claims) != first || node->o.name == n->own_name)
		mark(n, true, na->claims);
}

static void unclaim_address(struct nodes *n, const struct node *node, const struct addr *a)
{
	struct node_address *na = find_address(n, a);
	const struct claimant by = owner_of(node);
	struct claim *c = na ? claims_find(na->claims, &by) : NULL;
	bool first = c && c == na->claims;

	if (!c)
		return;
	claims_remove(&na->claims, c);
	free(c);
	if (first || node->o.name == n->own_name)
		mark(n, true, na->claims);
	if (na->claims)
		return;
	HASH_DEL(n->addresses, na);
	free(na);
}

/* Does this node have an address by its own Node? */
static bool is_ours(const struct nodes *n, const struct addr *a)
{
	const struct claimant own = {.rank = ROUTE_OF_NODE, .name = n->own_name};
	const struct node_address *na = find_address(n, a);

	return na && claims_find(na->claims, &own);
}

/* --- routes ------------------------------------------------------------------------------------
 */

/* No route leads through an address of this node to another one's pods. */
static void want_routes(struct nodes *n, const struct node *node)
{
	const struct claimant owner = owner_of(node);

	for (uint32_t i = 0; i < node->n_pod_cidrs; i++) {
		const struct prefix *dst = &node->pod_cidrs[i];
		const struct addr *via = gateway(node, dst->addr.family);
		const char *first = first_of(routes_claims(n->routes, dst));

		if (via && !is_ours(n, via))
			routes_want(n->routes, &owner,
				    &(struct route){.dst = *dst, .kind = ROUTE_VIA, .via = *via});
		else
			routes_drop(n->routes, &owner, dst);
		if (first_of(routes_claims(n->routes, dst)) != first)
			node_rivals_of(n, dst);
	}
}

static void drop_routes(struct nodes *n, const struct node *node)
{
	const struct claimant owner = owner_of(node);

	for (uint32_t i = 0; i < node->n_pod_cidrs; i++) {
		const struct prefix *dst = &node->pod_cidrs[i];
		const char *first = first_of(routes_claims(n->routes, dst));

		routes_drop(n->routes, &owner, dst);
		if (first_of(routes_claims(n->routes, dst)) != first)
			node_rivals_of(n, dst);
	}
}

/**
 * node_rivals_change() - A Node appeared, changed or went
 * @n:   Module
 * @old: Version before, still readable; NULL: none
 * @now: Version now; NULL: none
 */
void node_rivals_change(struct nodes *n, const struct node *old, const struct node *now)
{
	const struct node *node = now ?: old;

	for (uint32_t i = 0; old && i < old->n_internal_ips; i++)
		unclaim_address(n, old, &old->internal_ips[i]);
	for (uint32_t i = 0; now && i < now->n_internal_ips; i++)
		claim_address(n, now, &now->internal_ips[i]);
	if (old)
		drop_routes(n, old);
	vec_push(&n->changed, intern(node->o.name));
	vec_push(&n->rivals, intern(node->o.name));
}

/* --- problems ----------------------------------------------------------------------------------
 */

static bool claims(const struct claim *c, const struct node *node)
{
	while (c && (c->by.rank != ROUTE_OF_NODE || c->by.name != node->o.name))
		c = c->next;
	return c;
}

/* Why another owner's claim comes before that of @node, as text; NULL: it does not. */
static char *lost_block(const struct nodes *n, const struct node *node, const struct prefix *dst)
{
	const struct claim *best = routes_claims(n->routes, dst);
	char text[PREFIX_STR_MAX];

	(void)prefix_str(dst, text);
	if (!claims(best, node))
		return NULL;
	switch ((enum route_rank)best->by.rank) {
	case ROUTE_OF_RANGE:
	case ROUTE_OF_POD:
		return xasprintf(
			"spec.podCIDRs: %s is in use on Node %s; its pods on this Node are "
			"not reached from there",
			text, n->own_name);
	case ROUTE_OF_NODE:
		if (streq(best->by.name, node->o.name))
			return NULL;
		return xasprintf(
			"spec.podCIDRs: %s belongs to Node %s too, which is older (or first "
			"by name) and gets the route; delete one of them",
			text, best->by.name);
	case ROUTE_OF_RETIRED:
	case _ROUTE_RANK_MAX:
		break;
	}
	return NULL;
}

static char *lost_address(const struct nodes *n, const struct node *node, const struct addr *a)
{
	const struct node_address *na = find_address(n, a);
	char text[ADDR_STR_MAX];

	if (!na || streq(na->claims->by.name, node->o.name))
		return NULL;
	return xasprintf("status.addresses: InternalIP %s belongs to Node %s too, which is older "
			 "(or first by name); delete one of them",
			 addr_str(a, text), na->claims->by.name);
}

static char *problem_of(const struct nodes *n, const struct node *node)
{
	char *text = NULL;

	for (uint32_t i = 0; !text && i < node->n_pod_cidrs; i++)
		text = lost_block(n, node, &node->pod_cidrs[i]);
	for (uint32_t i = 0; !text && i < node->n_internal_ips; i++)
		text = lost_address(n, node, &node->internal_ips[i]);
	return text;
}

static void judge(struct nodes *n, struct node_entry *e)
{
	char *text = problem_of(n, e->node);
	bool news = !streq(text ? text : "", e->problem ? e->problem : "");

	free(e->problem);
	e->problem = text;
	if (news && n->on_problem)
		n->on_problem(n->arg, e->node, text);
}

/**
 * node_rivals_settle() - Want the routes that follow from what changed, and judge who lost
 * @n: Module
 */
void node_rivals_settle(struct nodes *n)
{
	struct node_entry *e;

	vec_foreach (name, &n->changed) {
		e = nodes_find(n, *name);
		if (e && e->name != n->own_name)
			want_routes(n, e->node);
		intern_put(*name);
	}
	n->changed.n = 0;
	vec_foreach (name, &n->rivals) {
		e = nodes_find(n, *name);
		if (e)
			judge(n, e);
		intern_put(*name);
	}
	n->rivals.n = 0;
}

/**
 * node_rivals_forget() - A Node goes, and with it its problem
 * @n:   Module
 * @e:   Its entry; the problem is freed
 * @old: Its last version; NULL: the module ends, nobody is told
 */
void node_rivals_forget(struct nodes *n, struct node_entry *e, const struct node *old)
{
	if (e->problem && old && n->on_problem)
		n->on_problem(n->arg, old, NULL);
	free(TAKE(e->problem, NULL));
}

/**
 * node_rivals_done() - Free what this file keeps
 * @n: Module
 */
void node_rivals_done(struct nodes *n)
{
	struct node_address *na, *next;

	HASH_ITER (hh, n->addresses, na, next) {
		while (na->claims) {
			struct claim *c = na->claims;

			claims_remove(&na->claims, c);
			free(c);
		}
		HASH_DEL(n->addresses, na);
		free(na);
	}
	vec_foreach (name, &n->changed)
		intern_put(*name);
	vec_foreach (name, &n->rivals)
		intern_put(*name);
	vec_done(&n->changed);
	vec_done(&n->rivals);
}

/**
 * nodes_problem() - Why a Node does not get all that it claims
 * @n:    Module
 * @name: Its name, interned
 *
 * Return: the text, borrowed until the next change; NULL: it does
 */
const char *nodes_problem(const struct nodes *n, const char *name)
{
	const struct node_entry *e = nodes_find(n, name);

	return e ? e->problem : NULL;
}

/**
 * node_lacks_address() - Has a Node pods of a family that no other node can reach?
 * @node: Node
 *
 * Routes to its pods lead through its InternalIP of their family.
 *
 * Return: which, as text, to be freed; NULL: none
 */
char *node_lacks_address(const struct node *node)
{
	for (uint32_t i = 0; i < node->n_pod_cidrs; i++) {
		const struct prefix *dst = &node->pod_cidrs[i];
		char text[PREFIX_STR_MAX];

		if (!gateway(node, dst->addr.family))
			return xasprintf("status.addresses: no InternalIP of %s: other nodes have "
					 "no route to its pods of %s",
					 dst->addr.family == AF_INET ? "IPv4" : "IPv6",
					 prefix_str(dst, text));
	}
	return NULL;
}

/**
 * nodes_each_unreached() - Walk the Nodes for which node_lacks_address() has something to say
 * @n:   Module
 * @fn:  Called for each
 * @arg: Its first argument
 *
 * Time: O(nodes).
 */
void nodes_each_unreached(const struct nodes *n, node_problem_fn *fn, void *arg)
{
	for (const struct node_entry *e = n->all; e; e = e->hh.next) {
		_cleanup_(freep) char *lacks = node_lacks_address(e->node);

		if (lacks)
			fn(arg, e->node, lacks);
	}
}

/**
 * nodes_each_problem() - Walk the Nodes that do not get all that they claim
 * @n:   Module
 * @fn:  Called for each
 * @arg: Its first argument
 *
 * Time: O(nodes).
 */
void nodes_each_problem(const struct nodes *n, node_problem_fn *fn, void *arg)
{
	for (const struct node_entry *e = n->all; e; e = e->hh.next)
		if (e->problem)
			fn(arg, e->node, e->problem);
}
