// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy.c - from objects and attachments to programs in force.  Pure.
 *
 * Owns the policies by name and the verdict maps.  A change marks endpoints: a pod's own, or those
 * that the old or the new version of a policy selects.  policy_settle() recomputes each marked
 * endpoint whole, in both directions, and compares by asking for the same program again.
 */
#include "datapath/policy/policy_internal.h"

#include <assert.h>
#include <utlist.h>

#include "datapath/base/podrows.h"
#include "datapath/policy/verdicts.h"
#include "lib/intern.h"
#include "watch/object/namespace.h"

/**
 * policy_of() - The engine behind a part
 * @p: Part, made by policy_part
 *
 * Return: the engine
 */
struct policy_engine *policy_of(struct part *p)
{
	return container_of(p, struct policy_engine, part);
}

static struct part *make(const struct part_place *where)
{
	struct policy_engine *e = xcalloc(1, sizeof(*e));

	verdicts_init(&e->verdicts, where->table);
	e->peers = peers_new(where->table, where->need, where->need_arg, &e->touched);
	e->programs = programs_new(where->table, e->peers);
	e->endpoints.peers = e->peers;
	e->endpoints.touched = &e->touched;
	e->policy_index = matchindex_new();
	return &e->part;
}

static void free_engine(struct part *p)
{
	struct policy_engine *e = policy_of(p);

	assert(!e->policies.n && !e->endpoints.all && !e->endpoints.names.n);
	ptr_table_done(&e->policies);
	ptr_table_done(&e->endpoints.names);
	(void)programs_free(e->programs);
	(void)peers_free(e->peers);
	(void)matchindex_free(e->policy_index);
	vec_done(&e->kept.closed);
	vec_done(&e->touched.v);
	free(e);
}

#define STEPS_BUILT 200 /* what a term or block of a program costs, in steps of peers_fill() */

/* --- changes -----------------------------------------------------------------------------------
 */

/* The pods of this node only: their number does not grow with the cluster. */
static void mark_selected(struct policy_engine *e, const struct match *m)
{
	struct endpoint *ep, *next;

	HASH_ITER (hh, e->endpoints.all, ep, next) {
		if (match_selects(m, ep))
			endpoint_mark(&e->endpoints, ep);
	}
}

static bool is_record(const void *item, const void *object)
{
	return ((const struct policy_record *)item)->object == object;
}

static void policy_removed(struct policy_engine *e, const struct netpol *old)
{
	void **slot = ptr_table_find(&e->policies, ptr_hash(old), is_record, old);
	struct policy_record *r;

	assert(slot);
	r = *slot;
	matchindex_remove(e->policy_index, &r->match);
	mark_selected(e, &r->match);
	ptr_table_remove(&e->policies, slot);
	free(r);
}

static void policy_added(struct policy_engine *e, const struct netpol *new)
{
	struct policy_record *r = xcalloc(1, sizeof(*r));

	r->object = new;
	r->match = (struct match){.ns = streq(new->o.ns, NS_EVERY) ? NULL : new->o.ns,
				  .pods = &new->selects};
	ptr_table_add(&e->policies, ptr_hash(new), r);
	matchindex_add(e->policy_index, &r->match);
	mark_selected(e, &r->match);
}

#define ISOLATION_NAME "(Namespace)" /* which is no name of a policy */

static void isolation_added(struct policy_engine *e, const char *ns)
{
	struct isolation *i = xcalloc(1, sizeof(*i));

	i->policy.o.kind = KIND_NETPOL;
	i->policy.o.ns = intern_ref(ns);
	i->policy.o.name = ISOLATION_NAME;
	i->policy.isolates[INGRESS] = true;
	HASH_ADD_PTR(e->isolations, policy.o.ns, i);
	policy_added(e, &i->policy);
}

static void isolation_removed(struct policy_engine *e, const char *ns)
{
	struct isolation *i;

	HASH_FIND_PTR(e->isolations, &ns, i);
	assert(i);
	policy_removed(e, &i->policy);
	HASH_DEL(e->isolations, i);
	intern_put(i->policy.o.ns);
	free(i);
}

static void namespace_changed(struct policy_engine *e, const struct namespace *old,
			      const struct namespace *now)
{
	const char *name = now ? now->o.name : old->o.name;
	bool was = old && old->isolated, is = now && now->isolated;

	/* Of one of which some label could not be read no label is sure: it counts as not known. */
	peers_namespace(e->peers, name, now && now->labels_known ? &now->labels : NULL);
	if (is && !was)
		isolation_added(e, name);
	if (was && !is)
		isolation_removed(e, name);
}

static void policy_changed(struct policy_engine *e, const struct netpol *old,
			   const struct netpol *new)
{
	if (old)
		policy_removed(e, old);
	if (new)
		policy_added(e, new);
}

static void object(struct part *p, const struct object *old, const struct object *new)
{
	struct policy_engine *e = policy_of(p);
	enum kind kind = (new ? new : old)->kind;
	size_t *count = &e->counts.policies;

	if (kind == KIND_POD) {
		count = &e->counts.pods;
		endpoints_pod(&e->endpoints, as_pod(old), as_pod(new));
	} else if (kind == KIND_NAMESPACE) {
		count = &e->counts.namespaces;
		namespace_changed(e, as_namespace(old), as_namespace(new));
	} else {
		policy_changed(e, as_netpol(old), as_netpol(new));
	}
	*count += (new ? 1 : 0);
	*count -= (old ? 1 : 0);
}

/* --- settling ----------------------------------------------------------------------------------
 */

static int compare_policies(const void *a, const void *b)
{
	const struct netpol *const *x = a, *const *y = b;

	return strcmp((*x)->o.name, (*y)->o.name);
}

/**
 * policy_find() - The policies that isolate a pod in a direction
 * @e:   Engine
 * @pod: Pod
 * @d:   Direction
 * @ret: By name; they are all of its namespace, but for stand-ins of every namespace, of which a
 *       file has one
 */
void policy_find(const struct policy_engine *e, const struct pod *pod, enum direction d,
		 struct policy_list *ret)
{
	const struct match_subject s = {.ns = pod->o.ns, .labels = &pod->labels};
	struct match_list found = {0};

	matchindex_find(e->policy_index, &s, &found);
	vec_foreach (m, &found.m) {
		const struct netpol *p = container_of(*m, struct policy_record, match)->object;

		if (p->isolates[d])
			vec_push(&ret->p, p);
	}
	vec_done(&found.m);
	vec_sort(&ret->p, compare_policies);
}

static char *policy_names(const struct policy_list *l)
{
	struct buf b = {0};

	vec_foreach (p, &l->p)
		buf_printf(&b, "%s%s/%s", p == l->p.v ? "" : ", ", (*p)->o.ns, (*p)->o.name);
	return buf_take(&b);
}

/* What the compiler looks at: the same key within one settling gives the same program. */
static char *compiled_key(const struct pod *pod, enum direction d, const char *names)
{
	struct buf b = {0};

	buf_printf(&b, "%d %s", d, names);
	for (uint32_t i = 0; d == INGRESS && i < pod->n_ports; i++)
		buf_printf(&b, " %s/%u=%u", pod->ports[i].name, pod->ports[i].protocol,
			   pod->ports[i].port);
	return buf_take(&b);
}

static struct program *compile(struct policy_engine *e, const struct pod *pod, enum direction d,
			       const struct policy_list *l, const char *names)
{
	struct allowance a = {0};
	struct program *g = NULL;

	allowance_compile(&a, d, l->p.v, l->p.n, pod);
	if (!a.any.everyone)
		g = program_get(e->programs, &a, names);
	allowance_done(&a);
	return g;
}

/* One use of the program for a pod; NULL if nothing is forbidden. */
static struct program *program_of(struct policy_engine *e, const struct pod *pod, enum direction d)
{
	_cleanup_(freep) char *names = NULL, *key = NULL;
	struct policy_list l = {0};
	struct compiled *c;

	policy_find(e, pod, d, &l);
	if (!l.p.n)
		return NULL;
	names = policy_names(&l);
	key = compiled_key(pod, d, names);
	HASH_FIND_STR(e->compiled, key, c);
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		c->program = compile(e, pod, d, &l, names);
		c->key = TAKE(key, NULL);
		HASH_ADD_KEYPTR(hh, e->compiled, c->key, strlen(c->key), c);
	}
	vec_done(&l.p);
	return program_use(c->program);
}

static void forget_compiled(struct policy_engine *e)
{
	struct compiled *c, *next;

	HASH_ITER (hh, e->compiled, c, next) {
		HASH_DEL(e->compiled, c);
		program_put(e->programs, c->program);
		free(c->key);
		free(c);
	}
}

static void switch_direction(struct policy_engine *e, struct endpoint *ep, enum direction d,
			     struct program *to, bool fence)
{
	struct program *from = ep->program[d];

	if (!e->kept.on || !ep->row[d][0].wanted)
		verdicts_put(&e->verdicts, ep, d,
			     fence || e->kept.on ? UNKNOWN_POD
			     : to		 ? program_chain(to)
						 : NULL);
	ep->program[d] = to;
	program_put(e->programs, from);
}

/* Have an endpoint under programs; takes them over. */
static void switch_endpoint(struct policy_engine *e, struct endpoint *ep,
			    struct program *const to[_DIRECTION_MAX], bool fence)
{
	const struct program *before[] = {ep->program[INGRESS], ep->program[EGRESS]};

	for (int d = 0; d < _DIRECTION_MAX; d++)
		switch_direction(e, ep, (enum direction)d, to[d], fence);
	endpoint_settled(&e->endpoints, ep, before, fence);
}

static bool are_complete(struct program *const g[_DIRECTION_MAX])
{
	return program_is_complete(g[INGRESS]) && program_is_complete(g[EGRESS]);
}

static void give_up_next(struct policy_engine *e, struct endpoint *ep)
{
	for (int d = 0; d < _DIRECTION_MAX; d++)
		program_put(e->programs, TAKE(ep->next_program[d], NULL));
	endpoint_await(&e->endpoints, ep, false);
}

/*
 * A program that is not complete would forbid what its policies allow.  Until it is, the endpoint
 * stays as it was, and one that is new stays isolated; nobody else waits for it.
 */
static void settle_endpoint(struct policy_engine *e, struct endpoint *ep)
{
	bool fence = !ep->pod || ep->pod->object->o.problem;
	struct program *to[_DIRECTION_MAX] = {0}, *const none[_DIRECTION_MAX] = {0};

	give_up_next(e, ep);
	for (int d = 0; d < _DIRECTION_MAX && !fence; d++)
		if (!ep->pod->object->host_network)
			to[d] = program_of(e, ep->pod->object, (enum direction)d);
	if (are_complete(to)) {
		switch_endpoint(e, ep, to, fence);
		return;
	}
	memcpy(ep->next_program, to, sizeof(to));
	endpoint_await(&e->endpoints, ep, true);
	if (!ep->row[INGRESS][0].wanted)
		switch_endpoint(e, ep, none, true);
}

static void switch_complete(struct policy_engine *e)
{
	struct endpoint *ep, *next;

	LL_FOREACH_SAFE2(e->endpoints.awaiting, ep, next, next_awaiting)
	{
		struct program *const to[] = {ep->next_program[INGRESS], ep->next_program[EGRESS]};

		if (!are_complete(to))
			continue;
		memset(ep->next_program, 0, sizeof(ep->next_program));
		endpoint_await(&e->endpoints, ep, false);
		switch_endpoint(e, ep, to, false);
	}
}

static void settle_marked(struct policy_engine *e)
{
	struct endpoint *ep;

	while ((ep = endpoints_take_dirty(&e->endpoints)))
		settle_endpoint(e, ep);
	forget_compiled(e);
}

/*
 * Costs the marked endpoints, each with the policies that select it; endpoints under the same
 * policies are compiled once.  What is new in the table is looked up by nobody until it is complete
 * and endpoints are switched to it.
 */
static bool settle(struct part *p, size_t steps)
{
	struct policy_engine *e = policy_of(p);
	bool more;

	settle_marked(e);
	more = programs_build(e->programs, 1 + (steps - 1) / STEPS_BUILT);
	more |= peers_fill(e->peers, steps);
	switch_complete(e);
	return more;
}

/**
 * policy_knowledge() - Are the policies known?  They are, until this says otherwise
 * @e: Engine
 * @k: How things stand, see kept.h; after POLICY_KNOWN it is to be settled
 *
 * Time: O(endpoints)
 */
void policy_knowledge(struct policy_engine *e, enum policy_knowledge k)
{
	switch (k) {
	case POLICY_UNKNOWN:
		kept_begin(&e->kept, &e->verdicts, &e->endpoints);
		break;
	case POLICY_AS_LEFT:
		kept_take(&e->kept, &e->verdicts, &e->endpoints);
		break;
	case POLICY_ISOLATE:
		kept_isolate(&e->verdicts, &e->endpoints);
		break;
	case POLICY_KNOWN:
		kept_end(&e->kept, &e->verdicts, &e->endpoints);
		break;
	}
}

/* --- attachments -------------------------------------------------------------------------------
 */

static void detach(struct policy_engine *e, const struct attachment *a)
{
	struct endpoint *ep = endpoints_find(&e->endpoints, a->id, a->ifname);

	give_up_next(e, ep);
	verdicts_clear(&e->verdicts, ep);
	for (int d = 0; d < _DIRECTION_MAX; d++)
		program_put(e->programs, ep->program[d]);
	if (ep->dirty)
		LL_DELETE2(e->endpoints.dirty, ep, next_dirty);
	endpoints_detach(&e->endpoints, ep);
	e->counts.attachments--;
}

static void attached(struct part *p, const struct attachment *old, const struct attachment *now)
{
	struct policy_engine *e = policy_of(p);

	if (old)
		detach(e, old);
	if (!now)
		return;
	endpoints_attach(&e->endpoints, now);
	e->counts.attachments++;
}

const struct part_ops policy_part = {
	.owner = NFT_OWNER_POLICY,
	.kinds = 1u << KIND_POD | 1u << KIND_NAMESPACE | 1u << KIND_NETPOL,
	.n_entries = POLICY_ENTRIES,
	.entries = policy_entries,
	.make = make,
	.free = free_engine,
	.object = object,
	.attached = attached,
	.settle = settle,
	.settled = policy_settled,
	.blame = policy_blame,
};
